"""Deletions, coverage and silence, through the real store on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connectors.errors import SourceRejected, SourceUnavailable
from connectors.pages import Pages
from monitor.delivery.letters import Letters
from monitor.delivery.render import Renderer
from monitor.domain import ClosedBy, CoverageGap, DeliveryKind, Match, Person, Role, Strength
from monitor.pipeline import Collector, Hosts, Polled, SourceWatch, Sweeper
from monitor.policy import digest
from monitor.policy.life.table import Move
from monitor.policy.sources import coverage
from monitor.policy.sources.coverage import Cover
from monitor.ports import SourceSpec
from monitor.sources import load_rules
from monitor.store.store import SqlStore
from tests.connectors.feed_server import FeedServer, running
from tests.fakes import FakeClock, FakeSource
from tests.store.samples import draft

RULES = load_rules()
EVERY_S = 60.0
PEOPLE = (
    Person(id="ada", name="Ada", email="ada@trust.example", roles=frozenset({Role.COMMS})),
    Person(id="sid", name="Sid", email="sid@trust.example", roles=frozenset({Role.SLT})),
)


class Everything:
    """A matcher for which every post is about us."""

    def match(self, post: object) -> tuple[Match, ...]:
        return (
            Match(
                organisation="s",
                term="S",
                field="text",
                span=(0, 1),
                strength=Strength.DISTINCTIVE,
                reason="it says so",
            ),
        )

    def match_many(self, posts: Sequence[object]) -> list[tuple[Match, ...]]:
        return [self.match(post) for post in posts]


@dataclass
class Asked(FakeSource):
    """A source that can be asked about posts; `absent` are gone, `fails` is raised instead."""

    absent: set[str] = field(default_factory=set)
    fails: Exception | None = None
    questions: list[list[str]] = field(default_factory=list)
    gone: tuple[str, ...] = ()
    backfilled: bool = False
    note: str | None = None

    def check_gone(self, native_ids: Sequence[str]) -> frozenset[str]:
        self.questions.append(sorted(native_ids))
        if self.fails:
            raise self.fails
        return frozenset(self.absent)

    def poll(self, cursor, *, now):
        for batch in super().poll(cursor, now=now):
            more = {"gone": self.gone, "backfilled": self.backfilled, "note": self.note}
            yield replace(batch, **more)


@dataclass
class Desk:
    """A store with a clock, and what may be steered of the sources."""

    store: SqlStore
    clock: FakeClock
    sources: dict[str, Polled]
    collector: Collector
    sweeper: Sweeper
    woken: list[str]
    database: sa.Engine

    def column(self, name: str, table: str = "mention") -> list[object]:
        with self.database.connect() as connection:
            query = sa.text(f"SELECT {name} FROM {table} ORDER BY id")
            return list(connection.execute(query).scalars())

    def gaps(self) -> tuple[CoverageGap, ...]:
        with self.store.read() as rows:
            long_ago = self.clock() - timedelta(days=90)
            return rows.sources.gaps(since=long_ago, until=self.clock() + timedelta(days=1))

    def sweep_later(self, source: str = "feed", **delta: float) -> None:
        self.clock.forward(**(delta or {"hours": 21}))
        self.sweeper.sweep(source)

    def watch(self, people: Sequence[Person] = PEOPLE) -> SourceWatch:
        renderer = Renderer(trust_name="Fenwold Trust", organisations={}, redact=str)
        return SourceWatch(
            store=self.store,
            rules=RULES.silence,
            people=people,
            letters=Letters(renderer, "monitor@trust.example"),
            channel="email",
            timezone=ZoneInfo("Europe/London"),
            started_at=self.clock(),
            clock=self.clock,
            wake=self.woken.append,
        )

    def mails(self) -> list[tuple[str, str, str]]:
        """(key, recipient, subject) of what was queued."""
        with self.database.connect() as connection:
            rows = connection.execute(
                sa.text("SELECT key, recipient, message FROM delivery ORDER BY id")
            ).all()
        return [
            (
                row.key,
                row.recipient,
                message_from_bytes(bytes(row.message), policy=policy.default)["Subject"],
            )
            for row in rows
        ]


Make = Callable[..., Desk]


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    with running() as server:
        yield server


@pytest.fixture
def make(database: sa.Engine) -> Make:
    def built(*, every_s: float = EVERY_S, **connectors: object) -> Desk:
        clock, store, woken = FakeClock(), SqlStore(database), []
        pages = connectors.pop("pages", None)
        sources = {
            name: Polled(id=name, every_s=every_s, connector=connector, pages=pages)
            for name, connector in connectors.items()
        }
        with store.begin() as rows:
            rows.sources.register(
                [
                    SourceSpec(id=n, kind="rss", interval_s=every_s, fingerprint="f")
                    for n in sources
                ],
                now=clock(),
            )
        hosts = Hosts(RULES.hosts)
        return Desk(
            store=store,
            clock=clock,
            sources=sources,
            collector=Collector(
                store=store,
                sources=sources,
                matcher=Everything(),
                rules=RULES,
                hosts=hosts,
                clock=clock,
                wake=woken.append,
            ),
            sweeper=Sweeper(
                store=store,
                sources=sources,
                rules=RULES.gone,
                hosts=hosts,
                clock=clock,
                go_on=lambda: True,
            ),
            woken=woken,
            database=database,
        )

    return built


def hold(desk: Desk, mention: int, move: Move = Move.HOLD) -> None:
    """A senior leader keeps the mention's concern as evidence, or releases it."""
    with desk.store.begin() as rows:
        concern = rows.concerns.by_reference("2026-0001")
        if concern is None:
            concern = rows.concerns.open(draft(), why="a test", now=desk.clock())
            rows.mentions.belongs_to(mention, concern.id)
        rows.concerns.note(concern.id, who="sid", action=move.value, why="police", now=desk.clock())


