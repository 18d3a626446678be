"""A run of a proof keeps its outcome while it waits to be told"""

from __future__ import annotations

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('proof_trial', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_proof_trial_done_has_outcome'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_proof_trial_done_has_outcome'), "stage <> 'done' OR outcome IS NOT NULL")


def downgrade() -> None:
    with op.batch_alter_table('proof_trial', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_proof_trial_done_has_outcome'), type_='check')
        batch_op.create_check_constraint(batch_op.f('ck_proof_trial_done_has_outcome'), "(stage = 'done') = (outcome IS NOT NULL)")
