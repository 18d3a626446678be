"""Assignments, their exercises, and extensions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('assignment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('cohort_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('late_percent', sa.Integer(), nullable=False),
    sa.Column('hints_closed', sa.Boolean(), nullable=False),
    sa.Column('solutions_closed', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('closes_at IS NULL OR closes_at > due_at', name=op.f('ck_assignment_closes_after_due')),
    sa.CheckConstraint('late_percent BETWEEN 0 AND 100', name=op.f('ck_assignment_late_percent_0_to_100')),
    sa.CheckConstraint('opens_at < due_at', name=op.f('ck_assignment_opens_before_due')),
    sa.ForeignKeyConstraint(['cohort_id'], ['cohort.id'], name=op.f('fk_assignment_cohort_id_cohort')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_cohort', ['cohort_id', 'due_at'], unique=False)

    op.create_table('assignment_exercise',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('assignment_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.CheckConstraint('points BETWEEN 0 AND 1000', name=op.f('ck_assignment_exercise_points_0_to_1000')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_assignment_exercise_assignment_id_assignment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_assignment_exercise_exercise_id_exercise')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment_exercise')),
    sa.UniqueConstraint('assignment_id', 'exercise_id', name=op.f('uq_assignment_exercise_assignment_id_exercise_id'))
    )
    with op.batch_alter_table('assignment_exercise', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_exercise_exercise', ['exercise_id'], unique=False)

    op.create_table('extension',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('assignment_id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_extension_assignment_id_assignment'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['learner_id'], ['user_account.id'], name=op.f('fk_extension_learner_id_user_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_extension')),
    sa.UniqueConstraint('assignment_id', 'learner_id', name=op.f('uq_extension_assignment_id_learner_id'))
    )


def downgrade() -> None:
    op.drop_table('extension')
    with op.batch_alter_table('assignment_exercise', schema=None) as batch_op:
        batch_op.drop_index('ix_assignment_exercise_exercise')

    op.drop_table('assignment_exercise')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('ix_assignment_cohort')

    op.drop_table('assignment')
