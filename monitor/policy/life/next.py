"""Whose turn it is: who may approve a reply, and whom a concern waits for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.domain import ENDED, Concern, ConcernState, Person
from monitor.policy.ladder import holds
from monitor.policy.life.rules import may_see
from monitor.policy.life.table import Move


def may_approve(concern: Concern, people: Iterable[Person], day: date) -> tuple[str, ...]:
    """The ids of those who could approve the reply in hand on the local `day`."""
    reply, known = concern.reply_in_hand, tuple(people)
    return tuple(
        person.id
        for person in known
        if reply is not None
        and person.id != reply.drafter
        and holds(person.roles, concern.suggestion.approvers)
        and person.away(day) is None
        and may_see(concern, person, known) is None
    )


def awaited(concern: Concern, people: Iterable[Person], day: date) -> tuple[str, ...]:
    """The ids of those whose move it is: approvers, whoever was asked, else the owner. Empty: nobody
    in particular, or nobody of ours."""
    if concern.state is ConcernState.FOR_APPROVAL:
        return may_approve(concern, people, day)
    if concern.state is ConcernState.SECOND_OPINION:
        asked = [e.details["of"] for e in concern.history if e.action == Move.ASK_OPINION]
        return tuple(asked[-1:])
    theirs = concern.state in ENDED or concern.state is ConcernState.WAITING
    return () if theirs or concern.owner is None else (concern.owner,)
