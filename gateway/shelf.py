"""The shelf of editions: what was published, read and compiled once, with the older versions whose runs are alive."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from bot.book import Book
from core.deployment import Deployment
from core.ports import Bundle, Store
from gateway.edition import URGENT, Edition, compile_edition, edition_id, read_edition
from gateway.older import Versions, find_in
from gateway.uses import Runs


@dataclass
class Past:
    """What was published before: bundles, newest first, and the runs on each version."""

    bundles: list[Bundle] = field(default_factory=list)
    runs: Runs = field(default_factory=dict)

    @property
    def current(self) -> Bundle | None:
        return next((bundle for bundle in self.bundles if bundle.current), None)


class Shelf:
    """Reads and compiles off the loop, each edition once. `prefix` stands before file names in findings."""

    def __init__(self, store: Store, deployment: Deployment, prefix: str) -> None:
        self._store, self._deployment, self._prefix = store, deployment, prefix
        self._read: dict[str, Edition] = {}
        self._books: dict[str, Book] = {}

    async def past(self) -> Past:
        """What the store knows of publishing."""
        bundles = sorted(
            await self._store.bundles(), key=lambda bundle: (bundle.current, bundle.published_at), reverse=True
        )
        return Past(bundles, await self._store.live_versions())

    async def edition(self, sources: dict[str, str]) -> Edition:
        """The edition of these files, read and checked."""
        id = edition_id(sources)
        if id not in self._read:
            self._read[id] = await asyncio.to_thread(read_edition, sources, self._deployment, self._prefix)
        return self._read[id]

    async def compiled(self, edition: Edition) -> Book:
        """The book of one edition alone. Raises ValueError for one with errors."""
        if edition.id not in self._books:
            self._books[edition.id] = await asyncio.to_thread(compile_edition, edition, self._deployment)
        return self._books[edition.id]

    async def build(self, edition: Edition, past: Past, now: float) -> Book:
        """The book that serves: the edition, and older versions whose runs are alive. Raises ValueError for errors."""
        book = await self.compiled(edition)
        for older in await self.serving(edition, past, now):
            book = book.with_older(await self.compiled(older))
        if self._store.shared:  # others may begin runs on versions that have none now, until they have switched, too
            find = find_in(_within(edition, past, now), self._deployment)
            book = replace(book, versions=Versions(book.versions, find))
        return book

    async def serving(self, newest: Edition, past: Past, now: float) -> list[Edition]:
        """Older editions whose runs are alive: until the last ends, `policy.keep_old` is over, or an urgent switch."""
        wanted = {(flow, version) for flow, versions in past.runs.items() for version in versions}
        wanted -= set(newest.versions.items())
        kept: list[Edition] = []
        for bundle in _within(newest, past, now):
            if wanted & set(bundle.versions.items()):
                edition = await self.edition(bundle.sources)
                if edition.sound:
                    kept.append(edition)
                    wanted -= set(bundle.versions.items())
        return kept

    def forget(self, needed: Collection[str]) -> None:
        """Keeps only these editions in memory."""
        self._read = {id: one for id, one in self._read.items() if id in needed}
        self._books = {id: one for id, one in self._books.items() if id in needed}


def _within(newest: Edition, past: Past, now: float) -> list[Bundle]:
    """Older bundles whose runs may go on, newest first."""
    library, found = newest.require(), list[Bundle]()
    for after, bundle in zip(past.bundles, past.bundles[1:], strict=False):
        if URGENT in after.sources or now - after.published_at > library.bot.policy.keep_old:
            break
        found.append(bundle)
    return found
