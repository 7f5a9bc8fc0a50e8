"""The demo, performed as a person would see it, and its parts one by one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time as clock
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import feedparser
import pytest

from classifiers.lexicon import LexiconClassifier
from classifiers.verdict import Severity
from connectors.post import Post
from monitor import app as house
from monitor import lock
from monitor.config import Config
from monitor.config_file import load_config
from monitor.demo.outcome import examine
from monitor.demo.script import ScriptedPost, load_posts
from monitor.demo.setting import MARKER, prepare
from monitor.demo.site import FEEDS, Site
from monitor.domain import Match, Strength
from monitor.errors import MonitorError
from monitor.policy import assessment, triage
from monitor.store.migrate import migrate

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TITLES = {feed.name: feed.title for feed in FEEDS}
PATHS = {feed.name: feed.path for feed in FEEDS}
POSTS = load_posts()


class Hands:
    """A clock whose hands one can turn."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def turn_to(self, seconds: float) -> None:
        self.now = START + timedelta(seconds=seconds)


def post(key: str, **other: object) -> ScriptedPost:
    said = {
        "feed": "forum",
        "at": 0.0,
        "title": f"About {key}",
        "author": "someone",
        "text": f"Something of {key}.",
        "expect": "unmatched",
        "note": "",
    }
    return ScriptedPost.model_validate({"key": key, **said, **other})


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]


def get(url: str, **headers: str) -> Reply:
    request = Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urlopen(request, timeout=5) as answer:
            return Reply(answer.status, answer.read(), dict(answer.headers))
    except HTTPError as error:
        with error:
            return Reply(error.code, error.read(), dict(error.headers))


# -- the site -----------------------------------------------------------------------------------


def test_feedparser_reads_the_paper_and_the_forum() -> None:
    """RSS and Atom are well-formed, say what was written, and keep markup characters as text."""
    written = 'Cake & tea <b>at</b> the "hall" – it\'s £2'
    with Site(
        [post("a", feed="gazette", text=written), post("b", text=written)], clock=Hands()
    ) as site:
        site.begin()
        for name in ("gazette", "forum"):
            answer = get(site.url + PATHS[name])
            headers = {"content-type": answer.headers["Content-Type"]}
            parsed = feedparser.parse(answer.body, response_headers=headers)
            assert not parsed.bozo, parsed.get("bozo_exception")
            assert parsed.feed.title == TITLES[name]
            assert len(parsed.entries) == 1
            assert parsed.entries[0].link.startswith(site.url + "/post/")
        atom = feedparser.parse(get(site.url + PATHS["forum"]).body)
        assert atom.entries[0].content[0].value == written


def test_the_noticeboard_is_a_json_feed() -> None:
    """The noticeboard follows JSON Feed 1.1."""
    with Site([post("a", feed="noticeboard")], clock=Hands()) as site:
        site.begin()
        answer = get(site.url + PATHS["noticeboard"])
        feed = json.loads(answer.body)
        assert answer.headers["Content-Type"].startswith("application/feed+json")
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["items"][0]["content_text"] == "Something of a."
        assert feed["items"][0]["date_published"] == START.isoformat()


def test_posts_appear_when_their_second_has_come() -> None:
    """Nothing is there before the start, and a pace of 0.5 halves every offset."""
    hands = Hands()
    with Site([post("early"), post("late", at=20)], pace=0.5, clock=hands) as site:
        assert site.published() == ()
        site.begin()
        assert [each.script.key for each in site.published()] == ["early"]
        hands.turn_to(9.9)
        assert get(site.url_of("late")).status == 404
        hands.turn_to(10)
        assert [each.script.key for each in site.published()] == ["early", "late"]
        assert get(site.url_of("late")).status == 200


