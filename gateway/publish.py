"""Publishing: edited flows go live only when they are sound and tested, in one switch; running dialogues keep theirs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from watchfiles import awatch

from bot.book import Book
from core.deployment import Deployment
from core.findings import Finding
from core.ports import Bundle, Hints, StorageFull, Store
from gateway.config.model import Config
from gateway.deployment import build_deployment, build_house
from gateway.edition import (
    URGENT,
    Edition,
    Urgency,
    compile_edition,
    edition_id,
    files_of,
    folder_time,
    play_tests,
    read_folder,
    render_failure,
    shown_prefix,
)
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.presence import find_processes, say_present
from gateway.shelf import Past, Shelf
from gateway.uses import check_uses

log = logger()
KEPT_FOR_ROLLBACK = 20  # bundles
RETIRE_MS = 600_000  # how often ended versions are looked for
DEBOUNCE_MS = 150  # an editor's several writes are one save
FOLLOW_SECONDS = 1.0  # how often a process of several looks for what others have published


class Unpublishable(ValueError):
    """There is nothing that could serve clients. `findings` say why."""

    def __init__(self, findings: list[Finding], failures: list[str]) -> None:
        super().__init__("the flows cannot be published")
        self.findings, self.failures = findings, failures


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. `failures` are failed tests, for people; without findings and failures it is live."""

    id: str
    changed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    failures: tuple[str, ...] = ()
    tests: int = 0
    seconds: float = 0.0

    @property
    def live(self) -> bool:
        """Whether the edition serves now."""
        return not self.failures and not any(finding.level == "error" for finding in self.findings)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Publisher:
    """Owns the book that serves. `on_switch` is called right after a new one does."""

    def __init__(
        self,
        store: Store,
        config: Config,
        deployment: Deployment | None = None,
        *,
        on_switch: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
        now: Callable[[], datetime] = _utc_now,
        hints: Hints | None = None,
    ) -> None:
        self._store, self._config, self._hints = store, config, hints
        self._deployment = deployment or build_deployment(config)
        self._on_switch, self._metrics, self._now = on_switch, metrics, now
        self._prefix = shown_prefix(config.flows)
        self._lock = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._book: Book | None = None
        self._shelf = Shelf(store, self._deployment, self._prefix)
        self._tried: tuple[object, ...] = ()
        self._followed = ("", 0.0)  # the bundle that this process has seen last, whether it could serve it or not
        self._news = asyncio.Event()
        self.behind = ""  # the current edition, while this process cannot serve it
        self.refused: Outcome | None = None  # the last attempt, while it is not live

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the deployment, by name."""
        return tuple(self._deployment.lines)

    @property
    def book(self) -> Book:
        """The flows that serve. Raises LookupError before `start`."""
        if self._book is None:
            raise LookupError("no flows are published yet")
        return self._book

    # --- start, watch, stop ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Serve what was published, or the folder when that is newer (`publish: auto`) or nothing was yet.

        Raises Unpublishable when neither can serve, or when live runs need what the configuration has lost.
        """
        past = await self._shelf.past()
        await self._require_uses(past)
        current = past.current
        outcome: Outcome | None = None
        if current is None or await self._is_news(past, current):
            outcome = await self.publish()
        if self._book is None and current is not None:
            await self._serve_published(current, past)
        if self._book is None:
            raise Unpublishable(list(outcome.findings if outcome else ()), list(outcome.failures if outcome else ()))
        await self._say_present()

    async def _is_news(self, past: Past, current: Bundle) -> bool:
        """Whether a start publishes the folder over the current bundle (`publish: auto`).

        One of several machines must not put an old folder live: the folder has to be new to the store, and changed after
        the last publishing.
        """
        if self._config.publish != "auto" or not self._store.shared:
            return self._config.publish == "auto"
        self._tried = await asyncio.to_thread(self._folder_state)
        if self._tried[0] == current.id:
            return False
        known = self._tried[0] in {bundle.id for bundle in past.bundles}
        news = not known and await asyncio.to_thread(folder_time, self._config.flows) > current.published_at
        if not news:
            log.warning("folder_not_published", version=self._tried[0], status="older than what serves")
        return news

    async def _serve_published(self, current: Bundle, past: Past) -> None:
        edition = await self._shelf.edition(current.sources)
        if not edition.sound:
            raise Unpublishable(edition.errors, [])
        self._followed = (current.id, current.published_at)
        await self._serve(edition, past)

    async def _require_uses(self, past: Past) -> None:
        live = {pair for flow, versions in past.runs.items() for pair in ((flow, version) for version in versions)}
        needed = [
            await self._shelf.edition(bundle.sources) for bundle in past.bundles if live & set(bundle.versions.items())
        ]
        gone = {one.line("en"): one for one in check_uses(needed, self._prefix, past.runs, "config.yaml")}
        if gone:
            raise Unpublishable(list(gone.values()), [])

    async def watch(self) -> None:
        """Publish every valid save within a second (`publish: auto`), let go of ended versions, serve what other processes
        have published; until `stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_folder())
            if self._store.shared:
                group.create_task(self._follow())

    async def _watch_folder(self) -> None:
        retired = self._now()
        async for changed in self._changes():
            if changed and self._config.publish == "auto":
                await self._publish_if_new()
            if not changed or (self._now() - retired).total_seconds() * 1000 >= RETIRE_MS:
                await self.retire()
                retired = self._now()

    def _changes(self) -> AsyncIterator[Any]:
        if not self._config.flows.is_dir():  # a machine that serves what others publish needs no folder
            return self._resting()
        return awatch(
            self._config.flows,
            stop_event=self._stopped,
            debounce=DEBOUNCE_MS,
            step=30,
            rust_timeout=RETIRE_MS,
            yield_on_timeout=True,
            recursive=True,
        )

    async def _resting(self) -> AsyncIterator[Any]:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETIRE_MS / 1000):
                    await self._stopped.wait()
                return
            yield set()

    async def _publish_if_new(self) -> None:
        if await asyncio.to_thread(self._folder_state) != self._tried:
            await self.publish()

    def stop(self) -> None:
        """End `watch`."""
        self._stopped.set()
        self._news.set()

    # --- several processes ---------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        unlisten = self._hints.listen("flows", lambda _: self._news.set()) if self._hints else None
        try:
            while not self._stopped.is_set():
                self._news.clear()
                with contextlib.suppress(StorageFull):  # the old flows serve on; asked again in a second
                    await self.catch_up()
                await self._say_present()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOW_SECONDS):
                        await self._news.wait()
        finally:
            if unlisten:
                unlisten()

    async def catch_up(self) -> None:
        """Serve what others have published since. What cannot be compiled here leaves the flows from before serving.

        Raises StorageFull while the store is away.
        """
        if await self._store.current_bundle() == self._followed:
            return
        async with self._lock:
            past = await self._shelf.past()
            current = past.current
            if current is None or (current.id, current.published_at) == self._followed:
                return
            edition = await self._shelf.edition(current.sources)
            if not edition.sound:
                self._fall_behind(edition)
            else:
                await self._serve(edition, past)
                log.info("followed", version=edition.id)
            self._followed = (current.id, current.published_at)

    def _fall_behind(self, edition: Edition) -> None:
        """This program or its configuration is older than the flows."""
        self.behind = edition.id
        first = next(iter(edition.errors), None)
        place = f"{first.at.file}:{first.at.line}:{first.at.column} {first.code}" if first else "files"
        log.error("flows_behind", version=edition.id, findings=len(edition.errors), place=place)
        if self._metrics is not None:
            self._metrics.behind.set(1)

    def _caught_up(self) -> None:
        self.behind = ""
        if self._metrics is not None:
            self._metrics.behind.set(0)

    def _own(self) -> tuple[str, bool] | None:
        return None if self._book is None else (self._book.id, bool(self.behind))

    async def _say_present(self) -> None:
        if self._hints is not None and self._book is not None:
            await say_present(self._hints, self._book.id, bool(self.behind))

    # --- publishing ----------------------------------------------------------------------------------------------------

    async def publish(self, *, urgent: Urgency | None = None) -> Outcome:
        """Check and test the folder, then switch. Refused, the old flows keep serving and `refused` says why.

        An urgent one ends older versions at once; it is checked and tested like any other.
        """
        async with self._lock:
            began = time.perf_counter()
            sources, tests = await asyncio.to_thread(read_folder, self._config.flows)
            self._tried = _state(sources, tests)
            edition = await self._shelf.edition(sources)
            past = await self._shelf.past()
            changed = _changed(edition, past.current)
            sound = not edition.errors
            failures, count = await self._test(edition, tests, changed) if sound and changed else ((), 0)
            outcome = Outcome(edition.id, changed, edition.findings, failures, count, time.perf_counter() - began)
            await self._settle(outcome, edition, past, urgent=urgent)
            return outcome

    async def edition(self, sources: dict[str, str]) -> Edition:
        """The edition of these files, read and checked, from memory where it is known."""
        return await self._shelf.edition(sources)

    async def folder(self) -> Edition | None:
        """The files of this machine's folder, read and checked; None without a folder. Raises OSError."""
        if not self._config.flows.is_dir():
            return None
        sources, _ = await asyncio.to_thread(read_folder, self._config.flows)
        return await self._shelf.edition(sources)

    async def serve(self, edition: Edition) -> None:
        """Serve an edition without publishing it (a talk at the terminal). Raises ValueError when it has errors."""
        self._book = await asyncio.to_thread(compile_edition, edition, self._deployment)
        self._on_switch()

    async def _test(
        self, edition: Edition, tests: dict[str, str], changed: tuple[str, ...]
    ) -> tuple[tuple[str, ...], int]:
        """Failures of the tests of these flows, for people, and how many tests ran."""
        book = await self._shelf.compiled(edition)
        house = build_house(self._config, book.bot.words)
        report = await asyncio.to_thread(play_tests, book, tests, house, self._prefix, changed)
        wrong = [finding.line(self._config.language) for finding in report.findings if finding.level == "error"]
        return (*wrong, *map(render_failure, report.failures)), report.tests

    async def rollback(self, id: str, *, urgent: Urgency | None = None) -> Outcome:
        """Publish an older edition again, by its id or the beginning of it. Raises LookupError when there is none such."""
        async with self._lock:
            began = time.perf_counter()
            past = await self._shelf.past()
            found = [bundle for bundle in past.bundles if bundle.id.startswith(id)]
            if len(found) != 1 or not id:
                raise LookupError(id)
            edition = await self._shelf.edition(found[0].sources)
            changed = _changed(edition, past.current)
            outcome = Outcome(edition.id, changed, edition.findings, seconds=time.perf_counter() - began)
            await self._settle(outcome, edition, past, urgent=urgent)
            return outcome

    async def _settle(self, outcome: Outcome, edition: Edition, past: Past, *, urgent: Urgency | None) -> None:
        self._count(outcome)
        if not outcome.live:
            self.refused = outcome
            return
        self.refused = None
        current = past.current
        if current is not None and current.id == edition.id and not urgent:
            if self._book is None:
                await self._serve(edition, past)
            return
        sources = files_of(edition.sources) | ({URGENT: urgent.text()} if urgent else {})
        bundle = Bundle(edition.id, sources, edition.versions, self._now().timestamp(), current=True)
        await self._switch(edition, bundle, past)

    async def _switch(self, edition: Edition, bundle: Bundle, past: Past) -> None:
        """The book is ready before the bundle is stored; nothing can come between the commit and the switch."""
        after = Past([bundle, *(b for b in past.bundles if b.id != bundle.id)], past.runs)
        book = await self._shelf.build(edition, after, bundle.published_at)
        await self._store.publish(bundle)
        self._followed = (bundle.id, bundle.published_at)
        self._put_up(book)
        if self._hints is not None:
            self._hints.tell("flows")

    async def _serve(self, edition: Edition, past: Past) -> None:
        self._put_up(await self._shelf.build(edition, past, self._now().timestamp()))

    def _put_up(self, book: Book) -> None:
        self._book = book
        self._caught_up()
        self._on_switch()

    async def retire(self) -> None:
        """Let go of versions without runs, and of bundles that nobody will roll back to."""
        async with self._lock:
            past = await self._shelf.past()
            current = past.current
            if current is None:
                return
            edition = await self._shelf.edition(current.sources)
            if not edition.sound:
                return  # one that serves it lets go
            self._followed = (current.id, current.published_at)
            await self._serve(edition, past)
            needed = {e.id for e in await self._shelf.serving(edition, past, self._now().timestamp())} | {current.id}
            for bundle in past.bundles[KEPT_FOR_ROLLBACK:]:
                if bundle.id not in needed:
                    await self._store.drop_bundle(bundle.id)
            self._shelf.forget(needed)

    # --- what is known ---------------------------------------------------------------------------------------------------

    def _folder_state(self) -> tuple[object, ...]:
        return _state(*read_folder(self._config.flows))

    def _count(self, outcome: Outcome) -> None:
        if self._metrics is not None:
            self._metrics.publishes.labels("live" if outcome.live else "refused").inc()
        if outcome.live:
            log.info("published", version=outcome.id, count=len(outcome.changed), seconds=round(outcome.seconds, 3))
            return
        first = next(iter(outcome.findings), None)
        place = f"{first.at.file}:{first.at.line}:{first.at.column} {first.code}" if first else "tests"
        log.warning("publish_refused", findings=len(outcome.findings) + len(outcome.failures), place=place)

    async def status(self) -> dict[str, Any]:
        """What serves, what is edited, what keeps an edit from going live, and the versions with their runs."""
        past = await self._shelf.past()
        current = past.current
        state = await asyncio.to_thread(self._folder_state)
        versions = current.versions if current else {}
        flows = [
            {"flow": flow, "version": version, "runs": count, "current": versions.get(flow) == version}
            for flow, counts in sorted(past.runs.items())
            for version, count in sorted(counts.items())
        ]
        refused = self.refused if self.refused and state == self._tried else None
        urgency = current.sources.get(URGENT) if current else None
        return {
            "id": current.id if current else "",
            "published_at": current.published_at if current else 0.0,
            "edited": self._config.flows.is_dir() and (current is None or state[0] != current.id),
            "flows": len(versions),
            "runs": flows,
            "urgent": Urgency.read(urgency).plain() if urgency is not None else None,
            "processes": await find_processes(self._hints, current.id if current else "", self._own()),
            "older": [{"id": b.id, "published_at": b.published_at} for b in past.bundles if b is not current],
            "problems": render_problems(refused, self._config.language) if refused else [],
        }


def render_problems(outcome: Outcome, language: str) -> list[str]:
    """What kept an edition from going live, a line each."""
    return [finding.line(language) for finding in outcome.findings if finding.level == "error"] + list(outcome.failures)


def _state(sources: dict[str, str], tests: dict[str, str]) -> tuple[object, ...]:
    return edition_id(sources), edition_id(tests)


def _changed(edition: Edition, current: Bundle | None) -> tuple[str, ...]:
    """Flows whose version is new; a change in a called flow changes its callers too."""
    before = current.versions if current else {}
    return tuple(flow for flow, version in sorted(edition.versions.items()) if before.get(flow) != version)
