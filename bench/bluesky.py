"""Bluesky, measured: a network that is written to at rate, and the live stream as fast as it goes.

    tests/atproto/with-network.sh .venv/bin/python bench/bluesky.py network [--posts 10000] [--rate 200]
    .venv/bin/python bench/bluesky.py rate [--events 200000]

`network` writes to the real network that with-network.sh starts, 300 of the posts about our school, some
of them deleted again, some by accounts that leave, while the shipped connector, matcher and store collect
in another process. Polls are short here, so that the stream is taken up again several times. A mention
is timed from just before it is written to the commit that stores it.

`rate` sends made-up frames over a WebSocket on loopback, through connector and matcher. It counts this
process's own processor time, both threads, so it is the rate of one core. The network's usual load is
taken as 36 posts a second: 130,000 in a busy hour, 2.2 million a day, as a public analytics service
counted in 2026 ("ingesting 2.2M posts/day from the firehose", dev.to); its worst day, November 2024, is
taken as ten times that.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SCHOOL = Path(__file__).parents[1] / "tests/data/config/quenby.toml"
MAIL = '[mail]\nchannel = "folder"\nfolder = "mail"\nsender = "monitor@trust.example"\n'
MENTIONS, DELETED, LEAVERS, BY_LEAVERS = 300, 40, 4, 10  # ten mentions by each of four who leave
BATCH = 50  # other posts in one commit of their author's
USUAL, WORST = 36, 360  # posts a second
WIRE: Any = "xrpc.v1.json"  # Jetstream's subprotocol
THINGS = "piano skip bridge choir boiler minibus hedge kettle gate scarecrow clock".split()  # noqa: SIM905


# --- the network: its writers, a process of their own --------------------------------------------


class Writers:
    """Accounts on the network, and a journal of each mention and what became of it, as JSON lines."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal.open("w", encoding="utf-8", buffering=1)
        self._others = [self._account() for _ in range(4)]
        self._parents = [self._account() for _ in range(4)]
        self._leavers = [self._account() for _ in range(LEAVERS)]
        self._doomed: list[tuple[float, Any, str]] = []

    def write(self, posts: int, rate: float) -> None:
        """Write mentions one by one and the rest in batches, all evenly over the time it takes."""
        began = time.time()
        mentions = threading.Thread(target=self._mentions, args=(began, posts / rate))
        mentions.start()
        written = 0
        while written < posts - MENTIONS:
            time.sleep(max(began + written / rate - time.time(), 0))
            self._batch([f"My {random.choice(THINGS)}, number {written + n}" for n in range(BATCH)])
            written += BATCH
        mentions.join()
        took = time.time() - began
        time.sleep(3)  # long enough for every mention to be stored before it is withdrawn
        self._withdraw(time.time())
        for client, did in self._leavers:
            client.com.atproto.server.deactivate_account({})
            self._note(left=f"at://{did}/")
        self._note(written=written + MENTIONS, seconds=took)

    def _mentions(self, began: float, seconds: float) -> None:
        for number in range(MENTIONS):
            time.sleep(max(began + seconds * number / MENTIONS - time.time(), 0))
            leaving = number >= MENTIONS - LEAVERS * BY_LEAVERS
            self._mention(number, leaving=leaving)
            self._withdraw(time.time() - 3)

    def _mention(self, number: int, *, leaving: bool) -> None:
        author = random.choice(self._leavers if leaving else self._parents)
        text = f"Quenby Moor Academy has lost the {random.choice(THINGS)} again, number {number}"
        at = time.time()
        made = author[0].com.atproto.repo.create_record(
            {"repo": author[1], "collection": "app.bsky.feed.post", "record": _post(text)}
        )
        self._note(uri=made.uri, at=at, leaving=leaving)
        if number < DELETED:
            self._doomed.append((at, author[0], made.uri))

    def _withdraw(self, before: float) -> None:
        while self._doomed and self._doomed[0][0] <= before:
            _, client, uri = self._doomed.pop(0)
            client.delete_post(uri)
            self._note(deleted=uri)

    def _batch(self, texts: list[str]) -> None:
        client, did = random.choice(self._others)
        create = "com.atproto.repo.applyWrites#create"
        writes = [
            {"$type": create, "collection": "app.bsky.feed.post", "value": _post(text)}
            for text in texts
        ]
        client.com.atproto.repo.apply_writes({"repo": did, "writes": writes})

    def _account(self) -> tuple[Any, str]:
        from atproto import Client  # noqa: PLC0415 - in the writers' process only

        name, client = f"w{random.randrange(10**9)}", Client(os.environ["TRUST_MONITOR_TEST_PDS"])
        made = client.com.atproto.server.create_account(
            {"handle": f"{name}.test", "email": f"{name}@w.example", "password": "long-enough-1"}
        )
        client.login(f"{name}.test", "long-enough-1", fetch_bsky_profile=False)
        return client, made.did

    def _note(self, **told: Any) -> None:
        self._journal.write(json.dumps(told) + "\n")


def _post(text: str) -> dict[str, Any]:
    created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"$type": "app.bsky.feed.post", "text": text, "createdAt": created}


