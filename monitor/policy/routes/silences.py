"""Does a silence hold this alert back, and may it be asked for at all?

A senior leader may ask, for a time and with a reason, that the alerts of one case, one source or one
school wait for the digest. A child at risk, a named child and a threat never wait, whatever was asked
for; nor does a silence hold back what goes round the very person who asked for it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from classifiers.verdict import Label
from monitor.domain import AlertSilence, Concern, Person, Role, SilenceScope
from monitor.policy.life.rules import matter, may_see
from monitor.policy.routes import escalation
from monitor.policy.routes.routing import Matter
from monitor.policy.toml import parse

NOT_YOURS = 'only a senior leader (role "slt") may silence alerts, or end a silence'
LONGEST_WHY = 300  # characters


class SilenceLimits(BaseModel):
    """silences.toml: the longest silence of each scope, in hours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concern_hours: Annotated[int, Field(ge=1, le=168)]
    source_hours: Annotated[int, Field(ge=1, le=168)]
    organisation_hours: Annotated[int, Field(ge=1, le=24)]

    def longest(self, scope: SilenceScope) -> timedelta:
        """How long a silence of that scope may stand."""
        hours = {
            SilenceScope.CONCERN: self.concern_hours,
            SilenceScope.SOURCE: self.source_hours,
            SilenceScope.ORGANISATION: self.organisation_hours,
        }
        return timedelta(hours=hours[scope])


def load_rules(text: str) -> SilenceLimits:
    """Read silences.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(SilenceLimits, text, "silences.toml")


@lru_cache(maxsize=1)
def packaged_rules() -> SilenceLimits:
    """The limits that come with the program."""
    return load_rules((files("monitor") / "data" / "silences.toml").read_text(encoding="utf-8"))


def never(about: Matter) -> str | None:
    """Why nothing may silence this, or None: it may be silenced."""
    if about.child:
        return "what may concern a child at risk, or names a child, is never silenced"
    if Label.THREAT in about.labels:
        return "a threat is never silenced"
    return None


def holding(
    about: Matter,
    reference: str | None,
    sources: Collection[str],
    silences: Iterable[AlertSilence],
    *,
    people: tuple[Person, ...],
    now: datetime,
) -> AlertSilence | None:
    """The silence that holds this alert back, or None: it goes out.

    `reference` is the case's number (None: a new one), `sources` are the ids of the sources that
    brought it. Of several sources or schools each must be silenced; the one that ends first is then
    the answer. Of several silences that would do, the last to end is.
    """
    if never(about):
        return None
    barred = about.barred(people)
    standing = [each for each in silences if each.stands(now) and each.owner not in barred]
    found = (
        _over(standing, SilenceScope.CONCERN, (reference,) if reference else ()),
        _over(standing, SilenceScope.SOURCE, sources),
        _over(standing, SilenceScope.ORGANISATION, about.organisations),
    )
    return max((each for each in found if each), key=lambda each: each.until, default=None)


def escalation_waits(
    concern: Concern,
    sources: Collection[str],
    silences: Sequence[AlertSilence],
    *,
    people: tuple[Person, ...],
    now: datetime,
) -> AlertSilence | None:
    """The silence that keeps an unanswered case from going to the next person, or None.

    Once somebody was told of it, only a silence of the case itself does. What was held back from
    everybody goes to the first of them when the silence is over, unless somebody took it meanwhile.
    """
    mine = [each for each in silences if each.scope is SilenceScope.CONCERN]
    asked = mine if escalation.begun(concern) else silences
    return holding(matter(concern), concern.reference, sources, asked, people=people, now=now)


def because(silence: AlertSilence, alert: str) -> str:
    """Why an alert was not sent, for the history and the log: without the owner's own words."""
    return (
        f"silence {silence.id}, asked for by {silence.owner} until "
        f"{silence.until:%Y-%m-%d %H:%M} UTC: {alert}"
    )


def refusal(
    scope: SilenceScope,
    target: str,
    *,
    who: Person,
    reason: str,
    until: datetime,
    concern: Concern | None,
    sources: Collection[str],
    organisations: Collection[str],
    people: tuple[Person, ...],
    rules: SilenceLimits,
    now: datetime,
) -> str | None:
    """Why `who` may not have this silence, and what to do instead; None: they may.

    `concern` is the case of that number, if there is one; `sources` and `organisations` are the ids
    that are configured.
    """
    longest = rules.longest(scope)
    faults = (
        (Role.SLT not in who.roles, NOT_YOURS),
        (not reason.strip(), "--why must say why: it stands beside what was not sent"),
        (len(reason) > LONGEST_WHY, f"--why has more than {LONGEST_WHY} characters: shorten it"),
        (until <= now, "--until lies in the past: name when alerts go out again"),
        (until - now > longest, f"a silence of this kind stands for at most {_words(longest)}"),
    )
    if fault := next((words for wrong, words in faults if wrong), None):
        return fault
    match scope:
        case SilenceScope.CONCERN:
            return _case_refused(concern, who, people)
        case SilenceScope.SOURCE:
            return None if target in sources else f"no source has this id. Known: {_list(sources)}"
    if target not in organisations:
        return f"no school or trust has this id. Known: {_list(organisations)}"
    return None if who.covers((target,)) else "this school is not yours: ask a leader of it"


def _case_refused(concern: Concern | None, who: Person, people: tuple[Person, ...]) -> str | None:
    if concern is None:
        return "no such case"
    hidden = may_see(concern, who, people)  # first: what it is about is no business of theirs
    return hidden.why if hidden else never(matter(concern))


def _over(
    standing: Sequence[AlertSilence], scope: SilenceScope, targets: Collection[str]
) -> AlertSilence | None:
    """Of the silences that cover every target the first to end, None when one is not covered."""
    covering: list[AlertSilence] = []
    for target in targets:
        mine = [each for each in standing if each.scope is scope and each.target == target]
        if not mine:
            return None
        covering.append(max(mine, key=lambda each: each.until))
    return min(covering, key=lambda each: each.until, default=None)


def _words(time: timedelta) -> str:
    hours = round(time / timedelta(hours=1))
    return f"{hours // 24} days" if hours > 24 and hours % 24 == 0 else f"{hours} hours"


def _list(known: Collection[str]) -> str:
    return ", ".join(sorted(known)[:12]) or "none"
