"""What the history establishes, and what comes about by the clock alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from classifiers.verdict import Label
from monitor.domain import MONITOR, Concern, ConcernEvent, ConcernState, Fact, MetBy
from monitor.policy import life
from monitor.policy.deadlines import Calendar
from tests.policy.lives import NOW, concern

CALENDAR = Calendar()


def said(action: str, who: str = "comms", at: datetime = NOW, **details: str) -> ConcernEvent:
    return ConcernEvent(at=at, who=who, action=action, why="", details=details)


def fact(name: str, who: str = "comms", at: datetime = NOW) -> ConcernEvent:
    return said("record", who, at, fact=name)


def test_two_people_confirm_harm() -> None:
    """Harm is confirmed once a second person says so, however often the first one does."""
    one = [fact("harm_confirmed"), fact("harm_confirmed")]
    assert life.established(one).facts == frozenset()
    assert life.established([*one, fact("harm_confirmed", "slt")]).facts == {Fact.HARM_CONFIRMED}


def test_continuing_follows_a_refusal() -> None:
    """Going on counts only after the refusal, and is gone when the refusal is taken back."""
    assert life.established([fact("continued"), fact("refused")]).facts == {Fact.REFUSED}
    both = [fact("refused"), fact("continued")]
    assert life.established(both).facts == {Fact.REFUSED, Fact.CONTINUED}
    taken_back = [*both, said("mistake", fact="refused", kind="mistake")]
    assert life.established(taken_back).facts == frozenset()


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (said("sent"), Fact.REPLIED),
        (said("no_reply"), Fact.NO_REPLY),
        (said("moderate"), Fact.MODERATED),
        (said("silent", MONITOR), Fact.SILENT),
        (said("no_answer", MONITOR), Fact.NO_ANSWER),
        (said("silent", "comms"), None),
        (said("police_told", MONITOR), None),
        (said("viewed"), None),
        (fact("nonsense"), None),
    ],
)
def test_moves_and_clocks_establish_facts(event: ConcernEvent, found: Fact | None) -> None:
    """A move establishes its fact, the clock its own, and nothing else is believed."""
    assert life.established([event]).facts == ({found} if found else set())


@pytest.mark.parametrize("word", ["reopen", "reopened"])
def test_reopening_annuls_what_was_over(word: str) -> None:
    """Once reopened, it is neither resolved nor quiet; that it was answered stays true."""
    history = [said("sent"), fact("resolved"), said("silent", MONITOR), said(word)]
    assert life.established(history).facts == {Fact.REPLIED}


def test_fresh_are_the_facts_since_the_step() -> None:
    """A rung chosen by a person starts over: earlier facts hold, and lead nowhere from there."""
    history = [fact("contacted"), said("step", rung="L4"), fact("unresolved")]
    known = life.established(history)
    assert known.chosen == "L4"
    assert known.fresh == {Fact.UNRESOLVED}
    assert known.facts == {Fact.CONTACTED, Fact.UNRESOLVED}


def standing(*events: ConcernEvent, **fields: object) -> Concern:
    first = said("opened", MONITOR)
    return concern(Label.COMPLAINT, history=(first, *events), **fields)


FRIDAY = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)  # before Good Friday, 3 April, and Easter Monday


@pytest.mark.parametrize(
    ("event", "comes", "limit"),
    [
        # Five working days after Friday 27 March: 30, 31, 1, 2, then Tuesday 7 April 17:00 BST.
        ("sent", Fact.SILENT, datetime(2026, 4, 7, 16, 0, tzinfo=UTC)),
        # Three: 30, 31 March, 1 April 17:00 BST.
        ("removal_asked", Fact.NO_ANSWER, datetime(2026, 4, 1, 16, 0, tzinfo=UTC)),
        ("host_told", Fact.HOST_DECLINED, FRIDAY + timedelta(hours=48)),
    ],
)
def test_waiting_ends(event: str, comes: Fact, limit: datetime) -> None:
    """Silence, no answer and a host's silence come about at their hour, over a bank holiday too."""
    begun = said("sent", at=FRIDAY) if event == "sent" else fact(event, at=FRIDAY)
    waiting = standing(begun)
    assert life.due_facts(waiting, CALENDAR, limit - timedelta(seconds=1)) == ()
    assert life.due_facts(waiting, CALENDAR, limit) == (comes,)
    told = replace(waiting, history=(*waiting.history, said(comes.value, MONITOR, limit)))
    assert life.due_facts(told, CALENDAR, limit + timedelta(days=30)) == ()


