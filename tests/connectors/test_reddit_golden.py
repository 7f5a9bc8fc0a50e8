"""Golden pairs: a listing in tests/data/reddit, in Reddit's wire format, beside what it gives."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reddit import queries
from connectors.reddit_client import page_of
from connectors.reddit_post import is_gone, to_post

DATA = Path(__file__).resolve().parents[1] / "data" / "reddit"
LISTINGS = sorted(path for path in DATA.iterdir() if not path.name.endswith(".expected.json"))


@pytest.mark.parametrize("path", LISTINGS, ids=lambda path: path.name)
def test_a_listing_gives_its_posts(path: Path) -> None:
    """Each listing gives exactly the posts written beside it; what is deleted or removed is known."""
    page = page_of(json.loads(path.read_text(encoding="utf-8")))
    posts: list[dict[str, Any]] = []
    nameless = 0
    for thing in page.things:
        try:
            posts.append({"gone": is_gone(thing), **asdict(to_post(thing))})
        except ValueError:
            nameless += 1
    found = {"posts": posts, "skipped": page.skipped, "nameless": nameless, "after": page.after}
    expected = path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
    assert json.loads(json.dumps(found, default=str)) == json.loads(expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = ["author", "title", "body", "body_html", "selftext", "created_utc", "permalink", "url"]
FIELDS += ["link_id", "link_title", "subreddit", "crosspost_parent_list", "edited"]


@given(st.dictionaries(st.sampled_from([*FIELDS, "removed_by_category"]), JSON))
def test_whatever_stands_in_the_fields_is_a_post(fields: dict[str, Any]) -> None:
    """A thing with a proper name is a post, whatever is wrong with the rest of it."""
    thing = {**fields, "name": "t1_abc"}
    assert to_post(thing).native_id == "t1_abc"
    assert isinstance(is_gone(thing), bool)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], []),
        (["Fellgate High"], ['"Fellgate High"']),
        (["#FellgateHigh", 'St "Mary"  Primary'], ['"FellgateHigh" OR "St Mary Primary"']),
        (["Fellgate", "Fellgate", "#", '"'], ['"Fellgate"']),
        (["a" * 300], [f'"{"a" * 200}"']),
    ],
)
def test_terms_become_phrases(terms: list[str], expected: list[str]) -> None:
    """Each organisation term is a quoted phrase, once; a hashtag is searched as a word."""
    assert queries(terms) == expected


@given(st.lists(st.text(min_size=1, max_size=80), max_size=60))
def test_no_term_is_lost_and_no_query_too_long(terms: list[str]) -> None:
    """However many terms there are, each stands in a query, and none is over Reddit's 512."""
    packed = queries(terms)
    assert all(len(query) <= 512 for query in packed)
    asked = {phrase for query in packed for phrase in query[1:-1].split('" OR "')}
    for term in terms:
        plain = " ".join(term.replace('"', " ").lstrip("#").split())
        assert not plain or plain in asked
