"""The life of a concern: owner, author, flags, replies with their approvers, campaigns, merging; and a
tally of mentions that outlives the posts.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from monitor.store.schema import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added one by one and never in a batch: on SQLite a batch copies the table, which
    # fails on rows that others refer to, and would lose the history's append-only trigger.
    for column in (
        sa.Column("scores", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("ladder", sa.String(64), nullable=False, server_default="base"),
        sa.Column("owner", sa.String(64)),
        sa.Column("closing", sa.String(16)),
        sa.Column("author", sa.String(16), nullable=False, server_default="unknown"),
        sa.Column("flags", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("own_account", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("about_head", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("merged_into", sa.String(16)),
        sa.Column("campaign", sa.String(16)),
    ):
        op.add_column("concern", column)
    op.create_index(op.f("ix_concern_campaign"), "concern", ["campaign"])
    op.add_column(
        "concern_event", sa.Column("details", sa.JSON, nullable=False, server_default="{}")
    )
    op.create_table(
        "reply",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("concern_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("drafter", sa.String(64), nullable=False),
        sa.Column("drafted_at", UtcDateTime, nullable=False),
        sa.Column("approver", sa.String(64)),
        sa.Column("decided_at", UtcDateTime),
        sa.Column("sent_at", UtcDateTime),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_reply_concern_id_concern")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("concern_id", "number", name=op.f("uq_reply_concern_id_number")),
    )
    op.create_table(
        "tally",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("organisation", sa.String(64), nullable=False),
        sa.Column("sentiment", sa.String(16), nullable=False),
        sa.Column("mentions", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "organisation", "sentiment", name=op.f("pk_tally")),
    )


def downgrade() -> None:
    op.drop_table("tally")
    op.drop_table("reply")
    op.drop_column("concern_event", "details")
    op.execute(
        "UPDATE concern SET state = 'open' WHERE state IN "
        "('second_opinion', 'for_approval', 'approved', 'waiting')"
    )
    op.execute("UPDATE concern SET state = 'closed' WHERE state = 'merged'")
    op.drop_index(op.f("ix_concern_campaign"), table_name="concern")
    for name in (
        "campaign",
        "merged_into",
        "about_head",
        "own_account",
        "flags",
        "author",
        "closing",
        "owner",
        "ladder",
        "scores",
    ):
        op.drop_column("concern", name)
