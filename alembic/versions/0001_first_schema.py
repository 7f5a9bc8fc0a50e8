"""first schema

Revision ID: 0001
Revises:
"""

from alembic import op
import sqlalchemy as sa
import monitor.store.schema


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "concern",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("sentiment", sa.String(length=16), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("organisations", sa.JSON(), nullable=False),
        sa.Column("suggestion", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("opened_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern")),
        sa.UniqueConstraint("reference", name=op.f("uq_concern_reference")),
    )
    with op.batch_alter_table("concern", schema=None) as batch_op:
        batch_op.create_index("ix_concern_state_updated_at", ["state", "updated_at"], unique=False)

    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "coverage_gap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("started_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_gap")),
    )
    with op.batch_alter_table("coverage_gap", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coverage_gap_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_coverage_gap_source_id"), ["source_id"], unique=False)

    op.create_table(
        "digest",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("since", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_digest")),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("interval_s", sa.Float(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column(
            "last_attempt_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "last_success_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("next_poll_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
    )
    op.create_table(
        "concern_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("concern_id", sa.Integer(), nullable=False),
        sa.Column("at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_concern_event_concern_id_concern")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern_event")),
    )
    with op.batch_alter_table("concern_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_concern_event_concern_id"), ["concern_id"], unique=False
        )

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("concern_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ambiguous_attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_delivery_concern_id_concern")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "key", "recipient", "channel", name=op.f("uq_delivery_key_recipient_channel")
        ),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_concern_id"), ["concern_id"], unique=False)
        batch_op.create_index(
            "ix_delivery_state_kind_due_at", ["state", "kind", "due_at"], unique=False
        )

    op.create_table(
        "mention",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("native_id", sa.String(length=500), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("published_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("community", sa.Text(), nullable=True),
        sa.Column("feed_title", sa.Text(), nullable=True),
        sa.Column("author_location", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.String(length=32), nullable=False),
        sa.Column("matches", sa.JSON(), nullable=False),
        sa.Column("first_seen_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("assessed_at", monitor.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("severity", sa.String(length=16), nullable=True),
        sa.Column("sentiment", sa.String(length=16), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=True),
        sa.Column("scores", sa.JSON(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("concern_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_mention_concern_id_concern")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention")),
        sa.UniqueConstraint("platform", "native_id", name=op.f("uq_mention_platform_native_id")),
    )
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.create_index("ix_mention_assessed_at", ["assessed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_mention_concern_id"), ["concern_id"], unique=False)
        batch_op.create_index(
            "ix_mention_state_lease_until", ["state", "lease_until"], unique=False
        )
    append_only()


def append_only() -> None:
    """The history of a concern can be added to and never changed: the database itself refuses."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER concern_event_append_only BEFORE UPDATE ON concern_event "
            "BEGIN SELECT RAISE(ABORT, 'concern_event is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION concern_event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'concern_event is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER concern_event_append_only BEFORE UPDATE ON concern_event "
        "FOR EACH ROW EXECUTE FUNCTION concern_event_append_only()"
    )


def downgrade() -> None:
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.drop_index("ix_mention_state_lease_until")
        batch_op.drop_index(batch_op.f("ix_mention_concern_id"))
        batch_op.drop_index("ix_mention_assessed_at")

    op.drop_table("mention")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_state_kind_due_at")
        batch_op.drop_index(batch_op.f("ix_delivery_concern_id"))

    op.drop_table("delivery")
    with op.batch_alter_table("concern_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_concern_event_concern_id"))

    op.drop_table("concern_event")
    op.drop_table("source")
    op.drop_table("digest")
    with op.batch_alter_table("coverage_gap", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coverage_gap_source_id"))
        batch_op.drop_index(batch_op.f("ix_coverage_gap_ended_at"))

    op.drop_table("coverage_gap")
    op.drop_table("counter")
    with op.batch_alter_table("concern", schema=None) as batch_op:
        batch_op.drop_index("ix_concern_state_updated_at")

    op.drop_table("concern")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION concern_event_append_only()")
