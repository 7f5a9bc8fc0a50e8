"""Never in mail, in any part, whatever the setting: names, handles, quotes of abuse, allegations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from classifiers.verdict import Label, Sentiment, Severity
from connectors.post import Post
from monitor.delivery.quoting import NEVER_QUOTED, Excerpt, Quoting
from monitor.delivery.render import Rendered
from monitor.domain import Concern, ConcernState, Disclosure, Notice, RoutineMention
from monitor.policy.redaction import redact
from tests.delivery.samples import (
    COMMS,
    DIGEST,
    DSL,
    MEDIA,
    NOW,
    RALLY,
    SLT,
    THREAT,
    masked,
    renderer,
)

MODES: tuple[Excerpt, ...] = ("none", "redacted", "full")
NAMES = ("Trenchard", "Hollister", "Brigstock")
HANDLES = ("grudge_1977", "@pelican", "pelican.example", "u/snitch")
LINKS = (
    "https://masto.example/@grudge_1977/11122",
    "https://forum.example/u/grudge_1977/5",
    "https://grudge_1977.blog.example/2026/post",
    "https://news.example/2026/head-agatha-trenchard-accused-of-theft",
    "https://www.reddit.com/r/lantern/comments/1abcd/mrs_hollister_hits_a_pupil/",
    "https://x.example/?from=grudge_1977",
)
HOSTILE = (
    "Mrs Trenchard hit my son Caspar Hollister, ask @pelican.example or u/snitch",
    "Agatha Trenchard is a thieving old witch and Mr Brigstock covers it up #SackTrenchard",
    "TRENCHARD STOLE THE TRIP MONEY ring her on 01632 960 555 caspar.h@mail.example",
)
ABUSE = ("witch", "STOLE", "hit my son", "thieving")


def concern(labels: frozenset[Label], text: str, link: str, **more: object) -> Concern:
    """One case whose post says the worst."""
    post = Post(
        platform="mastodon",
        native_id="1",
        text=text,
        title="Trenchard must go",
        url=link,
        author="grudge_1977",
        published_at=NOW,
    )
    mention = replace(THREAT.mentions[0], post=post)
    given = {"labels": labels, "mentions": (mention,), "about_head": True}
    return replace(THREAT, **(given | more))  # type: ignore[arg-type]


def mails(about: Concern, mode: Excerpt) -> Iterator[Rendered]:
    """Everything that could be sent about one case."""
    made = renderer(excerpt=mode)
    for disclosure in Disclosure:
        for person in (SLT, DSL, MEDIA):
            for still in (False, True):
                for confidential in (False, True):
                    notice = Notice(person=person, disclosure=disclosure, because="urgent")
                    yield made.alert(replace(about, confidential=confidential), notice, still=still)
    notice = Notice(person=COMMS, disclosure=Disclosure.FULL, because="a campaign")
    yield made.campaign(replace(RALLY, concern=about), notice)
    post = about.mentions[0].post
    seen = RoutineMention(
        organisations=("oakfield",),
        sentiment=Sentiment.NEGATIVE,
        labels=about.labels,
        platform=post.platform,
        url=post.url,
        text=post.text,
        seen_at=NOW,
        author=post.author,
    )
    yield made.digest(
        replace(
            DIGEST,
            overdue=(about,),
            needs_you=(about,),
            ready=(replace(about, state=ConcernState.APPROVED),),
            for_approval=(replace(about, state=ConcernState.FOR_APPROVAL),),
            in_hand=(replace(about, state=ConcernState.ACKNOWLEDGED),),
            campaigns=(replace(RALLY, concern=about),),
            routine=(seen,),
            praise=(seen,),
        ),
        COMMS,
    )


def parts(rendered: Rendered) -> tuple[str, str, str]:
    return rendered.subject, rendered.text, rendered.html


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", list(Label))
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_name_and_no_handle_in_any_part(label: Label, mode: Excerpt, number: int) -> None:
    """People in posts stay out of subject, text and page, whatever the category and the setting."""
    for link in LINKS[number::3]:
        for rendered in mails(concern(frozenset({label}), HOSTILE[number], link), mode):
            for part in parts(rendered):
                for hidden in (*NAMES, *HANDLES, "960 555", "caspar.h", "#Sack"):
                    assert hidden.casefold() not in part.casefold()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", sorted(NEVER_QUOTED))
@pytest.mark.parametrize("text", HOSTILE)
def test_abuse_and_allegations_are_never_quoted(label: Label, mode: Excerpt, text: str) -> None:
    """Beside whatever other label: no word of the post, and how to read it instead."""
    labels = frozenset({label, Label.COMPLAINT, Label.THREAT})
    for rendered in mails(concern(labels, text, LINKS[0]), mode):
        for part in parts(rendered):
            for hidden in ABUSE:
                assert hidden.casefold() not in part.casefold()
    alert = renderer(excerpt=mode).alert(
        concern(labels, text, LINKS[0]),
        Notice(person=SLT, disclosure=Disclosure.FULL, because="urgent"),
    )
    assert "trust-monitor concerns show 2026-0042" in alert.text
    assert "Probably aimed at: the head" in alert.text


@pytest.mark.parametrize("mode", MODES)
def test_a_post_that_nobody_read_is_not_quoted(mode: Excerpt) -> None:
    """What could not be assessed could be anything."""
    unread = concern(frozenset(), "quiet words", LINKS[0], needs_review=True)
    for rendered in mails(unread, mode):
        assert not any("quiet words" in part for part in parts(rendered)[:1])
    digest = renderer(excerpt=mode).digest(replace(DIGEST, needs_you=(unread,)), COMMS)
    assert "quiet words" not in digest.text


@pytest.mark.parametrize("label", sorted(set(Label) - NEVER_QUOTED))
def test_what_may_be_quoted_is_quoted_with_names_masked(label: Label) -> None:
    """A question, a complaint, praise or a threat is easier to judge by its words."""
    about = concern(
        frozenset({label}), "Could Mrs Trenchard ring about the bus?", "https://x.example/1"
    )
    digest = renderer().digest(replace(DIGEST, needs_you=(about,)), COMMS)
    assert "ring about the bus?" in digest.text
    assert "https://x.example/1" in digest.text


@pytest.mark.parametrize(
    ("link", "author", "shown"),
    [
        ("https://social.example/post/1", "grudge", "https://social.example/post/1"),
        (
            "https://bsky.app/profile/did:plc:abc/post/3k",
            "grudge.example",
            "https://bsky.app/profile/did:plc:abc/post/3k",
        ),
        ("https://bsky.app/profile/grudge.example/post/3k", None, None),
        (
            "https://www.reddit.com/r/lantern/comments/1ab/mrs_x_hits/",
            "grudge",
            "https://www.reddit.com/r/lantern/comments/1ab/",
        ),
        ("https://masto.example/@a/1", None, None),
        (
            "https://gazette.example/news/oakfield-to-open-library",
            "Gazette",
            "https://gazette.example/news/oakfield-to-open-library",
        ),
        ("https://forum.example/child-at-risk", None, "https://forum.example/child-at-risk"),
        ("https://gazette.example/news/agatha-trenchard-resigns", None, None),
        ("https://gazette.example/news/mrs-brigstock-resigns", None, None),
        ("javascript:alert(1)", None, None),
        (None, "grudge", None),
    ],
)
def test_an_address_is_given_when_it_names_nobody(
    link: str | None, author: str | None, shown: str | None
) -> None:
    """Handles and named people in addresses keep the address out; the case leads to the post."""
    assert Quoting("redacted", masked).link(link, author) == shown


def test_redaction_is_the_one_in_use() -> None:
    """The names above are masked by the trust's own redaction, and not by the test."""
    assert "Trenchard" not in redact(HOSTILE[0], known_names=("Agatha Trenchard",), keep=())
    assert Severity.URGENT is THREAT.severity
