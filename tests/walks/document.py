"""A walk is Markdown that is performed: posts appear, commands run, and what they say stands below them.

    ```post
    Gullhaven Town Talk · Tuesday 6 January 2026, 09:10
    The words of the post.
    ```
    ```console
    # Tuesday 6 January 2026, 09:20
    $ trust-monitor concerns ack 2026-0001 --who comms
    what it printed
    ```
    ```mail
    what was delivered since the last post or mail block
    ```

The place of a post is the forum, or "Our own page"; "· in the same thread" after the time makes it an
answer to the post before. `# 09:25` is the same day. Long commands go on after a backslash, as in a
shell; they are wrapped when they are written, and so are posts. What stands after "console" or "mail"
is for this program alone: of `concerns show` and of mail, `only="Rung,Due"` keeps the lines that begin
so with what is indented under them, `from="History"` what stands from there on; "..." marks what was
left out. `mail body` shows the words of the letters, `mail digest` the last digest to communications;
a mail block may begin with a time, too. `brief` leaves out the hint of what is next.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from tests.walks.world import LONDON, Letter, World

WIDTH = 98
CUT = "..."
_BLOCK = re.compile(r"^```(post|console|mail)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HINT = re.compile(r"^Next: .*\n", re.MULTILINE)
_OPTION = re.compile(r'(only|from)="([^"]*)"')
_FULL = "%A %d %B %Y, %H:%M"


def perform(text: str, world: World) -> str:
    """The document with what really happened in place of what it says."""

    def block(match: re.Match[str]) -> str:
        kind, options, inner = match.groups()
        said = "\n".join(_PERFORMERS[kind](world, options, inner.splitlines()))
        return f"```{kind}{options}\n{said}\n```"

    return _BLOCK.sub(block, text)


def _post(world: World, options: str, lines: Sequence[str]) -> Iterator[str]:
    place, when, *more = lines[0].split(" · ")
    if place not in {world.trust.forum, OWN_PAGE}:
        raise ValueError(f"{place}: a post stands in {world.trust.forum!r} or {OWN_PAGE!r}")
    world.letters()  # what was delivered before it is no consequence of it
    world.publish(
        "page" if place == OWN_PAGE else "forum",
        _moment(when, world),
        " ".join(lines[1:]),
        answers=more == [SAME_THREAD],
    )
    yield lines[0]
    yield from textwrap.wrap(" ".join(lines[1:]), WIDTH)


OWN_PAGE = "Our own page"
SAME_THREAD = "in the same thread"


def _console(world: World, options: str, lines: Sequence[str]) -> Iterator[str]:
    command = ""
    for line in lines:
        if line.startswith("# "):
            world.travel(_moment(line[2:], world))
            yield line
        elif line.startswith("$ ") or command:
            command += line.removesuffix("\\")
            if not line.endswith("\\"):
                yield from _typed(command)
                said = world.say(command.removeprefix("$ "))
                if "brief" in options.split():
                    said = _HINT.sub("", said)
                yield from _shown(said, options if said.startswith("Case ") else "")
                command = ""


def _typed(command: str) -> Iterator[str]:
    """The command, broken where a shell would take it so: a backslash after a space, within quotes
    and without."""
    lines = textwrap.wrap(command, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    yield from (f"{line} \\" for line in lines[:-1])
    yield lines[-1]


def _mail(world: World, options: str, lines: Sequence[str]) -> Iterator[str]:
    if lines and lines[0].startswith("# "):
        world.travel(_moment(lines[0][2:], world))
        yield lines[0]
    letters = world.letters()
    if "digest" in options.split():
        mine = [letter for letter in letters if letter.digest and "comms" in letter.to]
        yield from _told(mine[-1], options, body=True)
        return
    alerts = [letter for letter in letters if not letter.digest]
    if not alerts:
        yield "(nothing was sent)"
    for number, letter in enumerate(alerts):
        if number:
            yield ""
        yield from _told(letter, options, body="body" in options.split())


_PERFORMERS = {"post": _post, "console": _console, "mail": _mail}


def _told(letter: Letter, options: str, *, body: bool) -> Iterator[str]:
    yield f"{letter.at:%a %d %b %H:%M}  to {', '.join(letter.to)}"
    yield f"Subject: {letter.subject}"
    if body:
        yield ""
        yield from _shown(letter.body, options)


def _shown(output: str, options: str) -> Iterator[str]:
    """The lines that the block wants, wrapped as a narrow terminal would."""
    for line in _chosen(output.rstrip().splitlines(), dict(_OPTION.findall(options))):
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        whole = len(line) <= WIDTH or line[:1] in "│┃┏┡├└"
        yield from (
            [line.rstrip()]
            if whole
            else textwrap.wrap(
                line,
                WIDTH,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _chosen(lines: Sequence[str], wanted: dict[str, str]) -> Iterator[str]:
    heads = tuple(wanted["only"].split(",")) if "only" in wanted else ("",)
    begun, kept, cut = "from" not in wanted, False, False
    for line in lines:
        begun = begun or line.startswith(wanted["from"])
        belongs = kept and line.startswith("  ") and "only" in wanted
        kept = begun and (belongs or (line.startswith(heads) and bool(line or heads == ("",))))
        if kept and cut:
            yield CUT
        if kept:
            yield line
        cut = not kept and (cut or bool(line))
    if cut:
        yield CUT


def _moment(words: str, world: World) -> datetime:
    """ "Tuesday 6 January 2026, 09:15", or "09:15" on the same day. Raises ValueError for a weekday
    that is not the date's."""
    if re.fullmatch(r"\d\d:\d\d", words):
        hour, minute = map(int, words.split(":"))
        return world.now.replace(hour=hour, minute=minute, second=0)
    moment = datetime.strptime(words, _FULL).replace(tzinfo=LONDON)
    if f"{moment:%A}" != words.split(maxsplit=1)[0]:
        raise ValueError(f"{words}: that is a {moment:%A}")
    return moment
