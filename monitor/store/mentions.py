"""Posts that matched, from first sight to assessment, and their erasure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor.domain import (
    ConcernState,
    Match,
    Mention,
    Parked,
    RoutineMention,
    Settled,
    Strength,
    Triage,
)
from monitor.domain.health import CANARY
from monitor.policy.life.table import Move
from monitor.ports import Claimed
from monitor.store.dialect import insert_ignoring
from monitor.store.schema import concern, concern_event
from monitor.store.schema import mention as table

NEW, ASSESSED, ERASED, PARKED = "new", "assessed", "erased", "parked"
HOLD, RELEASE = Move.HOLD.value, Move.RELEASE.value
POST_COLUMNS = (
    "platform",
    "native_id",
    "url",
    "title",
    "text",
    "author",
    "published_at",
    "community",
    "feed_title",
    "author_location",
    "language",
    "thread_id",
)


class MentionRows:
    """Implements `monitor.ports.Mentions` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def record(
        self, source: str, hits: Sequence[tuple[Post, tuple[Match, ...]]], *, now: datetime
    ) -> int:
        """Store posts not seen before, and new wording of known ones; return how many of both.

        A repeat (same platform and native id, same wording) changes nothing, so a batch may be
        delivered any number of times. A post erased on request or by retention stays erased.
        """
        return sum(self._record_one(source, post, matches, now) for post, matches in hits)

    def _record_one(
        self, source: str, post: Post, matches: tuple[Match, ...], now: datetime
    ) -> bool:
        values = _post_values(post) | {"matches": [_match_json(match) for match in matches]}
        inserted = insert_ignoring(
            self._connection,
            table,
            values
            | {
                "source_id": source,
                "first_seen_at": now,
                "changed_at": now,
                "revision": 1,
                "state": NEW,
                "attempts": 0,
            },
        )
        if inserted:
            return True
        edited = self._connection.execute(
            sa.update(table)
            .where(
                table.c.platform == post.platform,
                table.c.native_id == post.native_id,
                table.c.content_hash != post.content_hash,
                table.c.state != ERASED,
            )
            .values(
                **values,
                changed_at=now,
                revision=table.c.revision + 1,
                state=NEW,
                attempts=0,
                lease_owner=None,
                lease_until=None,
            )
        )
        return edited.rowcount > 0

    def erase_ids(self, ids: Sequence[int], *, now: datetime) -> int:
        """Forget text and author of mentions, for retention; tombstones stay. What a senior leader
        holds as evidence stays until they release it."""
        return erase_where(self._connection, table.c.id.in_(ids), now)

    def claim(
        self, *, owner: str, lease_s: float, limit: int, now: datetime
    ) -> tuple[Claimed, ...]:
        """Lease unassessed mentions, oldest first, for `lease_s` seconds: one whose last assessment
        never ended, alone, so that it can't take others down with it; else up to `limit` new ones."""
        suspect = self._claim(table.c.attempts > 0, owner, lease_s, 1, now)
        return suspect or self._claim(table.c.attempts == 0, owner, lease_s, limit, now)

    def _claim(
        self,
        which: sa.ColumnElement[bool],
        owner: str,
        lease_s: float,
        limit: int,
        now: datetime,
    ) -> tuple[Claimed, ...]:
        due = (
            sa.select(table.c.id)
            .where(
                table.c.state == NEW,
                which,
                sa.or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
            )
            .order_by(table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = self._connection.execute(
            sa.update(table)
            .where(table.c.id.in_(due))
            .values(
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_s),
                attempts=table.c.attempts + 1,
            )
            .returning(table)
        ).all()
        return tuple(
            Claimed(mention=to_mention(row), attempts=row.attempts, concern=row.concern_id)
            for row in sorted(rows, key=lambda row: row.id)
        )

    def give_back(self, ids: Sequence[int], *, owner: str) -> None:
        """Free claimed mentions that are not assessed yet, as if they had not been claimed."""
        self._connection.execute(
            sa.update(table)
            .where(table.c.id.in_(ids), table.c.lease_owner == owner, table.c.state == NEW)
            .values(lease_owner=None, lease_until=None, attempts=table.c.attempts - 1)
        )

    def park(self, mention: int, *, owner: str) -> None:
        """Put a claimed mention aside: it is not tried again before the next start, or its next
        edit."""
        self._connection.execute(
            sa.update(table)
            .where(table.c.id == mention, table.c.lease_owner == owner, table.c.state == NEW)
            .values(state=PARKED, lease_owner=None, lease_until=None)
        )

    def parked(self) -> tuple[Parked, ...]:
        """What was put aside and that nobody has judged, oldest first."""
        rows = self._connection.execute(
            sa.select(table)
            .where(table.c.state == PARKED, table.c.source_id != CANARY)
            .order_by(table.c.id)
        )
        return tuple(
            Parked(
                mention=row.id,
                organisations=to_mention(row).organisations,
                platform=row.platform,
                url=row.url,
                author=row.author,
                seen_at=row.first_seen_at,
            )
            for row in rows
        )

    def assessed(self, claimed: Claimed, triage: Triage, *, model: str, now: datetime) -> bool:
        """Store the verdict; False when the post was edited or erased since it was claimed."""
        return (
            self._connection.execute(
                sa.update(table)
                .where(
                    table.c.id == claimed.mention.id,
                    table.c.revision == claimed.mention.revision,
                    table.c.state == NEW,
                )
                .values(
                    state=ASSESSED,
                    assessed_at=now,
                    severity=triage.severity,
                    sentiment=triage.sentiment,
                    labels=sorted(triage.labels),
                    scores={label.value: round(score, 4) for label, score in triage.scores.items()},
                    evidence=[
                        [item.label.value, item.start, item.end, item.rule]
                        for item in triage.evidence
                    ],
                    model=model,
                    lease_owner=None,
                    lease_until=None,
                )
            ).rowcount
            == 1
        )

    def belongs_to(self, mention: int, concern: int) -> None:
        """Put the mention into a concern."""
        self._connection.execute(
            sa.update(table).where(table.c.id == mention).values(concern_id=concern)
        )

    def triages(self, ids: Sequence[int]) -> tuple[Triage, ...]:
        """What was judged of each of these mentions, as far as it is stored; not in their order."""
        rows = self._connection.execute(
            sa.select(table).where(table.c.id.in_(ids), table.c.severity.is_not(None))
        )
        return tuple(
            Triage(
                severity=Severity(row.severity),
                labels=frozenset(Label(label) for label in row.labels),
                sentiment=Sentiment(row.sentiment),
                scores={Label(label): score for label, score in row.scores.items()},
                reasons=(),
            )
            for row in rows
        )

    def concern_of(self, platform: str, native_id: str) -> str | None:
        """The case number of the concern that this post belongs to; None: none, or not judged yet."""
        return self._connection.execute(
            sa.select(concern.c.reference)
            .join(table, table.c.concern_id == concern.c.id)
            .where(table.c.platform == platform, table.c.native_id == native_id)
        ).scalar_one_or_none()

    def routine(self, *, since: datetime, until: datetime) -> tuple[RoutineMention, ...]:
        """Mentions assessed in since..until that belong to no concern, newest first."""
        rows = self._connection.execute(
            sa.select(table)
            .where(
                table.c.state == ASSESSED,
                table.c.concern_id.is_(None),
                table.c.assessed_at > since,
                table.c.assessed_at <= until,
            )
            .order_by(table.c.assessed_at.desc(), table.c.id.desc())
        )
        return tuple(
            RoutineMention(
                organisations=to_mention(row).organisations,
                sentiment=Sentiment(row.sentiment),
                labels=frozenset(Label(label) for label in row.labels),
                platform=row.platform,
                url=row.url,
                text=row.text,
                seen_at=row.first_seen_at,
                author=row.author,
            )
            for row in rows
        )

    def settled(self) -> tuple[Settled, ...]:
        """Every assessed mention whose text is still kept, but for what is held as evidence."""
        rows = self._connection.execute(
            sa.select(
                table.c.id,
                table.c.severity,
                table.c.labels,
                table.c.first_seen_at,
                concern.c.state,
                concern.c.closed_at,
            )
            .outerjoin(concern, concern.c.id == table.c.concern_id)
            .where(table.c.state == ASSESSED, _not_held())
        )
        return tuple(
            Settled(
                mention=row.id,
                severity=Severity(row.severity),
                labels=frozenset(Label(label) for label in row.labels),
                state=ConcernState(row.state) if row.state else None,
                closed_at=row.closed_at,
                seen_at=row.first_seen_at,
            )
            for row in rows
        )


def erase_where(connection: sa.Connection, where: sa.ColumnElement[bool], now: datetime) -> int:
    """Forget text and author of the mentions `where` says, unless they are held as evidence."""
    return connection.execute(
        sa.update(table)
        .where(where, table.c.state != ERASED, _not_held())
        .values(
            state=ERASED,
            text="",
            title=None,
            author=None,
            url=None,
            author_location=None,
            matches=[],
            evidence=None,
            changed_at=now,
            lease_owner=None,
            lease_until=None,
        )
    ).rowcount


def _not_held() -> sa.ColumnElement[bool]:
    """True of mentions whose concern is not kept as evidence: its last hold was released."""
    held = (
        sa.select(concern_event.c.concern_id)
        .where(concern_event.c.action.in_((HOLD, RELEASE)))
        .group_by(concern_event.c.concern_id)
        .having(
            sa.func.max(sa.case((concern_event.c.action == HOLD, concern_event.c.id), else_=0))
            > sa.func.max(sa.case((concern_event.c.action == RELEASE, concern_event.c.id), else_=0))
        )
    )
    return sa.or_(table.c.concern_id.is_(None), table.c.concern_id.not_in(held))


def _post_values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST_COLUMNS} | {
        "content_hash": post.content_hash
    }


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "organisation": match.organisation,
        "term": match.term,
        "field": match.field,
        "span": list(match.span),
        "strength": match.strength.value,
        "reason": match.reason,
    }


def _match(stored: dict[str, Any]) -> Match:
    start, end = stored["span"]
    return Match(**(stored | {"span": (start, end), "strength": Strength(stored["strength"])}))


def to_post(row: Any) -> Post:
    """The post columns of a row as a value."""
    return Post(**{name: getattr(row, name) for name in POST_COLUMNS})


def to_mention(row: Any) -> Mention:
    """A row of the mention table as a value."""
    return Mention(
        id=row.id,
        source=row.source_id,
        post=to_post(row),
        matches=tuple(_match(stored) for stored in row.matches),
        first_seen_at=row.first_seen_at,
        revision=row.revision,
    )
