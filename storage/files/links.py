"""Signed addresses of files: whoever holds one may fetch the file until it ends, nobody can make one up."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import quote

KEY_BYTES = 32
LONGEST_UNTIL = 12  # digits of a time in seconds since 1970: more is nonsense


def new_key() -> bytes:
    """A key to sign with: 256 random bits."""
    return secrets.token_bytes(KEY_BYTES)


def render_link(base: str, key: bytes, file_id: str, until: int) -> str:
    """`<base>/files/<id>?until=…&signature=…`; `until` in whole seconds since 1970, UTC."""
    path = quote(file_id, safe="")
    return f"{base}/files/{path}?until={until}&signature={signature(key, file_id, str(until))}"


def signature(key: bytes, file_id: str, until: str) -> str:
    """Hex HMAC-SHA256 of the end and the file; the end is all digits, so the two cannot run into each other."""
    return hmac.new(key, f"{until}\n{file_id}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def is_open(key: bytes, file_id: str, until: str, given: str, now: float) -> bool:
    """Whether the signature fits and the end has not come (`now` in seconds since 1970); compared in constant time."""
    if not (until.isascii() and until.isdigit() and len(until) <= LONGEST_UNTIL):
        return False
    fits = hmac.compare_digest(signature(key, file_id, until).encode(), given.encode("utf-8", "replace"))
    return fits and now < int(until)
