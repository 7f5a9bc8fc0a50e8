"""Whether a reply is fit to be sent, and what must be mended."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.policy.drafts.check import DraftContext, check_draft, load_rules
from monitor.policy.drafts.rules import IN_CODE
from tests.policy.drafts import CONTEXT, RULES, TOML, cases, check, found, score

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / ".." / "shared" / "policies"
FILLED = {
    "contact": "01632 960 123 or office@larkmoor.example",
    "school": "St Mary's Primary School",
    "trust": "Larkmoor Learning Trust",
    "complaints_url": "https://larkmoortrust.example/complaints",
    "info_url": "https://larkmoortrust.example/contact",
    "rules_url": "https://larkmoortrust.example/rules",
    "topic_neutral": "the new school day",
    "reason_plain": "names a member of staff",
    "rule": "personal details",
    "date": "4 March",
    "deadline": "18 March",
}


def filled(draft):
    """A ladder's draft with every placeholder replaced."""
    return re.sub(r"\{(\w+)\}", lambda name: FILLED.get(name[1], "something"), draft)


def blocking(text, **mode):
    """The blocking findings on a draft."""
    return [finding for finding in check(text, **mode) if finding.blocking]


def ladder_drafts():
    """Every draft of our ladder files: (text, whether it is public)."""
    for path in sorted((ROOT / "monitor/data/ladders").glob("*.toml")):
        ladder = tomllib.loads(path.read_text(encoding="utf-8"))
        for rung in ladder.get("rung", []):
            for mode in ("public", "private"):
                if rung.get(mode):
                    yield pytest.param(
                        rung[mode], mode == "public", id=f"{path.stem}-{rung['id']}-{mode}"
                    )
        for number, choice in enumerate(ladder.get("choice", [])):
            for draft in choice.get("drafts", []):
                yield pytest.param(draft, True, id=f"{path.stem}-choice{number}-{len(draft)}")


@pytest.mark.parametrize(("draft", "public"), list(ladder_drafts()))
def test_the_ladders_own_drafts_pass(draft, public):
    """Nothing in the replies that we suggest ourselves blocks them."""
    assert blocking(filled(draft), public=public) == []


def test_the_published_ladders_drafts_pass():
    """Nor does anything in the drafts of the ladder that the trusts' policies were made into."""
    path = POLICIES / "ladder.json"
    if not path.is_file():
        pytest.skip("NOT CHECKED: ladder.json of the shared folder is not beside this checkout")
    ladder = json.loads(path.read_text(encoding="utf-8"))
    steps = [*ladder["steps"], *ladder["variants"].values()]
    tried = [
        blocking(filled(step[mode]), public=mode == "public")
        for step in steps
        for mode in ("public", "private")
        if step.get(mode)
    ]
    assert len(tried) >= 12
    assert [findings for findings in tried if findings] == []


@pytest.mark.parametrize("case", cases("cases.jsonl"), ids=lambda case: case.text[:40])
def test_a_bad_draft_is_never_let_through(case):
    """Each rule that a person saw broken is found, and a draft without fault is not blocked."""
    got = found(case.text, public=case.public, quoted=case.quoted)
    assert case.rules <= got
    if not any(RULES.rule[rule].blocking for rule in case.rules):
        assert not [rule for rule in got if RULES.rule[rule].blocking]


@pytest.mark.parametrize(
    ("file", "precision", "recall"),
    [
        ("cases.jsonl", 0.97, 0.99),
        # Written before the rules were tuned, and (hard) so as to slip past them: the floors are
        # what was reached after both had been seen.
        ("held_out.jsonl", 0.85, 0.95),
        ("held_out_hard.jsonl", 0.80, 0.70),
    ],
)
def test_precision_and_recall(file, precision, recall):
    """Over all labelled drafts, findings are seldom wrong and seldom missing."""
    result = score(cases(file))
    assert result.precision() >= precision, result.misses
    assert result.recall() >= recall, result.misses


@pytest.mark.parametrize("file", ["cases.jsonl", "held_out.jsonl", "held_out_hard.jsonl"])
def test_a_good_draft_is_never_blocked(file):
    """No draft that a person found fit is held back."""
    good = [case for case in cases(file) if not case.rules]
    assert len(good) >= 10
    assert [case.text for case in good if blocking(case.text, public=case.public)] == []


def test_every_rule_has_a_case():
    """No rule stands in the file without a labelled draft that breaks it."""
    labelled = {rule for case in cases("cases.jsonl") for rule in case.rules}
    assert set(RULES.rule) == labelled
    assert set(RULES.rule) >= IN_CODE


def test_each_clause_is_a_published_one():
    """The clause that a finding cites stands, word for word, in the published policies."""
    path = POLICIES / "clauses.csv"
    if not path.is_file():
        pytest.skip("NOT CHECKED: clauses.csv of the shared folder is not beside this checkout")
    with path.open(encoding="utf-8", newline="") as file:
        known = {(row["policy"], row["quote"]) for row in csv.DictReader(file)}
    cited = {(spec.policy, spec.quote) for spec in RULES.rule.values() if spec.policy}
    assert cited <= known