# --- deletions that the platform tells -------------------------------------------------------------


def test_a_deleted_account_takes_its_posts_along(make: Make) -> None:
    """All posts below the prefix lose text and author; others, also with a similar id, keep theirs."""
    source = Asked(platform="bluesky")
    desk = make(feed=source)
    for name in ("at://did:a/1", "at://did:a/2", "at://did:ab/3", "at://did:A/4", "at://did:%/5"):
        source.says("Hello", name, author="somebody")
    desk.collector.collect("feed")
    source.gone = ("at://did:a/", "at://did:%/")
    desk.collector.collect("feed")
    assert desk.column("text") == ["", "", "Hello", "Hello", ""]
    assert desk.column("author") == [None, None, "somebody", "somebody", None]
    assert len(desk.column("native_id")) == 5


def test_an_empty_prefix_erases_nothing(make: Make) -> None:
    """A connector's mistake must not empty the whole platform."""
    source = Asked()
    desk = make(feed=source)
    source.says("Hello")
    desk.collector.collect("feed")
    source.gone = ("",)
    desk.collector.collect("feed")
    assert desk.column("text") == ["Hello"]


def test_evidence_is_marked_and_goes_when_it_is_released(make: Make) -> None:
    """A held post that was deleted at its source is marked, kept, and erased after the release."""
    source = Asked()
    desk = make(feed=source)
    source.says("Hello", "a")
    desk.collector.collect("feed")
    hold(desk, 1)
    source.deleted = ("a",)
    desk.collector.collect("feed")
    assert desk.column("text") == ["Hello"]
    assert desk.column("deleted_at_source") != [None]
    desk.sweep_later()
    assert desk.column("text") == ["Hello"]
    hold(desk, 1, Move.RELEASE)
    desk.sweep_later(hours=1)
    assert desk.column("text") == [""]


# --- the daily sweep -------------------------------------------------------------------------------


def test_the_sweep_forgets_what_is_gone_within_a_day(make: Make) -> None:
    """Each stored post is asked about once in 20 hours, and what is gone leaves a tombstone."""
    source = Asked()
    desk = make(feed=source)
    for name in "abc":
        source.says(f"Post {name}", name, author="somebody")
    desk.collector.collect("feed")
    desk.sweeper.sweep("feed")
    assert source.questions == []  # they were there a moment ago
    source.absent = {"b", "not asked about"}
    desk.sweep_later(hours=21)
    desk.sweep_later(hours=1)
    assert source.questions == [["a", "b", "c"]]
    assert desk.column("text") == ["Post a", "", "Post c"]
    assert desk.column("author") == ["somebody", None, "somebody"]
    desk.sweep_later(hours=21)
    assert source.questions[-1] == ["a", "c"]


@pytest.mark.parametrize("error", [SourceUnavailable("503"), SourceRejected("401"), KeyError(401)])
def test_who_cannot_tell_deletes_nothing(make: Make, error: Exception) -> None:
    """A sweep that fails erases nothing, raises nothing, and asks again at the next one."""
    source = Asked(fails=error, absent={"a"})
    desk = make(feed=source)
    source.says("Hello", "a")
    desk.collector.collect("feed")
    desk.sweep_later()
    assert desk.column("text") == ["Hello"]
    source.fails = None
    desk.sweep_later(hours=1)
    assert desk.column("text") == [""]


