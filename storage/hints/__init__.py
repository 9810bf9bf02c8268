"""Hints between the parts and processes of a gateway: wake-ups, presence, counts. In process, or through Redis."""

from __future__ import annotations

from core.ports import Hints
from storage.hints.breaker import Changed
from storage.hints.local import LocalHints

__all__ = ["Changed", "LocalHints", "open_hints"]
SCHEMES = ("redis://", "rediss://", "unix://")


def open_hints(
    url: str, *, prefix: str = "frontline", salt: str = "", changed: Changed = lambda state, why: None
) -> Hints:
    """The hints of a URL, not opened yet: `redis://`, `rediss://` (TLS), `unix://`; an empty one stays in the process.

    `prefix` stands before all names on a server that others use, too; `salt` is what all processes of a deployment know
    and the server does not: counted keys are hashed with it. `changed` hears when the server is lost (`open`), answers with
    errors (`refused`), is back (`closed`), and the type of the error. Raises ValueError for an address that cannot be read.
    """
    if not url:
        return LocalHints()
    if not url.startswith(SCHEMES):
        raise ValueError(f"unknown hints {url.partition(':')[0]!r}: use redis://host:port/0 or rediss:// for TLS")
    from storage.hints.redis import RedisHints

    return RedisHints(url, prefix, salt, changed)
