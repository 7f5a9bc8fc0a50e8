"""`trust-monitor concerns`: one command a move, and the lists. Every move needs --who, most --why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli_options import DEFAULT_CONFIG, Case, ConfigPath, Json, Who, told

if TYPE_CHECKING:
    from monitor.commands.concerns import Office

concerns = typer.Typer(help="Work on the concern log.", no_args_is_help=True)
opinion = typer.Typer(help="A second opinion, before anything is said.", no_args_is_help=True)
concerns.add_typer(opinion, name="opinion")

Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
Viewer = Annotated[str, typer.Option("--who", help="Your id in the list of people.")]
Private = Annotated[
    bool, typer.Option("--private", help="For a private message or letter, not in public.")
]


def _office(path: Path) -> Office:
    from monitor.commands.concerns import open_office

    return open_office(path)


def _move(
    config: Path, case: str, move: str, who: str, why: str, as_json: bool, **details: str
) -> None:
    from monitor.commands.concerns_move import make_move
    from monitor.policy.life import Move

    make_move(
        _office(config),
        case,
        Move(move),
        who=who,
        why=why,
        details={key: value for key, value in details.items() if value},
        as_json=as_json,
    )


# -- lists ----------------------------------------------------------------------------------------


@concerns.command("list")
@told
def concerns_list(
    config: ConfigPath = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Closed and merged ones too.")] = False,
    state: Annotated[str, typer.Option("--state", help="Only those in this state.")] = "",
    school: Annotated[
        str, typer.Option("--school", help="Only those about this school (id).")
    ] = "",
    who: Viewer = "",
    mine: Annotated[bool, typer.Option("--mine", help="Yours, and what waits for you.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are late.")] = False,
    awaiting: Annotated[
        bool, typer.Option("--awaiting", help="Only replies and opinions in hand.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the concerns that are not closed, the most pressing first."""
    from monitor.commands.concerns_list import Wanted, show_list

    wanted = Wanted(
        state="all" if everything else state,
        school=school,
        who=who,
        mine=mine,
        overdue=overdue,
        awaiting=awaiting,
    )
    show_list(_office(config), wanted, as_json=as_json)


@concerns.command("show")
@told
def concerns_show(
    case: Case, config: ConfigPath = DEFAULT_CONFIG, who: Viewer = "", as_json: Json = False
) -> None:
    """Show one concern: posts, reasons, suggested reply, replies, history, what is next."""
    from monitor.commands.concerns_show import show_concern

    show_concern(_office(config), case, who, as_json=as_json)


