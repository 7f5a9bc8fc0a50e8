"""The concern log: incidents, their mentions, and an append-only history of who did what, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    Candidate,
    Concern,
    ConcernEvent,
    ConcernState,
    Mention,
    Suggestion,
)
from monitor.policy import identity
from monitor.ports import ConcernDraft
from monitor.store.dialect import insert_ignoring
from monitor.store.mentions import POST_COLUMNS, to_mention, to_post
from monitor.store.schema import concern as table
from monitor.store.schema import concern_event, counter
from monitor.store.schema import mention as mention_table

_suggestion: TypeAdapter[Suggestion] = TypeAdapter(Suggestion)


class ConcernRows:
    """Implements `monitor.ports.Concerns` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def candidates(self, *, since: datetime) -> tuple[Candidate, ...]:
        """Concerns not closed that had a mention since `since`, newest first."""
        rows = self._connection.execute(
            sa.select(
                table.c.id.label("concern"),
                table.c.organisations,
                mention_table.c.changed_at,
                *(mention_table.c[name] for name in POST_COLUMNS),
            )
            .join(mention_table, mention_table.c.concern_id == table.c.id)
            .where(table.c.state != ConcernState.CLOSED, mention_table.c.changed_at >= since)
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
                **_draft_values(draft, now),
            )
            .returning(table.c.id)
        ).scalar_one()
        self.note(concern, who="monitor", action="opened", why=why, now=now)
        return self.standing(concern)

    def update(self, concern: int, draft: ConcernDraft, *, why: str, now: datetime) -> None:
        """Let a concern follow a further or edited mention."""
        self._connection.execute(
            sa.update(table).where(table.c.id == concern).values(**_draft_values(draft, now))
        )
        self.note(concern, who="monitor", action="updated", why=why, now=now)

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
        """One concern with its mentions and history. Raises sqlalchemy.exc.NoResultFound."""
        row = self._connection.execute(sa.select(table).where(table.c.id == concern)).one()
        return self._with_parts([row])[0]

    def standing(self, concern: int) -> Concern:
        """One concern as the next decision needs it: of its history the alerts and the people's
        moves, of its mentions none. A pile-on's thousandth post must not read the other 999."""
        row = self._connection.execute(sa.select(table).where(table.c.id == concern)).one()
        return _concern(row, (), self._history([concern], but_not=("updated",)).get(concern, ()))

    def by_reference(self, reference: str) -> Concern | None:
        """The concern that people call `reference`, or None."""
        row = self._connection.execute(
            sa.select(table).where(table.c.reference == reference)
        ).one_or_none()
        return self._with_parts([row])[0] if row else None

    def listed(self, *, states: Sequence[ConcernState]) -> tuple[Concern, ...]:
        """Concerns in any of `states`, oldest first."""
        query = sa.select(table).where(table.c.state.in_(states)).order_by(table.c.id)
        return self._with_parts(self._connection.execute(query).all())

    def current(self, *, since: datetime) -> tuple[Concern, ...]:
        """Concerns that are not closed, or were closed since `since`: what a digest is about."""
        query = (
            sa.select(table)
            .where(sa.or_(table.c.state != ConcernState.CLOSED, table.c.closed_at >= since))
            .order_by(table.c.id)
        )
        return self._with_parts(self._connection.execute(query).all())

    def move(self, concern: int, state: ConcernState, *, who: str, why: str, now: datetime) -> None:
        """Set the state and write down who did it, and why."""
        closed_at = now if state is ConcernState.CLOSED else None
        self._connection.execute(
            sa.update(table)
            .where(table.c.id == concern)
            .values(state=state, updated_at=now, closed_at=closed_at)
        )
        self.note(concern, who=who, action=state.value, why=why, now=now)

    def note(self, concern: int, *, who: str, action: str, why: str, now: datetime) -> None:
        """Add a line to the history. There is no way to change or remove one."""
        self._connection.execute(
            sa.insert(concern_event).values(
                concern_id=concern, at=now, who=who, action=action, why=why
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
        return tuple(
            _concern(row, mentions.get(row.id, ()), history.get(row.id, ())) for row in rows
        )

    def _history(
        self, concerns: Sequence[int], but_not: Sequence[str] = ()
    ) -> dict[int, list[ConcernEvent]]:
        history: dict[int, list[ConcernEvent]] = {}
        for row in self._connection.execute(
            sa.select(concern_event)
            .where(concern_event.c.concern_id.in_(concerns), concern_event.c.action.not_in(but_not))
            .order_by(concern_event.c.id)
        ):
            history.setdefault(row.concern_id, []).append(
                ConcernEvent(at=row.at, who=row.who, action=row.action, why=row.why)
            )
        return history


def _concern(row: Any, mentions: Sequence[Mention], history: Sequence[ConcernEvent]) -> Concern:
    return Concern(
        id=row.id,
        reference=row.reference,
        state=ConcernState(row.state),
        severity=Severity(row.severity),
        labels=frozenset(Label(label) for label in row.labels),
        sentiment=Sentiment(row.sentiment),
        organisations=tuple(row.organisations),
        suggestion=_suggestion.validate_python(row.suggestion),
        reasons=tuple(row.reasons),
        confidential=row.confidential,
        needs_review=row.needs_review,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
        mentions=tuple(mentions),
        history=tuple(history),
    )


def _said(row: Any) -> str:
    return f"{row.title or ''} {row.text}"


def _draft_values(draft: ConcernDraft, now: datetime) -> dict[str, Any]:
    return {
        "severity": draft.triage.severity,
        "sentiment": draft.triage.sentiment,
        "labels": sorted(draft.triage.labels),
        "organisations": list(draft.organisations),
        "suggestion": _suggestion.dump_python(draft.suggestion, mode="json"),
        "reasons": list(draft.triage.reasons),
        "confidential": draft.confidential,
        "needs_review": draft.triage.needs_review,
        "updated_at": now,
    }
