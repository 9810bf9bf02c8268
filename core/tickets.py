"""A ticket as everybody reads it."""

from __future__ import annotations

from typing import Any

import msgspec


class Ticket(msgspec.Struct):
    """A work item of a desk. `fields` label → text; `history` is a list of {at, what, …}."""

    number: int
    desk: str
    title: str
    text: str
    fields: dict[str, str]
    files: tuple[str, ...]
    priority: str
    status: str
    done: bool
    client: int
    conversation: int
    created_at: float
    updated_at: float
    outer_number: str = ""
    outer_link: str = ""
    private: tuple[str, ...] = ()
    history: list[dict[str, Any]] = []
