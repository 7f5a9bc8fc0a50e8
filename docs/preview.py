"""Writes a sample of each mail as .html and .txt into a folder, to be looked at.

From the repository's root: `python -m docs.preview FOLDER`. The pictures in docs/ are browser windows on
them: digest.png on digest.html, 800 pixels wide; alert-phone.png on alert.html, 360 wide. The texts
that the tests compare lie in tests/data/mail; copy the new ones there after a wanted change.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.delivery.samples import renderer, samples


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rendered in samples(renderer()).items():
        (folder / f"{name}.html").write_text(rendered.html, encoding="utf-8")
        text = f"Subject: {rendered.subject}\n\n{rendered.text}"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