@pytest.mark.parametrize("name", sorted(PATHS))
def test_an_unchanged_feed_is_not_sent_twice(name: str) -> None:
    """ETag and Last-Modified each give a 304 without a body until a post appears."""
    hands = Hands()
    with Site([post("a", feed=name), post("b", feed=name, at=5)], clock=hands) as site:
        site.begin()
        url = site.url + PATHS[name]
        first = get(url)
        hands.turn_to(4)
        for headers in (
            {"If_None_Match": first.headers["ETag"]},
            {"If_Modified_Since": first.headers["Last-Modified"]},
        ):
            again = get(url, **headers)
            assert (again.status, again.body) == (304, b"")
        hands.turn_to(6)
        changed = get(url, If_None_Match=first.headers["ETag"])
        assert changed.status == 200
        assert changed.headers["ETag"] != first.headers["ETag"]
        assert get(url, If_Modified_Since=first.headers["Last-Modified"]).status == 200


def test_an_edit_changes_the_text_and_keeps_the_id() -> None:
    """An edited post has its old id and its new words, and the feed a new ETag."""
    hands = Hands()
    edited = post("a", edit_at=5, edited="Now I think otherwise.")
    with Site([edited], clock=hands) as site:
        site.begin()
        url = site.url + PATHS["forum"]
        before = get(url)
        hands.turn_to(5)
        after = get(url, If_None_Match=before.headers["ETag"])
        old, new = (feedparser.parse(answer.body).entries[0] for answer in (before, after))
        assert old.id == new.id
        assert new.content[0].value == "Now I think otherwise."
        assert old.published == new.published
        assert b"Now I think otherwise." in get(site.url_of("a")).body


def test_dates_may_be_missing_or_wrong() -> None:
    """An undated item carries no date at all, and a wrong clock is a year ahead."""
    with Site(
        [post("a", feed="gazette", dated="no"), post("b", feed="gazette", dated="next year")],
        clock=Hands(),
    ) as site:
        site.begin()
        entries = feedparser.parse(get(site.url + PATHS["gazette"]).body).entries
        dates = {entry.title: entry.get("published_parsed") for entry in entries}
        assert dates["About a"] is None
        assert dates["About b"].tm_year == 2027


def test_a_reply_names_its_thread_and_stands_on_its_page() -> None:
    """Atom says what is answered, and the page of the first post shows the answer."""
    with Site([post("a"), post("b", reply_to="a")], clock=Hands()) as site:
        site.begin()
        entries = feedparser.parse(get(site.url + PATHS["forum"]).body).entries
        reply = next(entry for entry in entries if entry.title == "About b")
        assert reply["thr_in-reply-to"]["ref"] == site.url_of("a")
        assert b"Something of b." in get(site.url_of("a")).body
        assert b"About b" in get(f"{site.url}/").body


def test_pages_show_markup_as_text() -> None:
    """What people write can't become part of a page."""
    with Site([post("a", text="<script>x()</script>")], clock=Hands()) as site:
        site.begin()
        for url in (site.url_of("a"), f"{site.url}/"):
            assert b"<script>" not in get(url).body


# -- the script ---------------------------------------------------------------------------------


def test_the_script_holds_together() -> None:
    """25 to 40 posts, each key once, and every reference to another post leads to an earlier one."""
    at = {each.key: each.at for each in POSTS}
    assert 25 <= len(POSTS) == len(at) <= 40
    for each in POSTS:
        for other in filter(None, (each.reply_to, each.joins)):
            assert at[other] < each.at
        assert (each.edit_at is None) == (each.edited is None)
    assert {each.expect for each in POSTS} == {"urgent", "concern", "routine", "unmatched"}


@pytest.mark.parametrize("each", [p for p in POSTS if p.expect == "urgent"], ids=lambda p: p.key)
def test_the_lexicon_alone_knows_the_urgent_posts(each: ScriptedPost) -> None:
    """The demo keeps its promise without a model."""
    rules = triage.load_rules(house.data("triage.toml"))
    verdict = LexiconClassifier().classify([f"{each.title}\n{each.text}"])[0]
    assert assessment.judge(verdict, rules).severity is Severity.URGENT


