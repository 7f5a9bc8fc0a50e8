"""What a move stands on: the trust's ladder, as it applies to one concern now."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from monitor.domain import Circumstances, Concern, Role
from monitor.policy import ladder
from monitor.policy.assessment import Rulebook, circumstances
from monitor.policy.drafts.check import Finding
from monitor.policy.ladder import Ladder
from monitor.policy.ladder.stops import harmful, stops
from monitor.policy.life.rules import Ground, Refusal, Rule, refuse


def ground(
    concern: Concern,
    book: Rulebook,
    *,
    findings: tuple[Finding, ...] = (),
    other: Concern | None = None,
) -> Ground:
    """All that `life.permit` asks about, for a concern as it stands."""
    c = circumstances(concern)
    rung = ladder.place(c, book.ladder)
    stop = next((stop.why for stop in stops(c)), rung.stop)
    return Ground(
        people=book.people,
        calendar=book.calendar,
        stop=stop,
        # A request to its author to remove a post is a letter, which the ladder may suggest.
        private_stop=None if concern.suggestion.private_reply else stop,
        lawful=not harmful(c),
        approvers=ladder.approvers_for(rung, book.ladder),
        hold=timedelta(minutes=book.ladder.approval.hold_min),
        authorised_drafters=book.ladder.approval.authorised_drafters,
        may_step=partial(_may_step, c, book.ladder),
        step_roles=partial(_step_roles, book.ladder),
        may_moderate=_may_moderate(c, book.ladder),
        findings=findings,
        other=other,
    )


def _may_step(c: Circumstances, trusts: Ladder, rung_id: str) -> Refusal | None:
    why = ladder.may_step(rung_id, c, trusts)
    if why is None:
        return None
    if rung_id not in trusts.rung:
        known = ", ".join(trusts.rung)
        its_own = "the trust's ladder: `trust-monitor ladder show`"
        return refuse(Rule.MISSING_DETAIL, f"{why}. Rungs: {known}.", its_own)
    rung = trusts.by_id(rung_id)
    if rung.harms_only and not harmful(c):
        return refuse(Rule.LAWFUL_CRITICISM, why + ".")
    if rung.own_account_only and not c.own_account:
        return refuse(Rule.OWN_ACCOUNT, why + ".")
    # Out of reach, the clause is that of the rung where the concern stands: the other's asks for the
    # very step that is refused.
    asks = rung if rung.needs - c.facts else ladder.place(c, trusts)
    return refuse(Rule.GATE, why + ".", asks.source)


def _step_roles(trusts: Ladder, rung_id: str) -> frozenset[Role]:
    """Steps against a post take the roles that would approve them; others anybody may take."""
    rung = trusts.by_id(rung_id)
    return ladder.approvers_for(rung, trusts) if rung.harms_only else frozenset()


def _may_moderate(c: Circumstances, trusts: Ladder) -> str | None:
    own = [rung for rung in trusts.rungs if rung.own_account_only]
    if not own:
        return "This trust's ladder has no rung for moderation"
    refusals = [ladder.may_step(rung.id, c, trusts) for rung in own]
    return None if None in refusals else refusals[0]