def test_the_sweep_asks_in_portions(make: Make) -> None:
    """250 posts are asked about 100 at a time, and each batch is committed by itself."""
    source = Asked(absent={f"n{number}" for number in range(250)})
    desk = make(feed=source)
    for number in range(250):
        source.says(f"Post {number}")
    desk.collector.collect("feed")
    desk.sweep_later()
    assert sorted(map(len, source.questions)) == [50, 100, 100]
    assert set(desk.column("text")) == {""}


def test_a_held_post_is_asked_about_and_only_marked(make: Make) -> None:
    """The sweep knows of a held post that it is gone, and keeps it."""
    source = Asked(absent={"a", "b"})
    desk = make(feed=source)
    source.says("Evidence", "a")
    source.says("Other", "b")
    desk.collector.collect("feed")
    hold(desk, 1)
    desk.sweep_later()
    assert desk.column("text") == ["Evidence", ""]
    assert all(desk.column("deleted_at_source"))


# --- by each post's own page -----------------------------------------------------------------------


def test_a_page_must_be_missing_twice(make: Make, feed_server: FeedServer) -> None:
    """One 404 is a site under repair; a second one six hours later is a deletion."""
    source = FakeSource()
    desk = make(feed=source, pages=Pages(allow_private=True))
    source.says("Hello", "a", url=feed_server.url)
    source.says("No address", "b")
    desk.collector.collect("feed")
    feed_server.status = 404
    desk.sweep_later()
    assert desk.column("text") == ["Hello", "No address"]
    assert desk.column("missing_at")[0] is not None
    desk.sweep_later(hours=5)
    assert desk.column("text") == ["Hello", "No address"]
    desk.sweep_later(hours=2)
    assert desk.column("text") == ["", "No address"]


def test_a_page_deleted_at_any_hour_is_forgotten_within_a_day(
    make: Make, feed_server: FeedServer
) -> None:
    """However a deletion falls between two sweeps, the text is gone 24 hours after it."""
    source = FakeSource()
    desk = make(feed=source, pages=Pages(allow_private=True))
    source.says("Hello", "a", url=feed_server.url)
    desk.collector.collect("feed")
    for hour in range(48):
        if hour == 11:  # the sweep that asked for the first time has just gone by
            feed_server.status = 404
        desk.sweep_later(hours=1)
        if hour == 11 + 23:
            assert desk.column("text") == [""]


@pytest.mark.parametrize("status", [200, 403, 429, 503])
def test_a_page_that_is_there_or_cannot_be_told_is_kept(
    make: Make, feed_server: FeedServer, status: int
) -> None:
    """Only 404 and 410 count; a page found again is no longer missing."""
    source = FakeSource()
    desk = make(feed=source, pages=Pages(allow_private=True))
    source.says("Hello", "a", url=feed_server.url)
    desk.collector.collect("feed")
    feed_server.status = 404
    desk.sweep_later()
    feed_server.status = status
    desk.sweep_later(hours=25)
    assert desk.column("text") == ["Hello"]
    assert (desk.column("missing_at") == [None]) is (status == 200)


# --- coverage --------------------------------------------------------------------------------------


def poll(desk: Desk, source: str = "feed", **delta: float) -> None:
    desk.clock.forward(**(delta or {"minutes": 1}))
    desk.collector.collect(source)


def test_back_fill_closes_a_gap_and_says_so(make: Make) -> None:
    """An outage ends with the next good poll: nothing missed."""
    source = Asked()
    desk = make(feed=source)
    poll(desk)
    source.error = SourceUnavailable("HTTP status 429")
    poll(desk, minutes=10)
    source.error = None
    poll(desk, hours=2)
    (gap,) = desk.gaps()
    assert (gap.reason, gap.lost, gap.closed_by) == ("HTTP status 429", False, ClosedBy.BACKFILL)


def test_an_outage_that_cost_posts_is_lost_until_it_is_made_up_for(make: Make) -> None:
    """When the source says that posts may be missing, the one gap is lost; a later back-fill closes it
    after all."""
    source = Asked()
    desk = make(feed=source)
    poll(desk)
    source.error = SourceUnavailable("HTTP status 503")
    poll(desk, minutes=10)
    source.error, source.gap = None, "the feed turned over"
    poll(desk, hours=2)
    (gap,) = desk.gaps()
    assert gap.closed_by is ClosedBy.LOST
    assert gap.lost
    assert gap.reason == "HTTP status 503; the feed turned over"
    source.gap, source.backfilled = None, True
    poll(desk)
    (gap,) = desk.gaps()
    assert (gap.lost, gap.closed_by) == (False, ClosedBy.BACKFILL)


