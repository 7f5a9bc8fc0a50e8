"""Why a poll failed, with the one bit that its caller needs: is it worth trying again by itself?"""

from __future__ import annotations


class SourceError(Exception):
    """Base of both. `str(error)` is short, fit for a person, and holds no secret and no post text."""


class SourceUnavailable(SourceError):
    """The source can't be read now; it may be later. `retry_after` in seconds when the source said."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceRejected(SourceError):
    """The source refuses us (gone, forbidden, not a feed): a person has to change something."""


class SourceGone(SourceRejected):
    """What was asked for is not there, or no longer: HTTP 404 or 410."""
