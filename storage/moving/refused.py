"""Why a move does not go on."""

from __future__ import annotations

from typing import Literal

Why = Literal["no_file", "other_version", "sealed", "source", "target", "not_empty", "moved", "busy", "differs"]


class MoveRefused(Exception):
    """The move stopped; nothing is lost, and the same command goes on when the reason is gone. `detail` names it."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why
        self.detail = detail
