"""What is searched for on platforms: organisations, never people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import KINDS, load
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.text import plain
from monitor.policy.sources.queries import MOST_TERMS, names_a_person, search_terms, unsearched
from monitor.watchlist_file import load_senses

SENSES = load_senses()
FORBIDDEN = (
    "author",
    "user",
    "users",
    "handle",
    "handles",
    "profile",
    "profiles",
    "person",
    "people",
    "follow",
    "follows",
    "did",
    "dids",
    "from_user",
    "redditor",
    "actor",
    "actors",
)


PLACES = ("Barrow", "Carr", "Dell", "Edge", "Fold", "Garth", "Holm", "Ings", "Knott", "Lathe")


def watchlist(*schools: dict[str, Any], **trust: Any) -> Watchlist:
    """A watchlist of these schools."""
    return Watchlist(
        trust=Organisation(**({"id": "trust", "name": "Tarnside Learning Trust"} | trust)),
        schools=tuple(
            Organisation(**({"id": f"s{number}"} | school)) for number, school in enumerate(schools)
        ),
    )


def terms(*schools: dict[str, Any], **trust: Any) -> tuple[str, ...]:
    """The search terms of such a watchlist."""
    return search_terms(watchlist(*schools, **trust), SENSES)


def test_names_hashtags_and_distinctive_nicknames_are_searched() -> None:
    """A name that proves its school is a phrase of its own, and a hashtag keeps its #."""
    found = terms(
        {
            "name": "Fellgate Barrow Academy",
            "aliases": ("Fellgate Barrow",),
            "former_names": ("Wexcombe Road School",),
            "nicknames": ("The Barrow", "Fellgate Barrers"),
            "hashtags": ("#FellgateFamily", "tag"),
            "handles": ("@fellgate",),
            "town": "Wexcombe",
            "contact": "Ivo Pell",
        }
    )
    assert {"Fellgate Barrow Academy", "Fellgate Barrow", "#FellgateFamily"} <= set(found)
    assert "Wexcombe Road School" in found
    assert not any("@" in term or "Pell" in term or term == "The Barrow" for term in found)
    assert "Tarnside Learning Trust" in found


def test_a_common_name_is_searched_with_its_place_only() -> None:
    """ "St Mary's" alone would find hundreds of schools: it is searched beside its town."""
    found = terms({"name": "St Mary's", "town": "Wexcombe"})
    assert {"St Mary's Wexcombe", "St Mary's in Wexcombe"} <= set(found)
    assert "St Mary's" not in found


def test_a_common_name_without_a_place_is_not_searched_and_that_is_said() -> None:
    """What can't be searched for is named, so that a person can give the town."""
    lists = watchlist({"name": "St Mary's"})
    assert not [term for term in search_terms(lists, SENSES) if "Mary" in term]
    assert unsearched(lists, SENSES) == ("St Mary's",)


@pytest.mark.parametrize(
    ("term", "head", "expected"),
    [
        ("Anna Wren's Academy", "Anna Wren", True),
        ("#AnnaWrenOut", "Mrs Anna Wren", True),
        ("Mrs Wren", "Anna Wren", True),
        ("Miss Wren's school", "Anna Wren", True),
        ("Wren's", "Anna Wren", True),
        ("Wrenfield Academy", "Anna Wren", False),
        ("Wren Academy", "Anna Wren", False),
        ("Wren Academy", "Wren", True),
        ("Fellgate Academy", "Anna Wren", False),
    ],
)
def test_a_heads_name_is_known_in_a_term(term: str, head: str, expected: bool) -> None:
    """A head's name counts in full, joined in a hashtag, and with a title before it; a school that is
    named after somebody's surname does not."""
    assert names_a_person(term, [head], SENSES) is expected


NAMES = st.sampled_from(["Anna Wren", "Mr Tom Oakley", "Dr J. Sedge", "Ffion Pugh-Lowe", "Wren"])
WORDS = st.sampled_from(
    [
        "Anna",
        "Wren",
        "wren's",
        "Tom",
        "Oakley",
        "Mr",
        "Mrs",
        "Sedge",
        "J.",
        "Academy",
        "School",
        "St",
        "Ffion",
        "Pugh-Lowe",
        "Fellgate",
        "#",
        "out",
    ]
)
PHRASES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join) | st.lists(
    WORDS, min_size=1, max_size=4
).map("".join)
TERM = (PHRASES | st.text(min_size=2, max_size=30)).filter(lambda text: len(text) > 1)
LISTS = st.lists(TERM, max_size=4).map(tuple)


@settings(max_examples=80, deadline=None)
@given(NAMES, NAMES, TERM, LISTS, LISTS, LISTS, st.none() | TERM)
@example("Anna Wren", "Wren", "Anna Wren", ("Anna Wren",), ("#annawren",), ("Mrs Wren",), "Wren")
def test_no_watchlist_makes_a_query_of_a_head(  # noqa: PLR0917 - each is drawn
    head: str,
    other: str,
    name: str,
    aliases: tuple[str, ...],
    hashtags: tuple[str, ...],
    nicknames: tuple[str, ...],
    town: str | None,
) -> None:
    """Whatever stands in the watchlist, no term holds the name of a head, of this school or another."""
    found = terms(
        {
            "name": name,
            "aliases": aliases,
            "former_names": nicknames,
            "nicknames": nicknames,
            "hashtags": hashtags,
            "distinctive": (*aliases, *nicknames),
            "town": town,
            "headteacher": head,
        },
        {"name": "Fellgate Barrow Academy", "headteacher": other},
    )
    letters = ["".join(filter(str.isalnum, plain(term))) for term in found]
    for full in ("annawren", "tomoakley", "jsedge", "ffionpughlowe"):
        heads = {"".join(filter(str.isalnum, plain(each))) for each in (head, other)}
        if any(each.endswith(full) for each in heads):
            assert not any(full in said for said in letters)
    assert all('"' not in term and "@" not in term for term in found)


def test_terms_are_bounded_and_every_school_keeps_some() -> None:
    """A trust with very many names is cut, but no school is left out."""
    many = [
        {
            "name": f"Quillmere {place} Academy",
            "aliases": tuple(f"Quillmere {place} {n}" for n in range(40)),
        }
        for place in PLACES
    ]
    found = terms(*many)
    assert len(found) == len(set(found)) == MOST_TERMS
    assert all(school["name"] in found for school in many)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_can_be_told_to_watch_a_person(kind: str) -> None:
    """No connector has a key for an author, a user, a handle or a profile to watch."""
    keys = set(load(kind).Settings.model_fields)
    parts = {part for key in keys for part in (key, *key.split("_"))}
    assert parts.isdisjoint(FORBIDDEN)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_that_searches_takes_the_watchlists_terms_only(kind: str) -> None:
    """Who searches gets its terms from the monitor: there is no key for a query of one's own."""
    keys = set(load(kind).Settings.model_fields)
    assert keys.isdisjoint(
        {"query", "queries", "q", "terms", "keywords", "search_terms", "phrases"}
    )
