"""The concern log as people work on it: every command, what it prints, and what it never prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.verdict import Label, Severity
from monitor.cli import cli
from monitor.commands.evaluate import read_labelled
from monitor.domain import ConcernState
from monitor.policy.life import TABLE, Move
from tests.commands.log import ANSWER, Log
from tests.store.samples import NOW

ACT = ("--rule", "no abuse", "--audience", "We removed a comment that broke our rules.")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_from_acknowledging_to_closing(log: Log) -> None:
    """The whole way of a reply: taken, drafted, approved by another, posted by a person, closed."""
    case = log.opens(Label.COMPLAINT)
    assert "it is with comms" in log.say("ack", case, "--who", "comms")
    drafted = log.say("draft", case, ANSWER, "--who", "comms")
    assert "(slt-1, slt-2, head)" in drafted
    assert "approved, to be posted" in log.say("approve", case, "--who", "slt-1")
    sent = log.say("sent", case, "--who", "comms", "--where", "https://forum.example/t/7")
    assert "their turn" in sent
    log.say("record", case, "contacted", "--how", "by phone", "--who", "comms", "--why", "rang")
    log.say("record", case, "resolved", "--who", "comms", "--why", "agreed")
    closed = log.say("close", case, "--who", "comms", "--why", "settled")
    assert "closed" in closed
    assert log.concern(case).state is ConcernState.CLOSED
    assert case not in log.say("list")
    assert case in log.say("list", "--all")


@pytest.mark.parametrize(
    ("words", "rule", "told"),
    [
        (("approve", "--who", "slt-1"), "state", "Allowed now: ack, assign"),
        (("draft", "Hello.", "--who", "comms"), "state", "Allowed now"),
        (
            ("hold", "--who", "comms", "--why", "x", "--review", "2026-12-24"),
            "approver-role",
            "slt",
        ),
        (("step", "L6", "--who", "slt-1", "--why", "x"), "lawful-criticism", "POSH"),
        (("record", "replied", "--who", "slt-1", "--why", "x"), "missing-detail", "police_told"),
        (("flag", "silly", "--who", "slt-1", "--why", "x"), "missing-detail", "defamation"),
    ],
)
def test_refusals_name_rule_and_clause(
    log: Log, words: tuple[str, ...], rule: str, told: str
) -> None:
    """A refused move ends with 1 and says which rule refused it, from where, and what would do."""
    case = log.opens(Label.COMPLAINT)
    command, *rest = words
    output = log.say(command, case, *rest, status=1)
    assert f"refused by the rule {rule}" in output
    assert "Source: " in output
    assert told in output
    answer = log.runner.invoke(
        cli, ["concerns", command, case, *rest, "--json", "-c", str(log.path)]
    )
    refused = json.JSONDecoder().raw_decode(answer.stdout)[0]
    assert set(refused) == {"case", "refused", "rule", "why", "source", "allowed"}
    assert (answer.exit_code, refused["rule"]) == (1, rule)


def test_a_draft_with_a_name_is_refused(log: Log) -> None:
    """The draft check stands before every draft, and names its clause."""
    case = log.opens(Label.COMPLAINT)
    log.say("ack", case, "--who", "comms")
    output = log.say("draft", case, "Hello Mrs Arkwright.", "--who", "comms", status=1)
    assert "draft-check" in output
    assert "trust-online-safety" in output
    assert log.concern(case).replies == ()


def test_the_ladders_own_words(log: Log) -> None:
    """`draft suggested` proposes the ladder's reply; under a hard stop there is none."""
    case = log.opens(Label.COMPLAINT)
    log.say("ack", case, "--who", "comms")
    log.say("draft", case, "suggested", "--who", "comms")
    assert log.concern(case).replies[0].text == log.concern(case).suggestion.reply
    threat = log.opens(Label.THREAT, severity=Severity.URGENT)
    log.say("ack", threat, "--who", "comms")
    assert "suggests no such reply" in log.say(
        "draft", threat, "suggested", "--who", "comms", status=1
    )
    assert "hard-stop" in log.say("draft", threat, "Hello.", "--who", "comms", status=1)


def test_what_is_with_the_dsl_stays_there(log: Log) -> None:
    """Of a confidential concern no command tells others more than that it is with the DSL."""
    case = log.opens(
        Label.SAFEGUARDING, severity=Severity.URGENT, confidential=True, text="secret zebra"
    )
    for words in (("list",), ("show", case), ("show", case, "--who", "slt-1"), ("people",)):
        for form in ((), ("--json",)):
            output = log.say(*words, *form)
            assert "zebra" not in output
            assert "safeguarding" not in output.replace("safeguarding lead", "")
    (row,) = log.json("list", "--who", "slt-1")
    assert {key for key, value in row.items() if value is not None} == {"case", "with", "schools"}
    assert "confidential" in log.say("ack", case, "--who", "slt-1", status=1)
    assert "zebra" in log.say("show", case, "--who", "dsl-1")
    assert log.json("list", "--who", "dsl-2")[0]["labels"] == ["safeguarding"]


