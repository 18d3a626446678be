"""Submissions judged again for a regrade, and what each would change"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('submission', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_submission_purpose_known'), type_='check')
        batch_op.alter_column('purpose', existing_type=sa.String(length=6), type_=sa.String(length=8), existing_nullable=False)
        batch_op.add_column(sa.Column('original_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('judged_revision_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('regraded_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('regrade_reason', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('first_verdict', sa.String(length=20), nullable=True))
        batch_op.create_check_constraint(batch_op.f('ck_submission_purpose_known'), "purpose IN ('run', 'submit', 'regrade')")
        batch_op.create_check_constraint(batch_op.f('ck_submission_regrade_has_original'), "(purpose = 'regrade') = (original_id IS NOT NULL)")
        batch_op.create_foreign_key(batch_op.f('fk_submission_original_id_submission'), 'submission', ['original_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_submission_judged_revision_id_revision'), 'revision', ['judged_revision_id'], ['id'])
        batch_op.drop_index('ix_submission_stage_id')
        batch_op.create_index('ix_submission_stage_purpose_id', ['stage', 'purpose', 'id'], unique=False)
        batch_op.create_index('ix_submission_original_id', ['original_id'], unique=False)

    # The default was for the rows that were there.
    with op.batch_alter_table('submission', schema=None) as batch_op:
        batch_op.alter_column('regrade_reason', server_default=None)

    op.create_table('regrade',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('revision_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stage', sa.String(length=9), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(stage = 'open') = (decided_at IS NULL)", name=op.f('ck_regrade_decided_has_time')),
    sa.CheckConstraint("stage IN ('open', 'applied', 'discarded')", name=op.f('ck_regrade_stage_known')),
    sa.ForeignKeyConstraint(['created_by_id'], ['user_account.id'], name=op.f('fk_regrade_created_by_id_user_account')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user_account.id'], name=op.f('fk_regrade_decided_by_id_user_account')),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_regrade_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_regrade_revision_id_revision')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_regrade'))
    )
    with op.batch_alter_table('regrade', schema=None) as batch_op:
        batch_op.create_index('ix_regrade_exercise', ['exercise_id', 'id'], unique=False)

    op.create_table('regrade_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('regrade_id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.Column('shadow_id', sa.Integer(), nullable=True),
    sa.Column('why_not', sa.Text(), nullable=False),
    sa.Column('old_verdict', sa.String(length=20), nullable=False),
    sa.Column('regraded_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('new_verdict', sa.String(length=20), nullable=True),
    sa.Column('checks', sa.JSON(none_as_null=True), nullable=True),
    sa.CheckConstraint("shadow_id IS NULL OR why_not = ''", name=op.f('ck_regrade_item_unfit_has_no_shadow')),
    sa.ForeignKeyConstraint(['regrade_id'], ['regrade.id'], name=op.f('fk_regrade_item_regrade_id_regrade'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['shadow_id'], ['submission.id'], name=op.f('fk_regrade_item_shadow_id_submission'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['submission_id'], ['submission.id'], name=op.f('fk_regrade_item_submission_id_submission')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_regrade_item')),
    sa.UniqueConstraint('regrade_id', 'submission_id', name=op.f('uq_regrade_item_regrade_id_submission_id')),
    sa.UniqueConstraint('shadow_id', name=op.f('uq_regrade_item_shadow_id'))
    )
    with op.batch_alter_table('regrade_item', schema=None) as batch_op:
        batch_op.create_index('ix_regrade_item_submission', ['submission_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('regrade_item', schema=None) as batch_op:
        batch_op.drop_index('ix_regrade_item_submission')

    op.drop_table('regrade_item')
    with op.batch_alter_table('regrade', schema=None) as batch_op:
        batch_op.drop_index('ix_regrade_exercise')

    op.drop_table('regrade')
    op.execute("DELETE FROM submission WHERE purpose = 'regrade'")
    with op.batch_alter_table('submission', schema=None) as batch_op:
        batch_op.drop_index('ix_submission_original_id')
        batch_op.drop_index('ix_submission_stage_purpose_id')
        batch_op.create_index('ix_submission_stage_id', ['stage', 'id'], unique=False)
        batch_op.drop_constraint(batch_op.f('fk_submission_judged_revision_id_revision'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_submission_original_id_submission'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('ck_submission_regrade_has_original'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_submission_purpose_known'), type_='check')
        batch_op.drop_column('first_verdict')
        batch_op.drop_column('regrade_reason')
        batch_op.drop_column('regraded_at')
        batch_op.drop_column('judged_revision_id')
        batch_op.drop_column('original_id')
        batch_op.alter_column('purpose', existing_type=sa.String(length=8), type_=sa.String(length=6), existing_nullable=False)
        batch_op.create_check_constraint(batch_op.f('ck_submission_purpose_known'), "purpose IN ('run', 'submit')")
