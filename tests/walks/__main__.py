"""`python -m tests.walks [PROFILE ...]`: perform the walks, and write what really happened into them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.walks.performance import WALKS, classifier, performed


def main() -> None:
    """Write the walks named on the command line, or all of them."""
    model = classifier()
    for profile in sys.argv[1:] or sorted(path.stem for path in WALKS.glob("[!R]*.md")):
        walk = WALKS / f"{profile}.md"
        with tempfile.TemporaryDirectory() as folder:
            walk.write_text(performed(profile, Path(folder), model), encoding="utf-8")
        print(f"{walk.relative_to(WALKS.parents[1])} written: read it through")


if __name__ == "__main__":
    main()
