"""Who changed what, notices, working copies and their proofs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('subject', sa.String(length=80), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['user_account.id'], name=op.f('fk_audit_entry_actor_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index('ix_audit_entry_subject', ['subject', 'id'], unique=False)

    op.create_table('notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('path', sa.String(length=300), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['user_account.id'], name=op.f('fk_notice_person_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_person', ['person_id', 'id'], unique=False)

    op.create_table('working_copy',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=True),
    sa.Column('base_id', sa.Integer(), nullable=True),
    sa.Column('track', sa.String(length=40), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['base_id'], ['revision.id'], name=op.f('fk_working_copy_base_id_revision')),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_working_copy_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['owner_id'], ['user_account.id'], name=op.f('fk_working_copy_owner_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_working_copy'))
    )
    with op.batch_alter_table('working_copy', schema=None) as batch_op:
        batch_op.create_index('ix_working_copy_owner', ['owner_id'], unique=False)

    op.create_table('proof_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('copy_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('stage', sa.String(length=8), nullable=False),
    sa.Column('card', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(stage = 'done') = (card IS NOT NULL)", name=op.f('ck_proof_run_done_has_card')),
    sa.CheckConstraint("stage IN ('queued', 'running', 'done')", name=op.f('ck_proof_run_stage_known')),
    sa.ForeignKeyConstraint(['copy_id'], ['working_copy.id'], name=op.f('fk_proof_run_copy_id_working_copy'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proof_run'))
    )
    with op.batch_alter_table('proof_run', schema=None) as batch_op:
        batch_op.create_index('ix_proof_run_copy', ['copy_id', 'id'], unique=False)

    op.create_table('proof_trial',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('stage', sa.String(length=8), nullable=False),
    sa.Column('claimed_by', sa.String(length=80), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claims', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.String(length=20), nullable=True),
    sa.Column('outcome', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('told', sa.Text(), nullable=False),
    sa.CheckConstraint("(stage = 'done') = (outcome IS NOT NULL)", name=op.f('ck_proof_trial_done_has_outcome')),
    sa.CheckConstraint("(stage = 'running') = (lease_until IS NOT NULL)", name=op.f('ck_proof_trial_running_has_lease')),
    sa.CheckConstraint("stage IN ('queued', 'running', 'done')", name=op.f('ck_proof_trial_stage_known')),
    sa.ForeignKeyConstraint(['run_id'], ['proof_run.id'], name=op.f('fk_proof_trial_run_id_proof_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proof_trial')),
    sa.UniqueConstraint('run_id', 'position', name=op.f('uq_proof_trial_run_id_position'))
    )
    with op.batch_alter_table('proof_trial', schema=None) as batch_op:
        batch_op.create_index('ix_proof_trial_stage', ['stage', 'id'], unique=False)

    with op.batch_alter_table('exercise', schema=None) as batch_op:
        batch_op.add_column(sa.Column('trial', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('owner_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('synced_digest', sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_exercise_owner_id_user_account'), 'user_account', ['owner_id'], ['id'])

    with op.batch_alter_table('revision', schema=None) as batch_op:
        batch_op.add_column(sa.Column('author_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('note', sa.Text(), nullable=False, server_default=''))
        batch_op.create_foreign_key(batch_op.f('fk_revision_author_id_user_account'), 'user_account', ['author_id'], ['id'])

    # The defaults were for the rows that were there.
    with op.batch_alter_table('exercise', schema=None) as batch_op:
        batch_op.alter_column('trial', server_default=None)
    with op.batch_alter_table('revision', schema=None) as batch_op:
        batch_op.alter_column('note', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('revision', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_revision_author_id_user_account'), type_='foreignkey')
        batch_op.drop_column('note')
        batch_op.drop_column('author_id')

    with op.batch_alter_table('exercise', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_exercise_owner_id_user_account'), type_='foreignkey')
        batch_op.drop_column('synced_digest')
        batch_op.drop_column('owner_id')
        batch_op.drop_column('trial')

    with op.batch_alter_table('proof_trial', schema=None) as batch_op:
        batch_op.drop_index('ix_proof_trial_stage')

    op.drop_table('proof_trial')
    with op.batch_alter_table('proof_run', schema=None) as batch_op:
        batch_op.drop_index('ix_proof_run_copy')

    op.drop_table('proof_run')
    with op.batch_alter_table('working_copy', schema=None) as batch_op:
        batch_op.drop_index('ix_working_copy_owner')

    op.drop_table('working_copy')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_person')

    op.drop_table('notice')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entry_subject')

    op.drop_table('audit_entry')