def test_a_finding_says_what_where_and_why():
    """A finding points at the words, says how to mend them and which clause says so."""
    text = "We're happy to help. Ring Mr Oakley on 01632 960 123."
    (finding,) = check(text)
    assert (finding.rule, finding.blocking) == ("names-a-person", True)
    assert text[slice(*finding.span)] == "Oakley"
    assert "sign as a team" in finding.why
    assert finding.source.startswith("trust-online-safety: “No reference should be made")


def test_findings_come_in_the_drafts_order():
    """What stands first is told first."""
    spans = [f.span for f in check("Mr Oakley: ring 07700 900456. That is not true. Jade said so.")]
    assert len(spans) >= 4
    assert spans == sorted(spans)


@pytest.mark.parametrize(
    ("length", "public", "expected"),
    [(300, True, False), (301, True, True), (301, False, False), (10_001, False, True)],
)
def test_length(length, public, expected):
    """A public draft holds 300 characters; a private one as many as can be checked."""
    text = ("We're glad to help. " * 600)[:length]
    assert ("too-long" in found(text, public=public)) is expected


def test_what_is_too_long_is_what_is_marked():
    """The span of an overlong draft begins where it should have ended."""
    text = "We're glad to help. " * 20
    (finding,) = [f for f in check(text) if f.rule == "too-long"]
    assert finding.span == (300, len(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("We say: thаt is nоt truе.", "argues-facts"),
        ("We say: that\u200b is n\u00adot true.", "argues-facts"),
        ("We say: ｔｈａｔ ｉｓ ｎｏｔ ｔｒｕｅ.", "argues-facts"),
        ("We care for YOUR CHILD.", "confirms-relationship"),
        ("We’re sure you’re wrong.", "argues-facts"),
        ("Ring us on 𝟎𝟕𝟕𝟎𝟎 𝟗𝟎𝟎𝟏𝟐𝟑.", "phone-number"),
        ("We gave it to Z\u0308oë and Jade.", "names-a-person"),
    ],
)
def test_disguises_change_nothing(text, rule):
    """Full-width, look-alike, accented and invisible characters hide nothing."""
    assert rule in found(text)


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("https://larkmoortrust.example/complaints", True),
        ("https://www.larkmoortrust.example/complaints.", True),
        ("https://news.fellgate.example", True),
        ("fellgate.example/options", True),
        ("http://larkmoortrust.example", False),
        ("https://notlarkmoortrust.example", False),
        ("https://larkmoortrust.example.evil.example", False),
        ("https://larkmoortrust.example@evil.example", False),
        ("https://office:pass@larkmoortrust.example", False),
        ("https://larkmoortrust.example\\@evil.example", False),
        ("https://127.1/x", False),
        ("https://0x7f000001/", False),
        ("https://[2001:db8::1]/", False),
        ("https://[nonsense/", False),
        ("https://larkmoortrust.example:bad/", False),
        ("https://lark\u200bmoortrust.example/", False),
        ("https://ｌarkmoortrust.example/", False),
        ("https://xn--lrkmoortrust-2fg.example/", False),
        ("https://bit.ly/3abc", False),
        ("bit.ly/3abc", False),
        ("bit[.]ly", False),
        ("https://fellgate.example/?session=1", False),
        ("ftp://fellgate.example/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_links(link, safe):
    """Only https, only our own hosts and what lies below them, and nothing that hides the way."""
    assert ("unsafe-link" not in found(f"We've put it on {link}")) is safe


def test_a_page_on_a_shared_site():
    """On a site that others share, only our own page may be linked."""
    context = DraftContext(hosts=frozenset({"sites.google.com/larkmoor"}))

    def safe(link):
        return "unsafe-link" not in {f.rule for f in check_draft(f"See {link}", RULES, context)}

    assert safe("https://sites.google.com/larkmoor/news")
    assert not safe("https://sites.google.com/larkmoor-gossip")
    assert not safe("https://sites.google.com/")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Ring us on 01632 960 123.", True),
        ("Ring us on 01632960123, 8am to 4pm.", True),
        ("Ring us on +44 (0)1632 960 123.", True),
        ("Ring us on 01632 960 123 (8.30 to 4).", True),
        ("Ring us on 01632 960 1234.", True),
        ("Childline is there for everyone on 0800 1111. We care.", True),
        ("Ring us on 01632 960 132.", False),
        ("Ring us on +44 7700 900123.", False),
    ],
)
def test_official_numbers(text, clean):
    """An official number may be written in any of the usual ways."""
    assert ("phone-number" not in found(text)) is clean


