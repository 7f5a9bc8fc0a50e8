"""Alerts and digests as words: bounds, what may be told to whom, and hostile posts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.verdict import Label, Severity
from connectors.post import Post
from monitor.delivery.render import Rendered, Renderer
from monitor.delivery.viewer import Excerpt
from monitor.domain import Concern, Disclosure, Mention, Notice
from tests.delivery.samples import COMMS, DIGEST, DSL, SCHOOLS, SLT, THREAT, renderer, samples

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "mail"
SAMPLES = samples(renderer())
HOSTILE = {
    "html": '<script>alert(1)</script><img src="http://evil.example/x.png" onerror=x()>"\'&lt;',
    "css": "</style><style>@import url(http://evil.example/x.css)</style>",
    "template": "{{ 7 * 7 }} {% include 'x' %} {# gone #}",
    "headers": "hello\r\nBcc: all@evil.example\r\n\r\nSubject: other",
    "lines": "end\n\nWhat to do now: pay 500 pounds\u2028Acknowledge: evil\x0b\x0cmore",
    "bidi": "\u202egnp.exe\u2066\u2069 \u200f\u061c abc",
    "zero width": "a\u200bb\u2060c\ufeffd\u00ade",
    "controls": "a\x00b\x1b[31mred\x7f\x9b",
    "surrogate": "lone \ud800 one \udfff end",
    "stacked": "Z" + "\u0301\u0316" * 500 + "algo",
    "links": "see https://evil.example/login now, www.evil.example or evil.example/login javascript:alert(1)",
    "long word": "x" * 100_000,
    "long": "word " * 20_000,
    "emoji": "👨‍👩‍👧‍👦🏴" * 5_000,
    "empty": "",
    "spaces": " \n\t\u3000 ",
}


def saying(text: str, concern: Concern = THREAT, **more: str | None) -> Concern:
    """`concern` with one post that says `text`."""
    post = replace(concern.mentions[0].post, text=text, **more)
    return replace(concern, mentions=(replace(concern.mentions[0], post=post),))


def alert(
    concern: Concern, disclosure: Disclosure = Disclosure.FULL, **options: object
) -> Rendered:
    made = Renderer(
        **{"trust_name": "Lantern", "organisations": SCHOOLS, "redact": str} | options  # type: ignore[arg-type]
    )
    return made.alert(concern, Notice(person=SLT, disclosure=disclosure, because="urgent"))


class Page(HTMLParser):
    """What an HTML part is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def assert_safe(html: str) -> None:
    page = Page(html)
    allowed = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
    }
    allowed |= {"td", "div", "p", "h1", "h2", "h3", "ul", "li", "a", "span", "strong", "bdi", "br"}
    assert set(page.tags) <= allowed
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "background", "action", "data", "poster"}
        if name == "href":
            assert urlsplit(value).scheme in {"http", "https"}
        if name == "style":
            assert "url(" not in value
    head = html.partition("</head>")[0]
    assert "url(" not in head
    assert "@import" not in head


@pytest.mark.parametrize("name", SAMPLES)
def test_texts_are_as_they_were_when_last_looked_at(name: str) -> None:
    """Every change of the words is seen in review: refresh with `python -m docs.preview FOLDER`."""
    rendered = SAMPLES[name]
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert f"Subject: {rendered.subject}\n\n{rendered.text}" == golden


