"""The lexicon, on sentences written for it: each label beside twins of the same words and other meaning."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.lexicon import LexiconClassifier
from classifiers.verdict import Label, Sentiment, Severity, Verdict

LEXICON = LexiconClassifier()
T, H, A, S, X = Label.THREAT, Label.HATE, Label.ABUSE, Label.SAFEGUARDING, Label.SECURITY


def said(text: str) -> Verdict:
    return LEXICON.classify([text])[0]


def counting(text: str) -> set[Label]:
    return {label for label, score in said(text).labels.items() if score >= 0.5}


def unrot(word: str) -> str:
    """Slurs stay unreadable in this file too."""
    return codecs.decode(word, "rot13")


CARRIES = [
    (T, "I'm gonna stab that head of year on Monday"),
    (T, "Mr Pardew wants to watch his back, that's all I'm saying"),
    (T, "Someone should put a brick through the caretaker's window"),
    (T, "tick tock miss, we know where you live"),
    (T, "Brackwater Academy evacuated this morning after a bomb threat"),
    (T, "Hope you get cancer and die, Mrs Elwick"),
    (T, "i'll be waiting for him outside the gates at three, he's dead"),
    (T, "burn the school down"),
    (H, "Get these filthy immigrants out of our schools"),
    (H, f"another {unrot('cnxv')} on the governing body"),
    (H, f"what a {unrot('ergneq')} that lad is"),
    (H, "Muslims are vermin and shouldn't be allowed near a classroom"),
    (H, "Travellers are thieving scum, keep them out"),
    (A, "The head is an absolute muppet"),
    (A, "our deputy couldn't run a bath"),
    (A, "What a nasty, two-faced cow on reception"),
    (A, "head of maths, useful as a chocolate teapot. thick as mince that man"),
    (S, "my daughter came home and said she wants to die"),
    (S, "He was punched and kicked by three of them in the toilets and has concussion"),
    (S, "Year 8 girl missing since 3pm yesterday, last seen at the bus station"),
    (S, "A lad in my class pulled a knife on the bus"),
    (S, "a coach told my niece not to tell her mum about their secret game"),
    (X, "the side gate code is 4471, walk straight in"),
    (X, "staff wifi password is Bluebell7 lol"),
    (X, "hackers have leaked the pupil database with home addresses"),
    (Label.ALLEGATION, "The bursar stole the trip money and the governors covered it up"),
    (
        Label.ALLEGATION,
        "They are off rolling Year 11s before the census, managed moves left and right",
    ),
    (Label.COMPLAINT, "Emailed the office three times and still no reply. Absolute shambles."),
    (Label.COMPLAINT, "Disgusted that my son was given a detention for a missing button"),
    (
        Label.CAMPAIGN,
        "Please sign the petition and share it everywhere, protest at the gates on Friday",
    ),
    (Label.QUERY, "Does anyone know what time parents' evening starts?"),
    (
        Label.MEDIA,
        "I'm a reporter at the Fellside Herald, could parents affected get in touch for a story?",
    ),
    (Label.PRAISE, "Thank you so much to Miss Arkle, best teacher ever"),
]

NOT_CARRIED = [
    (T, "My mum will kill me when she sees this blazer"),
    (T, "Year 6 absolutely smashed it at the concert"),
    (T, "dying of laughter at the staff panto"),
    (T, "she killed that exam, so proud"),
    (T, "a bomb of a dessert from the food tech lot"),
    (T, "He is not a threat to anybody, leave the lad alone"),
    (T, "The library is under threat of closure again"),
    (T, "We made bath bombs in science club"),
    (T, "Our netball team battered them 22-4 in the final"),
    (T, "If this isn't sorted I'll see you in the small claims court"),
    (H, "Disgusting to call them vermin. Travellers are welcome here"),
    (H, "Someone shouted at my mum to go back home. That's racist and I've reported it"),
    (H, "We celebrated Eid in assembly and the food was gorgeous"),
    (H, "My son is autistic and his teacher is wonderful"),
    (A, "so fucking proud of my girl today"),
    (A, "Bloody freezing in that sports hall this morning"),
    (A, "The communication is poor and the parking is worse, please sort it out"),
    (A, "I disagree with the head's decision on uniform and I've written to the governors"),
    (S, "Found a scarf on the bus, hand knitted, it's missing its owner"),
    (S, "My lot made blood for the drama showcase out of ketchup"),
    (X, "Forgot my password for the parents' app again, third reset this week"),
    (X, "The coding club has a new morse code challenge"),
    (Label.PRAISE, "Oh great, another closure. Thank you so much for only two hours' notice"),
]


@pytest.mark.parametrize(("label", "text"), CARRIES)
def test_carries(label: Label, text: str) -> None:
    """A plain example of each label counts, from 0.5."""
    assert label in counting(text)


@pytest.mark.parametrize(("label", "text"), NOT_CARRIED)
def test_twins(label: Label, text: str) -> None:
    """The same words in another meaning don't carry the label."""
    assert label not in counting(text)


