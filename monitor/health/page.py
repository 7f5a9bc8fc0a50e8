"""/healthz, /metrics and the canary's feed: for this machine's own eyes, on loopback only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LOOPBACK = "127.0.0.1"  # fixed: whoever wants it elsewhere puts a proxy with a password before it
# By another name a web page in somebody's browser could read it (DNS rebinding).
HOSTS = [LOOPBACK, "localhost"]
CANARY_PATH = "/canary.xml"


def application(
    told: Callable[[], dict[str, Any]], registry: CollectorRegistry, feed: Callable[[], str] | None
) -> Starlette:
    """`told` is `health.told.document` as of now; `feed` the canary's, None where there is none."""

    def healthz(_request: Request) -> Response:
        document = told()
        return JSONResponse(
            document,
            status_code=503 if document["status"] == "failing" else 200,
            headers={"Cache-Control": "no-store"},
        )

    def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    def canary(_request: Request) -> Response:
        return Response(feed() if feed else "", media_type="application/rss+xml")

    routes = [Route("/healthz", healthz), Route("/metrics", metrics)]
    if feed:
        routes.append(Route(CANARY_PATH, canary))
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)]
    )
