"""Why no verdict could be given."""

from __future__ import annotations


class ClassifierError(Exception):
    """The model can't be loaded or run. The message names the file or setting and what to do."""
