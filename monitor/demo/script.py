"""The demo's posts, read from `posts.toml`, whose head explains every key."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FeedName = Literal["gazette", "forum", "noticeboard"]
Expected = Literal["urgent", "concern", "routine", "unmatched"]


class ScriptedPost(BaseModel):
    """One post and what must become of it. `at` and `edit_at` are seconds from the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z0-9-]+$")
    feed: FeedName
    at: float = Field(ge=0)
    title: str
    author: str
    text: str
    expect: Expected
    note: str
    hours_old: float = Field(0.0, ge=0)
    dated: Literal["yes", "no", "next year"] = "yes"
    reply_to: str | None = None
    edit_at: float | None = None
    edited: str | None = None
    joins: str | None = None
    dsl_only: bool = False
    lawful: bool = False


def load_posts() -> tuple[ScriptedPost, ...]:
    """Every post of the packaged script, in the order of their appearance."""
    source = resources.files("monitor.demo").joinpath("posts.toml")
    tables = tomllib.loads(source.read_text(encoding="utf-8"))["post"]
    return tuple(
        sorted((ScriptedPost.model_validate(table) for table in tables), key=lambda post: post.at)
    )
