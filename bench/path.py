"""The whole path: update posted to the webhook → answer at the platform. Rounds of the contenders are interleaved."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
from rich.console import Console

from bench.contenders import NAMES, SECRET, Contender, Place, build
from bench.load import Load, Measured, probe, serve_platform, wait_port
from bench.machine import BOT, LOAD, core_seconds, cpu_seconds, freeze, memory_mb, thaw
from bench.quiet import QUIET, Quiet
from bench.servers import postgres_program, postgres_server, redis_server
from bench.stats import Outcome, Run, percentile

WARM = (8, 2.0)  # clients and seconds before anything is measured
IDLE = 0.03  # of a core: a bot that takes less has nothing to do
CALM = 3  # seconds in a row: the search gathers for one before it begins
SETTLE = 30.0  # seconds to wait for that


@dataclass
class House:
    """The platform and the databases of a run."""

    place: Place
    stores: dict[str, int] = field(default_factory=dict)  # name → process id


@asynccontextmanager
async def house(postgres: bool) -> AsyncIterator[House]:
    """Starts what all contenders share; takes it away at the end."""
    scratch = Path(tempfile.mkdtemp(prefix="frontline-bench-"))
    server, api_port = await serve_platform()
    try:
        async with AsyncExitStack() as stack:
            redis, redis_pid = await stack.enter_async_context(redis_server(scratch))
            made = House(Place(f"http://127.0.0.1:{api_port}", redis, scratch), {"redis": redis_pid})
            if postgres and postgres_program("postgres"):
                url, pid = await stack.enter_async_context(postgres_server(scratch))
                made.place, made.stores["postgres"] = Place(made.place.api, redis, scratch, url), pid
            yield made
    finally:
        server.close()
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass
class Plan:
    """How long and how often."""

    clients: Sequence[int]
    seconds: float
    rounds: int
    quiet: Quiet = field(default_factory=lambda: Quiet(0.0))


async def run_path(keys: Sequence[str], plan: Plan, console: Console) -> list[Outcome]:
    """All contenders are started, then take turns: one round of every load each, again and again. Whose turn it is not stands
    still: what gateways do by themselves would take of the core on which another is measured."""
    async with house(any("postgres" in key for key in keys)) as made, AsyncExitStack() as stack:
        bots = [await _build(made, key, console) for key in keys]
        for bot in bots:
            await _start(bot, made, stack, console)
        for number in range(plan.rounds):
            for bot in bots:
                if not bot.outcome.missing:
                    async with _turn(bot):
                        await _guarded(bot, made, _round(bot, made, plan, number, console), console)
        for bot in bots:
            bot.outcome.memory, bot.outcome.peak = memory_mb(bot.pids) if bot.alive() else (0.0, 0.0)
        return [bot.outcome for bot in bots]


async def _build(made: House, key: str, console: Console) -> Contender:
    """The contender, or why there is none."""
    try:
        return await build(made.place, key)
    except (OSError, ChildProcessError, asyncpg.PostgresError) as error:
        console.print(f"{NAMES[key]} failed: {error}", markup=False)
        return Contender(Outcome(key, NAMES[key], "ours", missing="failed"))


async def _start(bot: Contender, made: House, stack: AsyncExitStack, console: Console) -> None:
    if bot.outcome.missing:
        console.print(f"{bot.name}: {bot.outcome.missing}")
        return
    stack.enter_context(bot.started(made.place.scratch))
    async with _turn(bot):
        await _guarded(bot, made, _greet(bot), console)


@asynccontextmanager
async def _turn(bot: Contender) -> AsyncIterator[None]:
    """It runs; what it does after a load is done before it stands still again."""
    thaw(bot.pids)
    yield
    await settled(bot, SETTLE)
    freeze(bot.pids)


async def settled(bot: Contender, seconds: float) -> None:
    """Returns when the bot has done what it does after a load, or else after so many seconds."""
    until, calm = time.monotonic() + seconds, 0
    while calm < CALM and time.monotonic() < until:
        before = cpu_seconds(bot.pids)
        await asyncio.sleep(1.0)
        calm = calm + 1 if cpu_seconds(bot.pids) - before < IDLE else 0


async def _guarded(bot: Contender, made: House, part: Awaitable[None], console: Console) -> None:
    """A bot that fails is left out of the rest; the run goes on."""
    try:
        await part
    except (OSError, TimeoutError, ValueError, ChildProcessError) as error:
        bot.outcome.missing = "failed"
        console.print(f"{bot.name} failed: {error or type(error).__name__}", markup=False)
        for number in range(len(bot.programs)):
            console.print(bot.log(made.place.scratch, number).read_text(errors="replace")[-2000:], markup=False)


async def up(bot: Contender, made: House) -> None:
    """Returns when every process listens; raises ChildProcessError with the end of its log when one has ended."""
    try:
        for port in bot.ports:
            await wait_port(port, alive=bot.alive)
    except ChildProcessError as error:
        logs = (bot.log(made.place.scratch, number) for number in range(len(bot.programs)))
        raise ChildProcessError("\n".join([str(error), *(_end_of(log) for log in logs)])) from None


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _greet(bot: Contender) -> None:
    """It listens, says what the dialogue asks for, and has warmed up."""
    for port in bot.ports:
        await wait_port(port, alive=bot.alive)
    if bot.outcome.kind != "floor":
        await probe(bot.ports[0], bot.path, SECRET)
    await Load(bot.ports, bot.path, SECRET).run(*WARM)


async def _round(bot: Contender, made: House, plan: Plan, number: int, console: Console) -> None:
    await _greet(bot)
    await settled(bot, SETTLE)
    load = Load(bot.ports, bot.path, SECRET)
    for clients in plan.clients:
        run = await plan.quiet.measured(partial(measure, bot, made, load, clients, plan.seconds))
        bot.outcome.runs.setdefault(clients, []).append(run)
        console.print(told(bot, clients, number, run), highlight=False)
        if not bot.alive():
            raise ChildProcessError("a process of it ended")


@dataclass(frozen=True)
class Meter:
    """Seconds so far: of the bot, of its databases, of the load's core (busy, and stolen), of the bot's core, of the clock."""

    own: float
    store: float
    load: float
    stolen: float
    core: float
    whole: float

    @staticmethod
    def read(bot: Contender, made: House) -> Meter:
        load, stolen, whole = core_seconds(LOAD)
        stores = cpu_seconds(made.stores[name] for name in bot.stores)
        return Meter(cpu_seconds(bot.pids), stores, load, stolen, core_seconds(BOT)[0], whole)


async def measure(bot: Contender, made: House, load: Load, clients: int, seconds: float) -> Run:
    """One load: what the clients saw, and what it cost."""
    before = Meter.read(bot, made)
    measured = await load.run(clients, seconds)
    return as_run(measured, before, Meter.read(bot, made))


def as_run(measured: Measured, before: Meter, after: Meter) -> Run:
    """Seconds of CPU made into milliseconds a message, and into shares of a core."""
    each, whole = 1000 / max(1, measured.messages), max(1e-9, after.whole - before.whole)
    own = after.own - before.own
    return Run(
        measured.rate,
        1000 * percentile(measured.latencies, 0.5),
        1000 * percentile(measured.latencies, 0.99),
        own * each,
        (after.store - before.store) * each,
        measured.failed,
        (after.load - before.load) / whole,
        max(0.0, after.core - before.core - own) / whole,
        (after.stolen - before.stolen) / whole,
    )


def told(bot: Contender, clients: int, number: int, run: Run) -> str:
    """A line of progress."""
    return (
        f"{bot.name}, round {number + 1}: {clients} clients, {run.rate:.0f} messages/s, p50 {run.p50:.1f} ms, "
        f"p99 {run.p99:.1f} ms, CPU {run.cpu:.2f} ms a message, unanswered {run.failed}"
        + (f", load's core {run.load_busy:.0%} busy" if run.load_busy > 0.8 else "")
        + (f", others took {run.strangers:.0%} of its core" if run.strangers > QUIET else "")
        + (f", others took {run.stolen:.0%} of the load's core" if run.stolen > QUIET else "")
    )