@concerns.command("add")
@told
def concerns_add(
    who: Who,
    where: Annotated[
        str, typer.Option("--where", help='The place, such as "closed group of Year 6 parents".')
    ],
    text: Annotated[str, typer.Argument(help="The words, or what is to be seen.")] = "",
    seen_by: Annotated[
        str, typer.Option("--seen-by", help="Who saw it: a role, not a name.")
    ] = "a member of staff",
    seen: Annotated[
        str, typer.Option("--seen", help='When, such as "2026-03-10 09:15". Default: now.')
    ] = "",
    school: Annotated[
        list[str] | None, typer.Option("--school", help="Which school (id); may be repeated.")
    ] = None,
    author: Annotated[
        str, typer.Option("--author", help="Who appears to have written it: parent, pupil, ...")
    ] = "",
    url: Annotated[str, typer.Option("--url", help="Its address, where there is one.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="Read the words from this file.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Log what staff have seen in closed groups, mails or messages. Words only: no screenshots, and
    never of children."""
    from monitor.commands.concerns_add import Told, add, read_text

    told_ = Told(
        text=read_text(text, file),
        where=where,
        seen=seen,
        seen_by=seen_by,
        schools=tuple(school or ()),
        url=url or None,
        author=author,
    )
    add(_office(config), told_, who=who, as_json=as_json)


@concerns.command("people")
@told
def concerns_people(config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say whom the log waits for, and with what."""
    from monitor.commands.concerns_list import show_people

    show_people(_office(config), as_json=as_json)


@concerns.command("register")
@told
def concerns_register(
    config: ConfigPath = DEFAULT_CONFIG, who: Viewer = "", as_json: Json = False
) -> None:
    """Print the moderation register: what was done on our own accounts, and what was said about it."""
    from monitor.commands.concerns_list import show_register

    show_register(_office(config), who, as_json=as_json)


@concerns.command("moves")
@told
def concerns_moves(as_json: Json = False) -> None:
    """Print the table of moves: what may be done when, and what must be said with it."""
    from rich.console import Console

    from monitor.commands.concerns_list import show_moves

    show_moves(Console(), as_json=as_json)


# -- who has it -----------------------------------------------------------------------------------


@concerns.command("ack")
@told
def concerns_ack(
    case: Case, who: Who, why: Why = "", config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Say that you have it in hand."""
    _move(config, case, "acknowledge", who, why, as_json)


@concerns.command("assign")
@told
def concerns_assign(
    case: Case,
    to: Annotated[str, typer.Option("--to", help="Whom: their id.")],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Give it to somebody else."""
    _move(config, case, "assign", who, why, as_json, to=to)


@concerns.command("note")
@told
def concerns_note(
    case: Case, text: str, who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Write a note into the history."""
    _move(config, case, "note", who, text, as_json)


@opinion.command("ask")
@told
def opinion_ask(
    case: Case,
    of: Annotated[str, typer.Option("--of", help="Whom: their id.")],
    who: Who,
    why: Annotated[str, typer.Option("--why", help="Your question.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Ask a colleague; nothing is approved or sent until they have answered."""
    _move(config, case, "ask_opinion", who, why, as_json, of=of)


@opinion.command("give")
@told
def opinion_give(
    case: Case,
    who: Who,
    why: Annotated[str, typer.Option("--why", help="Your opinion.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Answer a colleague's question."""
    _move(config, case, "give_opinion", who, why, as_json)


@opinion.command("drop")
@told
def opinion_drop(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Take your own question back."""
    _move(config, case, "drop_opinion", who, why, as_json)


# -- replies --------------------------------------------------------------------------------------

Words = Annotated[
    str,
    typer.Argument(help='The words; "suggested" for the ladder\'s own, "-" for standard input.'),
]


@concerns.command("draft")
@told
def concerns_draft(
    case: Case,
    text: Words,
    who: Who,
    private: Private = False,
    why: Why = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Propose a reply for somebody else to approve. It is checked first."""
    from monitor.commands.concerns_move import draft_text

    words = draft_text(_office(config), case, who, text, private=private)
    _move(config, case, "draft", who, why, as_json, text=words, private="yes" if private else "")


@concerns.command("edit")
@told
def concerns_edit(
    case: Case,
    text: Words,
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Change the reply in hand: you become its drafter, and it is approved anew."""
    from monitor.commands.concerns_move import draft_text

    words = draft_text(_office(config), case, who, text, private=False)
    _move(config, case, "edit", who, why, as_json, text=words)


@concerns.command("approve")
@told
def concerns_approve(
    case: Case, who: Who, why: Why = "", config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Agree to a colleague's reply: a person may post it now."""
    _move(config, case, "approve", who, why, as_json)


@concerns.command("return")
@told
def concerns_return(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Hand a colleague's reply back, saying what to change."""
    _move(config, case, "return", who, why, as_json)


@concerns.command("withdraw")
@told
def concerns_withdraw(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Take the reply in hand back: it will not be posted."""
    _move(config, case, "withdraw", who, why, as_json)


@concerns.command("sent")
@told
def concerns_sent(
    case: Case,
    where: Annotated[str, typer.Option("--where", help="The link, or the place in words.")],
    who: Who,
    why: Why = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say that you posted the approved reply yourself. The program never posts."""
    _move(config, case, "sent", who, why, as_json, where=where)


@concerns.command("no-reply")
@told
def concerns_no_reply(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Decide that nothing is answered, with the reason."""
    _move(config, case, "no_reply", who, why, as_json)


# -- what has come about --------------------------------------------------------------------------


@concerns.command("record")
@told
def concerns_record(
    case: Case,
    fact: Annotated[str, typer.Argument(help="What: contacted, resolved, refused, police_told...")],
    who: Who,
    why: Why,
    agency: Annotated[str, typer.Option(help="Which police force, host, ...")] = "",
    reference: Annotated[str, typer.Option(help="Their reference, or the letter's.")] = "",
    advice: Annotated[str, typer.Option(help="Legal advice, in short.")] = "",
    where: Annotated[str, typer.Option(help="Where the evidence is kept.")] = "",
    how: Annotated[str, typer.Option(help="How contact was made: by phone, in person...")] = "",
    record: Annotated[str, typer.Option(help="Which other record has it: complaints, HR...")] = "",
    by: Annotated[str, typer.Option(help="In which role: solicitor, head, chair...")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write down what has come about. Unknown facts are answered with the list."""
    _move(
        config, case, "record", who, why, as_json,
        fact=fact, agency=agency, reference=reference, advice=advice, where=where, how=how,
        record=record, by=by,
    )  # fmt: skip


@concerns.command("flag")
@told
def concerns_flag(
    case: Case,
    flag: Annotated[str, typer.Argument(help="Which: defamation, harassment, doxxing, ...")],
    who: Who,
    why: Why,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say of the post what no classifier may say."""
    _move(config, case, "unflag" if remove else "flag", who, why, as_json, flag=flag)


@concerns.command("author")
@told
def concerns_author(
    case: Case,
    role: Annotated[str, typer.Argument(help="parent, pupil, staff, governance, press, public")],
    basis: Annotated[
        str, typer.Option("--basis", help="says_so (the post does) or reported (somebody did).")
    ],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say who the author appears to be. Nobody is ever looked up."""
    _move(config, case, "author", who, why, as_json, role=role, basis=basis)


@concerns.command("about-head")
@told
def concerns_about_head(
    case: Case,
    who: Who,
    why: Why,
    remove: Annotated[bool, typer.Option("--remove", help="It is not.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say that it is about the head: from then on it goes round them."""
    _move(config, case, "about_head", who, why, as_json, about="no" if remove else "yes")


@concerns.command("step")
@told
def concerns_step(
    case: Case,
    rung: Annotated[str, typer.Argument(help="The rung's id, such as L4.")],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Choose the ladder's rung, as far as it is open."""
    _move(config, case, "step", who, why, as_json, rung=rung)


@concerns.command("moderate")
@told
def concerns_moderate(
    case: Case,
    action: Annotated[str, typer.Argument(help="removed, hidden, blocked, restricted or reported")],
    rule: Annotated[str, typer.Option("--rule", help="Which of the page's rules it broke.")],
    audience: Annotated[str, typer.Option("--audience", help="What the audience was told.")],
    who: Who,
    why: Why,
    target: Annotated[str, typer.Option(help="What: comment, account, thread.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Enter what was done on an account of ours into the moderation register."""
    _move(
        config, case, "moderate", who, why, as_json,
        action=action, rule=rule, audience=audience, target=target,
    )  # fmt: skip


@concerns.command("impact")
@told
def concerns_impact(
    case: Case,
    support: Annotated[str, typer.Option("--support", help="What was offered to them.")],
    who: Who,
    why: Annotated[str, typer.Option("--why", help="What it did to whom it was aimed at.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Note what it did to the person it was aimed at, and the support offered. No names."""
    _move(config, case, "impact", who, why, as_json, support=support)


@concerns.command("complaint")
@told
def concerns_complaint(
    case: Case,
    reference: Annotated[str, typer.Argument(help="The open complaint's reference.")],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Tie it to a complaint that is open already."""
    _move(config, case, "link_complaint", who, why, as_json, reference=reference)


@concerns.command("hold")
@told
def concerns_hold(
    case: Case,
    who: Who,
    why: Why,
    review: Annotated[str, typer.Option("--review", help="By when to look again: a date.")] = "",
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Keep the posts as evidence beyond their time (senior leaders), or release them."""
    if release:
        _move(config, case, "release", who, why, as_json)
    else:
        _move(config, case, "hold", who, why, as_json, review=review)


@concerns.command("mistake")
@told
def concerns_mistake(
    case: Case,
    who: Who,
    why: Annotated[str, typer.Option("--why", help="What went wrong.")],
    breach: Annotated[
        bool, typer.Option("--breach", help="Personal data is concerned: for the DPO.")
    ] = False,
    fact: Annotated[str, typer.Option("--fact", help="A fact that was recorded in error.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Report a mistake or breach of ours; a fact recorded in error is annulled."""
    kind = "breach" if breach else "mistake"
    _move(config, case, "mistake", who, why, as_json, kind=kind, fact=fact)


# -- endings --------------------------------------------------------------------------------------


@concerns.command("close")
@told
def concerns_close(
    case: Case,
    who: Who,
    why: Annotated[str, typer.Option("--why", help="How it ended, in words.")],
    as_: Annotated[
        str, typer.Option("--as", help="resolved, no_action, no_contact or passed_on.")
    ] = "resolved",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """End it, and say how it ended."""
    _move(config, case, "close", who, why, as_json, closing=as_)


@concerns.command("false-alarm")
@told
def concerns_false_alarm(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """End it as judged wrongly. `evaluate --from-log` learns of it."""
    _move(config, case, "false_alarm", who, why, as_json)


@concerns.command("reopen")
@told
def concerns_reopen(
    case: Case, who: Who, why: Why, config: ConfigPath = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Take a closed one up again."""
    _move(config, case, "reopen", who, why, as_json)


@concerns.command("merge")
@told
def concerns_merge(
    case: Case,
    into: Annotated[str, typer.Option("--into", help="The case that takes it in.")],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Put all of its posts into another case, for good."""
    _move(config, case, "merge", who, why, as_json, into=into)


@concerns.command("split")
@told
def concerns_split(
    case: Case,
    posts: Annotated[str, typer.Option("--posts", help='Which: "12,15", as `show` numbers them.')],
    who: Who,
    why: Why,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Take some of its posts into a case of their own."""
    _move(config, case, "split", who, why, as_json, mentions=posts)