def test_gaps_of_one_source_do_not_overlap(make: Make) -> None:
    """A failure right after a loss begins where the loss ended."""
    source = Asked(gap="the feed turned over")
    desk = make(feed=source)
    poll(desk, hours=1)
    source.gap, source.error = None, SourceUnavailable("HTTP status 503")
    poll(desk, hours=1)
    lost, open_ = sorted(desk.gaps(), key=lambda gap: gap.id)
    assert lost.ended_at is not None
    assert open_.started_at >= lost.ended_at


def test_the_time_when_nothing_ran_is_a_gap(make: Make, database: sa.Engine) -> None:
    """After a night without the monitor the sources were not seen, and that is said."""
    desk = make(feed=Asked())
    poll(desk)
    desk.clock.forward(hours=8)
    again = SourceSpec(id="feed", kind="rss", interval_s=EVERY_S, fingerprint="f")
    with desk.store.begin() as rows:
        rows.sources.register([again], now=desk.clock())
        rows.sources.register([again], now=desk.clock())
    (gap,) = desk.gaps()
    assert gap.reason == "the monitor was not running"
    poll(desk)
    assert desk.gaps()[0].closed_by is ClosedBy.BACKFILL


def test_a_source_that_is_taken_out_leaves_no_open_gap(make: Make) -> None:
    """What is no longer configured is no longer missing."""
    desk = make(feed=Asked(error=SourceUnavailable("HTTP status 503")))
    poll(desk, minutes=10)
    with desk.store.begin() as rows:
        rows.sources.register([], now=desk.clock())
    assert [gap.ended_at for gap in desk.gaps()] == [desk.clock()]


def test_state_and_note_survive_in_the_row(make: Make) -> None:
    """What a person must change, the failures and the note are read from the database."""
    source = Asked(note="quota: 3 of 10")
    desk = make(feed=source)
    poll(desk)
    with desk.store.read() as rows:
        assert rows.sources.health()[0].note == "quota: 3 of 10"
    source.error = SourceRejected("HTTP status 403")
    poll(desk)
    with desk.store.read() as rows:
        (health,) = rows.sources.health()
    assert (health.rejected, health.failures) == (True, 1)
    assert health.next_poll_at - desk.clock() >= timedelta(minutes=15)
    source.error = None
    poll(desk, hours=1)
    with desk.store.read() as rows:
        (health,) = rows.sources.health()
    assert (health.rejected, health.failures) == (False, 0)


def test_the_week_as_intervals(make: Make) -> None:
    """A source's time has no holes: seen, not seen with the reason, and seen again."""
    source = Asked()
    desk = make(feed=source)
    begun = desk.clock()
    poll(desk)
    source.error = SourceUnavailable("HTTP status 429")
    poll(desk, minutes=60)
    source.error = None
    poll(desk, minutes=60)
    with desk.store.read() as rows:
        (health,) = rows.sources.health()
    parts = coverage.intervals(
        health, desk.gaps(), since=begun - timedelta(days=7), until=desk.clock()
    )
    assert [part.cover for part in parts] == [Cover.SEEN, Cover.READ_LATER]
    assert parts[0].since == begun
    assert parts[1].reason == "HTTP status 429"
    assert coverage.share(parts) == 1.0


# --- silence ---------------------------------------------------------------------------------------


def look(desk: Desk, watch: SourceWatch, **delta: float) -> bool:
    desk.clock.forward(**delta)
    return watch.look()


def test_a_stale_source_is_told_once(make: Make) -> None:
    """After three silent intervals comms get one mail; not before, not again, and not when it's back."""
    source = Asked(error=SourceUnavailable("HTTP status 503"))
    desk = make(feed=source, other=Asked(), every_s=300)
    watch = desk.watch()
    for name in desk.sources:
        poll(desk, name, seconds=1)
    assert not look(desk, watch, minutes=10)
    desk.collector.collect("other")
    assert not look(desk, watch, minutes=5, seconds=30)  # it may be followed by more
    assert look(desk, watch, minutes=3)
    assert desk.mails() == [("stale:feed:1", "ada@trust.example", "Not being seen: feed")]
    assert desk.woken[-1] == "deliver"
    desk.collector.collect("other")
    assert not look(desk, watch, minutes=2)
    source.error = None
    poll(desk, "feed", hours=3)
    desk.collector.collect("other")
    assert not look(desk, watch, seconds=1)
    assert len(desk.mails()) == 1


