"""Signatures of webhooks as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over `id.timestamp.body`. Pure.

The specification's own library signs text only (uploads are bytes), knows one secret and no clock but the machine's; it
judges ours in the tests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64  # of a secret; the specification's bounds
TOLERANCE = 300.0  # seconds that a timestamp may lie behind or ahead; the specification's libraries have the same
MOST_SIGNATURES = 8  # of one header: nobody rotates faster
# No full stop: it parts the signed text (specification, "Signature scheme").
ID = re.compile(r"[!-\-/-~]{1,200}")
TIME = re.compile(r"[0-9]{1,12}")


class Unsigned(Exception):
    """A request that is not from whom it should be, or not from now. `what` is the word of the counter."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what


def parse_secret(text: str) -> bytes:
    """The key behind `whsec_<base64>`. Raises ValueError, whose text shows nothing of it."""
    if not text.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    bare = text[len(PREFIX) :]
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what follows the prefix is not base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"a secret has {LEAST_BYTES} to {MOST_BYTES} bytes")
    return key


def is_secret(text: str) -> bool:
    """Whether it can be signed with."""
    try:
        return bool(parse_secret(text))
    except ValueError:
        return False


class Signer:
    """Signs and checks with one or two keys: while a secret is changed, the newer one and the one before."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def headers(self, id: str, at: float, body: bytes) -> dict[str, str]:
        """The three headers of a request. `at` is in seconds since the epoch, now."""
        stamp = str(int(at))
        signatures = " ".join(f"v1,{_encoded(key, id, stamp, body)}" for key in self._keys)
        return {ID_HEADER: id, TIME_HEADER: stamp, SIGNATURE_HEADER: signatures}

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """The id of a request that is signed and of now. Raises `Unsigned`.

        The signature comes first: who cannot sign learns nothing about our clock.
        """
        id, stamp = precheck(headers)
        given = headers.get(SIGNATURE_HEADER, "").split(" ")[:MOST_SIGNATURES]
        if not self._signed(id, stamp, body, given):
            raise Unsigned("wrong_secret", "no signature fits the body")
        if abs(now - int(stamp)) > TOLERANCE:
            raise Unsigned("replay", f"{TIME_HEADER} is more than {TOLERANCE:g} seconds away")
        return id

    def _signed(self, id: str, stamp: str, body: bytes, given: Sequence[str]) -> bool:
        """Every given signature is held against every key, so that the time tells nothing."""
        found = False
        for key in self._keys:
            wanted = f"v1,{_encoded(key, id, stamp, body)}".encode()
            for one in given:
                found |= hmac.compare_digest(wanted, one.encode("utf-8", "replace"))
        return found


def precheck(headers: Mapping[str, str]) -> tuple[str, str]:
    """Id and timestamp of headers that could be signed, before a body is read. Raises `Unsigned`."""
    missing = [name for name in (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER) if not headers.get(name)]
    if missing:
        raise Unsigned("wrong_secret", f"the header {missing[0]} is missing")
    id, stamp = headers[ID_HEADER], headers[TIME_HEADER]
    if not ID.fullmatch(id):
        raise Unsigned("wrong_secret", f"{ID_HEADER} is 1 to 200 visible ASCII characters without a full stop")
    if not TIME.fullmatch(stamp):
        raise Unsigned("wrong_secret", f"{TIME_HEADER} is a whole number of seconds since 1970")
    return id, stamp


def _encoded(key: bytes, id: str, stamp: str, body: bytes) -> str:
    mac = hmac.new(key, f"{id}.{stamp}.".encode(), hashlib.sha256)
    mac.update(body)
    return base64.b64encode(mac.digest()).decode()
