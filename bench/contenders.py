"""Who runs: frontline on its stores, bots of other libraries, the floor. Each says how it is started, or why it cannot be."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import BOT, ROOT, free_port, running
from bench.servers import make_database
from bench.stats import Outcome

PEERS = ROOT / "bench" / "peers"
PEERS_PYTHON = ROOT / "build" / "bench-peers" / "bin" / "python"
SECRET = "bench"


@dataclass(frozen=True)
class Place:
    """What a bot of this run is given: the platform's address, Redis, a folder; PostgreSQL where there is one."""

    api: str
    redis: str
    scratch: Path
    postgres: str = ""


@dataclass
class Program:
    """One process of a contender."""

    command: list[str]
    environ: dict[str, str] = field(default_factory=dict)


@dataclass
class Contender:
    """A bot under load. `ports` are those of its webhook: clients are spread over them."""

    outcome: Outcome
    programs: list[Program] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    path: str = "/hook"
    stores: tuple[str, ...] = ("redis",)
    store: str = ""  # URL of frontline's own
    pids: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.outcome.name

    @contextmanager
    def started(self, scratch: Path) -> Iterator[None]:
        """All its processes on the bot's core."""
        with ExitStack() as stack:
            for number, program in enumerate(self.programs):
                log = self.log(scratch, number)
                self.pids.append(stack.enter_context(running(program.command, program.environ, log, BOT)).pid)
            yield

    def log(self, scratch: Path, number: int = 0) -> Path:
        return scratch / f"{self.outcome.key}-{number}.log"

    def alive(self) -> bool:
        """Whether every process runs; a zombie does not."""
        return all(_running(pid) for pid in self.pids)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- frontline -------------------------------------------------------------------------------------------------------


def config_file(place: Place, key: str, extra: str = "") -> Path:
    """The configuration of the bench with its flows, in a folder of the contender."""
    folder = place.scratch / key
    shutil.copytree(ROOT / "bench" / "flows", folder / "flows")
    (folder / "config.yaml").write_text((ROOT / "bench" / "config.yaml").read_text("utf-8") + extra, "utf-8")
    return folder / "config.yaml"


def frontline(
    place: Place, key: str, name: str, store: str, roles: tuple[str, ...] = ("",), extra: str = ""
) -> Contender:
    """frontline on a store: one process for each entry of `roles` ("" for all roles)."""
    config = config_file(place, key, extra)
    bot = Contender(Outcome(key, name, "ours"), path="/hooks/telegram", stores=(), store=store)
    for part in roles:
        port = free_port()
        environ = {"BENCH_PORT": str(port), "BENCH_API": place.api, "BENCH_STORE": store}
        command = [sys.executable, "-m", "gateway", "--config", str(config), "run", "--log-level", "warning"]
        bot.programs.append(Program([*command, *(["--roles", part] if part else [])], environ))
        if not part or "intake" in part:
            bot.ports.append(port)
    return bot


# Processes of frontline by the contender's key: their roles, "" for all of them.
TEAMS = {
    "postgres": ("",),
    "postgres-2": ("", ""),
    "postgres-roles": ("intake", "worker", "worker", "sender,clock"),
    "workers-1": ("intake,worker", "sender,clock"),
    "workers-2": ("intake,worker", "intake,worker", "sender,clock"),
}
OURS = {
    "sqlite": "frontline (SQLite, FULL)",
    "sqlite-strict": "frontline (SQLite, one call at a time)",
    "postgres": "frontline (PostgreSQL + Redis)",
    "postgres-2": "frontline (PostgreSQL + Redis, 2 processes)",
    "postgres-roles": "frontline (PostgreSQL + Redis, 4 processes by roles)",
}


async def ours(place: Place, key: str, mark: str = "") -> Contender:
    """frontline as a contender; `mark` makes another installation of the same kind."""
    folder = f"{key}-{mark}" if mark else key
    if key.startswith("sqlite"):
        bot = frontline(place, folder, OURS[key], f"sqlite:///{place.scratch / folder / 'bench.db'}")
        if key == "sqlite-strict":  # at most one repeated message in all after a kill: decision 0013
            bot.programs[0].environ["BENCH_AT_ONCE"] = "1"
        return bot
    if not place.postgres:
        return Contender(Outcome(key, OURS.get(key, key), "ours", missing="not installed"))
    store = await make_database(place.postgres, f"bench_{folder.replace('-', '_')}")
    hints = f'redis: {{url: "{place.redis}/15", prefix: "{folder}"}}\n'
    bot = frontline(place, folder, OURS.get(key, key), store, TEAMS[key], hints)
    bot.stores = ("postgres", "redis")
    await migrate(bot)
    return bot


