"""Every table of the first version"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event'))
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index('ix_event_topic_id', ['topic', 'id'], unique=False)

    op.create_table('exercise',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('track', sa.String(length=40), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=False),
    sa.Column('title', sa.String(length=160), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('difficulty', sa.Integer(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('skills', sa.JSON(), nullable=False),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.Column('current_revision_id', sa.Integer(), nullable=True),
    sa.CheckConstraint('difficulty BETWEEN 1 AND 5', name=op.f('ck_exercise_difficulty_1_to_5')),
    sa.ForeignKeyConstraint(['current_revision_id'], ['revision.id'], name='fk_exercise_current_revision', use_alter=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exercise')),
    sa.UniqueConstraint('track', 'slug', name=op.f('uq_exercise_track_slug')),
    sa.UniqueConstraint('uuid', name=op.f('uq_exercise_uuid'))
    )
    op.create_table('user_account',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('theme', sa.String(length=8), nullable=False),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("role IN ('learner', 'instructor', 'admin')", name=op.f('ck_user_account_role_known')),
    sa.CheckConstraint("theme IN ('auto', 'light', 'dark')", name=op.f('ck_user_account_theme_known')),
    sa.CheckConstraint('email = lower(email)', name=op.f('ck_user_account_email_lower')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_account')),
    sa.UniqueConstraint('email', name=op.f('uq_user_account_email'))
    )
    op.create_table('attempt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('solved', sa.Boolean(), nullable=False),
    sa.Column('unaided', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('solved OR NOT unaided', name=op.f('ck_attempt_unaided_is_solved')),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_attempt_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['learner_id'], ['user_account.id'], name=op.f('fk_attempt_learner_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt')),
    sa.UniqueConstraint('submission_id', name=op.f('uq_attempt_submission_id'))
    )
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.create_index('ix_attempt_learner_exercise', ['learner_id', 'exercise_id'], unique=False)

    op.create_table('draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('previous', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_draft_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['learner_id'], ['user_account.id'], name=op.f('fk_draft_learner_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft')),
    sa.UniqueConstraint('learner_id', 'exercise_id', 'language', name=op.f('uq_draft_learner_id_exercise_id_language'))
    )
    op.create_table('help',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_help_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['learner_id'], ['user_account.id'], name=op.f('fk_help_learner_id_user_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_help')),
    sa.UniqueConstraint('learner_id', 'exercise_id', 'position', name=op.f('uq_help_learner_id_exercise_id_position'))
    )
    op.create_table('revision',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('proof', sa.JSON(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_revision_exercise_id_exercise')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_revision')),
    sa.UniqueConstraint('exercise_id', 'number', name=op.f('uq_revision_exercise_id_number'))
    )
    op.create_table('submission',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('learner_id', sa.Integer(), nullable=False),
    sa.Column('exercise_id', sa.Integer(), nullable=False),
    sa.Column('revision_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('purpose', sa.String(length=6), nullable=False),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('stage', sa.String(length=8), nullable=False),
    sa.Column('verdict', sa.String(length=20), nullable=True),
    sa.Column('claimed_by', sa.String(length=80), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claims', sa.Integer(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('output', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('wall_ms', sa.Integer(), nullable=False),
    sa.Column('cpu_ms', sa.Integer(), nullable=False),
    sa.Column('max_memory_bytes', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(stage = 'judged') = (verdict IS NOT NULL)", name=op.f('ck_submission_judged_has_verdict')),
    sa.CheckConstraint("(stage = 'judging') = (lease_until IS NOT NULL)", name=op.f('ck_submission_judging_has_lease')),
    sa.CheckConstraint("purpose IN ('run', 'submit')", name=op.f('ck_submission_purpose_known')),
    sa.CheckConstraint("stage IN ('queued', 'judging', 'judged')", name=op.f('ck_submission_stage_known')),
    sa.ForeignKeyConstraint(['exercise_id'], ['exercise.id'], name=op.f('fk_submission_exercise_id_exercise')),
    sa.ForeignKeyConstraint(['learner_id'], ['user_account.id'], name=op.f('fk_submission_learner_id_user_account')),
    sa.ForeignKeyConstraint(['revision_id'], ['revision.id'], name=op.f('fk_submission_revision_id_revision')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_submission'))
    )
    with op.batch_alter_table('submission', schema=None) as batch_op:
        batch_op.create_index('ix_submission_learner_exercise', ['learner_id', 'exercise_id'], unique=False)
        batch_op.create_index('ix_submission_stage_id', ['stage', 'id'], unique=False)

    op.create_table('check_result',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('check_id', sa.String(length=60), nullable=False),
    sa.Column('visible', sa.Boolean(), nullable=False),
    sa.Column('passed', sa.Boolean(), nullable=False),
    sa.Column('limit_hit', sa.String(length=10), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('steps', sa.Text(), nullable=False),
    sa.Column('expected', sa.Text(), nullable=False),
    sa.Column('actual', sa.Text(), nullable=False),
    sa.Column('output', sa.Text(), nullable=False),
    sa.CheckConstraint("visible OR (message = '' AND steps = '' AND expected = '' AND actual = '' AND output = '')", name=op.f('ck_check_result_hidden_check_tells_nothing')),
    sa.ForeignKeyConstraint(['submission_id'], ['submission.id'], name=op.f('fk_check_result_submission_id_submission'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_result')),
    sa.UniqueConstraint('submission_id', 'check_id', name=op.f('uq_check_result_submission_id_check_id'))
    )

    # Exercise and revision point at each other: SQLite takes that in the table, PostgreSQL once both are there.
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key("fk_exercise_current_revision", "exercise", "revision", ["current_revision_id"], ["id"])


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("fk_exercise_current_revision", "exercise", type_="foreignkey")
    op.drop_table('check_result')
    with op.batch_alter_table('submission', schema=None) as batch_op:
        batch_op.drop_index('ix_submission_stage_id')
        batch_op.drop_index('ix_submission_learner_exercise')

    op.drop_table('submission')
    op.drop_table('revision')
    op.drop_table('help')
    op.drop_table('draft')
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.drop_index('ix_attempt_learner_exercise')

    op.drop_table('attempt')
    op.drop_table('user_account')
    op.drop_table('exercise')
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_topic_id')

    op.drop_table('event')
