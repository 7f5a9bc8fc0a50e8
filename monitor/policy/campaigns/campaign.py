"""When do single posts become a campaign? When many voices say one thing about one organisation in a
day: then they get one case, one line in the digest and one statement, in place of a case each.

A theme is found by what posts share: a hashtag, an address, their whole wording, or at least two of
the things in data/campaign.toml that a school is talked about for (or three uncommon words). Three
complaints about three matters share none of these. What could hurt somebody is never counted, and
never folded in: it stays a case of its own and alerts as ever. A petition or a protest is lawful.

Authors are told apart by handle within their platform, in memory; nothing is kept of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers.verdict import Label, Sentiment, Severity
from monitor.domain import (
    AuthorRole,
    Concern,
    Flag,
    Voice,
)
from monitor.policy.campaigns.theme import Key, Themes
from monitor.policy.triage import HARMS

BINS = 12
BIN = timedelta(hours=2)
CORE_SHARE = 0.25  # of a running campaign's posts that must share what a further one joins it by
OVERLAP = 0.5  # of a list's posts that lie in another cluster: it is the same theme, said otherwise
ALONE_SHARE = 0.4  # of all posts about an organisation that a mere topic must be the subject of
TOPIC_SHARE = (
    0.4  # of a cluster's posts that must speak of a topic for the cluster to be named by it
)
MOST_TOPICS = 2
_PLAIN_AUTHORS = frozenset({AuthorRole.UNKNOWN, AuthorRole.PARENT, AuthorRole.PUBLIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One theme's posts about one organisation.

    `theme` holds up to two phrases of data/campaign.toml, or nothing when none fits: never a word of
    a post. `per_2h` counts posts in the twelve stretches of two hours that end with `until`, oldest
    first. `mentions` are the ids of all of them, `concerns` of the cases that can be folded in, and
    `loose` of those posts that belong to no case, each in order of time; `campaign` is the reference
    of the running campaign that it carries on.
    """

    organisation: str
    theme: tuple[str, ...]
    posts: int
    authors: int
    first: datetime
    last: datetime
    until: datetime
    per_2h: tuple[int, ...]
    mentions: tuple[int, ...]
    concerns: tuple[int, ...]
    loose: tuple[int, ...]
    campaign: str | None = None


def stands_alone(
    *,
    severity: Severity,
    labels: frozenset[Label],
    confidential: bool,
    needs_review: bool = False,
    flags: frozenset[Flag] = frozenset(),
    author: AuthorRole = AuthorRole.UNKNOWN,
) -> bool:
    """True for what a campaign must never swallow: urgent, harmful, confidential or unread posts, the
    press, and what a reviewer found to be more than an opinion."""
    return (
        severity is Severity.URGENT
        or bool(labels & (HARMS | {Label.MEDIA}))
        or confidential
        or needs_review
        or bool(flags)
        or author not in _PLAIN_AUTHORS
    )


def alone(concern: Concern) -> bool:
    """`stands_alone` of a logged concern."""
    return stands_alone(
        severity=concern.severity,
        labels=concern.labels,
        confidential=concern.confidential,
        needs_review=concern.needs_review,
        flags=concern.flags,
        author=concern.author,
    )


def is_campaign(concern: Concern) -> bool:
    """True when `concern` is a campaign's own case: it bears its own reference as its campaign."""
    return concern.campaign == concern.reference


def voiced(voice: Voice) -> bool:
    """True for posts that want something changed. Questions, news and praise on one subject are a
    busy day and no campaign."""
    if voice.alone:
        return False
    wants = bool(voice.labels & {Label.COMPLAINT, Label.CAMPAIGN})
    return wants or (voice.sentiment is Sentiment.NEGATIVE and Label.PRAISE not in voice.labels)


def clusters(voices: Iterable[Voice], themes: Themes, *, now: datetime) -> tuple[Cluster, ...]:
    """The campaigns among `voices`, largest first; each post is in one of them at most.

    `voices` are those of the last `Themes.quiet` and may hold any others: what stands alone or wants
    nothing is passed over. Cost grows with their number times a bounded number of keys each.
    """
    heard = sorted(filter(voiced, voices), key=lambda voice: (voice.at, voice.mention))
    found = _gather(heard, themes)
    crowd = Counter(organisation for voice in heard for organisation in voice.organisations)
    known: Counter[str] = Counter(voice.campaign for voice in heard if voice.campaign)
    lists = [
        _Listed(organisation, members)
        for (organisation, key), members in sorted(found.items())
        if (key[0] != "alone" or len(members) >= ALONE_SHARE * crowd[organisation])
        and _counts(key, [heard[index] for index in members], known, themes)
    ]
    made = [
        _cluster([heard[index] for index in sorted(group.members)], group.organisation, themes, now)
        for group in _merged(lists, heard, themes)
    ]
    return tuple(sorted(made, key=lambda cluster: (-cluster.posts, cluster.mentions)))


