"""Too many alerts for one reader: what goes out by itself, what waits, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import app
from monitor.domain import Waiting
from monitor.errors import ConfigError
from monitor.policy.routes import flood
from monitor.policy.routes.flood import FloodRules, Hold, Offer

NOW = datetime(2026, 11, 3, 14, 0, tzinfo=UTC)
RULES = flood.packaged_rules()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def waiting(**more: object) -> Waiting:
    values = {
        "recipient": "slt@trust.example",
        "channel": "email",
        "first": 1,
        "since": NOW,
        "bundles": 0,
        "last_at": None,
        "busy": False,
    }
    return Waiting(**values | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("letters", "goes_out"), [(0, True), (9, True), (10, False), (500, False)])
def test_ten_an_hour_go_out_by_themselves(letters: int, goes_out: bool) -> None:
    """The eleventh letter within the hour is held, and says why."""
    step = flood.admit("alert:2026-0001:1", letters, RULES)
    assert isinstance(step, Offer) is goes_out
    if isinstance(step, Hold):
        assert str(letters) in step.because


def test_a_bundle_is_never_held() -> None:
    """A letter of letters goes out whatever its reader got."""
    assert flood.admit(flood.bundle_key(7), 500, RULES) == Offer()


@pytest.mark.parametrize(("bundles", "seconds"), [(0, 45), (1, 300), (2, 600), (3, 900), (9, 900)])
def test_each_further_bundle_waits_longer(bundles: int, seconds: int) -> None:
    """The first bundle within an hour waits 45 seconds for more; the fourth a quarter of an hour."""
    assert flood.bundle_at(waiting(bundles=bundles), RULES) == at(seconds)


def test_the_wait_begins_after_the_last_bundle() -> None:
    """What was held while a bundle was still going out waits from that bundle's end on."""
    assert flood.bundle_at(waiting(bundles=1, last_at=at(60)), RULES) == at(360)


def test_one_bundle_at_a_time() -> None:
    """While a bundle is going out, no other is made."""
    assert flood.bundle_at(waiting(busy=True), RULES) is None


def test_the_data_says_how_many() -> None:
    """By the packaged figures one reader gets at most ten letters and five bundles in any hour."""
    assert (RULES.per_hour, RULES.most_bundles) == (10, 5)


@pytest.mark.parametrize(
    "text",
    [
        "per_hour = 0\nbundle_wait_s = [45]",
        "per_hour = 10\nbundle_wait_s = []",
        "per_hour = 10\nbundle_wait_s = [300, 45]",
        "per_hour = 10\nbundle_wait_s = [45]\nper_day = 5",
        app.data("flood.toml") + "\nper_minute = 1",
    ],
    ids=["no letter at all", "no wait", "falling waits", "unknown key", "unknown key at the end"],
)
def test_faulty_figures_are_refused(text: str) -> None:
    """Figures by which letters would be dropped or pile up are refused, naming the file."""
    with pytest.raises(ConfigError, match=r"flood\.toml"):
        flood.load_rules(text)


@dataclass
class Reader:
    """Somebody whose mail is accepted at once. Times are seconds."""

    rules: FloodRules
    letters: list[float] = field(default_factory=list)
    bundles: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def next_bundle(self) -> float | None:
        if not self.held:
            return None
        # As the store counts: within the hour before the moment of looking, which is the wait's end.
        moment = self.held[0]
        while True:
            recent = [sent for sent in self.bundles if sent > moment - 3600]
            due = flood.bundle_at(
                waiting(
                    since=at(self.held[0]),
                    bundles=len(recent),
                    last_at=at(max(recent)) if recent else None,
                ),
                self.rules,
            )
            assert due is not None
            seconds = (due - NOW).total_seconds()
            if seconds <= moment:
                return moment
            moment = min(seconds, moment + 5)  # it is looked for every five seconds

    def arrives(self, second: float) -> None:
        self.until(second)
        recent = sum(sent > second - 3600 for sent in self.letters)
        if isinstance(flood.admit("alert:2026-0001:1", recent, self.rules), Offer):
            self.letters.append(second)
        else:
            self.held.append(second)

    def until(self, second: float) -> None:
        while (due := self.next_bundle()) is not None and due <= second:
            self.waits += [due - since for since in self.held]
            self.bundles.append(due)
            self.held.clear()


def most_in_an_hour(times: list[float]) -> int:
    return max((sum(0 <= one - first < 3600 for one in times) for first in times), default=0)


RULEBOOKS = st.builds(
    lambda per_hour, waits: FloodRules(per_hour=per_hour, bundle_wait_s=tuple(sorted(waits))),
    st.integers(1, 12),
    st.lists(st.integers(30, 1800), min_size=1, max_size=5),
)
ARRIVALS = st.lists(st.floats(0, 900), max_size=120)  # seconds between one and the next


@given(RULEBOOKS, ARRIVALS)
def test_nobody_is_flooded_and_nothing_is_dropped(rules: FloodRules, gaps: list[float]) -> None:
    """However alerts arrive, each goes out by itself or in a bundle, no later than the longest wait
    says, and no hour holds more letters or bundles than the figures say."""
    reader, second = Reader(rules), 0.0
    for gap in gaps:
        second += gap
        reader.arrives(second)
    reader.until(second + 86_400)
    assert len(reader.letters) + len(reader.waits) == len(gaps)
    assert most_in_an_hour(reader.letters) <= rules.per_hour
    assert most_in_an_hour(reader.bundles) <= rules.most_bundles
    assert max(reader.waits, default=0) <= rules.bundle_wait_s[-1] + 5


@given(st.integers(0, 400))
def test_a_burst_is_ten_letters_and_one_bundle(alerts: int) -> None:
    """Any number of alerts within one minute come as ten letters and, 45 seconds later, one bundle."""
    reader = Reader(RULES)
    for number in range(alerts):
        reader.arrives(number * 0.1)
    reader.until(3000)
    assert len(reader.letters) == min(alerts, 10)
    assert len(reader.bundles) == (alerts > 10)