# --- the network: our side -----------------------------------------------------------------------


@dataclass
class Watched:
    """The connector, counting what it yields."""

    connector: Any
    platform: str = "bluesky"
    yielded: Counter[str] = field(default_factory=Counter)
    deleted: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    polls: int = 0

    def poll(self, cursor: Any, *, now: datetime) -> Iterator[Any]:
        self.polls += 1
        for batch in self.connector.poll(cursor, now=now):
            self.yielded.update(post.native_id for post in batch.posts)
            self.deleted |= set(batch.deleted)
            self.gone |= set(batch.gone)
            yield batch


def network(posts: int, rate: float, poll_s: float) -> None:
    import sqlalchemy as sa  # noqa: PLC0415

    from monitor import app, logs  # noqa: PLC0415 - not in the writers' process
    from monitor.config_file import load_config  # noqa: PLC0415
    from monitor.pipeline import Collector, Polled  # noqa: PLC0415
    from monitor.ports import SourceSpec  # noqa: PLC0415
    from monitor.store.migrate import migrate  # noqa: PLC0415
    from monitor.store.schema import mention as table  # noqa: PLC0415

    stream = os.environ.get("TRUST_MONITOR_TEST_JETSTREAM")
    if not stream:
        sys.exit("no network: run this under tests/atproto/with-network.sh")
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    path = folder / "config.toml"
    source = (
        '[[sources]]\nid = "bluesky"\nkind = "bluesky"\nallow_private = true\n'
        f'jetstream = ["{stream}"]\ntimeout_s = {poll_s}\n'
    )
    path.write_text(SCHOOL.read_text() + MAIL + source, encoding="utf-8")
    logs.configure("json", "error")
    config = load_config(path)
    built = app.build(config)
    migrate(built.database)
    spec = SourceSpec(id="bluesky", kind="bluesky", interval_s=5, fingerprint="")
    with built.store.begin() as rows:
        rows.sources.register([spec], now=datetime.now(UTC))
    watched = Watched(built.collector.sources["bluesky"].connector)
    collector = Collector(
        store=built.store,
        sources={"bluesky": Polled(id="bluesky", every_s=5, connector=watched)},
        matcher=built.collector.matcher,
        rules=built.collector.rules,
        hosts=built.collector.hosts,
        clock=lambda: datetime.now(UTC),
        wake=lambda _: None,
    )
    journal = folder / "journal"
    command = [sys.executable, __file__, "write", f"--posts={posts}", f"--rate={rate}"]
    writers = subprocess.Popen([*command, f"--journal={journal}"])
    used = time.process_time()
    quiet_at: float | None = None
    while quiet_at is None or time.time() < quiet_at:
        collector.collect("bluesky")
        if writers.poll() is not None and quiet_at is None:
            quiet_at = time.time() + 5
    used = time.process_time() - used
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    with built.database.connect() as connection:
        rows = connection.execute(
            sa.select(table.c.native_id, table.c.first_seen_at, table.c.text)
        ).all()
    report(lines, {row.native_id: row for row in rows}, watched, used)


