"""Soak: a small steady load for a long time, processes killed or not; are memory, descriptors, tasks and the log flat?

`python -m bench.soak --minutes 20 --rate 50 --kill-every 60 --store sqlite` kills the only process every minute: each new
one is compared with those before. With `--store postgres` there are two, and one of them lives through all of it. With
`--kill-every 0` nobody dies.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop
from rich.console import Console

from bench import report
from bench.contenders import Contender, build
from bench.load import wait_port
from bench.machine import BOT, LOAD, descriptors, end, launch, status
from bench.path import House, house
from bench.stats import Bar, median, percentile
from bench.steady import Found, Pace

EVERY = 5.0  # seconds between two samples
YOUNG = 30.0  # seconds in which a process is not yet what it will be
GROWTH, MORE, WAL = 1.05, 10, 200.0  # of memory; descriptors or tasks; MB of write-ahead log
console = Console()


@dataclass(frozen=True)
class Sample:
    """A process at one moment: `age` in seconds since its start, memory and log in MB."""

    at: float
    who: int
    life: int  # how many times it was started before
    age: float
    memory: float
    files: int
    tasks: int
    wal: float


@dataclass
class Crew:
    """The processes of a bot; any of them can be killed and started again."""

    bot: Contender
    scratch: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    lives: list[int] = field(default_factory=list)

    def start(self) -> None:
        for who in range(len(self.bot.programs)):
            self.running.append(self._launch(who))
            self.since.append(time.perf_counter())
            self.lives.append(0)
        self.bot.pids = [process.pid for process in self.running]

    def _launch(self, who: int) -> subprocess.Popen[bytes]:
        program = self.bot.programs[who]
        with self.bot.log(self.scratch, who).open("ab") as log:
            return launch(program.command, {**os.environ, **program.environ}, log, BOT, None)

    def kill(self, who: int) -> None:
        """kill -9, and a new one at once."""
        self.running[who].kill()
        self.running[who].wait()
        self.running[who] = self._launch(who)
        self.since[who] = time.perf_counter()
        self.lives[who] += 1

    def stop(self) -> None:
        for process in self.running:
            end(process)


# --- judging ---------------------------------------------------------------------------------------------------------


def early_and_late(values: Sequence[float]) -> tuple[float, float]:
    """Medians of the second and of the last quarter: the first one is the warming up."""
    quarter = max(1, len(values) // 4)
    return median(values[quarter : 2 * quarter] or values), median(values[-quarter:])


def drift(samples: Sequence[Sample], what: Callable[[Sample], float]) -> tuple[float, float]:
    """Early and late value of one process, or (when it was killed often) of its first and of its last lives at the end."""
    if not samples:
        return 0.0, 0.0
    if samples[-1].life < 4:
        return early_and_late([what(it) for it in samples if it.life == samples[-1].life])
    lives = {it.life: what(it) for it in samples if it.life < samples[-1].life}
    return early_and_late(list(lives.values()))


def judge(samples: Sequence[Sample], who: int) -> list[Bar]:
    """Whether one process stayed flat."""
    own = [it for it in samples if it.who == who]
    killed = own[-1].life if own else 0
    name = f"process {who + 1}, " + (f"killed {killed} times" if killed else "never killed")
    memory = drift(own, lambda it: it.memory)
    files, tasks = drift(own, lambda it: it.files), drift(own, lambda it: it.tasks)
    return [
        Bar(f"{name}: memory late ≤ {GROWTH:g} × early", f"{memory[0]:.0f} → {memory[1]:.0f} MB",
            memory[1] <= GROWTH * memory[0] if own else None),
        Bar(f"{name}: descriptors flat", f"{files[0]:.0f} → {files[1]:.0f}", files[1] <= files[0] + MORE if own else None),
        Bar(f"{name}: tasks flat", f"{tasks[0]:.0f} → {tasks[1]:.0f}", tasks[1] <= tasks[0] + MORE if own else None),
    ]  # fmt: skip


def lines_of(bot: Contender, samples: Sequence[Sample], found: Found) -> list[str]:
    """The report of a soak."""
    everybody = sorted({it.who for it in samples})
    wal = max((it.wal for it in samples), default=0.0)
    bars = [bar for who in everybody for bar in judge(samples, who)]
    bars.append(Bar(f"write-ahead log ≤ {WAL:.0f} MB", f"{wal:.0f} MB at most", wal <= WAL))
    bars.append(Bar("every message acknowledged and answered", f"{len(found.sends)} messages, {found.errors} errors, "
                    f"{found.unanswered} unanswered", not found.errors and not found.unanswered))  # fmt: skip
    return [
        f"- {bot.name}: answer p50 {1000 * percentile(found.sends, 0.5):.0f} ms, p99 "
        f"{1000 * percentile(found.sends, 0.99):.0f} ms; posted again {found.refused} times",
        *report.bar_lines(bars),
    ]


# --- running ---------------------------------------------------------------------------------------------------------


async def tasks_of(port: int) -> int:
    """`frontline_tasks` of a process; 0 when it does not answer."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"http://127.0.0.1:{port}/metrics") as page:
            for line in (await page.text()).splitlines():
                if line.startswith("frontline_tasks "):
                    return int(float(line.split()[1]))
    return 0


