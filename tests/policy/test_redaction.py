"""What mail may show of a post."""

from __future__ import annotations

import codecs
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.policy.redaction import LONGEST_INPUT, redact
from monitor.policy.redaction_lists import fold, word_lists

KNOWN = ("Mrs Wilhelmina Ostrander", "Tobias Quayle-Finch", "Imke Brown")
KEEP = ("Larkmoor Academy", "St Mary's", "Brackenford", "@larkmoor", "#LarkmoorFair", "Green Lane")


def masked(text, **changes):
    """The text as mail would show it."""
    return redact(text, **({"known_names": KNOWN, "keep": KEEP} | changes))


def hidden(word):
    """A word that nobody needs to read in a test."""
    return codecs.decode(word, "rot13")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr Threlkeld shouted again", "Mr [name] shouted again"),
        ("and mrs. o'shea-bright too", "and mrs. [name] too"),
        ("ask mr green or ms white", "ask mr [name] or ms [name]"),
        ("Miss Adeyemi said no", "Miss [name] said no"),
        ("I miss the old playground, sir", "I miss the old playground, sir"),
        ("Dr. J. van der Velde spoke", "Dr. [name] spoke"),
        ("Rev Pennyfather came", "Rev [name] came"),
        ("my son alfie was pushed", "my son [name] was pushed"),
        ("My daughter Xanthippe was pushed", "My daughter [name] was pushed"),
        ("a boy called tarquin did it", "a boy called [name] did it"),
        ("someone called the police", "someone called the police"),
        ("Head teacher Green lied", "Head teacher [name] lied"),
        ("Zbigniew is a bully", "[name] is a bully"),
        ("kayden smyth is a bully", "[name] is a bully"),
        ("Mark Braithwaite is a bully", "[name] is a bully"),
        ("Will the school open? Mark says no", "Will the school open? Mark says no"),
        ("I think Mark knows", "I think [name] knows"),
        ("JADE IS BEING BULLIED AT SCHOOL", "[name] IS BEING BULLIED AT SCHOOL"),
        ("Alfie's coat", "[name]'s coat"),
        ("Ask Alfie, Poppy and Sam", "Ask [name] and [name]"),
        ("Al\u200bfie was there", "[name] was there"),
        ("Zoë and ZOE", "[name] and [name]"),
        ("\u0645\u062d\u0645\u062f was there", "[name] was there"),
        ("ring 07700 900123 or +44 (0)20 7946 0018", "ring [phone] or [phone]"),
        ("mail j.bloggs@mail.example now", "mail [email] now"),
        ("see https://mail.example/a?b=c or www.x.example", "see [link] or [link]"),
        ("see larkmoor.co.uk/page", "see [link]"),
        (
            "the gate code is 4471 and the alarm 90210!",
            "the gate code is [number] and the alarm [number]!",
        ),
        (
            "since 2019 it costs £1200 at 08:30, 1,200 times",
            "since 2019 it costs £1200 at 08:30, 1,200 times",
        ),
        ("@nosy_parker and u/nosy-parker said", "[handle] and [handle] said"),
        ("@someone@masto.example said", "[handle] said"),
        ("#JusticeForAlfie", "[tag]"),
        ("#LarkmoorFair with @larkmoor", "#LarkmoorFair with @larkmoor"),
        ("they live at ZZ9 9ZZ", "they live at [postcode]"),
        (
            "Great day at Larkmoor Academy in Brackenford",
            "Great day at Larkmoor Academy in Brackenford",
        ),
        ("Thank you St Mary’s for Friday", "Thank you St Mary’s for Friday"),
        (
            "Year 6 have SATs on Monday and PE on Friday",
            "Year 6 have SATs on Monday and PE on Friday",
        ),
        ("The parking on Green Lane is a disgrace", "The parking on Green Lane is a disgrace"),
        ("wilhelmina   OSTRANDER must go", "[name] must go"),
        ("Ostrander must go", "[name] must go"),
        ("wilhelminaostrander must go", "[name] must go"),
        ("tobias quayle finch lied", "[name] lied"),
        ("Imke brown lied", "[name] lied"),
        ("Brown lied and the brown door", "[name] lied and the brown door"),
        ("late again\n\nThe bus was\tlate", "late again / The bus was late"),
        ("", ""),
    ],
)
def test_what_is_masked_and_what_is_not(text, expected):
    """People and contact details go, schools, places, days and ordinary words stay."""
    assert masked(text) == expected


