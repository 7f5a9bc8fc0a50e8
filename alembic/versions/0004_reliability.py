"""Deliveries: a lease that a frozen holder can't use any more, what went out in another letter, what
stands in for another; what was not sent, with its reason; silences with owner, reason and end.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from monitor.store.schema import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One by one and never in a batch: see 0002.
    op.add_column(
        "delivery", sa.Column("lease_token", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column("delivery", sa.Column("bundled_in", sa.Integer))
    op.add_column("delivery", sa.Column("instead_of", sa.Integer))
    op.create_index(op.f("ix_delivery_instead_of"), "delivery", ["instead_of"])
    op.create_index(
        op.f("ix_delivery_recipient_finished_at"), "delivery", ["recipient", "finished_at"]
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_by", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_until"), "silence", ["until"])
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("concern_id", sa.Integer),
        sa.Column("silence_id", sa.Integer),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["concern_id"], ["concern.id"], name=op.f("fk_suppression_concern_id_concern")
        ),
        sa.ForeignKeyConstraint(
            ["silence_id"], ["silence.id"], name=op.f("fk_suppression_silence_id_silence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint("key", name=op.f("uq_suppression_key")),
    )
    op.create_index(op.f("ix_suppression_concern_id"), "suppression", ["concern_id"])


def downgrade() -> None:
    # The program before this one knows neither state: what was held goes out by itself, and what was
    # bundled is as far as its bundle got. A bundle that hasn't ended would say it twice.
    op.execute("UPDATE delivery SET state = 'pending' WHERE state = 'held'")
    op.execute(
        "UPDATE delivery SET state = (SELECT bundle.state FROM delivery AS bundle "
        "WHERE bundle.id = delivery.bundled_in) WHERE state = 'bundled'"
    )
    op.execute("UPDATE delivery SET finished_at = NULL WHERE state IN ('pending', 'ambiguous')")
    op.execute(
        "DELETE FROM delivery WHERE state IN ('pending', 'ambiguous') AND id IN "
        "(SELECT bundled_in FROM delivery WHERE bundled_in IS NOT NULL)"
    )
    # Nor does it know the other channels: it would mail what was written for them.
    op.execute(
        "DELETE FROM delivery WHERE state IN ('pending', 'ambiguous') AND instead_of IS NOT NULL"
    )
    op.drop_table("suppression")
    op.drop_table("silence")
    op.drop_index(op.f("ix_delivery_recipient_finished_at"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_instead_of"), table_name="delivery")
    for name in ("instead_of", "bundled_in", "lease_token"):
        op.drop_column("delivery", name)
