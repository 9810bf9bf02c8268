"""What the doors of channels share: a body up to a size, a word compared in constant time, a secret out of the settings."""

from __future__ import annotations

import hmac
from typing import Any

from aiohttp import web


async def read_body(request: web.Request, most: int) -> bytes | None:
    """The body, or None when it is larger than `most` bytes."""
    if (request.content_length or 0) > most:
        return None
    raw = bytearray()
    async for piece in request.content.iter_any():
        raw += piece
        if len(raw) > most:
            return None
    return bytes(raw)


def knows(secret: str, given: str) -> bool:
    """Whether somebody said the word, in constant time; nobody does where there is none."""
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def revealed(value: Any) -> str:
    """A secret of the configuration as text."""
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value or "")