@pytest.mark.parametrize(
    ("begun", "answer"),
    [("sent", "contacted"), ("removal_asked", "removed"), ("host_told", "removed")],
)
def test_an_answer_stops_the_waiting(begun: str, answer: str) -> None:
    """Contact or removal in time, and nothing comes about by the clock."""
    first = said("sent", at=FRIDAY) if begun == "sent" else fact(begun, at=FRIDAY)
    later = FRIDAY + timedelta(days=60)
    done = standing(first, fact(answer, at=FRIDAY + timedelta(hours=1)))
    assert life.due_facts(done, CALENDAR, later) == ()


def test_once_in_contact_nobody_is_silent() -> None:
    """A further reply to somebody who is in contact starts no clock of silence."""
    talking = standing(fact("contacted", at=FRIDAY), said("sent", at=FRIDAY + timedelta(hours=1)))
    assert life.due_facts(talking, CALENDAR, FRIDAY + timedelta(days=30)) == ()


def test_a_campaign_falls_quiet() -> None:
    """72 hours after its last post a campaign is quiet, once; a further post starts over."""
    loud = concern(Label.CAMPAIGN)
    then = NOW + timedelta(hours=72)
    assert life.due_facts(loud, CALENDAR, then - timedelta(seconds=1)) == ()
    assert life.due_facts(loud, CALENDAR, then) == (Fact.QUIET,)
    quiet = replace(loud, history=(*loud.history, said("quiet", MONITOR, then)))
    assert life.due_facts(quiet, CALENDAR, then + timedelta(days=9)) == ()
    posted = then + timedelta(hours=1)
    again = replace(quiet, history=(*quiet.history, said("updated", MONITOR, posted)))
    assert life.due_facts(again, CALENDAR, posted + timedelta(hours=71)) == ()
    assert life.due_facts(again, CALENDAR, posted + timedelta(hours=72)) == (Fact.QUIET,)


@pytest.mark.parametrize("state", [ConcernState.CLOSED, ConcernState.MERGED])
def test_nothing_comes_about_after_the_end(state: ConcernState) -> None:
    """An ended concern has no clocks."""
    ended = standing(said("sent", at=FRIDAY), state=state)
    assert life.due_facts(ended, CALENDAR, FRIDAY + timedelta(days=90)) == ()


def test_what_stops_the_clock() -> None:
    """A reply or a reasoned no stops a reply's clock, taking it an acceptance's, only the end an
    exit's; what was answered before a reopening answers no more."""

    def with_(by: MetBy, *events: ConcernEvent, state: ConcernState = ConcernState.OPEN) -> bool:
        found = standing(*events, state=state)
        return life.met(replace(found, suggestion=replace(found.suggestion, met_by=by)))

    assert not with_(MetBy.REPLY, state=ConcernState.ACKNOWLEDGED)
    assert with_(MetBy.REPLY, said("sent"))
    assert with_(MetBy.REPLY, said("no_reply"))
    assert not with_(MetBy.REPLY, said("sent"), said("reopened", MONITOR))
    assert not with_(MetBy.ACCEPTANCE)
    assert with_(MetBy.ACCEPTANCE, state=ConcernState.ACKNOWLEDGED)
    assert not with_(MetBy.EXIT, said("sent"), state=ConcernState.WAITING)
    assert with_(MetBy.EXIT, state=ConcernState.CLOSED)
