"""Publishing: edited flows go live only when they are sound and tested, in one switch; running dialogues keep theirs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from watchfiles import awatch

from bot.book import Book
from core.deployment import Deployment
from core.findings import Finding
from core.ports import Bundle, Store
from gateway.config.model import Config
from gateway.deployment import build_deployment, build_house
from gateway.edition import (
    URGENT,
    Edition,
    compile_edition,
    edition_id,
    files_of,
    play_tests,
    read_edition,
    read_folder,
    render_failure,
    shown_prefix,
)
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.uses import Runs, check_uses

log = logger()
KEPT_FOR_ROLLBACK = 20  # bundles
RETIRE_MS = 600_000  # how often ended versions are looked for
DEBOUNCE_MS = 150  # an editor's several writes are one save


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


@dataclass
class _Past:
    """What was published before: bundles, newest first, and the runs on each version."""

    bundles: list[Bundle] = field(default_factory=list)
    runs: Runs = field(default_factory=dict)

    @property
    def current(self) -> Bundle | None:
        return next((bundle for bundle in self.bundles if bundle.current), None)


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
    ) -> None:
        self._store, self._config = store, config
        self._deployment = deployment or build_deployment(config)
        self._on_switch, self._metrics, self._now = on_switch, metrics, now
        self._prefix = shown_prefix(config.flows)
        self._lock = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._book: Book | None = None
        self._read: dict[str, Edition] = {}
        self._books: dict[str, Book] = {}
        self._tried: tuple[object, ...] = ()
        self.refused: Outcome | None = None  # the last attempt, while it is not live

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
        past = await self._past()
        await self._require_uses(past)
        current = past.current
        outcome: Outcome | None = None
        if current is None or self._config.publish == "auto":
            outcome = await self.publish()
        if self._book is None and current is not None:
            await self._serve(await self._edition(current.sources), past)
        if self._book is None:
            raise Unpublishable(list(outcome.findings if outcome else ()), list(outcome.failures if outcome else ()))

    async def _require_uses(self, past: _Past) -> None:
        live = {pair for flow, versions in past.runs.items() for pair in ((flow, version) for version in versions)}
        needed = [await self._edition(bundle.sources) for bundle in past.bundles if live & set(bundle.versions.items())]
        gone = {one.line("en"): one for one in check_uses(needed, self._prefix, past.runs, "config.yaml")}
        if gone:
            raise Unpublishable(list(gone.values()), [])

    async def watch(self) -> None:
        """Publish every valid save within a second (`publish: auto`), let go of ended versions; until `stop`."""
        retired = self._now()
        async for changed in self._changes():
            if changed and self._config.publish == "auto":
                await self._publish_if_new()
            if not changed or (self._now() - retired).total_seconds() * 1000 >= RETIRE_MS:
                await self.retire()
                retired = self._now()

    def _changes(self) -> AsyncIterator[Any]:
        return awatch(
            self._config.flows,
            stop_event=self._stopped,
            debounce=DEBOUNCE_MS,
            step=30,
            rust_timeout=RETIRE_MS,
            yield_on_timeout=True,
            recursive=True,
        )

    async def _publish_if_new(self) -> None:
        if await asyncio.to_thread(self._folder_state) != self._tried:
            await self.publish()

    def stop(self) -> None:
        """End `watch`."""
        self._stopped.set()

    # --- publishing ----------------------------------------------------------------------------------------------------

    async def publish(self, *, urgent: bool = False) -> Outcome:
        """Check and test the folder, then switch. Refused, the old flows keep serving and `refused` says why."""
        async with self._lock:
            began = time.perf_counter()
            sources, tests = await asyncio.to_thread(read_folder, self._config.flows)
            self._tried = _state(sources, tests)
            edition = await self._edition(sources)
            past = await self._past()
            changed = _changed(edition, past.current)
            sound = not edition.errors
            failures, count = await self._test(edition, tests, changed) if sound and changed else ((), 0)
            outcome = Outcome(edition.id, changed, edition.findings, failures, count, time.perf_counter() - began)
            await self._settle(outcome, edition, past, urgent=urgent)
            return outcome

    async def serve(self, edition: Edition) -> None:
        """Serve an edition without publishing it (a talk at the terminal). Raises ValueError when it has errors."""
        self._book = await asyncio.to_thread(compile_edition, edition, self._deployment)
        self._on_switch()

    async def _test(
        self, edition: Edition, tests: dict[str, str], changed: tuple[str, ...]
    ) -> tuple[tuple[str, ...], int]:
        """Failures of the tests of these flows, for people, and how many tests ran."""
        book = await self._compiled(edition)
        house = build_house(self._config, book.bot.words)
        report = await asyncio.to_thread(play_tests, book, tests, house, self._prefix, changed)
        wrong = [finding.line(self._config.language) for finding in report.findings if finding.level == "error"]
        return (*wrong, *map(render_failure, report.failures)), report.tests

    async def rollback(self, id: str, *, urgent: bool = False) -> Outcome:
        """Publish an older edition again, by its id or the beginning of it. Raises LookupError when there is none such."""
        async with self._lock:
            began = time.perf_counter()
            past = await self._past()
            found = [bundle for bundle in past.bundles if bundle.id.startswith(id)]
            if len(found) != 1 or not id:
                raise LookupError(id)
            edition = await self._edition(found[0].sources)
            changed = _changed(edition, past.current)
            outcome = Outcome(edition.id, changed, edition.findings, seconds=time.perf_counter() - began)
            await self._settle(outcome, edition, past, urgent=urgent)
            return outcome

    async def _settle(self, outcome: Outcome, edition: Edition, past: _Past, *, urgent: bool) -> None:
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
        sources = files_of(edition.sources) | ({URGENT: ""} if urgent else {})
        bundle = Bundle(edition.id, sources, edition.versions, self._now().timestamp(), current=True)
        await self._switch(edition, bundle, past)

    async def _switch(self, edition: Edition, bundle: Bundle, past: _Past) -> None:
        """The book is ready before the bundle is stored; nothing can come between the commit and the switch."""
        book = await self._build(edition, _Past([bundle, *(b for b in past.bundles if b.id != bundle.id)], past.runs))
        await self._store.publish(bundle)
        self._book = book
        self._on_switch()

    async def _serve(self, edition: Edition, past: _Past) -> None:
        self._book = await self._build(edition, past)
        self._on_switch()

    async def _build(self, edition: Edition, past: _Past) -> Book:
        book = await self._compiled(edition)
        for older in await self._serving(edition, past):
            book = book.with_older(await self._compiled(older))
        return book

    async def _compiled(self, edition: Edition) -> Book:
        if edition.id not in self._books:
            self._books[edition.id] = await asyncio.to_thread(compile_edition, edition, self._deployment)
        return self._books[edition.id]

    async def _serving(self, newest: Edition, past: _Past) -> list[Edition]:
        """Older editions whose runs are alive: until the last ends, `policy.keep_old` is over, or an urgent switch."""
        library = newest.require()
        wanted = {(flow, version) for flow, versions in past.runs.items() for version in versions}
        wanted -= set(newest.versions.items())
        kept: list[Edition] = []
        for after, bundle in zip(past.bundles, past.bundles[1:], strict=False):
            too_old = self._now().timestamp() - after.published_at > library.bot.policy.keep_old
            if URGENT in after.sources or too_old:
                break
            if wanted & set(bundle.versions.items()):
                edition = await self._edition(bundle.sources)
                if edition.library is not None and not edition.errors:
                    kept.append(edition)
                    wanted -= set(bundle.versions.items())
        return kept

    async def retire(self) -> None:
        """Let go of versions without runs, and of bundles that nobody will roll back to."""
        async with self._lock:
            past = await self._past()
            current = past.current
            if current is None:
                return
            edition = await self._edition(current.sources)
            await self._serve(edition, past)
            needed = {e.id for e in await self._serving(edition, past)} | {current.id}
            for bundle in past.bundles[KEPT_FOR_ROLLBACK:]:
                if bundle.id not in needed:
                    await self._store.drop_bundle(bundle.id)
            self._forget(needed)

    def _forget(self, needed: Collection[str]) -> None:
        self._read = {id: one for id, one in self._read.items() if id in needed}
        self._books = {id: one for id, one in self._books.items() if id in needed}

    # --- what is known ---------------------------------------------------------------------------------------------------

    async def _past(self) -> _Past:
        bundles = sorted(
            await self._store.bundles(), key=lambda bundle: (bundle.current, bundle.published_at), reverse=True
        )
        return _Past(bundles, await self._store.live_versions())

    async def _edition(self, sources: dict[str, str]) -> Edition:
        id = edition_id(sources)
        if id not in self._read:
            self._read[id] = await asyncio.to_thread(read_edition, sources, self._deployment, self._prefix)
        return self._read[id]

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
        past = await self._past()
        current = past.current
        state = await asyncio.to_thread(self._folder_state)
        versions = current.versions if current else {}
        flows = [
            {"flow": flow, "version": version, "runs": count, "current": versions.get(flow) == version}
            for flow, counts in sorted(past.runs.items())
            for version, count in sorted(counts.items())
        ]
        refused = self.refused if self.refused and state == self._tried else None
        return {
            "id": current.id if current else "",
            "published_at": current.published_at if current else 0.0,
            "edited": current is None or state[0] != current.id,
            "flows": len(versions),
            "runs": flows,
            "older": [{"id": b.id, "published_at": b.published_at} for b in past.bundles if not b.current],
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
