"""The house itself: what its database and its files take, and how much room there is."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from sqlalchemy import func, select

from core.ports import Store
from gateway.config.model import Config
from storage.asked import Asked
from storage.files.address import Bucket
from storage.work.units import Units

SIZE = select(func.pg_database_size(func.current_database()))
JOURNALS = ("", "-wal", "-shm", ".sent")


def _server_bytes(reads: Asked) -> int:
    return int(reads.value(SIZE) or 0)


def _file_bytes(path: Path) -> int:
    parts = [path.with_name(path.name + suffix) for suffix in JOURNALS]
    return sum(part.stat().st_size for part in parts if part.is_file())


def _free(path: Path) -> int | None:
    """Bytes that the disk of a folder has left, None when there is no such folder."""
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


async def store_bytes(store: Store, units: Units) -> tuple[int | None, int | None]:
    """How large the database is, and how many bytes its disk has left, where that is this machine's."""
    if store.shared:
        return await units.ask(_server_bytes), None
    path = getattr(store, "path", None)
    if path is None:
        return None, None
    return await asyncio.to_thread(_file_bytes, path), await asyncio.to_thread(_free, path.parent)


async def files_free(config: Config) -> tuple[str, int | None]:
    """What kind of place files have, and how many bytes it has left, where that can be known."""
    place = config.storage.files
    if isinstance(place, Bucket):
        return "bucket", None
    return "folder", await asyncio.to_thread(_free, Path(place))
