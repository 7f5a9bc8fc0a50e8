"""One walk from its file, performed in a world of its own."""

from __future__ import annotations

from pathlib import Path

from classifiers.verdict import Classifier
from monitor import app
from monitor.config import ClassifierConfig
from tests.walks.document import perform
from tests.walks.trusts import TRUSTS
from tests.walks.world import world

WALKS = Path(__file__).parents[2] / "docs" / "walks"


def classifier() -> Classifier:
    """The one that the monitor takes by default, loaded."""
    built = app.build_classifier(ClassifierConfig())
    built.warm()
    return built


def performed(profile: str, folder: Path, model: Classifier) -> str:
    """The walk as it should stand."""
    text = (WALKS / f"{profile}.md").read_text(encoding="utf-8")
    with world(TRUSTS[profile], folder, model) as here:
        return perform(text, here)
