"""The concern log: incidents, their mentions, and an append-only history of who did what, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from classifiers.verdict import Severity
from monitor.domain import (
    ENDED,
    MONITOR,
    Candidate,
    Closing,
    Concern,
    ConcernEvent,
    ConcernState,
    Mention,
    Outline,
    ReplyState,
)
from monitor.policy import identity
from monitor.policy.life.facts import REOPENED
from monitor.policy.life.table import Move
from monitor.ports import ConcernDraft
from monitor.store.concern_mapping import concern_values, draft_values, to_concern, to_event
from monitor.store.dialect import insert_ignoring
from monitor.store.mentions import POST_COLUMNS, to_mention, to_post
from monitor.store.replies import ReplyRows
from monitor.store.schema import concern as table
from monitor.store.schema import concern_event, counter
from monitor.store.schema import mention as mention_table

NEVER = datetime.max.replace(tzinfo=UTC)
EVENT_COLUMNS = ("at", "who", "action", "why", "details")


class ConcernRows:
    """Implements `monitor.ports.Concerns` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._replies = ReplyRows(connection)

    def candidates(
        self, *, since: datetime, closed_since: datetime | None = None
    ) -> tuple[Candidate, ...]:
        """Concerns not ended that had a mention since `since`, newest first; and those that were
        closed since `closed_since`, but for false alarms, for their thread may go on."""
        live = sa.and_(table.c.state.not_in(ENDED), mention_table.c.changed_at >= since)
        closed = sa.and_(
            table.c.state == ConcernState.CLOSED,
            table.c.closed_at >= (closed_since or NEVER),
            sa.or_(table.c.closing.is_(None), table.c.closing != Closing.FALSE_ALARM),
        )
        rows = self._connection.execute(
            sa.select(
                table.c.id.label("concern"),
                table.c.organisations,
                table.c.state,
                mention_table.c.changed_at,
                *(mention_table.c[name] for name in POST_COLUMNS),
            )
            .join(mention_table, mention_table.c.concern_id == table.c.id)
            # Posts join a campaign by its theme alone, so that nothing grave gets lost in one.
            .where(sa.or_(table.c.campaign.is_(None), table.c.campaign != table.c.reference))
            .where(sa.or_(live, closed))
            .order_by(mention_table.c.changed_at.desc())
        )
        grouped: dict[int, list[Any]] = {}
        for row in rows:
            grouped.setdefault(row.concern, []).append(row)
        return tuple(
            Candidate(
                concern_id=concern,
                threads=frozenset().union(*(identity.thread_keys(to_post(row)) for row in found)),
                texts=tuple(identity.normalise(_said(row)) for row in found),
                organisations=frozenset(found[0].organisations),
                last_seen=found[0].changed_at,
                closed=found[0].state == ConcernState.CLOSED,
            )
            for concern, found in grouped.items()
        )

    def open(self, draft: ConcernDraft, *, why: str, now: datetime) -> Concern:
        """Log a new concern under the year's next case number; it comes back without mentions."""
        concern: int = self._connection.execute(
            sa.insert(table)
            .values(
                reference=self._next_reference(now),
                state=ConcernState.OPEN,
                alerts=0,
                opened_at=now,
                **draft_values(draft, now),
            )
            .returning(table.c.id)
        ).scalar_one()
        self.note(concern, who=MONITOR, action="opened", why=why, now=now)
        return self.standing(concern)

    def reopen(self, concern: int, *, why: str, now: datetime) -> None:
        """The thread of a closed concern goes on: it is open again, and nobody has it yet."""
        self._connection.execute(
            sa.update(table)
            .where(table.c.id == concern, table.c.state == ConcernState.CLOSED)
            .values(state=ConcernState.OPEN, closed_at=None, closing=None, updated_at=now)
        )
        self.note(concern, who=MONITOR, action=REOPENED, why=why, now=now)

    def update(self, concern: int, draft: ConcernDraft, *, why: str, now: datetime) -> None:
        """Let a concern follow a further or edited mention."""
        self._connection.execute(
            sa.update(table).where(table.c.id == concern).values(**draft_values(draft, now))
        )
        self.note(concern, who=MONITOR, action="updated", why=why, now=now)

    def alerted(self, concern: int) -> int:
        """Count one more round of alerts and return its number, from 1."""
        rounds: int = self._connection.execute(
            sa.update(table)
            .where(table.c.id == concern)
            .values(alerts=table.c.alerts + 1)
            .returning(table.c.alerts)
        ).scalar_one()
        return rounds

    def get(self, concern: int) -> Concern:
        """One concern with mentions, history and replies. Raises sqlalchemy.exc.NoResultFound."""
        row = self._connection.execute(sa.select(table).where(table.c.id == concern)).one()
        return self._with_parts([row])[0]

    def standing(self, concern: int) -> Concern:
        """One concern as the next decision needs it: of its history the alerts and the people's
        moves, of its mentions none. A pile-on's thousandth post must not read the other 999."""
        row = self._connection.execute(sa.select(table).where(table.c.id == concern)).one()
        told = concern_event.c.action != "updated"
        return to_concern(
            row,
            (),
            self._history([concern], told).get(concern, ()),
            self._replies.of([concern]).get(concern, ()),
        )

    def by_reference(self, reference: str) -> Concern | None:
        """The concern that people call `reference`, or None."""
        row = self._connection.execute(
            sa.select(table).where(table.c.reference == reference)
        ).one_or_none()
        return self._with_parts([row])[0] if row else None

    def take(self, reference: str) -> Concern | None:
        """The same, to be changed: until the transaction ends nobody else can take it."""
        row = self._connection.execute(
            sa.select(table).where(table.c.reference == reference).with_for_update()
        ).one_or_none()
        return self._with_parts([row])[0] if row else None

    def save(self, after: Concern, *events: ConcernEvent) -> None:
        """Store what a move made of a concern, and add `events` to its history. Its mentions and
        replies have rows of their own."""
        self._connection.execute(
            sa.update(table).where(table.c.id == after.id).values(**concern_values(after))
        )
        for event in events:
            self.note(
                after.id,
                who=event.who,
                action=event.action,
                why=event.why,
                now=event.at,
                details=event.details,
            )

    def outlines(self, *, states: Sequence[ConcernState]) -> tuple[Outline, ...]:
        """Concerns in any of `states` as a list shows them, oldest first. No post is read."""
        rows = self._connection.execute(
            sa.select(table).where(table.c.state.in_(states)).order_by(table.c.id)
        ).all()
        ids = [row.id for row in rows]
        posts = {
            row.concern_id: row.posts
            for row in self._connection.execute(
                sa.select(mention_table.c.concern_id, sa.func.count().label("posts"))
                .where(mention_table.c.concern_id.in_(ids))
                .group_by(mention_table.c.concern_id)
            )
        }
        last = (
            sa.select(sa.func.max(concern_event.c.id))
            .where(concern_event.c.action == "updated")
            .group_by(concern_event.c.concern_id)
        )
        telling = sa.or_(
            concern_event.c.action.not_in(("updated", "viewed")), concern_event.c.id.in_(last)
        )
        history = self._history(ids, telling)
        replies = self._replies.of(ids, (ReplyState.DRAFTED, ReplyState.APPROVED))
        return tuple(
            Outline(
                concern=to_concern(row, (), history.get(row.id, ()), replies.get(row.id, ())),
                posts=posts.get(row.id, 0),
            )
            for row in rows
        )

    def unanswered(self) -> tuple[Concern, ...]:
        """Open concerns that can't wait, oldest first: of their history who was told, no mentions."""
        query = (
            sa.select(table)
            .where(
                table.c.state == ConcernState.OPEN,
                sa.or_(table.c.severity == Severity.URGENT, table.c.confidential),
            )
            .order_by(table.c.id)
        )
        rows = self._connection.execute(query).all()
        telling = concern_event.c.action.in_(("opened", REOPENED, "alerted", "escalated"))
        history = self._history([row.id for row in rows], telling)
        return tuple(to_concern(row, (), history.get(row.id, ()), ()) for row in rows)

    def register(self) -> tuple[tuple[Concern, ConcernEvent], ...]:
        """Every moderation of our own accounts, oldest first, with its concern (without parts)."""
        rows = self._connection.execute(
            sa.select(table, *(concern_event.c[name].label(name) for name in EVENT_COLUMNS))
            .join(concern_event, concern_event.c.concern_id == table.c.id)
            .where(concern_event.c.action == Move.MODERATE)
            .order_by(concern_event.c.id)
        )
        return tuple((to_concern(row, (), (), ()), to_event(row)) for row in rows)

    def listed(self, *, states: Sequence[ConcernState]) -> tuple[Concern, ...]:
        """Concerns in any of `states`, oldest first."""
        query = sa.select(table).where(table.c.state.in_(states)).order_by(table.c.id)
        return self._with_parts(self._connection.execute(query).all())

    def current(self, *, since: datetime) -> tuple[Concern, ...]:
        """Concerns that are not ended, or ended since `since`: what a digest is about."""
        query = (
            sa.select(table)
            .where(sa.or_(table.c.state.not_in(ENDED), table.c.closed_at >= since))
            .order_by(table.c.id)
        )
        return self._with_parts(self._connection.execute(query).all())

    def note(
        self,
        concern: int,
        *,
        who: str,
        action: str,
        why: str,
        now: datetime,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Add a line to the history. There is no way to change or remove one."""
        self._connection.execute(
            sa.insert(concern_event).values(
                concern_id=concern,
                at=now,
                who=who,
                action=action,
                why=why,
                details=dict(details or {}),
            )
        )

    def _next_reference(self, now: datetime) -> str:
        name = f"concern-{now.year}"
        updated = (
            sa.update(counter)
            .where(counter.c.name == name)
            .values(value=counter.c.value + 1)
            .returning(counter.c.value)
        )
        number = self._connection.execute(updated).scalar_one_or_none()
        if number is None:
            insert_ignoring(self._connection, counter, {"name": name, "value": 0})
            number = self._connection.execute(updated).scalar_one()
        return f"{now.year}-{number:04d}"

    def _with_parts(self, rows: Sequence[Any]) -> tuple[Concern, ...]:
        ids = [row.id for row in rows]
        mentions: dict[int, list[Mention]] = {}
        for row in self._connection.execute(
            sa.select(mention_table)
            .where(mention_table.c.concern_id.in_(ids))
            .order_by(mention_table.c.id)
        ):
            mentions.setdefault(row.concern_id, []).append(to_mention(row))
        history = self._history(ids)
        replies = self._replies.of(ids)
        return tuple(
            to_concern(
                row,
                mentions.get(row.id, ()),
                history.get(row.id, ()),
                replies.get(row.id, ()),
            )
            for row in rows
        )

    def _history(
        self, concerns: Sequence[int], which: sa.ColumnElement[bool] | None = None
    ) -> dict[int, list[ConcernEvent]]:
        history: dict[int, list[ConcernEvent]] = {}
        for row in self._connection.execute(
            sa.select(concern_event)
            .where(concern_event.c.concern_id.in_(concerns), sa.true() if which is None else which)
            .order_by(concern_event.c.id)
        ):
            history.setdefault(row.concern_id, []).append(to_event(row))
        return history


def _said(row: Any) -> str:
    return f"{row.title or ''} {row.text}"
