"""The indexer: follows what was committed into the search, beside the hot path.

What this process wrote it knows by heart; that may be lost with the process. So after every start, and now and then, all
conversations are compared with the versions that were indexed: what is missing or behind is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from core.ports import StorageFull, Store
from gateway.logs import logger
from storage.search.port import Search
from storage.search.postgres import PostgresSearch
from storage.search.sqlite import SQLiteSearch

log = logger()
GATHER = 0.1  # seconds in which changes of one conversation come together
LOOK = 2.0  # seconds between looks at tickets that changed without a conversation
OVERLAP = 60.0  # seconds that a ticket's commit may come after its moment
BATCH = 20  # conversations of one unit of indexing
PAGE = 1000  # conversations that are compared at once
REST = 0.02  # seconds that others have between two units of a long catching-up
SWEEP = 3600.0  # seconds between comparisons of everything
AGAIN = 5.0  # seconds after which what failed is tried again


def open_search(store: Store) -> Search | None:
    """The search beside a store; None for one that keeps no tables."""
    path, url = getattr(store, "path", None), getattr(store, "url", "")
    if path is not None:
        return SQLiteSearch(path, store.unclean)
    return PostgresSearch(url) if url else None


class Indexer:
    """One for a process that writes. `now` gives seconds since the epoch."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self.search: Search | None = None
        self._homes: set[int] = set()
        self._clients: set[int] = set()
        self._news = asyncio.Event()
        self._tickets_until = 0.0
        self._seen: dict[int, float] = {}  # tickets of the overlap: when each was changed
        self._swept: float | None = None
        self._after = 0  # how far the comparison of everything has come
        self.busy = False  # for who waits until everything is indexed (tests)

    async def open(self) -> None:
        """From now on changes are noted. The store is open."""
        self.search = open_search(self._store)
        if self.search is not None:
            await self.search.open()
            self._store.on_touched = self.touched

    async def close(self) -> None:
        """Before the store closes. What was noted and not indexed is found by the next start."""
        if self.search is not None:
            await self.search.close()

    def touched(self, homes: Collection[int], clients: Collection[int]) -> None:
        """These were committed."""
        self._homes.update(homes)
        self._clients.update(clients)
        self._news.set()

    @property
    def idle(self) -> bool:
        """Whether everything that was committed can be found."""
        return not (self._homes or self._clients or self.busy or self._after) and self._swept is not None

    async def run(self) -> None:
        """Runs until it is cancelled."""
        if self.search is None:
            return
        while True:
            try:
                await self._turn(self.search)
            except StorageFull as error:
                log.warning("search_waits", error=str(error))
                await asyncio.sleep(AGAIN)

    async def _turn(self, search: Search) -> None:
        self.busy = True
        try:
            await self._drain(search)
            await self._look_at_tickets(search)
            if self._after or self._swept is None or self._now() - self._swept >= SWEEP:
                await self._compare(search)
        finally:
            self.busy = False
        if not (self._homes or self._clients or self._after):
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()
        await asyncio.sleep(GATHER)

    async def _drain(self, search: Search) -> None:
        """A unit after another; one that fails is noted again."""
        while self._homes or self._clients:
            homes = [self._homes.pop() for _ in range(min(BATCH, len(self._homes)))]
            clients = [self._clients.pop() for _ in range(min(BATCH, len(self._clients)))]
            try:
                await search.follow(homes, clients, [])
            except BaseException:
                self.touched(homes, clients)
                raise
            await asyncio.sleep(REST)

    async def _look_at_tickets(self, search: Search) -> None:
        """Tickets change without a turn of their conversation. Commits are not in the order of moments: the last minute is
        looked at again."""
        since = self._tickets_until - OVERLAP
        while True:
            found = await search.changed_tickets(since, PAGE)
            fresh = [number for number, at in found if self._seen.get(number) != at]
            for start in range(0, len(fresh), BATCH):
                await search.follow([], [], fresh[start : start + BATCH])
                await asyncio.sleep(REST)
            self._seen |= dict(found)
            self._tickets_until = max([self._tickets_until, *(at for _, at in found)])
            if len(found) < PAGE or found[-1][1] <= since:
                break
            since = found[-1][1]
        self._seen = {number: at for number, at in self._seen.items() if at >= self._tickets_until - OVERLAP}

    async def _compare(self, search: Search) -> None:
        """A page of all conversations."""
        stale, self._after = await search.stale(self._after, PAGE)
        self.touched(stale, ())
        if not self._after:
            self._swept = self._now()
