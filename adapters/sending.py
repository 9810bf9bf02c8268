"""What every sender of rows shares: parts in order, files that are here, retries that spread, answers that got lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from adapters.pacing import Pacer
from core.outbox import OutboxRow, Sent
from core.ports import Files, StorageFull, Store, StoredFile

log = structlog.get_logger("frontline")

# A longer wait for the platform's limits goes back to the store instead of holding the row.
PATIENCE_SECONDS = 10.0
MOST_SECONDS = 60.0
FILE_SECONDS = 5.0
MOST_REMEMBERED = 10_000


class Stopped(Exception):
    """The row cannot go on: here is its verdict."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent.reason)
        self.sent = sent


def backoff(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4 … at most a minute. The chance in it is `later`'s."""
    return min(MOST_SECONDS, 2.0 ** min(attempts, 10))


def later(row: OutboxRow) -> float:
    """Seconds until a row is tried again after trouble on the way."""
    return backoff(row.attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing


async def pace(chat: str, pacer: Pacer) -> None:
    """Waits until the limits let a call into this chat go. Raises Stopped when that takes long, or a 429 forbids it."""
    closed = pacer.closed(chat)
    if closed:
        raise Stopped(Sent("retry", reason="waits as 429 asked", after=closed))
    wait = pacer.take(chat, PATIENCE_SECONDS)
    if wait > PATIENCE_SECONDS:
        raise Stopped(Sent("retry", reason="waits for the platform's limits", after=wait))
    if wait:
        await asyncio.sleep(wait)


async def send_parts(row: OutboxRow, count: int, store: Store, send: Callable[[int], Awaitable[str]]) -> list[str]:
    """The ids of what is shown now, part by part; what went out is written down before the next part goes."""
    ids = list(row.sent_parts)
    for index in range(len(ids), count):
        ids.append(await send(index))
        if index + 1 < count:
            row.sent_parts = tuple(ids)
            await store.progress(row)
    return ids


async def stored(file: str, store: Store, channel: str = "") -> StoredFile:
    """The row of a file that can be sent: its bytes are here, or the platform holds it for this `channel`. Raises Stopped."""
    found = await store.file(file)
    if found is None or found.error:
        raise Stopped(Sent("rejected", reason=f"there is no file {file}"))
    if not found.sha256 and not (channel and found.ref and found.channel == channel):
        raise Stopped(Sent("retry", reason=f"the file {file} is not here yet", after=FILE_SECONDS))
    return found


async def read_bytes(file: StoredFile, files: Files) -> bytes:
    """The bytes of a file that is to be sent. Raises Stopped."""
    try:
        return await files.read(file.sha256)
    except FileNotFoundError:
        raise Stopped(Sent("rejected", reason=f"the bytes of the file {file.id} are gone")) from None
    except StorageFull as full:
        raise Stopped(Sent("retry", reason=str(full), after=full.after)) from None


class Memory(dict[str, str]):
    """A few thousand newest notes; older ones are forgotten."""

    def remember(self, key: str, value: str = "") -> None:
        self.pop(key, None)
        self[key] = value
        while len(self) > MOST_REMEMBERED:
            del self[next(iter(self))]


class Doubts:
    """Calls whose answer was lost, where the platform takes no key against repeats (decision 0013): one is repeated once, so
    the client may see it twice but never misses it; lost again, the row ends as `unknown`."""

    def __init__(self) -> None:
        self._lost = Memory()

    def lost(self, row: OutboxRow, part: int, words: str) -> Sent:
        """The verdict for a part that was written and not answered."""
        key = f"{row.key}:{part}"
        if self._lost.pop(key, None) is not None:
            return Sent("unknown", reason=f"no answer twice: {words}")
        self._lost.remember(key)
        return Sent("retry", reason=f"unconfirmed: {words}", after=later(row))

    def answered(self, row: OutboxRow, part: int) -> None:
        self._lost.pop(f"{row.key}:{part}", None)


class Health:
    """Whether the platform takes our configuration; each change is told once."""

    def __init__(self, kind: str, channel: str) -> None:
        self._kind, self._channel, self._trouble = kind, channel, 0

    def bad(self, status: int) -> None:
        if self._trouble != status:
            log.error(f"{self._kind}_configuration", channel=self._channel, status=status)
        self._trouble = status

    def good(self) -> None:
        if self._trouble:
            log.info(f"{self._kind}_well_again", channel=self._channel)
            self._trouble = 0