def test_many_at_once_are_one_mail(make: Make) -> None:
    """When the machine loses its network, one mail asks whether it is offline."""
    down = SourceUnavailable("the connection failed")
    desk = make(**{f"s{n}": Asked(error=down) for n in range(7)}, ok=Asked(), fine=Asked())
    watch = desk.watch()
    for minutes in range(1, 9):
        for name in desk.sources:
            poll(desk, name, seconds=60 / 9)
        assert look(desk, watch, seconds=0) is (minutes == 7)
    (mail,) = desk.mails()
    assert mail[2] == "7 of 9 sources are silent: is the machine offline?"


def test_mails_about_silence_are_bounded(make: Make) -> None:
    """Sources that come and go all day are no flood: at most one mail an hour, and one about each in
    six hours."""
    sources = {f"s{n}": Asked() for n in range(4)}
    desk = make(**sources)
    watch = desk.watch()
    for minutes in range(12 * 60 // 10):
        for number, (name, source) in enumerate(sources.items()):
            failing = (minutes // (2 + number)) % 2
            source.error = SourceUnavailable("HTTP status 503") if failing else None
            desk.collector.collect(name)
        look(desk, watch, minutes=10)
    assert 2 <= len(desk.mails()) <= 12
    assert len({key for key, _, _ in desk.mails()}) == len(desk.mails())


def test_a_poll_that_hangs_is_silence_too(make: Make) -> None:
    """A source whose poll never ends has not failed, and is told all the same."""
    desk = make(feed=Asked(), other=Asked())
    poll(desk, "feed")
    watch = desk.watch()
    desk.clock.forward(minutes=8)
    poll(desk, "other")
    assert look(desk, watch, seconds=0)
    assert [gap.reason for gap in desk.gaps() if gap.source == "feed"] == [coverage.SILENT]


def test_a_restart_does_not_cry_wolf(make: Make) -> None:
    """Right after a start the gap of the night is not told: the first polls close it."""
    desk = make(feed=Asked())
    poll(desk)
    desk.clock.forward(hours=8)
    again = SourceSpec(id="feed", kind="rss", interval_s=EVERY_S, fingerprint="f")
    with desk.store.begin() as rows:
        rows.sources.register([again], now=desk.clock())
    watch = desk.watch()
    assert not look(desk, watch, seconds=5)
    poll(desk, seconds=5)
    assert not look(desk, watch, minutes=3)


def test_the_notice_says_what_to_do(make: Make) -> None:
    """The mail names the source, since when and why, and whether a person must act."""
    desk = make(feed=Asked(error=SourceRejected("feeds.example: HTTP status 403")), other=Asked())
    watch = desk.watch()
    poll(desk)
    desk.clock.forward(minutes=8)
    poll(desk, "other")
    assert look(desk, watch, seconds=0)
    with desk.store.begin() as rows:
        kinds = [DeliveryKind.ALERT]
        delivery = rows.outbox.claim(kinds, owner="t", lease_s=60, now=desk.clock())
    assert delivery is not None
    message = message_from_bytes(delivery.message, policy=policy.default)
    text = message.get_body(("plain",)).get_content()
    assert "feeds.example: HTTP status 403" in text
    assert "somebody must change something" in text
    assert "trust-monitor check" in text


@pytest.mark.parametrize(
    ("closed_by", "told"),
    [
        (ClosedBy.BACKFILL, "not seen Tue 10 Mar 02:00 to 05:00, 429 (read since: nothing missed)"),
        (ClosedBy.LOST, "not seen Tue 10 Mar 02:00 to 05:00, 429 (posts may have been missed)"),
    ],
)
def test_the_digest_says_how_a_gap_ended(make: Make, closed_by: ClosedBy, told: str) -> None:
    """The day's mail tells a gap that was made up for from one that cost posts."""
    desk = make()
    night = desk.clock().replace(hour=2, minute=0)
    gap = CoverageGap(
        source="reddit",
        started_at=night,
        ended_at=night + timedelta(hours=3),
        reason="429",
        lost=closed_by is ClosedBy.LOST,
        closed_by=closed_by,
    )
    composed = digest.compose(
        day=night.date(),
        since=night - timedelta(days=1),
        until=desk.clock(),
        now=desk.clock(),
        concerns=(),
        routine=(),
        sources=(),
        gaps=(gap,),
        undelivered=0,
        organisations=(),
    )
    renderer = Renderer(trust_name="Fenwold Trust", organisations={}, redact=str)
    assert f"reddit: {told}" in renderer.digest(composed, PEOPLE[0]).text
