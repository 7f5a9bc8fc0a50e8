"""Matching posts per second with 10, 1,000 and 24,000 schools, beside a bare automaton pass.

    python bench/matching.py [--posts 60000] [--mentions 0.001]

The bare pass is `ahocorasick_rs` over the same posts, already casefolded and joined with their
context, with the patterns of the same watchlist and nothing else: no folding, no judgement. The
schools' names are invented from the words that real ones are made of, so that St Mary's comes
hundreds of times; most posts mention no school, as in a real stream. Each list gets posts about its own
schools and towns in equal shares, so that the lists differ in size and in nothing else.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import sys
import time
from collections.abc import Callable
from itertools import accumulate

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick

from connectors.post import Post
from monitor.policy.matching.organisations import Organisation, Watchlist
from monitor.policy.matching.watchlist import Matcher
from monitor.watchlist_file import load_senses

SAINTS = """
Mary's John's Peter's Paul's James' Luke's Mark's Anne's Joseph's Michael's Thomas' Andrew's
""".split()  # noqa: SIM905 - a list of words reads as words
COMMON = """
Park Riverside Oakfield Hilltop Meadow Castle Northgate Woodlands Greenfield Highfield Manor
""".split()  # noqa: SIM905 - a list of words reads as words
STARTS = """
Ash Bram Cald Dun Eller Fen Gar Hal Ing Kel Lang Mar Nether Os Pen Quar Rad Sel Thorn Ul Wal Yar
Wick
""".split()  # noqa: SIM905 - a list of words reads as words
MIDDLES = """
der ing ber ling mer ker ston ner wer ley
""".split()  # noqa: SIM905 - a list of words reads as words
ENDS = """
ton ham by thwaite ford wick worth combe stead mouth field bourne ley dale
""".split()  # noqa: SIM905 - a list of words reads as words
TYPES = [
    "Primary School",
    "CE Primary School",
    "Academy",
    "High School",
    "Infant School",
    "Junior School",
]
CHAT = """
the of and to a in is it you that he was for on are with as they be at one have this from or
had by but some what there we can out other were all your when up use how said each she which do
their time if will way about many then them would write like so these her long make thing see
him two has look more day could go come did my sound no most number who over know water than
call first people may down side been now find any new work part take get place made live where
after back little only round man year came show every good me give our under name very through
just form sentence great think say help low line differ turn cause much mean before move right
boy old too same tell does set three want air well also play small end put home read hand port
large spell add even land here must big high such follow act why ask men change went light kind
off need house picture try us again animal point mother world near build self earth father head
stand own page should country found answer school grow study still learn plant cover food sun
four between state keep eye never last let thought city tree cross farm hard start might story
saw far sea draw left late run don't while press close night real life few north parking council
bin traffic train shop
""".split()  # noqa: SIM905 - a list of words reads as words
# Common words first and far more often, as in any language (Zipf's law).
COMMONNESS = list(accumulate(1 / (rank + 2) for rank in range(len(CHAT))))
TOWNS = 0.03  # of the posts name a town of the list in the text, as many in the community, or place
PUNCTUATION = [", ", ". ", "! ", "? ", " - ", "\n", ": ", "... "]


def town(rng: random.Random) -> str:
    middle = rng.choice(MIDDLES) if rng.random() < 0.6 else ""
    return rng.choice(STARTS) + middle + rng.choice(ENDS)


def school(rng: random.Random, number: int, towns: list[str]) -> Organisation:
    home = rng.choice(towns)
    roll = rng.random()
    if roll < 0.25:
        name = f"St {rng.choice(SAINTS)}"
    elif roll < 0.45:
        name = rng.choice(COMMON)
    elif roll < 0.75:
        name = home
    else:
        name = f"{town(rng)} {rng.choice(ENDS).title()}"
    kind = rng.choice(TYPES)
    initials = "".join(word[0] for word in f"{name} {kind}".split())
    return Organisation(
        id=f"s{number}",
        name=f"{name} {kind}",
        aliases=(f"{name} {kind.split()[0]}", name)
        if roll < 0.45
        else (f"{name} {kind.split()[0]}",),
        initialisms=(initials,) if len(initials) > 2 and initials.lower() not in CHAT else (),
        handles=(f"@{name}{number}".replace(" ", "").replace("'", ""),),
        website=f"https://www.school{number}-{home.lower()}.example",
        town=home,
        county=f"{rng.choice(STARTS)}shire",
        postcode=f"Z{number % 99} {number % 9}{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}",
    )


def watchlist(schools: int) -> Watchlist:
    """The first `schools` of one national list, so that the smaller lists are part of the larger."""
    rng = random.Random(7)
    towns = sorted({town(rng) for _ in range(4000)})
    trust = Organisation(id="trust", name="Merewether Learning Trust", town=towns[0])
    return Watchlist(trust=trust, schools=tuple(school(rng, n, towns) for n in range(schools)))


def post(
    rng: random.Random, number: int, schools: tuple[Organisation, ...], mentions: float
) -> Post:
    words = rng.choices(CHAT, cum_weights=COMMONNESS, k=int(rng.lognormvariate(3.5, 0.6)) + 4)
    towns = rng.choice(schools).town or ""
    if rng.random() < TOWNS:
        words.insert(rng.randrange(len(words)), towns)
    if rng.random() < mentions:
        about = rng.choice(schools)
        said = f"{about.name} {'in ' + about.town if rng.random() < 0.6 and about.town else ''}"
        words.insert(rng.randrange(len(words)), said)
    for _ in range(max(1, len(words) // 12)):
        at = rng.randrange(len(words))
        words[at] += rng.choice(PUNCTUATION).rstrip(" ") or " -"
    text = " ".join(words)
    if rng.random() < 0.3:
        text = text.replace("'", "’") + rng.choice([" 🙌", " 😂😂", " £20", " – café", " ❤️"])
    return Post(
        platform="bench",
        native_id=str(number),
        text=text[0].upper() + text[1:],
        community=f"{towns}"
        if rng.random() < TOWNS
        else rng.choice(["AskUK", "news", "UKParenting", None]),
        feed_title=rng.choice(["Local news", None, None]),
        author_location=towns if rng.random() < TOWNS else None,
    )


def rate(work: Callable[[], None], count: int, *, rounds: int = 5) -> float:
    """Posts per second of processor time, of the round that the machine disturbed least."""
    best = float("inf")
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    gc.enable()
    return count / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=60_000)
    parser.add_argument("--mentions", type=float, default=0.001)
    options = parser.parse_args()
    print(
        f"{options.posts:,} posts; {options.mentions:.1%} of them with a school of the list, "
        f"{TOWNS:.0%} each with a town of it\nin the text, in the community's name and as the author's place"
    )
    print(
        f"{'schools':>8} {'patterns':>9} {'build s':>8} {'posts/s':>9} {'µs/post':>8} {'matched':>8}"
    )
    rates: dict[int, float] = {}
    senses = load_senses()
    for schools in (10, 1_000, 24_000):
        listed = watchlist(schools)
        rng = random.Random(11)
        posts = [post(rng, n, listed.schools, options.mentions) for n in range(options.posts)]
        started = time.perf_counter()
        matcher = Matcher(listed, senses)
        built = time.perf_counter() - started
        matched = sum(map(bool, matcher.match_many(posts)))

        def run(matcher: Matcher = matcher, posts: list[Post] = posts) -> None:
            matcher.match_many(posts)

        rates[schools] = rate(run, len(posts))
        patterns = len(matcher.lexis.patterns)
        speed = rates[schools]
        print(
            f"{schools:8,} {patterns:9,} {built:8.2f} {speed:9,.0f} {1e6 / speed:8.2f} {matched:8,}"
        )
    bare(posts, matcher, rates[24_000])
    print(f"cost from 10 to 24,000 schools: x{rates[10] / rates[24_000]:.2f} (at most 2)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process, bench and posts included: {peak:,.0f} MiB")
    sys.exit(rates[10] / rates[24_000] > 2)


def bare(posts: list[Post], matcher: Matcher, ours: float) -> None:
    """The same patterns over the same posts with nothing around them: as str, and as bytes."""
    folded = [
        " ".join(
            part
            for part in (each.text, each.community, each.feed_title, each.author_location)
            if part
        ).casefold()
        for each in posts
    ]
    surfaces = matcher.lexis.surfaces
    automaton = AhoCorasick(surfaces)

    def as_text() -> None:
        find = automaton.find_matches_as_indexes
        for each in folded:
            find(each, overlapping=True)

    plain = [each.encode() for each in folded]
    raw = BytesAhoCorasick([each.encode() for each in surfaces])

    def as_bytes() -> None:
        find = raw.find_matches_as_indexes
        for each in plain:
            find(each, overlapping=True)

    for name, work in (("text", as_text), ("bytes", as_bytes)):
        speed = rate(work, len(posts))
        print(
            f"bare pass over {name}: {speed:,.0f} posts/s; ours is {ours / speed:.2f} of it (0.5 asked)"
        )


if __name__ == "__main__":
    main()
