"""The feed connector against a real WordPress, through its real posts, comments and moderation.

Needs a running site, made by the recipe in ../shared/wordpress/up.sh:
TRUST_MONITOR_TEST_WORDPRESS       its address, such as http://127.0.0.1:8091
TRUST_MONITOR_TEST_WORDPRESS_SITE  its folder, for the calls that a moderator would make
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.http import SETTLED_AFTER, fetch
from connectors.post import CursorState, Post
from connectors.rss import RssConnector, RssSettings

pytestmark = pytest.mark.wordpress

RECIPE = Path(__file__).resolve().parents[2] / ".." / "shared" / "wordpress" / "up.sh"
URL = os.environ.get("TRUST_MONITOR_TEST_WORDPRESS", "")
SITE = os.environ.get("TRUST_MONITOR_TEST_WORDPRESS_SITE", "")


class WordPress:
    """A site that one can talk to as its author and moderator, by WordPress's own functions."""

    def __init__(self, url: str, site: Path) -> None:
        self.url = url
        self._site = site
        self._made: list[int] = []

    def php(self, code: str, **values: Any) -> Any:
        """Run `code` inside WordPress with `$v` holding `values`; return what it returns."""
        script = (
            f'$_SERVER["HTTP_HOST"] = {json.dumps(urlsplit(self.url).netloc)};'
            f"require {json.dumps(str(self._site / 'wp-load.php'))};"
            "$v = json_decode(stream_get_contents(STDIN), true);"
            f"echo json_encode((function($v) {{ {code} }})($v));"
        )
        done = subprocess.run(
            ["php", "-r", script],
            input=json.dumps(values).encode(),
            capture_output=True,
            check=True,
        )
        return json.loads(done.stdout)

    def post(self, title: str, text: str) -> int:
        made = self.php(
            'return wp_insert_post(["post_title"=>$v["title"], "post_content"=>$v["text"], '
            '"post_status"=>"publish", "post_author"=>1]);',
            title=title,
            text=text,
        )
        self._made.append(made)
        return int(made)

    def comment(self, post: int, text: str, *, approved: bool, date: str | None = None) -> int:
        """`date` in UTC, as WordPress keeps it."""
        return int(
            self.php(
                'return wp_insert_comment(["comment_post_ID"=>$v["post"], '
                '"comment_content"=>$v["text"], "comment_author"=>"Fay Ottery", '
                '"comment_author_email"=>"fay@parents.example", '
                '"comment_approved"=>$v["approved"] ? 1 : 0, '
                '"comment_date_gmt"=>$v["date"], "comment_date"=>$v["date"]]);',
                post=post,
                text=text,
                approved=approved,
                date=date or datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            )
        )

    def remove_all(self) -> None:
        for post in self._made:
            self.php('return (bool) wp_delete_post($v["post"], true);', post=post)


class Reader:
    """The monitor's side of one feed of the site, restarted before each poll."""

    def __init__(self, url: str, **settings: Any) -> None:
        self._settings = RssSettings(url=url, allow_private=True, max_items=2, **settings)
        self.cursor: CursorState = {}
        self.gaps: list[str] = []

    def poll(self) -> list[Post]:
        posts: list[Post] = []
        connector = RssConnector(self._settings, source="wordpress")
        for batch in connector.poll(self.cursor, now=datetime.now(UTC)):
            posts += batch.posts
            self.gaps += [batch.gap] if batch.gap else []
            self.cursor = json.loads(json.dumps(batch.cursor))
        return posts


@pytest.fixture
def wordpress() -> Iterator[WordPress]:
    """The running site; what a test makes on it is removed afterwards."""
    if not URL or not SITE:
        found = "present" if RECIPE.exists() else "ABSENT"
        pytest.skip(
            "NO WORDPRESS: start one with ../shared/wordpress/up.sh "
            f"({found}) and set TRUST_MONITOR_TEST_WORDPRESS and TRUST_MONITOR_TEST_WORDPRESS_SITE"
        )
    if shutil.which("php") is None:
        pytest.skip("NO PHP on this machine: the real WordPress can't be driven")
    site = WordPress(URL.rstrip("/"), Path(SITE))
    yield site
    site.remove_all()


@pytest.fixture(params=["comments-rss2", "comments-atom"])
def comments(request: pytest.FixtureRequest, wordpress: WordPress) -> Reader:
    """A reader of each comment feed that has read what was there."""
    reader = Reader(f"{wordpress.url}/?feed={request.param}")
    reader.poll()
    return reader


def _text(words: str) -> str:
    return f"{words} ({uuid.uuid4().hex[:8]})"  # WordPress refuses the same comment twice


@pytest.mark.parametrize("feed", ["rss2", "atom", "rdf"])
def test_new_and_edited_posts_arrive_once(wordpress: WordPress, feed: str) -> None:
    """A new article arrives, once; its edit in the same second arrives under the same id."""
    reader = Reader(f"{wordpress.url}/?feed={feed}")
    reader.poll()
    text = _text("Larkmoor School's bake sale raised £50 & thanks")
    made = wordpress.post("Bake sale at St Wilfrid's", f"<p>{text}</p>")
    (post,) = reader.poll()
    assert post.text == text.replace("'", "’")  # WordPress curls quotes
    assert post.title == "Bake sale at St Wilfrid’s"
    assert reader.poll() == []
    wordpress.php(
        'return wp_update_post(["ID"=>$v["id"], "post_content"=>"Corrected: nobody came"]);',
        id=made,
    )
    (edit,) = reader.poll()
    assert (edit.native_id, edit.text) == (post.native_id, "Corrected: nobody came")
    assert reader.poll() == []


