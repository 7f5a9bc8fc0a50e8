"""The tables. Rows are the truth: whatever is due can be read off them after any crash.

Times are stored in UTC and come back aware. Alembic's migrations are generated from this file, and
`alembic check` keeps the two equal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC on both databases. SQLite keeps no zone: it is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime must not reach the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


source = sa.Table(
    "source",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("interval_s", sa.Float, nullable=False),
    # A source whose settings changed is another source: its cursor says nothing about the new one.
    sa.Column("fingerprint", sa.String(32), nullable=False),
    sa.Column("cursor", sa.JSON, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("last_attempt_at", UtcDateTime),
    sa.Column("last_success_at", UtcDateTime),
    sa.Column("last_error", sa.String(500)),
    sa.Column("next_poll_at", UtcDateTime),
    # From when on it is promised to be watched: before that nothing was missed.
    sa.Column("registered_at", UtcDateTime),
    sa.Column("rejected", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("note", sa.String(500)),
)

coverage_gap = sa.Table(
    "coverage_gap",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source_id", sa.String(64), nullable=False, index=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime, index=True),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("lost", sa.Boolean, nullable=False),
    sa.Column("closed_by", sa.String(16)),
    sa.Column("told_at", UtcDateTime),
)

concern = sa.Table(
    "concern",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.String(16), nullable=False, unique=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("sentiment", sa.String(16), nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("organisations", sa.JSON, nullable=False),
    sa.Column("suggestion", sa.JSON, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.Column("confidential", sa.Boolean, nullable=False),
    sa.Column("needs_review", sa.Boolean, nullable=False),
    sa.Column("alerts", sa.Integer, nullable=False, default=0),
    sa.Column("scores", sa.JSON, nullable=False, default=dict, server_default="{}"),
    sa.Column("ladder", sa.String(64), nullable=False, default="base", server_default="base"),
    sa.Column("owner", sa.String(64)),
    sa.Column("closing", sa.String(16)),
    sa.Column("author", sa.String(16), nullable=False, default="unknown", server_default="unknown"),
    sa.Column("flags", sa.JSON, nullable=False, default=list, server_default="[]"),
    sa.Column("own_account", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("about_head", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    # References and not ids: they are shown, and a row is never removed.
    sa.Column("merged_into", sa.String(16)),
    sa.Column("campaign", sa.String(16), index=True),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime),
    sa.Index("ix_concern_state_updated_at", "state", "updated_at"),
)

concern_event = sa.Table(
    "concern_event",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("concern_id", sa.ForeignKey("concern.id"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("who", sa.String(64), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False, default=dict, server_default="{}"),
)

reply = sa.Table(
    "reply",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("concern_id", sa.ForeignKey("concern.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("drafter", sa.String(64), nullable=False),
    sa.Column("drafted_at", UtcDateTime, nullable=False),
    sa.Column("approver", sa.String(64)),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("sent_at", UtcDateTime),
    sa.UniqueConstraint("concern_id", "number"),
)

mention = sa.Table(
    "mention",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source_id", sa.String(64), nullable=False),
    sa.Column("platform", sa.String(32), nullable=False),
    sa.Column("native_id", sa.String(500), nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("author", sa.Text),
    sa.Column("published_at", UtcDateTime),
    sa.Column("community", sa.Text),
    sa.Column("feed_title", sa.Text),
    sa.Column("author_location", sa.Text),
    sa.Column("language", sa.String(35)),
    sa.Column("thread_id", sa.Text),
    sa.Column("content_hash", sa.String(32), nullable=False),
    sa.Column("matches", sa.JSON, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, default=1),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("lease_owner", sa.String(64)),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("assessed_at", UtcDateTime),
    sa.Column("severity", sa.String(16)),
    sa.Column("sentiment", sa.String(16)),
    sa.Column("labels", sa.JSON),
    sa.Column("scores", sa.JSON),
    sa.Column("evidence", sa.JSON),
    sa.Column("model", sa.String(200)),
    sa.Column("concern_id", sa.ForeignKey("concern.id"), index=True),
    # Asked whether it is still there; not found there, once; gone, though perhaps kept as evidence.
    sa.Column("checked_at", UtcDateTime),
    sa.Column("missing_at", UtcDateTime),
    sa.Column("deleted_at_source", UtcDateTime),
    sa.UniqueConstraint("platform", "native_id"),
    sa.Index("ix_mention_state_lease_until", "state", "lease_until"),
    sa.Index("ix_mention_assessed_at", "assessed_at"),
    sa.Index("ix_mention_source_id_checked_at", "source_id", "checked_at"),
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("concern_id", sa.ForeignKey("concern.id"), index=True),
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("ambiguous_attempts", sa.Integer, nullable=False, default=0),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("lease_owner", sa.String(64)),
    sa.Column("lease_until", UtcDateTime),
    # The fence: it grows with each claim, so that a holder who slept through the end of its lease
    # can be told from the one who has it now.
    sa.Column("lease_token", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("detail", sa.String(500)),
    # Ids of other deliveries: the letter that this one's words went out in, and the mail that this
    # message by another channel stands in for.
    sa.Column("bundled_in", sa.Integer),
    sa.Column("instead_of", sa.Integer, index=True),
    sa.UniqueConstraint("key", "recipient", "channel"),
    sa.Index("ix_delivery_state_kind_due_at", "state", "kind", "due_at"),
    sa.Index("ix_delivery_recipient_finished_at", "recipient", "finished_at"),
)

silence = sa.Table(
    "silence",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False, index=True),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ended_by", sa.String(64)),
)

suppression = sa.Table(
    # What was not sent, or not by itself: counted, with its reason, so that nothing is dropped
    # silently. `since` is the first time and `until` the last.
    "suppression",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(100), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("concern_id", sa.ForeignKey("concern.id"), index=True),
    sa.Column("silence_id", sa.ForeignKey("silence.id")),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

digest = sa.Table(
    "digest",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)

tally = sa.Table(
    # How much was said, by day and school: what a termly report needs once the posts are erased.
    "tally",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("organisation", sa.String(64), primary_key=True),
    sa.Column("sentiment", sa.String(16), primary_key=True),
    sa.Column("mentions", sa.Integer, nullable=False),
)
