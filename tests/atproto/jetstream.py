"""Stands in for Jetstream, which is a Go program: serves its second wire from a real PDS's firehose.

    python jetstream.py ws://localhost:25821 25824

Every commit, identity and account event of the PDS becomes one frame of
network.bsky.jetstream.subscribeEvents. Cursors are sequence numbers or, from 10^15 on, microseconds of
Unix time; a sequence that was never given out starts at the tip, after an #info frame. Nothing is ever
forgotten here, so CursorTooOld can't be seen: the stand-in of tests/connectors has that.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from atproto import CAR, CID, models, parse_subscribe_repos_message
from atproto_subscription.frames import Frame
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

METHOD = "network.bsky.jetstream.subscribeEvents"
Repos = models.ComAtprotoSyncSubscribeRepos


class Log:
    """Every event so far, as (sequence, microseconds, collection or None, frame)."""

    def __init__(self) -> None:
        self.events: list[tuple[int, int, str | None, str]] = []
        self.grown = asyncio.Condition()

    async def add(
        self, kind: str, did: str, body: dict[str, Any], collection: str | None = None
    ) -> None:
        last = self.events[-1][1] if self.events else 0
        moment, seq = max(last + 1, time.time_ns() // 1000), len(self.events) + 1
        told = datetime.fromtimestamp(moment / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        head = {"$type": f"{METHOD}#{kind}", "seq": seq, "did": did, "time": told}
        frame = {"$type": "message", "payload": head | {"witnessedAt": told} | body}
        async with self.grown:
            self.events.append((seq, moment, collection, json.dumps(frame)))
            self.grown.notify_all()

    def place(self, cursor: int) -> int:
        """Where in `events` to begin."""
        column = 1 if cursor >= 10**15 else 0
        return next(
            (place for place, event in enumerate(self.events) if event[column] >= cursor),
            len(self.events),
        )


def plain(value: Any) -> Any:
    """A record as JSON writes it."""
    if isinstance(value, CID):
        return {"$link": value.encode()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode().rstrip("=")}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


async def add_message(log: Log, message: Any) -> None:
    if isinstance(message, Repos.Commit):
        blocks = CAR.from_bytes(message.blocks).blocks if message.blocks else {}
        for change in message.ops:
            collection, _, key = change.path.partition("/")
            body: dict[str, Any] = {
                "rev": message.rev,
                "operation": change.action,
                "collection": collection,
                "rkey": key,
            }
            if change.cid is not None:
                body |= {"cid": str(change.cid), "record": plain(blocks.get(change.cid))}
            await log.add("commit", message.repo, body, collection)
    elif isinstance(message, Repos.Account):
        told = {"active": message.active, "did": message.did, "seq": message.seq}
        status = {"status": message.status} if message.status else {}
        await log.add("account", message.did, {"account": told | {"time": message.time} | status})
    elif isinstance(message, Repos.Identity):
        told = {"did": message.did, "seq": message.seq, "time": message.time}
        await log.add("identity", message.did, {"identity": told})


async def read_firehose(log: Log, pds: str) -> None:
    """Follow the PDS for ever, from where it was left."""
    seq = 0
    while True:
        address = f"{pds}/xrpc/com.atproto.sync.subscribeRepos?cursor={seq}"
        try:
            async with connect(address, max_size=None) as firehose:
                async for data in firehose:
                    frame = Frame.from_bytes(data)
                    message = parse_subscribe_repos_message(frame)
                    if getattr(message, "seq", 0) > seq:
                        await add_message(log, message)
                        seq = message.seq
        except (ConnectionClosed, OSError):
            await asyncio.sleep(0.2)


async def serve_one(log: Log, socket: ServerConnection) -> None:
    asked = parse_qs(urlsplit(socket.request.path).query if socket.request else "")
    collections, cursor = asked.get("collections", []), asked.get("cursor")
    place = log.place(int(cursor[0])) if cursor else len(log.events)
    if cursor and log.events and log.events[-1][0] < int(cursor[0]) < 10**15:
        info = {"$type": f"{METHOD}#info", "name": "FutureCursor"}
        await socket.send(json.dumps({"$type": "message", "payload": info}))
    while True:
        async with log.grown:
            while len(log.events) <= place:
                await log.grown.wait()
        for _, _, collection, frame in log.events[place:]:
            place += 1
            if collection is None or not collections or collection in collections:
                await socket.send(frame)


async def main(pds: str, port: int) -> None:
    log = Log()

    async def handler(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await serve_one(log, socket)

    async with serve(handler, "127.0.0.1", port, subprotocols=["xrpc.v1.json"]):
        print("ready", flush=True)
        await read_firehose(log, pds)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