async def migrate(bot: Contender) -> None:
    """Makes the tables; raises ChildProcessError when it cannot."""
    program = bot.programs[0]
    command = [*program.command[: program.command.index("run")], "migrate"]
    made = await asyncio.create_subprocess_exec(*command, env={**os.environ, **program.environ}, cwd=ROOT)
    if await made.wait():
        raise ChildProcessError("`frontline migrate` failed")


# --- peers -----------------------------------------------------------------------------------------------------------

PYTHON = {
    "dialog": ("dialog_redis", "aiogram-dialog + Redis"),
    "ptb": ("ptb_pickle", "python-telegram-bot + Pickle"),
    "telebot": ("telebot_redis", "pyTelegramBotAPI + Redis"),
    "chatsky": ("chatsky_redis", "Chatsky + Redis"),
}
NODE = {"grammy": "grammY + Redis (Node)", "telegraf": "telegraf + Redis (Node)"}


def python_peer(place: Place, key: str, number: int) -> Contender:
    """A bot of another Python library, from the peers' own environment."""
    module, name = PYTHON[key]
    bot = peer(place, key, name, "python", [str(PEERS_PYTHON), "-m", f"bench.peers.{module}"], number)
    bot.outcome.missing = "" if PEERS_PYTHON.exists() else "not installed"
    return bot


def node_peer(place: Place, key: str, number: int) -> Contender:
    """A bot of a Node library."""
    bot = peer(place, key, NODE[key], "node", ["node", str(PEERS / "node" / f"{key}.mjs")], number)
    there = shutil.which("node") is not None and (PEERS / "node" / "node_modules" / key).exists()
    bot.outcome.missing = "" if there else "not installed"
    return bot


async def own_peer(place: Place, key: str, number: int) -> Contender:
    """A bot that needs nothing but what frontline needs itself."""
    module, name, kind, loop = OWN[key]
    durable = key.endswith("-postgres")
    if durable and not place.postgres:
        return Contender(Outcome(key, name, kind, missing="not installed"))
    store = await make_database(place.postgres, f"bench_{key.replace('-', '_')}") if durable else ""
    bot = peer(place, key, name, kind, [sys.executable, "-m", f"bench.peers.{module}"], number, store)
    bot.stores = ("postgres",) if durable else bot.stores
    bot.programs[0].environ |= {"BENCH_LOOP": loop} if loop else {}
    return bot


def peer(place: Place, key: str, name: str, kind: str, command: list[str], number: int, store: str = "") -> Contender:
    """A peer takes port, API, its store (Redis when none is named, a database of its own) and a folder as arguments."""
    port, folder = free_port(), place.scratch / key
    folder.mkdir()
    arguments = [str(port), place.api, store or f"{place.redis}/{number}", str(folder)]
    return Contender(Outcome(key, name, kind), [Program([*command, *arguments])], [port])


# --- all of them -----------------------------------------------------------------------------------------------------

QUICK = ("sqlite", "aiogram", "floor")
EVERY = (*OURS, "aiogram", "aiogram-uvloop", "aiogram-postgres", *PYTHON, *NODE, "floor", "floor-postgres")
OWN = {
    "aiogram": ("aiogram_by_hand", "aiogram + Redis, by hand", "python", ""),
    "aiogram-uvloop": ("aiogram_by_hand", "aiogram + Redis, by hand, uvloop", "python", "uvloop"),
    "aiogram-postgres": ("aiogram_by_hand", "aiogram + PostgreSQL, by hand", "python", ""),
    "floor": ("floor", "bare aiohttp + Redis (floor)", "floor", ""),
    "floor-postgres": ("floor", "bare aiohttp + PostgreSQL, one durable write", "floor", ""),
}
NAMES = {**OURS, **{key: own[1] for key, own in OWN.items()}, **{key: it[1] for key, it in PYTHON.items()}, **NODE}


async def build(place: Place, key: str, mark: str = "") -> Contender:
    """A contender by its key."""
    number = EVERY.index(key)
    if key in OURS:
        return await ours(place, key, mark)
    if key in PYTHON:
        return python_peer(place, key, number)
    return node_peer(place, key, number) if key in NODE else await own_peer(place, key, number)


def choose(only: str, all_: bool) -> list[str]:
    """Keys of who runs: the quick three or all; with `only`, those whose key or name has one of its words in it."""
    words = [word.strip().lower() for word in only.split(",") if word.strip()]
    found = [key for key in (EVERY if all_ else QUICK) if not words or _named(key, words)]
    return found or [key for key in EVERY if _named(key, words)]


def _named(key: str, words: list[str]) -> bool:
    return any(word in f"{key} {NAMES[key]}".lower() for word in words)
