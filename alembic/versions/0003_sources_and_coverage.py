"""Sources and their coverage: since when a source is watched, who must change something, how a gap was
closed and who was told of it; whether a post is still there at its source.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from monitor.store.schema import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

def upgrade() -> None:
    # One by one and never in a batch: see 0002.
    op.add_column("source", sa.Column("registered_at", UtcDateTime))
    op.add_column(
        "source", sa.Column("rejected", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("source", sa.Column("note", sa.String(500)))
    op.add_column("coverage_gap", sa.Column("closed_by", sa.String(16)))
    op.add_column("coverage_gap", sa.Column("told_at", UtcDateTime))
    op.add_column("mention", sa.Column("checked_at", UtcDateTime))
    op.add_column("mention", sa.Column("missing_at", UtcDateTime))
    op.add_column("mention", sa.Column("deleted_at_source", UtcDateTime))
    op.create_index(
        op.f("ix_mention_source_id_checked_at"), "mention", ["source_id", "checked_at"]
    )
    # A source that has answered is known to be watched since then, if not longer.
    op.execute("UPDATE source SET registered_at = last_success_at")
    op.execute(
        "UPDATE coverage_gap SET closed_by = CASE WHEN lost THEN 'lost' ELSE 'backfill' END "
        "WHERE ended_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_mention_source_id_checked_at"), table_name="mention")
    for name in ("deleted_at_source", "missing_at", "checked_at"):
        op.drop_column("mention", name)
    for name in ("told_at", "closed_by"):
        op.drop_column("coverage_gap", name)
    for name in ("note", "rejected", "registered_at"):
        op.drop_column("source", name)
