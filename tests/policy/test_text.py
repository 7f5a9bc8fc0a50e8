"""Text as the watchlist reads it."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.matching.text import (
    Located,
    normalise,
    plain,
    with_single_spaces,
    without_dot_runs,
    without_spacing_out,
)

TYPED = st.text(
    st.one_of(
        st.sampled_from("aZ9 éŵß’'`&+.,;:!-–—…@#_ \n\t\u200b\u00a0\ufe0f\u0302😀œﬁ"),
        st.characters(),
    ),
    max_size=80,
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ST WENNA’S", "st wennas"),
        ("St. Wenna`s", "st. wennas"),
        ("St Wenna&#39;s", "st wennas"),
        ("Dunn &amp; Fell", "dunn & fell"),
        ("Dunn + Fell", "dunn & fell"),
        ("Elm-Row—Infants", "elm row infants"),
        ("Elm\u00a0Row", "elm row"),
        ("E\u200blm R\u00adow", "elm row"),
        ("Elm 🌳🌳 Row", "elm row"),
        ("Elm\r\n\r\nRow", "elm row"),
        ("Tŷ Gwŷn", "ty gwyn"),
        (unicodedata.normalize("NFD", "Tŷ Gwŷn"), "ty gwyn"),
        ("Straße", "strasse"),
        ("Łąka", "laka"),
        ("Ｅｌｍ", "elm"),
        ("𝐄𝐥𝐦", "elm"),
        ("E.R.I.", "e.r.i."),
        ("@elm_row #ElmRow", "@elm_row #elmrow"),
    ],
)
def test_ways_of_typing_fold_to_one(text: str, key: str) -> None:
    """Case, accents, apostrophes, dashes, entities, invisible characters and emoji all fold away."""
    assert plain(text) == key


def test_a_comma_keeps_words_apart() -> None:
    """No name may cross a comma, so it stays in the key as a break."""
    assert b"elm row" not in normalise("a fine elm, row of four")


def test_spaced_out_letters_are_closed_up() -> None:
    """Letters shouted one by one read as the word they spell."""
    key = without_spacing_out(normalise("oh E L M  R O W you"))
    assert b" elmrow " in key


def test_dots_part_words() -> None:
    """An ellipsis without blanks still parts two words."""
    assert without_dot_runs(normalise("shut...Elm Row")) == b" shut elm row "


@given(TYPED)
def test_folding_twice_changes_nothing(text: str) -> None:
    """A key is a fixed point."""
    once = normalise(text)
    assert with_single_spaces(once) == once
    assert normalise(once.decode("utf-8", "replace")) == once


@given(TYPED, st.integers(0, 100), st.integers(1, 100))
def test_spans_lie_in_the_text_and_read_the_same(text: str, start: int, length: int) -> None:
    """Every stretch of a key that begins and ends with a letter comes from a stretch of the text
    whose own key is that stretch."""
    key = normalise(text)
    end = min(len(key), start + length)
    stretch = key[start:end]
    if not stretch or {0x20, 0x2E} & {stretch[0], stretch[-1]} or not key.isascii():
        return
    low, high = Located(text).span(key, start, end)
    assert 0 <= low < high <= len(text)
    assert stretch in normalise(text[low:high])


@given(st.text(string.ascii_letters + "' -", max_size=40))
def test_case_accents_and_apostrophes_do_not_matter(text: str) -> None:
    """The key of a shouted, accented or curly version is the key of the plain one."""
    accented = unicodedata.normalize("NFC", text.replace("a", "a\u0302").replace("o", "o\u0308"))
    for version in (text.upper(), text.swapcase(), text.replace("'", "’"), accented):
        assert plain(version) == plain(text)
