"""`trust-monitor models`, on tiny checkpoints made here and a hub that answers on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers import conversion
from classifiers.transformer import TransformerClassifier
from classifiers.verdict import Label
from monitor.cli import cli
from tests.classifiers.test_transformer import OUR_WEIGHTS, write_checkpoint

COMMIT = "5" * 40


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["models", *words])
    return found.exit_code, " ".join(found.output.split())


def replies(folder: Path, name: str) -> dict[str, tuple[bytes, dict[str, str]]]:
    """What the hub's interface says of one model: body and headers, by path."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    about = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
    tree = [
        {"type": "file", "path": file, "size": len(content), "oid": "0" * 40}
        for file, content in files.items()
    ]
    said: dict[str, tuple[bytes, dict[str, str]]] = {
        f"/api/models/{name}/revision/{COMMIT}": (json.dumps(about).encode(), {}),
        f"/api/models/{name}/tree/{COMMIT}": (json.dumps(tree).encode(), {}),
    }
    for file, content in files.items():
        etag = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        said[f"/{name}/resolve/{COMMIT}/{file}"] = (content, headers)
    return said


@contextmanager
def hub(folder: Path, name: str) -> Iterator[str]:
    """A hub with one model, over real sockets; its address."""
    known = replies(folder, name)

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, headers = known.get(self.path.partition("?")[0], (b"", {}))
            self.send_response(200 if content else 404)
            for key, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_list_tells_what_loads_and_what_does_not(alone: Path) -> None:
    """The built-in model and the checkpoints of a folder are named, a broken one with its fault."""
    write_checkpoint(alone / "whole")
    (write_checkpoint(alone / "broken") / "model.onnx").write_bytes(b"no model")
    status, said = ask("list", "--in", str(alone), "--json")
    assert status == 0
    models = {model["name"]: model for model in json.loads(said)["models"]}
    assert models["built-in"]["problem"] is None
    assert models["whole"]["problem"] is None
    assert "model.onnx" in models["broken"]["problem"]
    assert "can't be loaded" in ask("list", "--in", str(alone))[1]


def test_fetch_brings_one_commit(alone: Path) -> None:
    """A pinned model is written whole into the new directory, and has answered once."""
    words = ["fetch", "example/tiny", "--revision", COMMIT, "--to", "got"]
    with hub(write_checkpoint(alone / "origin"), "example/tiny") as address:
        found = subprocess.run(
            [sys.executable, "-m", "monitor", "models", *words],
            env=os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(alone / "cache")},
            capture_output=True,
            check=False,
            text=True,
        )
    assert found.returncode == 0, found.stderr
    assert "loads and answers" in " ".join(found.stdout.split())
    assert (alone / "got" / "model.onnx").read_bytes() == (
        alone / "origin" / "model.onnx"
    ).read_bytes()


@pytest.mark.parametrize("revision", ["main", "5" * 39])
def test_fetch_wants_a_pinned_commit(alone: Path, revision: str) -> None:
    """A branch or half a commit is refused before anything is fetched."""
    status, said = ask("fetch", "example/tiny", "--revision", revision, "--to", "got")
    assert status == 1
    assert "40 hexadecimal digits" in said
    assert not (alone / "got").exists()


def test_export_writes_a_copy_that_agrees(alone: Path) -> None:
    """The int8 copy is loaded like any other, and how far it differs is told."""
    folder = write_checkpoint(alone / "float", weights=OUR_WEIGHTS)
    posts = alone / "posts.jsonl"
    posts.write_text('{"text": "threat now"}\n{"text": "good"}\n', encoding="utf-8")
    status, said = ask("export", str(folder), "--to", "small", "--jsonl", str(posts))
    assert status == 0, said
    assert "On 2 posts" in said
    assert "0 labels changed sides" in said
    (verdict,) = TransformerClassifier(alone / "small").classify(["threat now"])
    assert verdict.labels[Label.THREAT] > 0.5


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("export", "nowhere", "--to", "small"), "no directory"),
        (("export", "float", "--to", "full"), "isn't empty"),
        (("export", "float", "--to", "small", "--jsonl", "bad.jsonl"), "a text a line"),
        (("evaluate", "float", "--jsonl", "nowhere.jsonl"), "not a file"),
        (("evaluate", "full", "--jsonl", "good.jsonl"), "full"),
    ],
)
def test_what_cannot_be_done_says_why(alone: Path, words: tuple[str, ...], named: str) -> None:
    """A wrong directory or file is named, with exit status 1."""
    write_checkpoint(alone / "float")
    (alone / "full").mkdir()
    (alone / "full" / "other").write_text("x", encoding="utf-8")
    (alone / "bad.jsonl").write_text("[]\n", encoding="utf-8")
    (alone / "good.jsonl").write_text('{"text": "good", "severity": "routine"}\n', encoding="utf-8")
    status, said = ask(*words)
    assert status == 1, said
    assert named in said


def test_evaluate_measures_the_model_named(alone: Path) -> None:
    """Another checkpoint is judged with the rules, without touching the configuration."""
    folder = write_checkpoint(alone / "float", weights=OUR_WEIGHTS)
    posts = alone / "posts.jsonl"
    rows = [
        {"text": "threat now", "severity": "urgent", "labels": ["threat"]},
        {"text": "good", "severity": "routine", "labels": ["praise"]},
    ]
    posts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    status, said = ask("evaluate", str(folder), "--jsonl", str(posts))
    assert status == 0, said
    assert "2 posts. Severity macro-F1" in said


def test_agreement_counts_what_changed_sides(tmp_path: Path) -> None:
    """A label that crosses 0.5 is a flip, and the largest move is found."""
    loud = TransformerClassifier(write_checkpoint(tmp_path / "a", weights=OUR_WEIGHTS))
    deaf = TransformerClassifier(write_checkpoint(tmp_path / "b"))
    texts = ["threat now", "fine"]
    found = conversion.agreement(loud.classify(texts), deaf.classify(texts))
    assert found.texts == 2
    assert found.flips == 1
    assert found.largest > 0.9
