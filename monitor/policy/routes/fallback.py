"""Mail about an alert doesn't get through: who is told of it by another channel, and when.

    queued -> five minutes, and no relay has accepted it   \\
    refused for good, or repeated in vain                   > each channel that its reader reads, once
    an ambiguous answer: its two repeats come first        /

A channel carries a case's number and how to take it, and nothing of what was said. It is a stand-in:
the letter goes on being offered. Pure: it takes `now` and returns values with named reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from monitor.domain import (
    Call,
    Case,
    Channel,
    Concern,
    ConcernState,
    DeliveryState,
    Letter,
    Person,
    Recent,
)
from monitor.policy.life.rules import matter, may_see
from monitor.policy.toml import parse

Seconds = Annotated[int, Field(ge=1, le=604_800)]


class FallbackRules(BaseModel):
    """fallback.toml; its comments say what each is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after_s: Seconds
    dead_within_s: Seconds
    per_hour: Annotated[int, Field(ge=1, le=100)]
    gather_s: Seconds


def load_rules(text: str) -> FallbackRules:
    """Read fallback.toml's text. Raises ConfigError with every fault and its key path."""
    return parse(FallbackRules, text, "fallback.toml")


@lru_cache(maxsize=1)
def packaged_rules() -> FallbackRules:
    """The rules that come with the program."""
    return load_rules((files("monitor") / "data" / "fallback.toml").read_text(encoding="utf-8"))


def due(letter: Letter, rules: FallbackRules, *, now: datetime) -> str | None:
    """Why the letter's reader is to be told by another channel now; None: they are not yet.

    One that was sent without an answer has probably arrived: its repeats come first, and then it is
    dead. One that is held waits for the one letter of all.
    """
    match letter.state:
        case DeliveryState.DEAD:
            return "it can't be mailed"
        case DeliveryState.PENDING if now - letter.queued_at >= timedelta(seconds=rules.after_s):
            return "no mail server has accepted it"
    return None


def key(call: Call) -> str:
    """The occasion of a call: that of its letter, or of the first of them that it gathers."""
    first = call.letters[0]
    return first.key if len(call.letters) == 1 else f"other:{first.id}"


def untold(
    letter: Letter, channels: Iterable[Channel], people: Iterable[Person]
) -> tuple[Channel, ...]:
    """The channels that the letter's reader reads, and that were not told of it yet."""
    readers = {person.id for person in people if person.email == letter.recipient}
    return tuple(
        channel
        for channel in channels
        if readers & set(channel.people) and channel.id not in letter.called
    )


def calls(
    letters: Sequence[Letter],
    concerns: Mapping[int, Concern],
    channels: Iterable[Channel],
    people: tuple[Person, ...],
    rules: FallbackRules,
    *,
    recent: Mapping[str, Recent],
    now: datetime,
) -> tuple[Call, ...]:
    """The messages that are due now, oldest letters first. `concerns` has the cases of the letters
    by their ids, `recent` the channels that carried something within the last hour.

    A case that somebody has taken needs no call. A channel that several people read tells of a case
    only when all of them may know that it exists.
    """
    known = {person.id: person for person in people}
    waiting = [
        (letter, why)
        for letter in sorted(letters, key=lambda letter: (letter.queued_at, letter.id))
        if (why := due(letter, rules, now=now))
    ]
    found: list[Call] = []
    for channel in channels:
        readers = [known[id_] for id_ in channel.people if id_ in known]
        told: set[str] = set()
        single: list[Call] = []
        for letter, why in waiting:
            # Two of its readers may have the same letter, on its way to each.
            if letter.key in told or not untold(letter, (channel,), people):
                continue
            call = _call(letter, concerns, channel, readers, people, why)
            if call is not None:
                told.add(letter.key)
                single.append(call)
        found += _within_bounds(single, rules, recent.get(channel.id), now)
    return tuple(found)


def _call(  # noqa: PLR0917 - one letter's facts
    letter: Letter,
    concerns: Mapping[int, Concern],
    channel: Channel,
    readers: Sequence[Person],
    people: tuple[Person, ...],
    why: str,
) -> Call | None:
    """The letter's own call; None where there is nothing that these readers have to hear of."""
    cases: tuple[Case, ...] = ()
    if letter.concern is not None:
        concern = concerns.get(letter.concern)
        if concern is None or concern.state is not ConcernState.OPEN:
            return None
        barred = matter(concern).barred(people)
        if any(reader.id in barred for reader in readers):
            return None
        may_answer = all(may_see(concern, reader, people) is None for reader in readers)
        cases = (Case(concern=concern, may_answer=may_answer),)
    return Call(
        channel=channel,
        letters=(letter,),
        cases=cases,
        reader=readers[0] if channel.personal else None,
        because=why,
    )


def _within_bounds(
    single: Sequence[Call], rules: FallbackRules, recent: Recent | None, now: datetime
) -> Sequence[Call]:
    """The calls as they are, all of them in one, or none until a while after the last."""
    before = recent.messages if recent else 0
    if not single or before + len(single) <= rules.per_hour:
        return single
    if recent and now - recent.last < timedelta(seconds=rules.gather_s):
        return ()
    first = single[0]
    cases = {case.concern.id: case for call in single for case in call.cases}
    return [
        Call(
            channel=first.channel,
            letters=tuple(letter for call in single for letter in call.letters),
            cases=tuple(cases.values()),
            reader=first.reader,
            because=f"{first.because}; more than {rules.per_hour} an hour go out together",
        )
    ]
