"""Looks for files that no row names, and for unfinished ones that nobody will finish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from storage.files.kept import Kept, Listed

OLD_SECONDS = 86_400.0  # an upload and its row may be so far apart, at most
BATCH = 100
Named = Callable[[Sequence[str]], Awaitable[set[str]]]


class Swept(msgspec.Struct):
    """What was found, and how many of them were removed. Sizes in bytes."""

    files: int = 0
    size: int = 0
    orphans: int = 0
    orphan_size: int = 0
    unfinished: int = 0
    removed: int = 0


async def sweep(files: Kept, named: Named, now: float, remove: bool) -> Swept:
    """Counts all that is kept; with `remove`, takes away what is older than a day (`now` in seconds since 1970) and is of
    no use. `named` says which of some hashes a row names. Raises `StorageFull`."""
    swept, batch = Swept(), list[Listed]()
    before = now - OLD_SECONDS
    async for one in files.listed():
        swept.files += 1
        swept.size += one.size
        if one.at < before:
            batch.append(one)
        if len(batch) == BATCH:
            await _orphans(files, named, batch, before, remove, swept)
            batch = []
    await _orphans(files, named, batch, before, remove, swept)
    await drop_unfinished(files, before, remove, swept)
    return swept


async def _orphans(files: Kept, named: Named, batch: list[Listed], before: float, remove: bool, swept: Swept) -> None:
    known = await named([one.sha256 for one in batch]) if batch else set()
    for one in batch:
        if one.sha256 in known:
            continue
        swept.orphans += 1
        swept.orphan_size += one.size
        if remove and await files.remove(one.sha256, before):
            swept.removed += 1


async def drop_unfinished(files: Kept, before: float, remove: bool, swept: Swept) -> None:
    """Counts what was begun before that time and never finished; removes it, if that is wanted. Raises `StorageFull`."""
    for path in await files.unfinished(before):
        swept.unfinished += 1
        if remove and await files.drop(path):
            swept.removed += 1
