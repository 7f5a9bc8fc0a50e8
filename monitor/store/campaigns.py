"""What the campaigns' room needs of the tables: recent posts beside their concerns, and the fold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import ENDED, AuthorRole, ConcernState, Flag, Voice
from monitor.policy.campaigns.campaign import stands_alone
from monitor.store.mentions import ASSESSED, to_mention
from monitor.store.schema import concern as table
from monitor.store.schema import mention as mention_table

_CONCERN = (
    "reference",
    "state",
    "confidential",
    "needs_review",
    "flags",
    "campaign",
)


class CampaignRows:
    """Implements `monitor.ports.Campaigns` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def voices(self, *, since: datetime) -> tuple[Voice, ...]:
        """Assessed posts first seen since `since` whose text is still kept, in order of arrival.
        What belonged to a campaign that is over is left out: a new wave starts from new posts."""
        over = set(
            self._connection.execute(
                sa.select(table.c.reference).where(
                    table.c.campaign == table.c.reference, table.c.state.in_(ENDED)
                )
            ).scalars()
        )
        rows = self._connection.execute(
            sa.select(
                mention_table,
                *(table.c[name].label(f"concern_{name}") for name in _CONCERN),
                table.c.author.label("concern_author"),
                table.c.severity.label("concern_severity"),
                table.c.labels.label("concern_labels"),
            )
            .outerjoin(table, table.c.id == mention_table.c.concern_id)
            .where(mention_table.c.state == ASSESSED, mention_table.c.first_seen_at >= since)
            .order_by(mention_table.c.id)
        )
        return tuple(_voice(row) for row in rows if row.concern_campaign not in over)

    def fold(self, concerns: Sequence[int], campaign: str) -> None:
        """Count concerns to the campaign `campaign` (a reference), each if it is still open and plain:
        one that became grave or was taken in hand meanwhile stays as it is."""
        self._connection.execute(
            sa.update(table)
            .where(
                table.c.id.in_(concerns),
                table.c.campaign.is_(None),
                table.c.state == ConcernState.OPEN,
                table.c.severity != Severity.URGENT,
                table.c.confidential.is_(False),
            )
            .values(campaign=campaign)
        )

    def head(self, concern: int) -> None:
        """Make a concern a campaign's own case: it bears its own reference."""
        self._connection.execute(
            sa.update(table).where(table.c.id == concern).values(campaign=table.c.reference)
        )

    def unfold(self, concerns: Sequence[int]) -> None:
        """Let concerns stand alone again."""
        self._connection.execute(
            sa.update(table)
            .where(table.c.id.in_(concerns), table.c.campaign != table.c.reference)
            .values(campaign=None)
        )


def _voice(row: Any) -> Voice:
    mention = to_mention(row)
    labels = frozenset(Label(label) for label in (*row.labels, *(row.concern_labels or ())))
    severity = max(
        (Severity(each) for each in (row.severity, row.concern_severity) if each),
        key=lambda each: each.rank,
    )
    known = row.concern_id is not None
    return Voice(
        mention=row.id,
        organisations=mention.organisations,
        platform=row.platform,
        author=row.author,
        # A first look back finds old posts today: they are no burst.
        at=min(row.published_at or row.first_seen_at, row.first_seen_at),
        text=f"{row.title or ''} {row.text}",
        labels=labels,
        sentiment=Sentiment(row.sentiment),
        language=row.language,
        concern=row.concern_id,
        foldable=known and row.concern_state == ConcernState.OPEN and not row.concern_campaign,
        campaign=row.concern_campaign,
        alone=stands_alone(
            severity=severity,
            labels=labels,
            confidential=bool(row.concern_confidential),
            needs_review=bool(row.concern_needs_review),
            flags=frozenset(Flag(flag) for flag in row.concern_flags or ()),
            author=AuthorRole(row.concern_author) if known else AuthorRole.UNKNOWN,
        ),
    )
