"""Opaque secrets of sessions and tokens: random for whoever has them, a hash for whoever reads the database."""

from __future__ import annotations

import secrets
from hashlib import sha256

BYTES = 32  # 256 random bits: nobody guesses them, so a fast hash is enough
SESSION, TOKEN = "fls_", "flt_"  # what a leak scanner may look for


def new_secret(kind: str) -> str:
    """A new secret of a session or a token."""
    return kind + secrets.token_urlsafe(BYTES)


def digest(secret: str) -> str:
    """The SHA-256 under which it is stored (hex)."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_id() -> str:
    """The name of a session for people; it opens nothing."""
    return secrets.token_hex(8)
