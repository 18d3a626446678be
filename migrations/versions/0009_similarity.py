"""Searches for similar submissions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('similarity_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('cohort_id', sa.Integer(), nullable=True),
    sa.Column('threshold', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stage', sa.String(length=8), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claims', sa.Integer(), nullable=False),
    sa.Column('compared', sa.Integer(), nullable=False),
    sa.CheckConstraint("(stage = 'running') = (lease_until IS NOT NULL)", name=op.f('ck_similarity_run_running_has_lease')),
    sa.CheckConstraint("stage IN ('queued', 'running', 'done', 'failed')", name=op.f('ck_similarity_run_stage_known')),
    sa.CheckConstraint('threshold BETWEEN 1 AND 100', name=op.f('ck_similarity_run_threshold_percent')),
    sa.ForeignKeyConstraint(['cohort_id'], ['cohort.id'], name=op.f('fk_similarity_run_cohort_id_cohort')),
    sa.ForeignKeyConstraint(['created_by_id'], ['user_account.id'], name=op.f('fk_similarity_run_created_by_id_user_account')),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_similarity_run_exercise_id_exercise')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_similarity_run'))
    )
    with op.batch_alter_table('similarity_run', schema=None) as batch_op:
        batch_op.create_index('ix_similarity_run_creator', ['created_by_id', 'id'], unique=False)

    op.create_table('similarity_pair',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('first_id', sa.Integer(), nullable=False),
    sa.Column('second_id', sa.Integer(), nullable=False),
    sa.Column('first_share', sa.Double(), nullable=False),
    sa.Column('second_share', sa.Double(), nullable=False),
    sa.Column('first_lines', sa.JSON(), nullable=False),
    sa.Column('second_lines', sa.JSON(), nullable=False),
    sa.Column('judgement', sa.String(length=10), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('judged_by_id', sa.Integer(), nullable=True),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(judgement = 'none') = (judged_at IS NULL)", name=op.f('ck_similarity_pair_judged_at_a_time')),
    sa.CheckConstraint("judgement IN ('none', 'dismissed', 'discussed', 'confirmed')", name=op.f('ck_similarity_pair_judgement_known')),
    sa.CheckConstraint('(judged_at IS NULL) = (judged_by_id IS NULL)', name=op.f('ck_similarity_pair_judged_by_somebody')),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_similarity_pair_once')),
    sa.CheckConstraint('first_share BETWEEN 0 AND 1 AND second_share BETWEEN 0 AND 1', name=op.f('ck_similarity_pair_shares')),
    sa.ForeignKeyConstraint(['first_id'], ['submission.id'], name=op.f('fk_similarity_pair_first_id_submission'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['judged_by_id'], ['user_account.id'], name=op.f('fk_similarity_pair_judged_by_id_user_account')),
    sa.ForeignKeyConstraint(['run_id'], ['similarity_run.id'], name=op.f('fk_similarity_pair_run_id_similarity_run'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['second_id'], ['submission.id'], name=op.f('fk_similarity_pair_second_id_submission'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_similarity_pair')),
    sa.UniqueConstraint('run_id', 'first_id', 'second_id', name=op.f('uq_similarity_pair_run_id_first_id_second_id'))
    )


def downgrade() -> None:
    op.drop_table('similarity_pair')
    with op.batch_alter_table('similarity_run', schema=None) as batch_op:
        batch_op.drop_index('ix_similarity_run_creator')

    op.drop_table('similarity_run')
