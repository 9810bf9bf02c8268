"""The indexer: follows what was committed into the search, beside the hot path.

What this process wrote it knows by heart; that may be lost with the process. So after every start, and now and then, all
conversations are compared with the versions that were indexed: what is missing or behind is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from math import inf
from time import perf_counter
from typing import TypeVar

from core.ports import StorageFull, Store
from gateway.logs import logger
from storage.search.port import Search
from storage.search.postgres import PostgresSearch
from storage.search.sqlite import SQLiteSearch

T = TypeVar("T")
log = logger()
GATHER = 1.0  # seconds in which changes of one conversation come together
LOOK = 2.0  # seconds between looks at tickets that changed without a conversation
OVERLAP = 60.0  # seconds that a ticket's commit may come after its moment
PAGE = 1000  # conversations that are compared at once
PAGES = 10  # of them at most before what was committed meanwhile has its turn
REST = 0.01  # seconds that others have after a unit, at least
SHARE = 4.0  # … and so many times what it took: a burst never gets more than a fifth of the time
WITHIN = 1.0  # seconds of rest at most within a unit; `storage.postgres.links.IDLE_SECONDS` is 8
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

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        timer: Callable[[], float] = perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._now, self._timer, self._sleep = store, now, timer, sleep
        self.search: Search | None = None
        self._homes: set[int] = set()
        self._clients: set[int] = set()
        self._news = asyncio.Event()
        self._tickets_until = 0.0
        self._seen: dict[int, float] = {}  # tickets of the overlap: when each was changed
        self._swept: float | None = None
        self._since = 0.0  # when the part that is under way began
        self._after = 0  # how far the comparison of everything has come
        self._anew = 0  # how often we have begun again
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
        if self._swept is None or (self.search is not None and self.search.anew != self._anew):
            return False
        return not (self._homes or self._clients or self.busy or self._after)

    async def run(self) -> None:
        """Runs until it is cancelled."""
        if self.search is None:
            return
        while True:
            try:
                await self._turn(self.search)
            except StorageFull as error:
                log.warning("search_waits", error=str(error))
                await self._sleep(AGAIN)

    async def _turn(self, search: Search) -> None:
        self.busy = True
        if search.anew != self._anew:
            self._begin_again(search.anew)
        try:
            await self._drain(search)
            await self._look_at_tickets(search)
            if self._after or self._swept is None or self._now() - self._swept >= SWEEP:
                await self._compare(search)
        finally:
            self.busy = False
        await self._wait()

    def _begin_again(self, anew: int) -> None:
        """The search was broken and is empty now."""
        log.error("search_made_anew", count=anew)
        self._anew, self._swept, self._after = anew, None, 0
        self._tickets_until, self._seen = 0.0, {}

    async def _wait(self) -> None:
        """What is committed comes together for a while, also where there is no end of it; nothing else is waited for."""
        if not (self._homes or self._clients or self._after):
            try:
                async with asyncio.timeout(LOOK):
                    await self._news.wait()
            except TimeoutError:
                return
        if self._news.is_set():
            self._news.clear()
            await self._sleep(GATHER)

    async def _paced(self, unit: Awaitable[T]) -> T:
        """A unit of work, and the rest that others have of it: they are beside the hot path."""
        self._since = self._timer()
        done = await unit
        await self._rest()
        return done

    async def _rest(self, most: float = inf) -> None:
        await self._sleep(min(max(REST, SHARE * (self._timer() - self._since)), most))
        self._since = self._timer()

    async def _rest_within(self) -> None:
        """After a part of a unit, whose transaction is open meanwhile: the server ends one that asks nothing for long."""
        await self._rest(WITHIN)

    async def _drain(self, search: Search) -> None:
        """A unit after another of what is noted by now: what changes meanwhile comes together for the next time."""
        homes, clients, self._homes, self._clients = self._homes, self._clients, set(), set()
        while homes or clients:
            unit = _some(homes, search.unit), _some(clients, search.unit)
            try:
                await self._paced(search.follow(*unit, [], self._rest_within))
            except BaseException:
                self._homes.update(homes, unit[0])
                self._clients.update(clients, unit[1])
                raise

    async def _look_at_tickets(self, search: Search) -> None:
        """Tickets change without a turn of their conversation. Commits are not in the order of moments: the last minute is
        looked at again."""
        since = self._tickets_until - OVERLAP
        while True:
            found = await search.changed_tickets(since, PAGE)
            fresh = [number for number, at in found if self._seen.get(number) != at]
            for start in range(0, len(fresh), search.unit):
                await self._paced(search.follow([], [], fresh[start : start + search.unit], self._rest_within))
            self._seen |= dict(found)
            self._tickets_until = max([self._tickets_until, *(at for _, at in found)])
            if len(found) < PAGE or found[-1][1] <= since:
                break
            since = found[-1][1]
        self._seen = {number: at for number, at in self._seen.items() if at >= self._tickets_until - OVERLAP}

    async def _compare(self, search: Search) -> None:
        """Pages of all conversations, until one has something to read."""
        for _ in range(PAGES):
            stale, self._after = await self._paced(search.stale(self._after, PAGE))
            self._homes.update(stale)
            if stale or not self._after:
                break
        if not self._after:
            self._swept = self._now()


def _some(noted: set[int], most: int) -> list[int]:
    return [noted.pop() for _ in range(min(most, len(noted)))]