@pytest.mark.parametrize(
    "text",
    [
        "The trust has cut our bus and nobody answers the phone. Not good enough.",
        "I'm disappointed in the new behaviour policy and want a meeting with the head.",
        "Ofsted were too kind. Six supply teachers since September and no homework marked.",
        "Two stars. The dinners are cold and the office is rude.",
    ],
)
def test_lawful_criticism(text: str) -> None:
    """Criticism, however sharp, is neither abuse, hate nor threat."""
    assert not counting(text) & {T, H, A}


@pytest.mark.parametrize(
    "mask",
    [
        lambda w: w[0] + "*" + w[2:],
        " ".join,
        ".".join,
        lambda w: w.replace("e", "3").replace("a", "4"),
        lambda w: w.replace("r", "rrrr", 1),
        str.upper,
        "\u200b".join,
        lambda w: "".join(chr(ord(c) + 0xFEE0) for c in w),
    ],
)
def test_masked_slurs(mask: Callable[[str], str]) -> None:
    """A slur is seen through masks, spacing, leet, drawn-out and full-width letters, with its true span."""
    hidden = mask(unrot("ergneq"))
    text = f"that boy’s a total {hidden} mate"
    verdict = said(text)
    assert verdict.labels[H] >= 0.5
    spans = [text[e.start : e.end] for e in verdict.evidence if e.rule == "hate.slur_disability"]
    assert spans == [hidden]


def test_evidence_points_at_the_words() -> None:
    """Evidence spans are offsets into the text as given, whatever folding did before them."""
    text = "🙂🙃 Ｓｔａｆｆ… “say” ñandú 漢字 the side gate code is 4471"
    spans = [text[e.start : e.end] for e in said(text).evidence if e.label is X]
    assert "gate code is" in spans


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("Thank you, what a brilliant concert, so proud of them all ❤️", Sentiment.POSITIVE),
        ("Appalling. Fed up with being ignored by this shambles of a school.", Sentiment.NEGATIVE),
        ("The school is closed on Friday for an inset day.", Sentiment.NEUTRAL),
    ],
)
def test_sentiment(text: str, sentiment: Sentiment) -> None:
    """The likeliest sentiment is the plain one."""
    spread = said(text).sentiment
    assert max(spread, key=lambda s: spread[s]) is sentiment


def test_severity_follows_the_rule() -> None:
    """A mild insult is a concern, humiliation to drive somebody out is urgent, praise is routine."""

    def likeliest(text: str) -> Severity:
        severity = said(text).severity
        assert severity is not None
        return max(severity, key=lambda s: severity[s])

    assert likeliest("our deputy is a clueless muppet") is Severity.CONCERN
    assert likeliest("i'm gonna stab that head of year on monday") is Severity.URGENT
    assert likeliest("Thank you to all the staff for a lovely assembly") is Severity.ROUTINE


