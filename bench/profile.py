"""Where the time goes: py-spy looks at frontline under load, on both stores, at 16 and at 128 clients.

Flame graphs go to `docs/performance/`, the shares of the event loop's time by part to the page. py-spy comes with the peers'
environment (`make build/bench-peers/.ready`).
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop
from rich.console import Console

from bench import report
from bench.contenders import OURS, PEERS_PYTHON, SECRET, Contender, build
from bench.load import Load
from bench.machine import LOAD
from bench.path import house, up

RATE = 250  # looks a second
# The part of a stack is that of its innermost frame that one of these names; the first that fits wins.
# Innermost frames of threads that have nothing to do.
WAITING = ("_worker (concurrent/futures/thread.py:81)", "WorkerThread.run (anyio/_backends/_asyncio.py")
# Read from the innermost frame outwards: the first frame with one of these marks in it says the part.
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the search", ("(storage/search/", "(gateway/indexer.py:")),
    ("commit and checkpoint", ("(storage/writer.py:", "(storage/postgres/groups.py:", "(concurrent/futures/thread.py:")),
    ("database driver", ("(asyncpg/", "(storage/driver.py:", "(storage/sql_rows.py:", "(storage/postgres/links.py:")),
    ("rules of the store", ("(storage/",)),
    ("the turn: flows and lines", ("(bot/", "(handoff/", "(core/", "(gateway/turns.py:", "(gateway/worker.py:")),
    ("sending", ("(adapters/telegram/sending", "(adapters/telegram/wire", "(adapters/wire", "(adapters/telegram/session",
                 "(adapters/telegram/render", "(adapters/pacing", "(gateway/outbox.py:")),
    ("reading the webhook", ("(adapters/", "(gateway/intake.py:", "(gateway/server.py:", "(gateway/pressure.py:")),
    ("HTTP server", ("(aiohttp/", "(aiogram/")),
    ("hints", ("(redis/", "(gateway/hints.py:")),
    ("event loop, sockets", ("(asyncio/", "(uvloop/", "(gateway/")),
)  # fmt: skip


def part_of(stack: str) -> str:
    """The part that a folded stack (`outer;…;inner`) belongs to."""
    for frame in reversed(stack.split(";")):
        for name, marks in PARTS:
            if any(mark in frame for mark in marks):
                return name
    return "the rest"


def shares(folded: str) -> dict[str, float]:
    """Parts by their share of all looks, the largest first. `folded` has a stack and a count a line."""
    counted: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, times = line.rpartition(" ")
        # Looking without stopping the process now and then reads a name while it is written over: that line says nothing.
        if times.isdecimal() and not stack.rpartition(";")[2].startswith(WAITING):
            counted[part_of(stack)] += int(times)
    whole = sum(counted.values())
    return {name: times / whole for name, times in counted.most_common()} if whole else {}


async def look(pid: int, seconds: float, file: Path, kind: str) -> None:
    """One recording by py-spy, while the load runs. Raises ChildProcessError when it cannot."""
    command = [str(PEERS_PYTHON.with_name("py-spy")), "record", "--pid", str(pid), "--duration", f"{seconds:.0f}"]
    command += ["--rate", str(RATE), "--format", kind, "--output", str(file), "--nonblocking"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, error = await process.communicate()
    if process.returncode:
        raise ChildProcessError(error.decode(errors="replace").strip())


def entitled(svg: str, title: str) -> str:
    """A flame graph with a title of ours: py-spy's is its command line, with the folders of this machine."""
    return re.sub(r'(<text id="title"[^>]*>)[^<]*', lambda found: found[1] + html.escape(title), svg)


async def profile(bot: Contender, clients: int, seconds: float, scratch: Path) -> tuple[dict[str, float], float]:
    """Shares by part and messages per second of one load; the flame graph is written on the way."""
    load = Load(bot.ports, bot.path, SECRET)
    picture, folded = scratch / "flame.svg", scratch / "folded.txt"
    for file, kind in ((folded, "raw"), (picture, "flamegraph")):
        driven = asyncio.create_task(load.run(clients, seconds + 1.0))
        await look(bot.pids[0], seconds, file, kind)
        measured = await driven
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = entitled(picture.read_text("utf-8"), f"{bot.name}, {clients} clients")
    (report.FOLDER / f"flame-{bot.outcome.key}-{clients}.svg").write_text(drawn, "utf-8")
    return shares(folded.read_text("utf-8")), measured.rate


async def run_profiles(keys: Sequence[str], loads: Sequence[int], seconds: float, console: Console) -> list[str]:
    """Lines of the report: a table of shares, and where the pictures are."""
    found: dict[str, dict[str, float]] = {}
    async with house(any("postgres" in key for key in keys)) as made:
        for key in keys:
            bot = await build(made.place, key)
            with ExitStack() as stack:
                stack.enter_context(bot.started(made.place.scratch))
                await up(bot, made)
                await Load(bot.ports, bot.path, SECRET).run(16, 3.0)
                for clients in loads:
                    title = f"[{OURS[key]}, {clients} clients](performance/flame-{key}-{clients}.svg)"
                    found[title], rate = await profile(bot, clients, seconds, made.place.scratch)
                    console.print(f"{OURS[key]}, {clients} clients: {rate:.0f} messages/s while looked at")
    return lines_of(found)


def lines_of(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Parts as rows, profiles as columns."""
    names = sorted(
        {name for one in found.values() for name in one}, key=lambda it: -max(o.get(it, 0.0) for o in found.values())
    )
    rows = [[name, *(f"{one.get(name, 0.0):.0%}" for one in found.values())] for name in names]
    return report.table(["part", *found], rows)


def main() -> None:
    """Command line of the profiles."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--stores", default="sqlite,postgres")
    parser.add_argument("--clients", default="16,128")
    parser.add_argument("--write", action="store_true", help="keep the results and write docs/performance.md")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD})
    console, loads = Console(), [int(number) for number in options.clients.split(",")]
    lines = uvloop.run(run_profiles(options.stores.split(","), loads, options.seconds, console))
    console.print("\n".join(lines), markup=False)
    if options.write:
        report.keep(
            "profile", " ".join(["python -m bench.profile", *(it for it in sys.argv[1:] if it != "--write")]), lines
        )


if __name__ == "__main__":
    main()
