"""Files on a disk: written beside, on the disk when they have their name, never half."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.ports import StorageFull

T = TypeVar("T")


async def on_disk(work: Callable[[], T]) -> T:
    """Work with the disk, in a thread. Raises `StorageFull` for what the disk refuses, FileNotFoundError as it is."""
    try:
        return await asyncio.to_thread(work)
    except FileNotFoundError:
        raise
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
    """The finished file under its name, on the disk when this returns. One that is there stays and counts as new, so that
    no sweep takes it before its row is written."""
    try:
        os.utime(place)
    except FileNotFoundError:
        _settle(part, place)
    else:
        part.unlink()


def _settle(part: Path, place: Path) -> None:
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