def test_end_of_a_long_post_counts() -> None:
    """A threat at the very end of a 100,000-character post is still seen, with its true span."""
    text = "The fair is on Saturday. " * 4000 + "I'm gonna stab that head of year"
    verdict = said(text)
    assert verdict.labels[T] >= 0.5
    assert any("stab" in text[e.start : e.end] for e in verdict.evidence if e.label is T)


@pytest.mark.parametrize(
    "piece",
    ["a", "kill ", "(", "* ", "r r ", "🔪", "i'll ", "gate code ", "\n", "a-", "aaa*", "mr. ", "ﷺ"],
)
def test_no_text_is_slow(piece: str) -> None:
    """A text of 100,000 characters made to trip the patterns takes under two seconds."""
    text = (piece * (100_000 // len(piece) + 1))[:100_000]
    LEXICON.warm()
    before = time.perf_counter()
    said(text)
    assert time.perf_counter() - before < 2


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=200), max_size=4))
@settings(deadline=None, max_examples=150)
def test_contract(texts: list[str]) -> None:
    """Any text gets a verdict, in order: every label, scores within 0..1, spans within the text."""
    verdicts = LEXICON.classify(texts)
    assert len(verdicts) == len(texts)
    for text, verdict in zip(texts, verdicts, strict=True):
        assert set(verdict.labels) == set(Label)
        assert all(0 <= score <= 1 for score in verdict.labels.values())
        assert sum(verdict.sentiment.values()) == pytest.approx(1)
        assert verdict.severity is not None
        assert sum(verdict.severity.values()) == pytest.approx(1)
        assert all(0 <= e.start < e.end <= len(text) for e in verdict.evidence)
        assert verdict == said(text)


NEUTRAL = [
    "The fair is on Saturday.",
    "Doors open at ten.",
    "There will be cake.",
    "Parking is on the field.",
    "My lad plays the cornet.",
    "We live near the park.",
]
THREATS = [text for label, text in CARRIES if label is T]


@given(st.sampled_from(THREATS), st.lists(st.sampled_from(NEUTRAL), min_size=1, max_size=5))
@settings(deadline=None, max_examples=80)
def test_neutral_sentences_hide_no_threat(threat: str, after: list[str]) -> None:
    """Neutral sentences after a threat never take it below where it counts."""
    assert said(f"{threat}. {' '.join(after)}").labels[T] >= 0.5


OTHER_LANGUAGES = [
    "Zabiję go jutro pod szkołą",  # Polish
    "zabije cie dyrektorze",
    "Mi ladda i ti yfory",  # Welsh
    "lladda i'r athro",
    "main tumhe jaan se maar dunga",  # Urdu
    "ohnu vadd deyanga school de bahar",  # Punjabi
    "il omor pe profesorul ala",  # Romanian
    "Nužudysiu tave",  # Lithuanian
    "Я убью его завтра возле школы",  # Russian
    "Vou matar esse diretor",  # Portuguese
    "waan ku dilayaa",  # Somali
    "Öldüreceğim seni",  # Turkish
    "سأقتلك غدا",  # Arabic
]
OTHER_PEACE = [
    "Dzień dobry, czy szkoła jest jutro otwarta?",
    "mama mnie zabije jak zobaczy te buty",
    "Bore da! Cofiwch y ffair haf",
    "kal school khula hai kya",
    "Bună ziua, la ce oră începe ședința?",
    "sheep ne Joseph nu dhakka maar ditta",
]


@pytest.mark.parametrize("text", OTHER_LANGUAGES)
def test_a_threat_word_of_another_language_is_a_doubt(text: str) -> None:
    """It doesn't count by itself, nor is it silence: triage has a rule from 0.49."""
    assert 0.49 <= said(text).labels[T] < 0.5


@pytest.mark.parametrize("text", OTHER_PEACE)
def test_other_languages_alone_are_no_doubt(text: str) -> None:
    """A harmless sentence in another language is none of triage's doubts."""
    assert said(text).labels[T] < 0.4
