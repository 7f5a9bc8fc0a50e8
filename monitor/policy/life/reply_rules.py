"""What keeps people from moving a reply on: two people, the approver's roles, hard stops, the check."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.domain import Concern
from monitor.policy.ladder import holds
from monitor.policy.life.rules import Answer, Ask, Refusal, Rule, and_, may_see, refuse
from monitor.policy.life.table import Move


def colleague(ask: Ask, detail: str) -> Refusal | None:
    """The person named in `detail` exists, is somebody else, is there, and may see the concern."""
    named = ask.details[detail]
    other = ask.ground.person(named)
    if other is None:
        known = ", ".join(sorted(person.id for person in ask.ground.people))
        return refuse(Rule.MISSING_DETAIL, f"{named}: nobody has this id. Known: {known}.")
    if other.id == ask.person.id:
        return refuse(Rule.TWO_PEOPLE, "Name somebody else: this takes two people.")
    if (hidden := may_see(ask.concern, other, ask.ground.people)) is not None:
        return refuse(hidden.rule, f"{other.id} may not see {ask.concern.reference}.")
    if absence := other.away(ask.today):
        cover = f"; {absence.cover} stands in" if absence.cover else ""
        return refuse(Rule.AWAY, f"{other.id} is away until {absence.until}{cover}.")
    return None


def assign(ask: Ask) -> Refusal | None:
    return colleague(ask, "to")


def ask_opinion(ask: Ask) -> Refusal | None:
    return colleague(ask, "of")


def asked_by(concern: Concern) -> str:
    """Who asked for the second opinion that is open."""
    return next(e.who for e in reversed(concern.history) if e.action == Move.ASK_OPINION)


def give_opinion(ask: Ask) -> Refusal | None:
    if ask.person.id == asked_by(ask.concern):
        return refuse(
            Rule.SECOND_OPINION, "You asked: somebody else gives the opinion, or you drop it."
        )
    return None


def drop_opinion(ask: Ask) -> Refusal | None:
    asker = asked_by(ask.concern)
    if ask.person.id != asker:
        return refuse(
            Rule.SECOND_OPINION, f"{asker} asked and may take it back; you can give the opinion."
        )
    return None


def _stopped(ask: Ask, *, public: bool) -> Refusal | None:
    stop = ask.ground.stop if public else ask.ground.private_stop
    if stop is None:
        return None
    route = ask.concern.suggestion.route
    instead = f" It goes to: {route}." if route else ""
    # The rung's own clause says more than the rule's: what a threat needs, an insult doesn't.
    clause = ask.concern.suggestion.source or None
    return refuse(Rule.HARD_STOP, f"No reply goes to this: {stop}.{instead}", clause)


def is_private(move: Move, concern: Concern, details: Mapping[str, str]) -> bool:
    """Whether the text in the details is for a private message: an edited one stays what it was."""
    in_hand = concern.reply_in_hand
    if move is Move.EDIT and in_hand is not None:
        return not in_hand.public
    return details.get("private") == Answer.YES


def draft(ask: Ask) -> Refusal | None:
    if (
        stopped := _stopped(ask, public=not is_private(ask.move, ask.concern, ask.details))
    ) is not None:
        return stopped
    if ask.ground.authorised_drafters and not ask.person.authorised_by:
        return refuse(
            Rule.AUTHORISED,
            f"{ask.person.id} is not authorised by a senior leader to speak for the trust: set "
            "authorised_by and authorised_on in [[people]].",
        )
    if blocking := [finding for finding in ask.ground.findings if finding.blocking]:
        return refuse(
            Rule.DRAFT_CHECK,
            " ".join(f"{finding.rule}: {finding.why}" for finding in blocking),
            blocking[0].source,
        )
    return None


def approve(ask: Ask) -> Refusal | None:
    reply = ask.reply
    if (stopped := _stopped(ask, public=reply.public)) is not None:
        return stopped
    if reply.drafter == ask.person.id:
        return refuse(Rule.TWO_PEOPLE, "You drafted it: somebody else approves.")
    if not holds(ask.person.roles, ask.ground.approvers):
        wanted = and_(ask.ground.approvers)
        return refuse(
            Rule.APPROVER_ROLE,
            f"Whoever approves this must be {wanted}; {ask.person.id} is {and_(ask.person.roles)}.",
        )
    if absence := ask.person.away(ask.today):
        return refuse(Rule.AWAY, f"You are away until {absence.until}: your cover approves.")
    ready = reply.drafted_at + ask.ground.hold
    if ask.now < ready:
        wait = max(1, round((ready - ask.now).total_seconds() / 60))
        return refuse(Rule.COOLING, f"Drafted just now: think, and approve in {wait} min.")
    return None


def return_(ask: Ask) -> Refusal | None:
    if ask.reply.drafter == ask.person.id:
        return refuse(Rule.TWO_PEOPLE, "You drafted it: withdraw or edit it instead.")
    return None


def sent(ask: Ask) -> Refusal | None:
    stopped = _stopped(ask, public=ask.reply.public)
    if stopped is None:
        return None
    return refuse(
        Rule.HARD_STOP,
        f"{stopped.why} Withdraw the reply; if it was posted already, delete it and report a mistake.",
        stopped.source,
    )