def report(
    lines: list[dict[str, Any]], rows: dict[str, Any], watched: Watched, used: float
) -> None:
    written = {line["uri"]: line for line in lines if "uri" in line}
    deleted = {line["deleted"] for line in lines if "deleted" in line}
    left = {line["left"] for line in lines if "left" in line}
    by_leavers = {uri for uri, line in written.items() if line["leaving"]}
    end = next(line for line in lines if "written" in line)
    late = sorted(
        rows[uri].first_seen_at.replace(tzinfo=UTC).timestamp() - line["at"]
        for uri, line in written.items()
        if uri in rows
    )
    erased = {uri for uri, row in rows.items() if not row.text}
    repeated = sum(count - 1 for count in watched.yielded.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, value in (
        ("posts written", f"{end['written']:,} in {end['seconds']:.0f} s"),
        ("posts yielded by the connector", f"{len(watched.yielded):,} in {watched.polls} polls"),
        ("yielded more than once", f"{repeated}"),
        ("mentions written", f"{len(written)}"),
        ("mentions found", f"{len(written.keys() & rows.keys())}"),
        ("mentions lost", f"{len(written.keys() - rows.keys())}"),
        ("stored that are none", f"{len(rows.keys() - written.keys())}"),
        ("deleted: told by the stream", f"{len(deleted & watched.deleted)} of {len(deleted)}"),
        ("deleted: erased in the store", f"{len(deleted & erased)} of {len(deleted)}"),
        ("accounts that left: told", f"{len(left & watched.gone)} of {len(left)}"),
        ("their mentions erased in the store", f"{len(by_leavers & erased)} of {len(by_leavers)}"),
        ("written to stored, p50", f"{late[len(late) // 2]:.2f} s"),
        ("written to stored, p99", f"{late[int(len(late) * 0.99)]:.2f} s"),
        ("written to stored, slowest", f"{late[-1]:.2f} s"),
        ("processor time of the monitor", f"{used:.1f} s"),
        ("peak memory of the monitor", f"{peak:,.0f} MiB"),
    ):
        print(f"{name:<38}{value:>24}")


# --- the rate ------------------------------------------------------------------------------------


def frames(count: int, schools: Any) -> Iterator[str]:
    """Frames in the shares of a real stream, as far as known: of eleven, two delete and some have
    links, pictures or replies; one in 50 is an account event."""
    from matching import post  # noqa: PLC0415 - bench/matching.py

    rng, now = random.Random(3), datetime.now(UTC)
    kind = "network.bsky.jetstream.subscribeEvents"
    for number in range(count):
        told = (now + timedelta(milliseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        did = f"did:plc:{rng.getrandbits(110):024x}"[:32]
        event: dict[str, Any] = {"seq": number + 1, "did": did, "time": told, "witnessedAt": told}
        roll = rng.random()
        if roll < 0.02:
            body = {"account": {"active": True, "did": did, "seq": number, "time": told}}
            event |= {"$type": f"{kind}#account"} | body
        else:
            key = f"3l{rng.getrandbits(50):011x}"[:13]
            event |= {"$type": f"{kind}#commit", "rev": key, "collection": "app.bsky.feed.post"}
            event |= {"rkey": key, "operation": "delete" if roll < 0.2 else "create"}
            if roll >= 0.2:
                record = _record(rng, post(rng, number, schools, 0.001).text[:300], told)
                event |= {"record": record, "cid": "bafyrei" + "a" * 52}
        yield json.dumps({"$type": "message", "payload": event}, ensure_ascii=False)


def _record(rng: random.Random, text: str, created: str) -> dict[str, Any]:
    made: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "langs": ["en"]}
    made["createdAt"] = created
    uri = "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3labcdefghijk"
    if rng.random() < 0.45:
        ref = {"cid": "bafyrei" + "b" * 52, "uri": uri}
        made["reply"] = {"root": ref, "parent": ref}
    if rng.random() < 0.25:
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": "https://news.example/a/b/c?d=e"}
        made["facets"] = [{"index": {"byteStart": 0, "byteEnd": 4}, "features": [feature]}]
    if rng.random() < 0.25:
        image = {"$type": "blob", "ref": {"$link": "bafkrei" + "c" * 52}, "mimeType": "image/jpeg"}
        pictures = [{"alt": "A gate in the rain", "image": image | {"size": 400_000}}]
        made["embed"] = {"$type": "app.bsky.embed.images", "images": pictures}
    return made


def serve_frames(events: int) -> None:
    """Send made-up frames to whoever connects, as fast as they are taken. A process of its own."""
    sys.path.insert(0, str(Path(__file__).parent))
    from matching import watchlist  # noqa: PLC0415 - bench/matching.py
    from websockets.sync.server import serve  # noqa: PLC0415

    lines = list(frames(events, watchlist(1000).schools))

    def handler(connection: Any) -> None:
        for line in lines:
            connection.send(line)

    with serve(handler, "127.0.0.1", 0, compression=None, subprotocols=[WIRE]) as server:
        size = sum(map(len, lines)) / events
        print(server.socket.getsockname()[1], int(size), flush=True)
        server.serve_forever()


def rate(events: int) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from matching import watchlist  # noqa: PLC0415 - bench/matching.py

    from connectors.bluesky import BlueskyConnector, BlueskySettings  # noqa: PLC0415
    from monitor.policy.matching.watchlist import Matcher  # noqa: PLC0415
    from monitor.watchlist_file import load_senses  # noqa: PLC0415

    command = [sys.executable, __file__, "serve", f"--events={events}"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port, size = server.stdout.readline().split()
    url = f"ws://127.0.0.1:{port}"
    print(f"{events:,} events of {size} bytes; the usual load is {USUAL} posts/s")
    settings = BlueskySettings(jetstream=(url,), allow_private=True)
    print(f"{'':<26}{'events/s':>10}{'posts/s':>10}{'x usual':>9}{'x worst':>9}{'matched':>9}")
    try:
        for name, schools in (("decoding only", 0), ("and 30 schools", 30), ("and 1,000", 1000)):
            matcher = Matcher(watchlist(schools), load_senses()) if schools else None
            used = time.process_time()
            posts = matched = 0
            for batch in BlueskyConnector(settings, source="bench").poll({}, now=datetime.now(UTC)):
                posts += len(batch.posts)
                matched += sum(map(bool, matcher.match_many(batch.posts))) if matcher else 0
            used = time.process_time() - used
            per_s = posts / used
            print(
                f"{name:<26}{events / used:>10,.0f}{per_s:>10,.0f}{per_s / USUAL:>9,.0f}"
                f"{per_s / WORST:>9,.0f}{matched:>9,}"
            )
    finally:
        server.kill()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:,.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=["network", "rate", "write", "serve"])
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--poll-s", type=float, default=20.0)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--journal", type=Path)
    options = parser.parse_args()
    if options.what == "write":
        Writers(options.journal).write(options.posts, options.rate)
    elif options.what == "serve":
        serve_frames(options.events)
    elif options.what == "network":
        network(options.posts, options.rate, options.poll_s)
    else:
        rate(options.events)


if __name__ == "__main__":
    main()
