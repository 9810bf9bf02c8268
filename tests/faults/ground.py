"""What scenarios stand on: the store under test, servers, folders, and how long a run may be."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.fleet import Fleet, Zygote
from tests.faults.house import Database, House, Outcome, SQLiteDatabase, open_house
from tests.faults.servers import Servers
from tests.postgres import Cluster

Add = Callable[[Fleet], object]


def one_gateway(fleet: Fleet) -> None:
    """Everything in one process."""
    fleet.add("gateway")


def several(fleet: Fleet) -> None:
    """Two of each role, in four processes."""
    for n in (1, 2):
        fleet.add(f"front{n}", "--roles", "intake,worker")
        fleet.add(f"back{n}", "--roles", "sender,clock,console")


def pair(fleet: Fleet) -> None:
    """Every role once, in two processes."""
    fleet.add("front", "--roles", "intake,worker")
    fleet.add("back", "--roles", "sender,clock,console")


@dataclass
class Ground:
    """`short` asks for the form of a scenario that fits into a test run."""

    zygote: Zygote
    servers: Servers
    folder: Path
    store: str = "sqlite"
    short: bool = True
    seconds: float = 0.0  # of load, where a scenario has no end of its own; 0: its own choice
    rate: float = 40.0  # messages a second, all clients together
    kills: int = 0  # in each window; 0: as many as the form asks for
    say: Callable[[str], None] = lambda text: None
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def shared(self) -> bool:
        """Whether several processes use the store."""
        return self.store != "sqlite"

    @property
    def patience(self) -> float:
        """Seconds a client waits for an answer. On a shared store the rows of a killed sender are leased for 30 s."""
        return 180.0 if self.shared else 60.0

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

    @asynccontextmanager
    async def database(self, folder: Path, cluster: Cluster | None = None) -> AsyncIterator[Database]:
        """A store of its own for one run."""
        if self.shared:
            async with self.servers.database(cluster, self.store == "pgbouncer") as database:
                yield database
        else:
            yield SQLiteDatabase(folder / "var" / "frontline.db")

    @asynccontextmanager
    async def house(
        self,
        *,
        at_once: int = 1,
        environ: dict[str, str] | None = None,
        add: Add | None = None,
        cluster: Cluster | None = None,
        folder: Path | None = None,
    ) -> AsyncIterator[House]:
        """A run of one scenario. `add` names the processes; by default one on SQLite, four on a shared store."""
        folder = folder or self.new_folder()
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(self.database(folder, cluster))
            add = add or (several if self.shared else one_gateway)
            house = open_house(self.zygote, folder, database, at_once=at_once, environ=environ, add=add)
            it = await stack.enter_async_context(house)
            it.clients.patience = self.patience
            yield it