def test_what_is_about_the_head_goes_round_them(log: Log) -> None:
    """Once marked, the head sees no more than "with the chair", and the chair sees it."""
    case = log.opens(Label.ALLEGATION, text="secret zebra")
    log.say("about-head", case, "--who", "slt-1", "--why", "it names the post")
    assert "zebra" not in log.say("show", case, "--who", "head")
    assert "with the chair" in log.say("list", "--who", "head")
    assert "zebra" in log.say("show", case, "--who", "chair")


def test_views_are_written_down(log: Log) -> None:
    """Whoever reads a concern stands in its history; a refused look does not."""
    case = log.opens(Label.SAFEGUARDING, confidential=True)
    log.say("show", case, "--who", "comms")
    log.say("show", case, "--who", "dsl-1", "--json")
    assert [(e.who, e.action) for e in log.concern(case).history][1:] == [("dsl-1", "viewed")]


def test_show_tells_everything_to_who_may_see_it(log: Log) -> None:
    """`show --json` has posts, replies, history and advice; a list has no words of anybody."""
    case = log.opens(Label.COMPLAINT)
    log.say("ack", case, "--who", "comms")
    log.say("draft", case, ANSWER, "--who", "comms")
    shown = log.json("show", case, "--who", "comms")
    assert "zebra" in shown["posts"][0]["text"]
    assert shown["replies"][0]["text"] == ANSWER
    assert shown["suggestion"]["rung"] == shown["rung"] == "L1"
    assert [event["action"] for event in shown["history"]] == ["opened", "acknowledge", "draft"]
    for words in (("list", "--all"), ("people",), ("register",)):
        output = log.say(*words, "--json")
        assert "zebra" not in output
        assert ANSWER not in output
    assert "zebra" in log.say("show", case)


def test_the_history_says_who_was_told(log: Log) -> None:
    """Whom the monitor told stands there by id; what its escalation counts by does not."""
    case = log.opens(Label.THREAT)
    details = {"people": "slt-1,slt-2", "round": "1", "tier": "2", "again": "yes"}
    with log.store.begin() as rows:
        rows.concerns.note(
            log.concern(case).id,
            who="monitor",
            action="escalated",
            why="nobody answered",
            now=NOW,
            details=details,
        )
    shown = log.say("show", case, "--who", "slt-1")
    assert "escalated to slt-1, slt-2  nobody answered" in shown
    assert "tier" not in shown


def test_lists_find_whose_turn_it_is(log: Log) -> None:
    """Mine, overdue, awaiting, by state and by school: each list has what it names and no more."""
    mine, other = log.opens(Label.COMPLAINT), log.opens(Label.QUERY)
    log.say("ack", mine, "--who", "comms")
    log.say("draft", mine, ANSWER, "--who", "comms")

    def cases(*words: str) -> set[str]:
        return {row["case"] for row in log.json("list", *words)}

    assert cases() == {mine, other}
    assert cases("--mine", "--who", "comms") == {mine}
    assert cases("--mine", "--who", "slt-2") == {mine}
    assert cases("--mine", "--who", "chair") == set()
    assert cases("--awaiting") == cases("--state", "for_approval") == {mine}
    assert cases("--overdue") == {mine, other}
    assert cases("--school", "tarnside") == {mine, other}
    assert cases("--school", "elsewhere") == set()
    assert "needs --who" in log.say("list", "--mine", status=1)
    assert "--state odd" in log.say("list", "--state", "odd", status=1)
    (row,) = [row for row in log.json("people")["people"] if row["who"] == "slt-1"]
    assert row["cases"] == [{"case": mine, "state": "for_approval"}]
    assert log.json("people")["nobody_yet"] == [other]


def test_moderation_takes_two_and_is_registered(log: Log) -> None:
    """An own-account comment is moderated after evidence and a second person; the register tells the
    rule, the reason and what the audience was told."""
    case = log.opens(Label.ABUSE, own_account=True)
    act = ("moderate", case, "hidden", *ACT, "--who", "comms", "--why", "insults a person")
    assert "evidence-first" in log.say(*act, status=1)
    keep = ("--where", "the trust's drive", "--who", "comms", "--why", "kept")
    log.say("record", case, "evidence_kept", *keep)
    assert "two-people" in log.say(*act, status=1)
    log.say("record", case, "harm_confirmed", "--who", "slt-1", "--why", "read it")
    log.say(*act)
    (entry,) = log.json("register")
    assert (entry["action"], entry["rule"], entry["why"]) == (
        "hidden",
        "no abuse",
        "insults a person",
    )
    assert "broke our rules" in entry["audience"]
    assert "broke our rules" in log.say("register")


