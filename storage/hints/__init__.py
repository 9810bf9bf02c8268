"""Hints between the parts and processes of a gateway: wake-ups, presence, counts. In process, or through Redis."""

from __future__ import annotations

from core.ports import Hints
from storage.hints.local import LocalHints

__all__ = ["LocalHints", "open_hints"]


def open_hints(url: str) -> Hints:
    """The hints of a URL, not opened yet; an empty one stays in the process. Raises ValueError for another server."""
    if not url:
        return LocalHints()
    raise ValueError(f"unknown hints {url.partition(':')[0]!r}: leave the address empty")
