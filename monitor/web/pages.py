"""The one page that people reach from mail: it says which case, and takes "I have it".

A GET only shows: mail scanners open every link. A POST acknowledges. No page holds a post's text, a
name but the reader's, or anything from elsewhere; no script, no cookie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from monitor.web.links import Invitation, Links

HEADERS: Mapping[str, str] = {
    # https://github.com/OWASP/ASVS, 3.4: no framing, no leak of the link, nothing from elsewhere.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the page may say of a concern. `taken_by` is a name, None while nobody has it."""

    reference: str
    title: str
    reader: str
    due_at: datetime | None
    taken_by: str | None
    taken_at: datetime | None


class CaseBook(Protocol):
    """The log, as far as the page needs it."""

    def look(self, invitation: Invitation) -> Case | None:
        """The case as its reader may see it; None when there is none, or it is not theirs."""
        ...

    def acknowledge(self, invitation: Invitation) -> Case | None:
        """Give the case to its reader, unless somebody has it already; None as above."""
        ...


def application(links: Links, cases: CaseBook, show_time: Callable[[datetime], str]) -> Starlette:
    """The pages as an ASGI application. `show_time` words a time for a person."""
    environment = Environment(
        loader=PackageLoader("monitor"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["time"] = show_time
    template = environment.get_template("web/acknowledge.html.j2")

    def page(status: int = 200, **values: object) -> HTMLResponse:
        known = {"case": None, "problem": None, "just_taken": False} | values
        return HTMLResponse(template.render(known), status_code=status)

    async def acknowledge(request: Request) -> Response:
        invitation = links.read(request.path_params["token"])
        if isinstance(invitation, str):
            return page(410, problem=invitation)
        taking = request.method == "POST"
        case = await run_in_threadpool(cases.acknowledge if taking else cases.look, invitation)
        if case is None:
            return page(404, problem="There is no such case for you.")
        return page(case=case, just_taken=taking and case.taken_by == case.reader)

    return Starlette(
        routes=[Route("/a/{token}", acknowledge, methods=["GET", "POST"])],
        middleware=[Middleware(_SafeHeaders)],
    )


class _SafeHeaders(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response
