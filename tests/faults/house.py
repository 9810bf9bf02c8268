"""One run: a database, a platform, gateways and clients, brought up together, led to an end and checked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from tests.faults.checker import Bounds, Violation, check, count_repeats
from tests.faults.clients import Clients, merge_journals
from tests.faults.fleet import Fleet, Member, Zygote
from tests.faults.history import PENDING, History, ask_file, read_history
from tests.faults.page import Page
from tests.faults.platform import Platform

QUIET_SECONDS = 60.0  # how long the rest of the work may take when the faults are over
POST_SECONDS = 10.0  # a platform waits for a webhook; ours is less patient


class Database(Protocol):
    """A store as the gateways see it (`url`) and as the checker reads it, past all faults."""

    kind: str
    url: str

    async def ask(self, query: str) -> list[tuple[Any, ...]]: ...
    async def now(self) -> float: ...


class SQLiteDatabase:
    """One file."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.url = f"sqlite:///{path}"

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(ask_file, self.path, query)

    async def now(self) -> float:
        return time.time()


@dataclass
class Outcome:
    """What a scenario found. `numbers` go into the report."""

    name: str
    store: str
    violations: list[Violation] = field(default_factory=list)
    numbers: dict[str, float | int | str] = field(default_factory=dict)
    seconds: float = 0.0

    def bar(self, holds: bool, what: str) -> None:
        """A promise of this scenario beside the invariants."""
        if not holds:
            self.violations.append(Violation("bar", what))


@dataclass
class House:
    """A run under way."""

    database: Database
    platform: Platform
    fleet: Fleet
    http: ClientSession
    at_once: int
    clients: Clients = field(init=False)
    crowds: list[Clients] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.clients = self.crowd()

    def crowd(self, platform: Platform | None = None, **more: Any) -> Clients:
        """Clients who write to whatever takes messages in."""
        crowd = Clients(self.entrances, self.http, platform or self.platform, **more)
        self.crowds.append(crowd)
        return crowd

    def entrances(self) -> list[str]:
        return [member.url for member in self.fleet.members if takes_in(member) and member.running]

    async def disarm(self) -> None:
        """No more failpoints: processes that have some are killed, and start without."""
        armed = [member for member in self.fleet.members if member.environ.get("FRONTLINE_FAIL")]
        for member in armed:
            member.environ["FRONTLINE_FAIL"] = ""
            await member.kill()
        await asyncio.gather(*(member.ready() for member in armed))

    async def pending(self) -> tuple[int, int]:
        """Events and rows that are not done."""
        events, rows = (await self.database.ask(PENDING))[0]
        return int(events), int(rows)

    async def drained(self, seconds: float = QUIET_SECONDS) -> float:
        """Waits until nothing is pending; how long that took. What is pending for ever is for the checker to find."""
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(await self.pending()):
                    await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def history(self) -> History:
        """What the run has left behind so far."""
        journal = merge_journals([crowd.journal for crowd in self.crowds])
        platforms = {id(crowd.platform): crowd.platform for crowd in self.crowds}
        now = await self.database.now()
        history = await read_history(self.database.ask, journal, list(platforms.values()), now)
        history.pages = [page.shown() for page in self.pages if page.chat]
        return history

    async def open_page(self) -> Page:
        """A visitor of the web chat who writes and reads until `finish`."""
        page = Page(self.entrances, self.http, self.clients.journal, len(self.pages))
        self.pages.append(page)
        page.start()
        return page

    async def finish(self, outcome: Outcome, **bounds: int) -> History:
        """Leads every dialogue to its end, stops the gateways, reads and checks. Numbers and violations go to `outcome`."""
        await asyncio.gather(*(crowd.finish() for crowd in self.crowds))
        await asyncio.gather(*(page.finish() for page in self.pages))
        outcome.numbers["drained s"] = round(await self.drained(), 1)
        await asyncio.gather(*(page.catch_up(self.database.ask) for page in self.pages))
        codes = await self.fleet.stop()
        kills = self.fleet.kills
        named = [f"{member.name} {member.codes[-1]}" for member in self.fleet.members if any(member.codes[-1:])]
        outcome.bar(not any(codes), f"the gateways did not end well: {named}")
        history = await self.history()
        limits = Bounds(kills=kills, at_once=self.at_once, **bounds)
        outcome.violations += check(history, limits)
        self._count(outcome, history, kills)
        return history

    def _count(self, outcome: Outcome, history: History, kills: int) -> None:
        journal = history.journal
        outcome.seconds = time.monotonic() - self.began
        outcome.numbers |= {
            "messages": len(journal.acknowledged),
            "answers": sum(map(len, history.told.values())),
            "kills": kills,
            "repeats": count_repeats(history),
            "redelivered": max(0, journal.statuses.total() - len(journal.acknowledged)),
            "503": journal.statuses[503],
            "other errors": sum(n for status, n in journal.statuses.items() if status not in {0, 200, 503}),
        }
        outcome.bar(not outcome.numbers["other errors"], f"answers besides 200 and 503: {dict(journal.statuses)}")


def takes_in(member: Member) -> bool:
    """Whether the process has the role `intake`: by default it has all."""
    roles = member.arguments[member.arguments.index("--roles") + 1] if "--roles" in member.arguments else "intake"
    return "intake" in roles.split(",")


@asynccontextmanager
async def open_house(
    zygote: Zygote,
    folder: Path,
    database: Database,
    *,
    at_once: int = 1,
    environ: dict[str, str] | None = None,
    add: Callable[[Fleet], object] = lambda fleet: fleet.add("gateway"),
) -> AsyncIterator[House]:
    """A house with its gateways running; `add` names them. Leaving kills what is left."""
    connector = TCPConnector(limit=0)
    session = ClientSession(timeout=ClientTimeout(total=POST_SECONDS), connector=connector, cookie_jar=DummyCookieJar())
    async with Platform() as platform, session as http:
        settings = {
            "FAULTS_STORE": database.url, "FAULTS_FILES": str(folder / "files"), "FAULTS_API": platform.url,
            "FAULTS_MODE": "webhook", "FAULTS_AT_ONCE": str(at_once), "FAULTS_REDIS": "", "FAULTS_TOKEN2": "",
            "FAULTS_API2": platform.url,
            "FRONTLINE_FAIL": "", "FRONTLINE_CAREFUL_SECONDS": "0",
        }  # fmt: skip
        async with Fleet(zygote, folder, settings | (environ or {})) as fleet:
            add(fleet)
            await fleet.start()
            yield House(database, platform, fleet, http, at_once)


def merge(whole: Outcome, parts: Iterable[Outcome]) -> Outcome:
    """Runs of one scenario side by side as one outcome; numbers are added up, but for seconds."""
    for part in parts:
        whole.violations += part.violations
        whole.seconds = max(whole.seconds, part.seconds)
        for name, number in part.numbers.items():
            before = whole.numbers.get(name, 0)
            if isinstance(number, str) or isinstance(before, str):
                whole.numbers[name] = number
            else:
                whole.numbers[name] = max(before, number) if name.endswith(" s") else before + number
    return whole


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
