"""Foreign text made plain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.plain import parse_date, text_of, text_of_html, web_link


def _utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)  # type: ignore[arg-type]


TEN = _utc(2026, 6, 20, 10)
NINE = _utc(2026, 6, 20, 9)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 20 Jun 2026 10:00:00 GMT", TEN),
        ("Sat, 20 Jun 2026 10:00:00 BST", NINE),
        ("Sat, 20 Jun 2026 10:00:00 +0100", NINE),
        ("Sat, 20 Jun 2026 10:00:00 +01:00", NINE),
        ("Sat, 20 Jun 2026 10:00:00 -0000", TEN),
        ("Sat, 20 Jun 2026 10:00:00 Z", TEN),
        ("Sat, 20 Jun 2026 10:00:00 UT", TEN),
        ("Sat, 20 Jun 2026 06:00:00 EDT", TEN),
        ("Sat, 20 Jun 2026 12:00:00 CEST", TEN),
        ("Sat, 20 Jun 2026 10:00:00 +0000 (UTC)", TEN),
        ("20 June 2026 10:00 BST", NINE),
        ("Saturday, 20 June 2026 10:00:00 BST", NINE),
        ("Sat, 20 Jun 2026 10:00:00", NINE),  # no zone: UK summer time
        ("Sat, 19 Dec 2026 10:00:00", _utc(2026, 12, 19, 10)),  # no zone: UK winter time
        ("2026-06-20T10:00:00Z", TEN),
        ("2026-06-20T10:00:00+01:00", NINE),
        ("2026-06-20T10:00:00+0100", NINE),
        ("2026-06-20 10:00:00 +0100", NINE),
        ("2026-06-20T10:00:00.123456789Z", TEN.replace(microsecond=123456)),
        ("2026-06-20T10:00", NINE),
        ("2026-06-20T10:00:00 BST", NINE),
        ("2026-06-20", _utc(2026, 6, 19, 23)),
        ("20/06/2026", _utc(2026, 6, 19, 23)),
        ("20/06/2026 10:00", NINE),
        ("20/06/2026, 10:00:30", NINE.replace(second=30)),
        (" 2026-06-20T10:00:00Z\n", TEN),
    ],
)
def test_dates_are_read_as_the_uk_writes_them(text: str, moment: datetime) -> None:
    """RFC 822, ISO 8601 and dd/mm/yyyy give the right moment, also in summer."""
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "06/20/2026",
        "31/02/2026",
        "2026-13-01",
        "2026-06-20T25:00:00Z",
        "Sat, 20 Jun 2026 10:00:00 XYZT",
        "Sat, 20 Jun 2026 10:00:00 PM",
        "Sat, 20 Jun 2026 10:00:00 +9900",
        "Sat, 99 Jun 2026 10:00:00 GMT",
        "0001-01-01T00:00:00+23:00",
        "1718877600",
        "9" * 5000,
    ],
)
def test_other_dates_are_none(text: str | None) -> None:
    """What can't be known stays unknown: it never becomes the present."""
    assert parse_date(text) is None


@given(st.text(max_size=60))
def test_no_date_string_raises(text: str) -> None:
    """Any string gives an aware moment in UTC or None."""
    moment = parse_date(text)
    assert moment is None or moment.tzinfo is UTC


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_iso_dates_round_trip(moment: datetime) -> None:
    """What Python writes as ISO 8601 is read as the same moment."""
    aware = moment.replace(tzinfo=UTC)
    assert parse_date(aware.isoformat()) == aware


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<b>Oak</b>field", "Oakfield"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/><br />three", "one\ntwo\nthree"),
        ("line\nbreaks  are\tblanks", "line breaks are blanks"),
        ("a<script>alert('x')</script>b<style>i{}</style>c", "abc"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("St Mary&#8217;s &amp; Park", "St Mary’s & Park"),
        ("St Mary&amp;#8217;s &amp;amp; Park", "St Mary’s & Park"),
        ("5 &lt; 6 and 7 &gt; 6", "5 < 6 and 7 > 6"),
        ("5 < 6", "5 < 6"),
        ("&lt;p&gt;escaped&lt;/p&gt;&lt;p&gt;markup&lt;/p&gt;", "escaped\nmarkup"),
        ("<!-- hidden -->seen", "seen"),
        ("<img src=x onerror=alert(1)>seen", "seen"),
        ("<a href='javascript:x'>link</a>", "link"),
        ("unclosed <p", "unclosed"),
        ("nul\x00byte", "nulbyte"),
        ("", ""),
    ],
)
def test_html_becomes_what_a_reader_sees(markup: str, text: str) -> None:
    """Tags, scripts and styles go; blocks become lines; entities are decoded once or twice."""
    assert text_of_html(markup) == text


@given(st.text(alphabet="<>/&;#abp \n\"'=!-", max_size=200))
def test_any_markup_gives_clean_text(markup: str) -> None:
    """Any markup gives clean text, and raises nothing."""
    once = text_of_html(markup)
    assert "\x00" not in once
    assert once == once.strip()


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("/x?y=1#z", "https://base.example/x?y=1#z"),
        ("x", "https://base.example/dir/x"),
        ("//cdn.example/x", "https://cdn.example/x"),
        (" https://a.example/x\n", "https://a.example/x"),
        ("https://user:pw@a.example/x", "https://a.example/x"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("mailto:head@school.example", None),
        ("http://", None),
        ("http://[::1", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_links_survive(link: str | None, absolute: str | None) -> None:
    """A link is http or https, absolute and without credentials, or it is none."""
    assert web_link(link, "https://base.example/dir/feed") == absolute


@given(st.text(max_size=60))
def test_any_link_is_a_web_link_or_none(link: str) -> None:
    """No string gets through as anything but http or https, nor raises."""
    found = web_link(link, "https://base.example/")
    assert found is None or found.startswith(("http://", "https://"))


def test_half_a_character_is_replaced() -> None:
    """What JSON can hold and UTF-8 can't never reaches a database."""
    assert text_of("Fire \ud83d!").encode() == "Fire \ufffd!".encode()
    assert web_link("https://a.example/\ud83d", "") == "https://a.example/"