def test_merge_split_and_reopen(log: Log) -> None:
    """Posts go from case to case by their numbers, and a closed case is taken up again."""
    one, two = log.opens(Label.COMPLAINT, posts=3), log.opens(Label.QUERY)
    first = log.json("show", one)["posts"][0]["mention"]
    new = log.json("split", one, "--posts", str(first), "--who", "comms", "--why", "another matter")
    assert new["posts"] == 1
    merged = log.json("merge", new["case"], "--into", two, "--who", "comms", "--why", "the same")
    assert merged["merged_into"] == two
    assert len(log.concern(two).mentions) == 2
    log.say("close", one, "--who", "comms", "--why", "over", "--as", "no_action")
    again = log.json("reopen", one, "--who", "comms-2", "--why", "they write again")
    assert (again["state"], again["owner"]) == ("acknowledged", "comms-2")


def test_every_other_command(log: Log) -> None:
    """Opinion, edit, return, withdraw, no-reply, author, impact, complaint, hold and mistake are each
    in the history with their details."""
    case = log.opens(Label.COMPLAINT)
    by = ("--who", "comms", "--why", "so")
    slt = ("--who", "slt-1", "--why", "so")
    log.say("ack", case, "--who", "comms")
    log.say("assign", case, "--to", "comms-2", *by)
    log.say("note", case, "rang the office", "--who", "comms")
    log.say("opinion", "ask", case, "--of", "chair", *by)
    log.say("opinion", "give", case, "--who", "chair", "--why", "leave it")
    log.say("opinion", "ask", case, "--of", "chair", *by)
    log.say("opinion", "drop", case, *by)
    log.say("draft", case, ANSWER, "--who", "comms")
    log.say("edit", case, "suggested", *by)
    log.say("return", case, *slt)
    log.say("draft", case, ANSWER, "--who", "comms", "--private")
    log.say("withdraw", case, *by)
    log.say("no-reply", case, *by)
    log.say("author", case, "parent", "--basis", "says_so", *by)
    log.say("flag", case, "named_staff", *by)
    log.say("flag", case, "named_staff", "--remove", *by)
    log.say("impact", case, "--support", "a talk", *by)
    log.say("complaint", case, "C-17", *by)
    log.say("step", case, "L4", *by)
    log.say("mistake", case, "--breach", *by)
    log.say("about-head", case, *slt)
    log.say("about-head", case, "--remove", *slt)
    log.say("false-alarm", case, *by)
    done = {event.action for event in log.concern(case).history}
    elsewhere = {"approve", "sent", "record", "moderate", "hold", "release", "close", "reopen"}
    assert {move.value for move in Move} - done == elsewhere | {"merge", "split"}


def test_the_table_of_moves_is_printed(log: Log) -> None:
    """`moves` prints the table that the program decides by, without a configuration."""
    rows = json.loads(log.say("moves", "--json"))
    assert [row["move"] for row in rows] == [move.value for move in TABLE]
    assert "opinion ask" in log.say("moves")


def test_the_log_measures_the_alarms(log: Log, tmp_path: Path) -> None:
    """`evaluate --from-log` counts false and confirmed alarms; its export can be evaluated again, and
    leaves out what is with the DSL."""
    good, bad = log.opens(Label.COMPLAINT), log.opens(Label.COMPLAINT)
    log.opens(Label.QUERY)
    secret = log.opens(Label.SAFEGUARDING, confidential=True, text="secret zebra")
    log.say("close", good, "--who", "comms", "--why", "settled")
    log.say("false-alarm", bad, "--who", "comms", "--why", "another town")
    log.say("ack", secret, "--who", "dsl-1")
    log.say("false-alarm", secret, "--who", "dsl-1", "--why", "a play")
    path = tmp_path / "labelled.jsonl"
    words = ["evaluate", "--from-log", "--export", str(path), "-c", str(log.path)]
    output = CliRunner().invoke(cli, words, env={"COLUMNS": "160", "NO_COLOR": "1"}).output
    row = next(line for line in output.splitlines() if "complaint" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "complaint", "2", "1", "1", "0", "0.500",
    ]  # fmt: skip
    with path.open(encoding="utf-8") as lines:
        posts = read_labelled(lines)
    assert [(post.severity, set(post.labels)) for post in posts] == [
        (Severity.CONCERN, {Label.COMPLAINT}),
        (Severity.ROUTINE, set()),
    ]
    assert not path.stat().st_mode & 0o077
    assert CliRunner().invoke(cli, words).exit_code == 1