def test_quotations_are_of_this_post():
    """The same words are a quotation only when the post that is answered holds them."""
    said = "the whole place smells of boiled cabbage and despair"
    text = f"We're sorry that you find {said}."
    assert "quotes-the-post" not in found(text)
    assert "quotes-the-post" in found(text, quoted=(f"Honestly {said.upper()}!!",))
    assert "quotes-the-post" not in found("We're sorry about the cabbage.", quoted=(said,))


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("We met on Charlotte Road.", set()),
        ("We thank the Grace Park residents.", {"perhaps-a-name"}),
        ("We thank Mr Park.", {"names-a-person"}),
        ("We thank your son Jack Hall.", {"names-a-pupil-or-class", "confirms-relationship"}),
        ("We'll give Callum way too much.", {"names-a-person"}),
        ("We opened St Jude's hall.", set()),
        ("We love Larkmoor and Fellgate.", set()),
        ("The Petra Hollis School is ours.", {"names-a-person"}),
        ("We start at 9AM in Key Stage 2 Maths.", set()),
    ],
)
def test_places_and_people(text, rules):
    """A name that ends like a place is none; a title, a relation or the list of heads makes it one."""
    assert found(text) == rules


def test_conditions_confirm_nothing():
    """What is true of anybody says nothing about the person who wrote."""
    assert blocking("If your child was upset, we'd like to help.") == []
    assert blocking("If you like, your child may come in late.") != []


def test_without_a_context_nothing_is_official():
    """A checker that knows no contacts and no sites reports each."""
    text = "Ring us on 01632 960 123 or see https://larkmoortrust.example/complaints"
    rules = {finding.rule for finding in check_draft(text, RULES, DraftContext())}
    assert rules == {"phone-number", "unsafe-link"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("quoted_words = 6", "quoted_words = 0", "quoted_words"),
        ("longest_checked", "longest", "longest_checked"),
        ('condition = ["if"', 'condition = ["", "if"', "condition.0"),
        ('"what happened (to|with)', '"what happened (to|with', "rule.confirms-case.phrases"),
        ("[rule.placeholder]", "[rule.placeholders]", "no rule placeholder"),
        ('policy = "yes"\nquote', "quote", "rule.phone-number"),
        ('law = "Education', 'house = "x"\nlaw = "Education', "rule.confirms-staff-case"),
    ],
)
def test_bad_rules_are_refused(old, new, says):
    """A fault in the rules file is named by its key."""
    assert old in TOML
    with pytest.raises(ConfigError) as refused:
        load_rules(TOML.replace(old, new, 1))
    assert says in str(refused.value)


NEUTRAL = [
    "",
    "We're glad to help. ",
    "The hall is warm and the doors are open. ",
    "Hello. ",
    "Thank you. ",
]
BAD = [case for case in cases("cases.jsonl") if case.rules and not case.quoted]


@given(st.text(max_size=400), st.booleans(), st.text(max_size=60))
@example("\ud800 your child \udfff", True, "")
@example("İ" * 400, True, "İİ")
@example("\x00\x1b[31m", False, "")
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_checked(text, public, quoted):
    """Nothing that can be typed stops the checker, and what it marks lies in the draft."""
    findings = check(text, public=public, quoted=(quoted,))
    assert all(0 <= f.span[0] <= f.span[1] <= len(text) for f in findings)
    assert check(text, public=public, quoted=(quoted,)) == findings


@given(st.sampled_from(NEUTRAL), st.sampled_from(BAD), st.sampled_from(NEUTRAL))
@settings(max_examples=150, deadline=None)
def test_kind_words_around_it_excuse_nothing(before, case, after):
    """What blocks a draft still blocks it with neutral sentences before and after."""
    alone = {f.rule for f in blocking(case.text, public=case.public)}
    dressed = blocking(f"{before}{case.text} {after}", public=case.public)
    assert alone <= {f.rule for f in dressed}


@given(st.from_regex(r"0[1-9][0-9]{2,3} [0-9]{3} [0-9]{3,4}", fullmatch=True))
@settings(max_examples=60, deadline=None)
def test_an_official_number_may_be_given(number):
    """Adding a number to the official contacts takes away the finding, and nothing else does."""
    text = f"We're glad to help: {number}."
    plain = DraftContext()
    official = DraftContext(contacts=(f"{number} or office@larkmoor.example",))
    assert "phone-number" in {f.rule for f in check_draft(text, RULES, plain)}
    assert "phone-number" not in {f.rule for f in check_draft(text, RULES, official)}


@given(st.sampled_from(["Mr Oakley", "your son", "That is not true.", "07700 900456"]), st.data())
@settings(max_examples=60, deadline=None)
def test_invisible_characters_hide_nothing(said, drawn):
    """A zero-width character anywhere in a bad draft changes no finding."""
    text = f"We say: {said}"
    at = drawn.draw(st.integers(0, len(text)))
    unseen = drawn.draw(st.sampled_from("\u200b\u200d\u2060\ufeff\u00ad"))
    assert found(text) == found(text[:at] + unseen + text[at:])


def test_context_for_a_reply_keeps_the_rest():
    """A context made for one reply differs in its mode and its posts alone."""
    context = CONTEXT.for_reply(public=False, quoted=["a post"])
    assert (context.public, context.quoted) == (False, ("a post",))
    assert context.contacts == CONTEXT.contacts
