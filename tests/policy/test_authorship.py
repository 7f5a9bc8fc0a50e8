"""Who the author says they are, and only what the post itself says."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import AuthorRole
from monitor.errors import ConfigError
from monitor.policy.ladder.authorship import apparent_author, load_rules
from tests.policy.builders import packaged

TEXT = packaged("authorship.toml")
RULES = load_rules(TEXT)
LABELLED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "authorship.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


def author(text: str) -> AuthorRole | None:
    """The role alone."""
    found = apparent_author(text, RULES)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("part", "precision", "recall"), [("dev", 0.97, 0.97), ("held-out", 0.97, 0.9)]
)
def test_it_is_seldom_wrong_and_mostly_right(part, precision, recall):
    """On labelled posts it names a wrong role for next to nobody; held-out posts shaped no pattern."""
    rows = [row for row in LABELLED if row["part"] == part]
    named = [(author(row["text"]), row["author"]) for row in rows]
    right = sum(found is not None and found == wanted for found, wanted in named)
    assert len(rows) >= 50
    assert right / sum(found is not None for found, _ in named) >= precision
    assert right / sum(wanted is not None for _, wanted in named) >= recall


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("I teach at Fellgate High.", AuthorRole.STAFF),
        ("My mum teaches at Fellgate High.", None),
        ("I don't teach at Fellgate High.", None),
        ("I used to teach at Fellgate High.", None),
        ("She says I teach at Fellgate High.", None),
        ("He wrote “I teach at Fellgate High” on the wall.", None),
        ("I’m in Year 9 and it’s boring", AuthorRole.PUPIL),
        ("I'm in Year 9 parents' group", None),
        ("As a governor here I can't say. My son goes there too.", AuthorRole.GOVERNANCE),
        ("I'm a TA here and my daughter goes to the nursery.", AuthorRole.STAFF),
        ("", None),
    ],
)
def test_first_person_present_and_meant(text, role):
    """Third persons, the past, denials and quotations say nothing of the author."""
    assert author(text) == role


def test_the_reason_is_told_without_the_posts_words():
    """The reason names what was said in our words, so that it may stand in a history."""
    found = apparent_author("I'm a reporter at the Zorbury Gazette", RULES)
    assert found == (AuthorRole.PRESS, "says that they write or report for the press")


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text):
    """No text makes it fail, and it never guesses from nothing."""
    found = apparent_author(text, RULES)
    assert found is None or found[0] is not AuthorRole.UNKNOWN


@pytest.mark.parametrize("word", ["my ", "i'm a ", "i work at ", '"', "a, ", "i go to "])
def test_long_and_tedious_posts_are_read_quickly(word):
    """No repetition of words makes the patterns slow: less than half a second for any post."""
    started = time.process_time()
    author(word * 20_000)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('role = "pupil"', 'role = "alien"', "role"),
        ("i_am = '''", "i_am = '''(", "not a regular expression"),
        ("[[voice]]", "[[voices]]", "voices"),
    ],
)
def test_a_faulty_file_is_refused(old, new, named):
    """A role or pattern that makes no sense is refused, with its key."""
    assert old in TEXT
    with pytest.raises(ConfigError, match=named):
        load_rules(TEXT.replace(old, new))
