"""Golden pairs: a document in tests/data/rss beside the posts that it gives."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from connectors import feed_document
from connectors.rss import Feed, to_post

DATA = Path(__file__).resolve().parents[1] / "data" / "rss"
DOCUMENTS = sorted(path for path in DATA.iterdir() if not path.name.endswith(".expected.json"))
URL = "https://feeds.example/larkmoor/feed?key=secret"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_gives_its_posts(path: Path) -> None:
    """Each document gives exactly the posts written beside it, and skips what it should."""
    kind = "application/json" if path.suffix == ".json" else "application/xml"
    document = feed_document.read(path.read_bytes(), content_type=kind, timeout_s=10)
    feed = Feed(platform="rss", url=URL, base=URL, title=document.title, community="Larkmoor")
    posts = [asdict(to_post(item, feed)) for item in document.items]
    found = {"posts": posts, "skipped": document.skipped, "broken": document.broken}
    expected = path.with_name(f"{path.name}.expected.json").read_text(encoding="utf-8")
    assert json.loads(json.dumps(found, default=str)) == json.loads(expected)
    assert "secret" not in json.dumps([post["native_id"] for post in posts])