def test_its_comment_feeds_call_a_late_approval_unmodified(wordpress: WordPress) -> None:
    """The reason why comment feeds are never asked conditionally: WordPress would answer 304."""
    article = wordpress.post("Fair", "Larkmoor summer fair")
    wordpress.comment(article, _text("First"), approved=True)
    late = wordpress.comment(article, _text("Late"), approved=False, date="2026-01-02 09:00:00")
    url = f"{wordpress.url}/?feed=comments-rss2"
    time.sleep(SETTLED_AFTER.total_seconds() + 1)  # of fresher documents no validators are kept
    first = fetch(url, allow_private=True)
    wordpress.php('return wp_set_comment_status($v["id"], "approve");', id=late)
    assert fetch(url, allow_private=True, validators=first.validators).not_modified
    assert fetch(url, allow_private=True).body != first.body


def test_an_unchanged_feed_is_answered_with_304(wordpress: WordPress) -> None:
    """WordPress answers the second poll without a body, and the cursor stays as it was."""
    reader = Reader(f"{wordpress.url}/?feed=rss2")
    reader.poll()
    before = reader.cursor
    assert "validators" in before
    started = time.perf_counter()
    assert reader.poll() == []
    assert reader.cursor == before
    # Reading a document takes a process; "not modified" is told without one.
    assert time.perf_counter() - started < 0.15


def test_a_comment_approved_late_arrives_with_its_old_date(
    wordpress: WordPress, comments: Reader
) -> None:
    """A held comment is not public; approved two days later, behind newer ones, it still arrives."""
    article = wordpress.post("Sports day", "At Larkmoor School")
    held = _text("Held for moderation at Larkmoor")
    late = wordpress.comment(article, held, approved=False, date="2026-01-02 09:00:00")
    newer = _text("A newer comment")
    wordpress.comment(article, newer, approved=True)
    assert [post.text for post in comments.poll()] == [newer]
    wordpress.php('return wp_set_comment_status($v["id"], "approve");', id=late)
    (post,) = comments.poll()
    assert post.text == held
    assert post.published_at == datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
    assert comments.poll() == []
    assert comments.gaps == []


def test_an_edited_comment_comes_again_and_a_trashed_one_does_not(
    wordpress: WordPress, comments: Reader
) -> None:
    """An edit is delivered under its id; trash and its undoing are no news."""
    article = wordpress.post("Play", "The Larkmoor School play")
    comment = wordpress.comment(article, _text("Too long & too loud"), approved=True)
    wordpress.comment(article, _text("Lovely"), approved=True)
    first = {post.text: post for post in comments.poll()}
    assert len(first) == 2
    new = _text("Not that long, sorry & thanks")
    wordpress.php(
        'return wp_update_comment(["comment_ID"=>$v["id"], "comment_content"=>$v["text"]]);',
        id=comment,
        text=new,
    )
    edits = comments.poll()
    assert [post.text for post in edits] == [new]
    wordpress.php('return wp_trash_comment($v["id"]);', id=comment)
    wordpress.comment(article, _text("Something else to change the feed"), approved=True)
    assert comments.poll()
    wordpress.php('return wp_untrash_comment($v["id"]);', id=comment)
    wordpress.comment(article, _text("And once more"), approved=True)
    assert new not in [post.text for post in comments.poll()]
    assert comments.poll() == []


def test_an_article_and_its_comments_share_a_thread(wordpress: WordPress) -> None:
    """The article's feed and both comment feeds name the same thread."""
    article = wordpress.post("Parking", "Parking outside Larkmoor School")
    wordpress.comment(article, _text("It is chaos"), approved=True)
    threads = set()
    for feed in ("rss2", "atom", "comments-rss2", "comments-atom", f"rss2&p={article}"):
        posts = Reader(f"{wordpress.url}/?feed={feed}").poll()
        (thread,) = {post.thread_id for post in posts if str(article) in (post.url or "")}
        threads.add(thread)
    assert threads == {f"{wordpress.url}/?p={article}"}


def test_a_burst_beyond_the_feeds_length_is_told_as_a_gap(
    wordpress: WordPress, comments: Reader
) -> None:
    """WordPress shows 10 comments: when 12 came between two polls, that is said, not hidden."""
    article = wordpress.post("Uniform", "The new Larkmoor uniform")
    for number in range(12):
        wordpress.comment(article, _text(f"Comment {number}"), approved=True)
    assert len(comments.poll()) == 10
    assert comments.gaps == [
        "the feed turned over completely between two polls: posts may have been missed"
    ]


def test_comments_are_followed_from_the_articles_feed(wordpress: WordPress) -> None:
    """From the feed of articles alone, each article's comments arrive, a late approval too."""
    reader = Reader(f"{wordpress.url}/?feed=rss2", comments=True)
    reader.poll()
    article = wordpress.post("Open evening", "The Larkmoor open evening")
    first, late = _text("Well organised"), _text("Nobody was there")
    wordpress.comment(article, first, approved=True)
    held = wordpress.comment(article, late, approved=False, date="2026-01-02 09:00:00")
    assert first in {post.text for post in reader.poll()}
    assert reader.poll() == []
    wordpress.php('return wp_set_comment_status($v["id"], "approve");', id=held)
    assert [post.text for post in reader.poll()] == [late]
    assert reader.gaps == []