@pytest.fixture(scope="module")
def demo_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    state = tmp_path_factory.mktemp("stage") / "state"
    return load_config(prepare(state, site_url="http://127.0.0.1:9", digest_at=time(7, 30)))


@pytest.mark.parametrize("each", POSTS, ids=lambda p: p.key)
def test_each_post_is_matched_as_the_script_says(each: ScriptedPost, demo_config: Config) -> None:
    """Same-name schools and the pub match nothing; every other post finds its school."""
    matcher = house.build_matcher(demo_config.watchlist)
    found = matcher.match(
        Post(
            platform="rss",
            native_id=each.key,
            title=each.title,
            text=each.text,
            feed_title=TITLES[each.feed],
        )
    )
    assert bool(found) == (each.expect != "unmatched")


# -- the stage ----------------------------------------------------------------------------------


def _prepare(state: Path) -> Path:
    return prepare(state, site_url="http://127.0.0.1:9", digest_at=time(7, 30, 5))


def test_the_configuration_is_a_whole_one(tmp_path: Path) -> None:
    """The real loader accepts it: three schools, three sources, mail into the folder."""
    config = load_config(_prepare(tmp_path / "state"))
    assert len(config.watchlist.schools) == 3
    assert [source.id for source in config.sources] == [feed.name for feed in FEEDS]
    assert config.mail.folder == tmp_path / "state" / "mail"
    assert config.digest.at == time(7, 30, 5)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Without the marker nothing is deleted and nothing is written."""
    (tmp_path / "monitor.db").write_text("precious")
    with pytest.raises(MonitorError, match="no demo made it"):
        _prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["monitor.db"]
    assert (tmp_path / "monitor.db").read_text() == "precious"


def test_a_new_run_clears_only_what_a_demo_makes(tmp_path: Path) -> None:
    """The last run's database and mail go; a file that somebody put beside them stays."""
    state = tmp_path / "state"
    _prepare(state)
    for name in ("monitor.db", "mail/old.eml", "mail/old.html", "mail/notes.txt", "mine.txt"):
        (state / name).write_text("x")
    _prepare(state)
    left = {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()}
    assert left == {MARKER, "config.toml", "lock", "mail/notes.txt", "mine.txt"}


def test_a_running_demo_keeps_its_files(tmp_path: Path) -> None:
    """While one demo holds the lock, a second one is refused and deletes nothing."""
    state = tmp_path / "state"
    _prepare(state)
    (state / "monitor.db").write_text("in use")
    with lock.only_instance(state), pytest.raises(MonitorError, match="another trust-monitor"):
        _prepare(state)
    assert (state / "monitor.db").read_text() == "in use"


# -- the judge ----------------------------------------------------------------------------------


def test_the_judge_sees_what_is_missing_and_what_should_not_be_there(tmp_path: Path) -> None:
    """No alert, no digest, and a stored post about another school: each is named as a failure."""
    hands = Hands()
    with Site(POSTS, clock=hands) as site:
        config = load_config(prepare(tmp_path / "state", site_url=site.url, digest_at=time(7, 30)))
        built = house.build(config)
        migrate(built.database)
        site.begin()
        hands.turn_to(60)
        foreign = Post(platform="rss", native_id="x", text="x", url=site.url_of("pub-quiz"))
        match = Match(
            organisation="herons-wharf",
            term="x",
            field="text",
            span=(0, 1),
            strength=Strength.SUPPORTED,
            reason="x",
        )
        with built.store.begin() as rows:
            rows.mentions.record("noticeboard", [(foreign, (match,))], now=START)
        outcome = examine(built, site.published(), ended_at=hands.now)
        built.database.dispose()
    told = "\n".join(outcome.failures)
    assert "pub-quiz: is not about the trust's schools, and was stored" in told
    for each in POSTS:
        if each.expect == "urgent" and each.at < 50:
            assert f"{each.key}: is urgent, and no alert" in told
    assert "no urgent alert" in told
    assert "no digest was delivered: it was due at 07:30:00" in told


