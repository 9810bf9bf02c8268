"""Files on the disk by content hash: written once, durable before their row says so."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def save_bytes(root: Path, data: bytes) -> str:
    """Writes the bytes under `<root>/<sha256[:2]>/<sha256>` and returns the hash; a file that is there stays."""
    sha256 = hashlib.sha256(data).hexdigest()
    place = root / sha256[:2] / sha256
    if place.exists():
        return sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(f".{secrets.token_hex(8)}.part")  # the same bytes may be under way more than once
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(place)
    return sha256