def bins(times: Iterable[datetime], until: datetime) -> tuple[int, ...]:
    """How many of `times` lie in each of the twelve stretches of two hours before `until`."""
    counts = [0] * BINS
    for at in times:
        back = (until - at) // BIN
        if 0 <= back < BINS:
            counts[BINS - 1 - back] += 1
    return tuple(counts)


def voices_count(authors: Iterable[tuple[str, str | None]]) -> int:
    """How many different authors: (platform, handle); posts without a handle are nobody's."""
    return len({(platform, name.casefold()) for platform, name in authors if name})


@dataclass(frozen=True, slots=True)
class _Listed:
    """Posts (by their index) about one organisation that share one thing."""

    organisation: str
    members: list[int]


def _gather(heard: Sequence[Voice], themes: Themes) -> dict[tuple[str, Key], list[int]]:
    """Which posts share what, by organisation. Whatever only one post has is left out."""
    found: defaultdict[tuple[str, Key], list[int]] = defaultdict(list)
    for index, voice in enumerate(heard):
        keys = themes.keys(voice.text, voice.language)
        for organisation in voice.organisations:
            for key in keys:
                found[organisation, key].append(index)
    return {key: members for key, members in found.items() if len(members) > 1}


def _counts(key: Key, members: Sequence[Voice], known: Mapping[str, int], themes: Themes) -> bool:
    """Whether a list of posts that share `key` is a campaign, or carries one on."""
    if _enough(members, themes, alone=key[0] == "alone"):
        return True
    if key[0] == "alone":
        return False
    inside = Counter(voice.campaign for voice in members if voice.campaign)
    return any(
        count >= max(2, CORE_SHARE * known[reference]) for reference, count in inside.items()
    )


def _enough(members: Sequence[Voice], themes: Themes, *, alone: bool = False) -> bool:
    """Whether some stretch of `within` holds enough authors or posts. `members` in order of time."""
    least = themes.alone_authors if alone else themes.authors
    if len(members) < min(least, themes.posts):
        return False
    inside: Counter[tuple[str, str]] = Counter()
    start = 0
    for end, voice in enumerate(members):
        if voice.author:
            inside[voice.platform, voice.author.casefold()] += 1
        while voice.at - members[start].at > themes.within:
            gone = members[start]
            start += 1
            if gone.author:
                name = (gone.platform, gone.author.casefold())
                inside[name] -= 1
                if not inside[name]:
                    del inside[name]
        if len(inside) >= least or end - start + 1 >= themes.posts:
            return True
    return False


def _merged(lists: Iterable[_Listed], heard: Sequence[Voice], themes: Themes) -> Sequence[_Listed]:
    """The longest lists as clusters; a list that lies mostly in one of them adds the rest of its posts
    to it, and one that has enough of its own beside them begins another."""
    groups: list[_Listed] = []
    home: dict[int, int] = {}  # post to group
    for listed in sorted(lists, key=lambda each: -len(each.members)):
        loose = [index for index in listed.members if index not in home]
        if not loose:
            continue
        taken = Counter(home[index] for index in listed.members if index in home)
        place, shared = taken.most_common(1)[0] if taken else (0, 0)
        if not shared or shared < OVERLAP * len(listed.members):
            if taken and not _enough([heard[index] for index in loose], themes):
                continue
            place = len(groups)
            groups.append(_Listed(listed.organisation, []))
        groups[place].members.extend(loose)
        home.update(dict.fromkeys(loose, place))
    return groups


def _cluster(members: Sequence[Voice], organisation: str, themes: Themes, now: datetime) -> Cluster:
    inside = Counter(voice.campaign for voice in members if voice.campaign)
    concerns = (voice.concern for voice in members if voice.foldable and voice.concern)
    return Cluster(
        organisation=organisation,
        theme=_named([voice.text for voice in members], themes),
        posts=len(members),
        authors=voices_count((voice.platform, voice.author) for voice in members),
        first=members[0].at,
        last=members[-1].at,
        until=now,
        per_2h=bins((voice.at for voice in members), now),
        mentions=tuple(voice.mention for voice in members),
        concerns=tuple(dict.fromkeys(concerns)),
        loose=tuple(voice.mention for voice in members if voice.concern is None),
        campaign=inside.most_common(1)[0][0] if inside else None,
    )


def _named(texts: Sequence[str], themes: Themes) -> tuple[str, ...]:
    spoken = Counter(phrase for text in texts for phrase in themes.topics(text))
    often = [
        (phrase, count) for phrase, count in spoken.items() if count >= TOPIC_SHARE * len(texts)
    ]
    often.sort(key=lambda each: (-each[1], each[0]))
    return tuple(phrase for phrase, _ in often[:MOST_TOPICS])