@pytest.mark.parametrize(
    "said",
    [
        "shpx",
        "SHPXVAT",
        "f.h.p.k",
        "fuhhhhg",
        "ovgpurf",
        "o1gpu",
        "cnxv",
        "ergneqf",
    ],
)
def test_slurs_are_masked(said):
    """Slurs and swear words go, also drawn out, dotted or spelt with digits."""
    word = {"f.h.p.k": "s.h.p.x", "fuhhhhg": "fuuuuvg"}.get(said, said)
    assert masked(f"what a {hidden(word)} day") == "what a [slur] day"


def test_half_hidden_slurs_are_masked():
    """What the author starred out is masked when it can only be read as a slur."""
    starred = hidden("gbjryurnqf").replace("e", "*", 1)
    assert masked(f"those {starred} again") == "those [slur] again"


def test_innocent_words_are_no_slurs():
    """Places and words that merely contain a slur are left alone."""
    text = "The assistant from scunthorpe will assess the class at the cockerel grounds"
    assert masked(text) == text


def test_a_long_post_is_cut_between_words():
    """An excerpt ends with an ellipsis, not in the middle of a word or a mask."""
    said = masked("the bus was late again and " * 40, limit=50)
    assert len(said) <= 50
    assert said.endswith("…")
    assert set(said.rstrip("…").split()) <= {"the", "bus", "was", "late", "again", "and"}


texts = st.text(max_size=300) | st.lists(
    st.sampled_from(
        [
            "Mr", "mrs", "Alfie", "Threlkeld", "my", "son", "Will", "Mark", "van", "der", "Green",
            "called", "the", "School", "Larkmoor", "Academy", "St", "Mary's", "@larkmoor", "@nosy",
            "https://a.example", "07700", "900123", "[name]", "[na", ".", "/", "JADE", "J.", "…",
            "s.h.i.t", "f**k", "O'", "-", "\n", "#tag", "ZZ9", "9ZZ", "Wilhelmina", "Ostrander",
        ]
    ),
    max_size=60,
).map(" ".join)  # fmt: skip


@given(texts, st.integers(1, 300))
@example("Oak Tree " * 3, 10)
@example("[name][name]", 7)
def test_redacting_again_changes_nothing_and_the_length_is_bounded(text, limit):
    """Redaction is idempotent and never longer than asked for."""
    once = masked(text, limit=limit)
    assert len(once) <= limit
    assert "\n" not in once
    assert masked(once, limit=limit) == once


name_words = st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ÿ]{2,12}", fullmatch=True)
MASKS = {"name", "slur", "link", "email", "handle", "phone", "postcode", "tag"}


@given(
    st.lists(name_words, min_size=1, max_size=3),
    texts,
    texts,
    st.sampled_from([str.upper, str.lower, str.title, str]),
    st.sampled_from([" ", "  ", "-", "\n"]),
)
def test_no_known_name_survives(parts, before, after, spelt, gap):
    """A known name is gone, whatever stands around it and however it is written."""
    known = tuple(fold(part) for part in parts)
    assume(not MASKS & set(known))
    said = masked(
        f"{before} {gap.join(map(spelt, parts))} {after}",
        known_names=[" ".join(parts)],
        keep=["".join(parts), *KEEP],
        limit=LONGEST_INPUT,
    )
    words = [fold(word) for word in re.findall(r"[^\W\d_]+", said)]
    windows = [tuple(words[i : i + len(known)]) for i in range(len(words))]
    assert known not in windows


@given(
    st.from_regex(r"[A-Z][a-zà-ÿ]{2,10}", fullmatch=True),
    st.sampled_from(["Mr", "Mrs", "Ms", "mr"]),
)
def test_no_titled_name_survives(surname, title):
    """Whatever follows a title is masked, a watchlist term or an ordinary word included."""
    assume(fold(surname) not in MASKS)
    said = masked(f"We saw {title} {surname} at the gate", keep=[surname])
    assert surname not in re.findall(r"\w+", said.replace("We saw", ""))


def test_a_very_long_post_costs_no_more_than_its_beginning():
    """A post of a megabyte is looked at as far as an excerpt could ever reach."""
    assert len(masked("Alfie ran " * 100_000)) <= 280


def test_the_lists_agree_with_each_other():
    """No first name is called ordinary, unless it is listed as a word as well."""
    lists = word_lists()
    assert not lists.first_names & (lists.ordinary | lists.either | lists.plain)
    assert not lists.slurs & lists.ordinary
    assert lists.openers <= lists.ordinary | lists.either