async def wal_mb(bot: Contender) -> float:
    """Size of the write-ahead log of the bot's store."""
    if bot.store.startswith("sqlite"):
        file = Path(bot.store.removeprefix("sqlite:///") + "-wal")
        return file.stat().st_size / 1e6 if file.exists() else 0.0  # noqa: ASYNC240
    import asyncpg

    db = await asyncpg.connect(bot.store)
    try:
        return float(await db.fetchval("SELECT sum(size) FROM pg_ls_waldir()")) / 1e6
    finally:
        await db.close()


async def watch(crew: Crew, samples: list[Sample], began: float) -> None:
    """A sample of every process that is no longer young, again and again."""
    while True:
        await asyncio.sleep(EVERY)
        wal = await wal_mb(crew.bot)
        for who, process in enumerate(crew.running):
            age, tasks = time.perf_counter() - crew.since[who], await tasks_of(crew.bot.ports[who])
            if age >= YOUNG and tasks:
                memory = status(process.pid).get("VmRSS", 0) * 1024 / 1e6
                at = time.perf_counter() - began
                samples.append(Sample(at, who, crew.lives[who], age, memory, descriptors(process.pid), tasks, wal))


async def murder(crew: Crew, every: float) -> None:
    """Kills the last process whenever it is due."""
    while every:
        await asyncio.sleep(every)
        crew.kill(len(crew.running) - 1)


async def soak(store: str, minutes: float, rate: float, every: float) -> list[str]:
    """Lines of the report."""
    key = {"sqlite": "sqlite", "postgres": "postgres-2"}[store]
    async with house(store == "postgres") as made:
        bot = await build(made.place, key)
        return await _soak(bot, made, minutes, rate, every)


async def _soak(bot: Contender, made: House, minutes: float, rate: float, every: float) -> list[str]:
    crew, samples = Crew(bot, made.place.scratch), list[Sample]()
    crew.start()
    beside: list[asyncio.Task[None]] = []
    try:
        for port in bot.ports:
            await wait_port(port, alive=bot.alive)
        pace = Pace(bot, stubborn=True)
        beside = [asyncio.create_task(watch(crew, samples, time.perf_counter())), asyncio.create_task(murder(crew, every)),
                  asyncio.create_task(tell(samples))]  # fmt: skip
        load = asyncio.create_task(pace.run(rate, 60 * minutes))
        await asyncio.wait([load, *beside[:1]], return_when=asyncio.FIRST_COMPLETED)
        return lines_of(bot, samples, await load)
    finally:
        for task in beside:
            task.cancel()
        crew.stop()


async def tell(samples: Sequence[Sample]) -> None:
    """A line of progress a minute."""
    while True:
        await asyncio.sleep(60)
        if samples:
            it = samples[-1]
            console.print(
                f"{it.at / 60:.0f} min: process {it.who + 1}, {it.age:.0f} s old, {it.memory:.0f} MB, {it.files} descriptors, "
                f"{it.tasks} tasks, log {it.wal:.0f} MB"
            )


def main() -> None:
    """Command line of the soak."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument("--kill-every", type=float, default=60.0, help="seconds; 0 kills nobody")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--write", action="store_true", help="keep the results and write docs/performance.md")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD})
    lines = uvloop.run(soak(options.store, options.minutes, options.rate, options.kill_every))
    console.print("\n".join(lines), markup=False)
    if options.write:
        how = " ".join(["python -m bench.soak", *(it for it in sys.argv[1:] if it != "--write")])
        report.keep(f"soak-{options.store}-{'kills' if options.kill_every else 'calm'}", how, lines)


if __name__ == "__main__":
    main()
