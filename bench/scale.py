"""One worker and two: does a second process help, where there is a core for it?

Two cores are too few to give each worker one beside the load and the databases. So each worker gets the same share of a
core, kept by the kernel (a control group with a CPU quota): what is compared is one worker of that size and two of them, while
everything they share (database, Redis, locks, leases, the one sender) runs as always.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from bench.contenders import SECRET, Contender, ours
from bench.load import Load
from bench.machine import cpu_seconds
from bench.path import House, house, up
from bench.stats import Bar, median, spread

SHARE = 0.15  # of a core, for each worker
PERIOD = 20_000  # microseconds in which the kernel counts
ENOUGH = 1.6
CLIENTS = 64
GROUPS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
TEAMS = {1: "workers-1", 2: "workers-2"}


@contextmanager
def limited(name: str, pid: int) -> Iterator[None]:
    """A process that gets `SHARE` of a core. Raises OSError where control groups cannot be made."""
    folder = next((root for root in GROUPS if _can_limit(root)), None)
    if folder is None:
        raise PermissionError("no control group for CPU time can be made here")
    group = folder / f"frontline-bench-{os.getpid()}-{name}"
    group.mkdir()
    try:
        _limit(group)
        (group / "cgroup.procs").write_text(str(pid))
        yield
        (folder / "cgroup.procs").write_text(str(pid))
    finally:
        group.rmdir()


def _can_limit(root: Path) -> bool:
    """Version 1 has a file for the quota; version 2 names `cpu` among the controllers of children."""
    control = root / "cgroup.subtree_control"
    return (root / "cpu.cfs_quota_us").exists() or (control.exists() and "cpu" in control.read_text().split())


def _limit(group: Path) -> None:
    quota = int(SHARE * PERIOD)
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota} {PERIOD}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))


async def run_scale(seconds: float, rounds: int, console: Console) -> list[str]:
    """Lines of the report; both teams take turns."""
    rates: dict[int, list[float]] = {workers: [] for workers in TEAMS}
    async with house(True) as made:
        bots = {workers: await ours(made.place, key) for workers, key in TEAMS.items()}
        with ExitStack() as stack:
            for bot in bots.values():
                stack.enter_context(bot.started(made.place.scratch))
            for bot in bots.values():
                await _ready(bot, made)
            for workers, bot in bots.items():
                for number, pid in enumerate(bot.pids[:workers]):
                    stack.enter_context(limited(f"{workers}-{number}", pid))
            for number in range(rounds):
                for workers, bot in bots.items():
                    rates[workers].append(await _round(bot, workers, seconds, number, console))
    return told(rates)


async def _ready(bot: Contender, made: House) -> None:
    await up(bot, made)
    await Load(bot.ports, bot.path, SECRET).run(16, 3.0)


async def _round(bot: Contender, workers: int, seconds: float, number: int, console: Console) -> float:
    own = bot.pids[:workers]
    before = cpu_seconds(own)
    measured = await Load(bot.ports, bot.path, SECRET).run(CLIENTS, seconds)
    used = (cpu_seconds(own) - before) / measured.seconds / workers
    console.print(
        f"{workers} worker{'s' if workers > 1 else ''}, round {number + 1}: {measured.rate:.0f} messages/s, each had "
        f"{used:.0%} of a core, unanswered {measured.failed}"
    )
    return measured.rate


def told(rates: Mapping[int, Sequence[float]]) -> list[str]:
    """The rates and the bar."""
    one, two = median(rates[1]), median(rates[2])
    lines = [
        f"- {workers} worker{'s' if workers > 1 else ''} of {SHARE:.0%} of a core each, {CLIENTS} clients: "
        f"{median(found):.0f} messages/s (±{50 * spread(found):.0f} %)"
        for workers, found in rates.items()
    ]
    held = Bar(
        f"two workers ≥ {ENOUGH:g} × one", f"{two / one:.2f} ×" if one else "", two >= ENOUGH * one if one else None
    )
    return [*lines, f"- {held.line}"]