# -- the whole performance ----------------------------------------------------------------------


def _start(state: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--state", str(state), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100", "PYTHONUNBUFFERED": "1"},
    )


@dataclass(frozen=True)
class Performance:
    status: int
    told: str
    errors: str
    state: Path

    @property
    def letters(self) -> list[EmailMessage]:
        return [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in sorted((self.state / "mail").glob("*.eml"))
        ]


@pytest.fixture(scope="module")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """The demo at five times its speed, for 16 s, unattended."""
    state = tmp_path_factory.mktemp("demo") / "state"
    process = _start(state, "--for", "16s", "--pace", "0.2")
    try:
        told, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return Performance(process.returncode, told, errors, state)


def _of(letters: list[EmailMessage], kind: str) -> list[EmailMessage]:
    return [each for each in letters if each["X-Trust-Monitor-Key"].startswith(kind)]


def test_the_demo_keeps_every_promise(performance: Performance) -> None:
    """It ends with status 0, says so, breaks no promise, and prints neither a log line nor a problem."""
    assert performance.status == 0, performance.told + performance.errors
    assert performance.errors == ""
    assert "all kept" in performance.told
    assert "WRONG" not in performance.told
    assert "problem" not in performance.told


def test_the_alerts_reach_the_senior_leaders(performance: Performance) -> None:
    """Threat, hate and security lie in the folder, once for each of the two leaders, as .html too."""
    config = tomllib.loads((performance.state / "config.toml").read_text())
    leaders = {person["email"] for person in config["people"] if "slt" in person["roles"]}
    assert len(leaders) == 2
    for word in ("threat", "hate", "security"):
        alerts = [each for each in _of(performance.letters, "alert:") if word in each["Subject"]]
        assert sorted(each["To"] for each in alerts) == sorted(leaders), word
    eml = {path.stem for path in (performance.state / "mail").glob("*.eml")}
    assert eml == {path.stem for path in (performance.state / "mail").glob("*.html")}


def test_the_child_at_risk_is_for_the_safeguarding_lead_alone(performance: Performance) -> None:
    """One notice, to the lead; no message, not even that one, holds anything of the post."""
    config = tomllib.loads((performance.state / "config.toml").read_text())
    lead = next(person["email"] for person in config["people"] if "dsl" in person["roles"])
    notices = [each for each in performance.letters if "Safeguarding item" in each["Subject"]]
    assert [each["To"] for each in notices] == [lead]
    for each in performance.letters:
        said = "".join(part.get_content() for part in each.iter_parts())
        assert "canal steps" not in said
        assert "bruises" not in said


def test_the_digest_is_delivered_to_communications(performance: Performance) -> None:
    """One digest, whose text names each school."""
    (digest,) = _of(performance.letters, "digest:")
    text = digest.get_body(("plain",)).get_content()
    for school in ("Larkbridge Academy", "St Mary's CE Primary School", "Heron's Wharf School"):
        assert school in text


def test_what_matched_nothing_left_no_trace(performance: Performance) -> None:
    """Not a word of the unmatched posts stands anywhere in the database's files."""
    stored = b"".join(path.read_bytes() for path in performance.state.glob("monitor.db*"))
    unmatched = [each for each in POSTS if each.expect == "unmatched"]
    assert b"concert" in stored
    for each in unmatched:
        assert each.text.encode() not in stored
        assert each.key.encode() not in stored


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    """SIGINT ends the demo with status 0 and its summary; until then its site answers."""
    process = _start(tmp_path / "state")
    try:
        assert process.stdout
        url = ""
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            url = found.group() if found else url
            if "collected" in line:
                break
        assert b"Around Larkbridge" in get(url).body
        began = clock.monotonic()
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=30)
        assert process.returncode == 0, told + errors
        assert "Try next" in told
        assert "Traceback" not in errors
        assert clock.monotonic() - began < 10
    finally:
        process.kill()