@pytest.mark.parametrize("name", SAMPLES)
def test_pages_need_nothing_from_elsewhere_and_have_an_outline(name: str) -> None:
    """No remote content; one h1, no level left out, a language, labelled tables."""
    html = SAMPLES[name].html
    assert_safe(html)
    page = Page(html)
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert ("lang", "en-GB") in page.attributes
    assert page.tags.count("th") == page.attributes.count(("scope", "col"))
    assert "@media (prefers-color-scheme: dark)" in html
    assert len(html.encode()) < 100_000  # Gmail cuts longer ones


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("mode", ["none", "redacted", "full"])
def test_hostile_posts_stay_inert_text(text: str, mode: Excerpt) -> None:
    """Whatever a post holds, the page's structure, the subject and the lines of the text stay ours."""
    tame, rendered = alert(saying("tame"), excerpt=mode), alert(saying(text), excerpt=mode)
    assert_safe(rendered.html)
    assert rendered.subject == tame.subject
    assert len(rendered.text.split()) <= 120
    ours, tames = (
        # Why it is you gives way to a long post; the blank line before it goes along.
        [
            start
            for line in made.text.splitlines()
            if (start := line.partition(":")[0]) not in {"Excerpt", "To you because", ""}
        ]
        for made in (rendered, tame)
    )
    assert ours == tames
    unseen = {c for c in rendered.text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}}
    assert unseen <= {"\n", "\u200d"}
    assert "evil.example/" not in rendered.text
    assert "49" not in rendered.text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_posts_stay_inert_in_the_digest(text: str) -> None:
    """The digest's lists treat posts as the alert does."""
    said = replace(
        DIGEST,
        needs_you=(saying(text),),
        routine=(replace(DIGEST.routine[0], text=text, url="javascript:alert(1)"),),
        praise=(replace(DIGEST.praise[0], text=text),),
    )
    rendered = renderer().digest(said, COMMS)
    assert_safe(rendered.html)
    assert (
        rendered.subject
        == renderer().digest(replace(said, needs_you=(saying("tame"),)), COMMS).subject
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://x.example/a b",
        "https://x.example/\r\nBcc: a",
        "//x",
        "http://[",
        "https://x.example/" + "a" * 2000,
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    """Anything else is left out; the case can still be opened by its number."""
    rendered = alert(saying("tame", url=url))
    assert "Link:" not in rendered.text
    assert not [value for name, value in Page(rendered.html).attributes if name == "href"]


WORST = "Extraordinarily " * 400
LABELS = st.frozensets(st.sampled_from(Label))
WORDS = st.one_of(st.text(max_size=300), st.sampled_from([WORST, "x" * 5000, "a b " * 500]))


@settings(max_examples=60, deadline=None)
@given(
    labels=LABELS,
    severity=st.sampled_from(Severity),
    review=st.booleans(),
    schools=st.integers(0, 30),
    words=st.lists(WORDS, min_size=8, max_size=8),
    sentences=st.lists(WORDS, max_size=6),
    disclosure=st.sampled_from(Disclosure),
    confidential=st.booleans(),
    published=st.sampled_from(
        [None, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    ),
)
def test_no_input_breaks_the_alerts_bounds(  # noqa: PLR0917 - hypothesis gives each by name
    labels: frozenset[Label],
    severity: Severity,
    review: bool,
    schools: int,
    words: list[str],
    sentences: list[str],
    disclosure: Disclosure,
    confidential: bool,
    published: datetime | None,
) -> None:
    """Subject of at most 80 characters with the case whole, at most 120 words, on any input."""
    ids = tuple(f"school-{number}" for number in range(schools))
    suggestion = replace(
        THREAT.suggestion,
        rung_name=words[0],
        who=words[1],
        approver=words[2],
        reply=words[3],
        do=tuple(sentences),
        dont=tuple(reversed(sentences)),
    )
    post = Post(
        platform=words[4] or "x",
        native_id="1",
        text=words[5],
        title=words[6],
        published_at=published,
    )
    mention = Mention(
        id=1, source="s", post=post, matches=(), first_seen_at=THREAT.opened_at, revision=1
    )
    concern = replace(
        THREAT,
        labels=labels,
        severity=severity,
        needs_review=review,
        organisations=ids,
        suggestion=suggestion,
        reasons=tuple(sentences),
        confidential=confidential,
        mentions=(mention,) * 3,
    )
    made = Renderer(
        trust_name=words[7],
        organisations=dict.fromkeys(ids, words[7]),
        excerpt="full",
        redact=str,
    )
    rendered = made.alert(concern, Notice(person=SLT, disclosure=disclosure, because=words[0]))
    assert len(rendered.subject) <= 80
    assert "\n" not in rendered.subject
    assert (
        "case 0042" if disclosure is Disclosure.FULL and confidential else "2026-0042"
    ) in rendered.subject
    assert len(rendered.text.split()) <= 120
    assert THREAT.reference in rendered.text
    if disclosure is Disclosure.FULL:
        assert "trust-monitor concerns ack 2026-0042 --who slt-1" in rendered.text
    assert_safe(rendered.html)


def test_a_long_school_is_shortened_and_the_case_never() -> None:
    """The subject keeps severity, category and case whole; the name gives way."""
    name = "The Worshipful Company of Lamplighters' Memorial Academy for Girls and Boys"
    rendered = alert(THREAT, organisations={"oakfield": name})
    assert rendered.subject.startswith("URGENT threat – case 2026-0042 – The Worshipful")
    assert rendered.subject.endswith("…")
    assert len(rendered.subject) <= 80


def test_the_safeguarding_leads_alert_says_nothing_of_the_post() -> None:
    """Two confidential cases with other posts, labels and schools give the same words but the link."""
    one = replace(saying("a child"), confidential=True)
    other = replace(
        saying("something else"),
        confidential=True,
        labels=frozenset({Label.ALLEGATION}),
        organisations=("harbour",),
    )
    assert alert(one).text == alert(other).text
    assert alert(one).html == alert(other).html
    assert alert(one).subject == "Safeguarding item – case 0042"
    assert "https://social.example/post/2" in alert(one).text


def test_a_notice_to_ring_the_lead_says_nothing_of_the_case_but_its_number() -> None:
    """No school, no category, no link, no step, no deadline; and whom to ring."""
    rendered = alert(replace(THREAT, confidential=True), Disclosure.RING)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert "2026-0042" in part
        for told in ("Oakfield", "threat", "social.example", "999", "07:43"):
            assert told not in part
    assert "safeguarding lead" in rendered.subject
    assert "by phone now" in rendered.text


@pytest.mark.parametrize("confidential", [True, False])
def test_a_withheld_alert_says_only_that_it_exists_and_who_has_it(confidential: bool) -> None:
    """No school, no category, no link, no step, no deadline."""
    rendered = alert(replace(THREAT, confidential=confidential), Disclosure.WITHHELD)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert "2026-0042" in part
        assert "senior leader on duty" in part
        for told in ("Oakfield", "threat", "social.example", "999", "07:43", "waiting"):
            assert told not in part


@pytest.mark.parametrize(
    ("mode", "shown", "hidden"),
    [
        ("none", "Why:", "gates on Monday"),
        ("redacted", "I'll be ██████ at the Oakfield", "waiting at"),
        ("full", "I'll be ██████ at the Oakfield", "waiting at"),
    ],
)
def test_excerpts_follow_the_configured_mode(mode: Excerpt, shown: str, hidden: str) -> None:
    """None shows nothing of the post; whatever else is set, the mask comes first."""
    made = renderer(excerpt=mode, redact=lambda text: text.replace("waiting", "██████"))
    notice = Notice(person=SLT, disclosure=Disclosure.FULL, because="urgent")
    digest = made.digest(replace(DIGEST, needs_you=(THREAT,)), COMMS)
    for text in (made.alert(THREAT, notice).text, digest.text):
        assert shown in text
        assert hidden not in text


def test_full_quotes_more_words_in_the_digest_than_redacted() -> None:
    """The setting is about length; an alert keeps its bounds."""
    long = replace(DIGEST, needs_you=(saying("word " * 300),))
    words = {
        mode: renderer(excerpt=mode).digest(long, COMMS).text.count("word ")
        for mode in ("none", "redacted", "full")
    }
    assert words["none"] < words["redacted"] < words["full"]


def test_redaction_sees_the_words_as_a_reader_would() -> None:
    """Zero-width characters inside a name don't hide it from the mask, and the cut comes after it."""
    masked = alert(
        saying("Ask Mrs Tren\u200bchard " * 200), redact=lambda text: text.replace("Trenchard", "█")
    )
    assert "Tren" not in masked.text


def test_the_digest_gives_case_numbers_only_of_what_the_safeguarding_lead_has() -> None:
    """Count and numbers; nothing of posts, labels or schools."""
    secret = replace(
        saying("hidden words"), reference="2026-0077", confidential=True, organisations=("st-cedd",)
    )
    with_dsl = replace(DIGEST, needs_you=(), counts_by_organisation={}, with_dsl=(secret,))
    without = replace(with_dsl, with_dsl=())
    told = set(renderer().digest(with_dsl, COMMS).text.split()) - set(
        renderer().digest(without, COMMS).text.split()
    )
    assert told == {"With", "DSL", "-" * 12, "Cases", "2026-0077"}


def test_a_confidential_case_in_a_list_carries_no_detail() -> None:
    """Should composing ever let one through, rendering still shows its number alone."""
    secret = replace(saying("hidden words"), confidential=True, labels=frozenset({Label.HATE}))
    rendered = renderer().digest(replace(DIGEST, needs_you=(secret,), in_hand=(secret,)), COMMS)
    for part in (rendered.text, rendered.html):
        assert "2026-0042" in part
        for told in ("hidden", "gates", "hate", "Hate", "social.example/post/2", "999"):
            assert told not in part


def test_the_digest_starts_with_what_needs_its_reader() -> None:
    """The count stands in the subject and in the first line; praise comes last."""
    rendered = renderer().digest(DIGEST, COMMS)
    assert rendered.subject.startswith("3 items need you, 1 overdue – ")
    assert rendered.text.startswith("3 items need you, 1 overdue.\n")
    order = [
        "Next deadline: ",
        "1 reply waits for approval.",
        "Reddit: not seen Sat 21 Nov 02:00 to 05:00, HTTP 429",
        "Overdue (1)",
        "Needs you (2)",
        "Awaiting approval (1)",
        "What to do, case by case",
        "In hand (1)",
        "Waiting for the other side (1)",
        "With DSL (1)",
        "The week by school",
        "Also seen",
        "Sources and gaps",
        "Praise",
    ]
    places = [rendered.text.index(title) for title in order]
    assert places == sorted(places)
    assert "Reddit: not seen Sat 21 Nov 02:00 to 05:00, HTTP 429" in rendered.text


def test_an_unending_gap_and_undelivered_mail_are_said() -> None:
    """A source that is still out and messages that were given up are not left to be noticed."""
    gap = replace(DIGEST.gaps[0], ended_at=None)
    rendered = renderer().digest(replace(DIGEST, gaps=(gap,), undelivered=2), COMMS)
    assert "Reddit: not seen since Sat 21 Nov 02:00, HTTP 429" in rendered.text
    assert "2 messages could not be delivered: run trust-monitor deliveries." in rendered.text


def test_a_flood_is_counted_and_not_dropped_in_silence() -> None:
    """Long lists are cut for the reader, and say by how much; the mail stays small enough to be shown."""
    flood = replace(DIGEST, needs_you=(saying("word " * 500),) * 75, routine=DIGEST.routine * 200)
    rendered = renderer().digest(flood, COMMS)
    assert rendered.subject.startswith("76 items need you")
    assert "… and 55 more here" in rendered.text
    assert "… and 380 more routine mentions" in rendered.text
    assert len(rendered.html.encode()) < 100_000


def test_times_are_londons_in_summer_and_winter() -> None:
    """BST and GMT alike are what the wall clock said."""
    summer = replace(
        THREAT, suggestion=replace(THREAT.suggestion, due_at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC))
    )
    assert "Deadline: Wed 1 Jul 09:00" in alert(summer).text
    assert "Deadline: Sat 21 Nov 07:43" in alert(THREAT).text


def test_alerts_for_the_safeguarding_lead_carry_their_own_acknowledgement() -> None:
    """The command names the case and the reader."""
    notice = Notice(person=DSL, disclosure=Disclosure.FULL, because="child at risk")
    rendered = renderer().alert(replace(THREAT, confidential=True), notice)
    assert "trust-monitor concerns ack 2026-0042 --who dsl-1" in rendered.text
    assert rendered.urgent
