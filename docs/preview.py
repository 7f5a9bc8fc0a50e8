"""Writes a sample of each mail as .html and .txt into a folder, to be looked at.

From the repository's root: `python -m docs.preview FOLDER`. With `--pictures` it also draws the pictures
in docs/ (PICTURES below), by a headless Chromium; each is a browser window on one of the samples. The
texts that the tests compare lie in tests/data/mail; copy the new ones there after a wanted change.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.delivery.samples import renderer, samples

DOCS = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Picture:
    """A window of `width` x `height` pixels on the top of a sample, `dark` or light."""

    name: str
    sample: str
    width: int
    height: int
    dark: bool = False


PICTURES = (
    Picture("digest", "digest_heavy", 800, 1560),
    Picture("digest-dark", "digest", 520, 1300, dark=True),
    Picture("alert-phone", "alert_abuse", 360, 1120),
    Picture("alert-campaign", "alert_campaign", 520, 1060),
    Picture("alert-safeguarding", "alert_dsl", 520, 520),
)


def main(folder: Path, *, pictures: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rendered in samples(renderer()).items():
        (folder / f"{name}.html").write_text(rendered.html, encoding="utf-8")
        text = f"Subject: {rendered.subject}\n\n{rendered.text}"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    if pictures:
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is None:
            sys.exit(f"No browser to draw with: install one of {', '.join(BROWSERS)}.")
        for picture in PICTURES:
            draw(picture, folder, browser)


def draw(picture: Picture, folder: Path, browser: str) -> None:
    """Draw one picture into docs/. A frame, because a headless window is never narrower than 500."""
    scheme = "dark" if picture.dark else "light"
    size = f"width:{picture.width}px;height:{picture.height}px"
    frame = folder / f"{picture.name}.frame.html"
    frame.write_text(
        f'<!doctype html><html style="color-scheme:{scheme}"><body style="margin:0;overflow:hidden">'
        f'<iframe src="{picture.sample}.html" style="border:0;{size};color-scheme:{scheme}"></iframe>',
        encoding="utf-8",
    )
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(  # noqa: S603 - a browser from the PATH, on our own pages
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={profile}",
                "--allow-file-access-from-files",
                "--hide-scrollbars",
                f"--screenshot={DOCS / f'{picture.name}.png'}",
                f"--window-size={picture.width},{picture.height}",
                frame.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    frame.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), pictures="--pictures" in sys.argv[2:])
