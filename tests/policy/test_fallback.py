"""When mail about an alert doesn't get through: who is told by another channel, when and of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.verdict import Label
from monitor.domain import (
    AuthorRole,
    Call,
    Channel,
    Concern,
    ConcernState,
    DeliveryState,
    Letter,
    Recent,
    Role,
)
from monitor.errors import ConfigError
from monitor.policy.life.rules import matter
from monitor.policy.routes import fallback
from tests.policy.builders import labels_sets, packaged, person
from tests.policy.test_escalation import concern

NOW = datetime(2026, 3, 10, 9, 15, tzinfo=UTC)
RULES = fallback.load_rules(packaged("fallback.toml"))
PENDING, AMBIGUOUS, HELD = DeliveryState.PENDING, DeliveryState.AMBIGUOUS, DeliveryState.HELD
AMARA = person("amara", Role.SLT)
BRUNO = person("bruno", Role.SLT)
CELIA = person("celia", Role.DSL)
GWEN = person("gwen", Role.HEAD, schools=["hill"])
HAMID = person("hamid", Role.CHAIR)
PEOPLE = (AMARA, BRUNO, CELIA, GWEN, HAMID)
AMARAS = Channel(id="sms-amara", people=("amara",))
LEADERS = Channel(id="leaders", people=("amara", "bruno"))
EVERYBODY = Channel(id="everybody", people=tuple(each.id for each in PEOPLE))


def letter(number: int = 1, to: str = "amara", minutes: float = 5, **more: object) -> Letter:
    made = Letter(
        id=number,
        key=f"alert:2026-{number:04}:1",
        recipient=f"{to}@trust.example",
        state=PENDING,
        queued_at=NOW - timedelta(minutes=minutes),
        concern=number,
        called=frozenset(),
    )
    return replace(made, **more)  # type: ignore[arg-type] - a test's shorthand


def case(number: int = 1, *labels: Label, **more: object) -> Concern:
    return concern(*(labels or (Label.HATE,)), id=number, reference=f"2026-{number:04}", **more)


def decide(*letters: Letter, cases=None, channels=(AMARAS,), recent=None) -> tuple[Call, ...]:
    known = [case(each.concern) for each in letters if each.concern] if cases is None else cases
    return fallback.calls(
        letters,
        {each.id: each for each in known},
        channels,
        PEOPLE,
        RULES,
        recent=recent or {},
        now=NOW,
    )


@pytest.mark.parametrize(
    ("state", "minutes", "told"),
    [
        (PENDING, 4.99, False),
        (PENDING, 5, True),
        (PENDING, 500, True),
        (DeliveryState.DEAD, 0, True),
        (AMBIGUOUS, 14, False),
        (AMBIGUOUS, 500, False),
        (HELD, 500, False),
        (DeliveryState.BUNDLED, 500, False),
        (DeliveryState.SENT, 500, False),
    ],
)
def test_after_five_minutes_or_when_it_is_dead(state, minutes, told) -> None:
    """Not accepted for five minutes, or refused for good; an answer that is unclear is repeated
    first, and what waits for one letter of all is told of with it."""
    assert bool(decide(letter(minutes=minutes, state=state))) is told


def test_each_channel_that_its_reader_reads_and_each_once() -> None:
    """Their own telephone and the leaders' room, but not somebody else's; and no repeat."""
    brunos = Channel(id="sms-bruno", people=("bruno",))
    channels = (AMARAS, LEADERS, brunos)
    assert [call.channel.id for call in decide(letter(), channels=channels)] == [
        "sms-amara",
        "leaders",
    ]
    again = letter(called=frozenset({"sms-amara"}))
    assert [call.channel.id for call in decide(again, channels=channels)] == ["leaders"]
    done = letter(called=frozenset({"sms-amara", "leaders"}))
    assert decide(done, channels=channels) == ()


def test_one_occasion_is_one_message_in_a_room() -> None:
    """Two readers of one room whose letters both fail make one message there."""
    both = (letter(1), letter(2, to="bruno", key=letter(1).key, concern=1))
    (call,) = decide(*both, channels=(LEADERS,))
    assert call.reader is None
    assert [each.id for each in call.letters] == [1]


def test_a_case_that_somebody_has_needs_no_call() -> None:
    """Between the alert and the five minutes somebody may have taken it."""
    for state in ConcernState:
        called = decide(letter(), cases=[case(state=state)])
        assert bool(called) is (state is ConcernState.OPEN)


def test_a_personal_channel_may_carry_a_link_for_its_one_reader() -> None:
    """In a room nobody knows who follows a link: it has no reader."""
    assert decide(letter())[0].reader == AMARA
    assert decide(letter(), channels=(LEADERS,))[0].reader is None


def test_who_may_not_see_a_case_may_not_answer_it() -> None:
    """A senior leader who is asked to ring the safeguarding lead hears that the case exists."""
    (call,) = decide(letter(), cases=[case(1, Label.SAFEGUARDING)])
    assert not call.cases[0].may_answer
    (call,) = decide(letter(to="celia"), cases=[case(1, Label.SAFEGUARDING)], channels=(EVERYBODY,))
    assert not call.cases[0].may_answer, "not all of them"
    celias = Channel(id="celia", people=("celia",))
    (call,) = decide(letter(to="celia"), cases=[case(1, Label.SAFEGUARDING)], channels=(celias,))
    assert call.cases[0].may_answer


@given(
    labels_sets.filter(bool),
    st.booleans(),
    st.sampled_from(AuthorRole),
    st.sampled_from([AMARAS, LEADERS, EVERYBODY]),
    st.sampled_from(["amara", "bruno", "celia", "gwen", "hamid"]),
)
def test_no_channel_tells_anybody_who_must_not_know(
    labels, about_head, author, channel, to
) -> None:
    """Whoever reads along in a room: a case that goes round them is not told of there."""
    asked = case(1, *labels, about_head=about_head, author=author)
    barred = matter(asked).barred(PEOPLE)
    called = decide(letter(to=to), cases=[asked], channels=(channel,))
    assert bool(called) is (to in channel.people and not barred & set(channel.people))


def test_silent_sources_are_told_of_too() -> None:
    """A letter about no case at all has no case to tell of."""
    (call,) = decide(letter(key="stale:gazette:7", concern=None))
    assert call.cases == ()
    assert call.of_sources


def test_ten_an_hour_and_then_one_of_all() -> None:
    """The tenth goes by itself; from the eleventh on all go in one message, the next a while later."""
    ten = [letter(n) for n in range(1, 11)]
    assert [len(call.letters) for call in decide(*ten)] == [1] * 10
    (call,) = decide(*ten, letter(11, minutes=6))
    assert len(call.letters) == len(call.cases) == 11
    assert call.letters[0].id == 11, "the oldest first"
    some = {"sms-amara": Recent(messages=9, last=NOW - timedelta(seconds=599))}
    assert len(decide(letter(1), recent=some)) == 1
    assert decide(letter(1), letter(2), recent=some) == ()
    later = {"sms-amara": Recent(messages=9, last=NOW - timedelta(seconds=600))}
    (call,) = decide(letter(1), letter(2), recent=later)
    assert len(call.letters) == 2
    many = {"sms-amara": Recent(messages=12, last=NOW - timedelta(hours=1))}
    assert decide(letter(1, minutes=1), recent=many) == (), "nothing is due at all"


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=60),
    st.integers(0, 12),
    st.integers(0, 3600),
)
def test_nothing_is_dropped_and_nobody_is_flooded(ages, before, since_s) -> None:
    """What is due is either in a message now or still due at the next look; and a channel never
    carries more than ten messages more than it has by itself."""
    letters = [letter(n, minutes=age) for n, age in enumerate(ages, 1)]
    recent = {"sms-amara": Recent(messages=before, last=NOW - timedelta(seconds=since_s))}
    called = decide(*letters, recent=recent if before else {})
    told = [each.id for call in called for each in call.letters]
    wanted = [each.id for each in letters if fallback.due(each, RULES, now=NOW)]
    assert sorted(told) in ([], wanted)
    if told != wanted and wanted and not told:
        assert before + len(wanted) > RULES.per_hour
        assert since_s < RULES.gather_s
    assert len(called) <= max(1, RULES.per_hour - before)


def test_a_faulty_file_is_refused_with_its_key() -> None:
    """A wait of nothing would call beside every letter."""
    with pytest.raises(ConfigError, match="after_s"):
        fallback.load_rules(packaged("fallback.toml").replace("after_s = 300", "after_s = 0"))
