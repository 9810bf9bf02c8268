"""Files in a folder: `<root>/<sha256[:2]>/<sha256>`, written once, durable before their row says so."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.ports import StorageFull
from storage.files.kept import Kept, check_hash
from storage.files.links import KEY_BYTES, new_key

STAGING = ".staging"
KEY = ".links.key"
T = TypeVar("T")


class LocalFiles(Kept):
    """A folder of this machine, or a volume that all processes share."""

    def __init__(self, root: Path, public_url: str = "", clock: Callable[[], float] = time.time) -> None:
        super().__init__(root / STAGING, public_url, clock)
        self._root = root

    async def keep(self, data: bytes) -> str:
        return await written(lambda: self._keep(data))

    async def adopt(self, path: Path, sha256: str) -> None:
        place = place_of(self._root, check_hash(sha256))
        await written(lambda: adopt_file(path, place))

    async def path(self, sha256: str) -> Path:
        place = place_of(self._root, check_hash(sha256))
        if not await asyncio.to_thread(place.is_file):
            raise FileNotFoundError(sha256)
        return place

    async def _read_key(self) -> bytes:
        return await written(lambda: read_key(self._root / KEY, self.staging))

    def _keep(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        place = place_of(self._root, sha256)
        if not place.exists():
            adopt_file(write_part(self.staging, data), place)
        return sha256


async def written(work: Callable[[], T]) -> T:
    """Work with the disk, in a thread. Raises `StorageFull` for what the disk refuses."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise StorageFull(f"files: {error.strerror or type(error).__name__}") from error


def place_of(root: Path, sha256: str) -> Path:
    """Where the bytes with this hash lie."""
    return root / sha256[:2] / sha256


def write_part(staging: Path, data: bytes) -> Path:
    """The bytes as a file of its own among the unfinished ones: the same bytes may be under way more than once."""
    staging.mkdir(parents=True, exist_ok=True)
    part = staging / f"{secrets.token_hex(8)}.part"
    part.write_bytes(data)
    return part


def adopt_file(part: Path, place: Path) -> None:
    """The finished file under its name, on the disk when this returns; a file that is there stays."""
    if place.exists():
        part.unlink()
        return
    sync(part)
    fresh = not place.parent.exists()
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)
    sync(place.parent)
    if fresh:
        sync(place.parent.parent)


def sync(path: Path) -> None:
    """Returns when the disk has the file's bytes, or the folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_key(place: Path, staging: Path) -> bytes:
    """The key in the file; of several processes that make the first one, one wins. Only the owner may read it."""
    try:
        key = place.read_bytes()
    except FileNotFoundError:
        part = write_part(staging, new_key())
        part.chmod(0o600)
        sync(part)
        try:
            os.link(part, place)  # never over another's
        except FileExistsError:
            pass
        finally:
            part.unlink()
        sync(place.parent)
        key = place.read_bytes()
    if len(key) != KEY_BYTES:
        raise OSError(0, f"{place.name} is not a key: remove it, links given out end with it")
    return key
