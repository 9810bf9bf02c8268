"""What scenarios stand on: the store under test, servers, folders, and how long a run may be."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.fleet import Fleet, Zygote
from tests.faults.house import Database, House, Outcome, SQLiteDatabase, open_house


def one_gateway(fleet: Fleet) -> None:
    """Everything in one process."""
    fleet.add("gateway")


@dataclass
class Ground:
    """`short` asks for the form of a scenario that fits into a test run."""

    zygote: Zygote
    folder: Path
    store: str = "sqlite"
    short: bool = True
    seconds: float = 0.0  # of load, where a scenario has no end of its own; 0: its own choice
    say: Callable[[str], None] = lambda text: None
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def outcome(self, name: str) -> Outcome:
        self.say(f"{name}, {self.store}")
        return Outcome(name, self.store)

    def length(self, full: float, short: float) -> float:
        """Seconds of load."""
        return self.seconds or (short if self.short else full)

    def new_folder(self) -> Path:
        folder = self.folder / f"{self.store}-{next(self._count)}"
        folder.mkdir(parents=True)
        return folder

    async def database(self, folder: Path) -> Database:
        """A store of its own for one run."""
        return SQLiteDatabase(folder / "frontline.db")

    @asynccontextmanager
    async def house(
        self,
        *,
        at_once: int = 1,
        environ: dict[str, str] | None = None,
        add: Callable[[Fleet], object] = one_gateway,
    ) -> AsyncIterator[House]:
        """A run of one scenario."""
        folder = self.new_folder()
        database = await self.database(folder)
        async with open_house(self.zygote, folder, database, at_once=at_once, environ=environ, add=add) as house:
            yield house
