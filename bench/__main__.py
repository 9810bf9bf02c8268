"""`make bench`: messages per second of frontline, of a hand-written aiogram bot and of the bare floor, in one run.

Each bot gets one core, the load the other. Results are printed and written to `docs/performance.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.load import Load, Measured, serve_platform, wait_port
from bench.step import step_speed

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = (1, 16, 128)
console = Console()


@dataclass
class Contender:
    """A bot under load: how to start it and what came of it."""

    name: str
    command: list[str]
    path: str
    environ: dict[str, str] = field(default_factory=dict)
    runs: dict[int, list[Measured]] = field(default_factory=dict)
    cpu: dict[int, float] = field(default_factory=dict)
    memory: float = 0.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], environ: dict[str, str], log: Path, core: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, on a core of its own when there are two; stopped at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=out, stderr=out)
        if core is not None and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {core})
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure(contender: Contender, port: int, seconds: float, rounds: int, scratch: Path) -> None:
    """Drives one bot with 1, 16 and 128 clients, `rounds` times each."""
    log = scratch / f"{contender.name.split()[0]}.log"
    with running(contender.command, contender.environ, log, core=0) as process:
        try:
            await wait_port(port, alive=lambda: process.poll() is None)
            load = Load(port, contender.path, "bench")
            await load.run(8, 2.0)
            for clients in CLIENTS:
                for _ in range(rounds):
                    before = cpu_seconds(process.pid)
                    measured = await load.run(clients, seconds)
                    spent = cpu_seconds(process.pid) - before
                    contender.cpu[clients] = 1000 * spent / max(1, measured.messages)
                    contender.runs.setdefault(clients, []).append(measured)
                    console.print(
                        f"{contender.name}: {clients} clients, {measured.rate:.0f} messages/s, "
                        f"p99 {1000 * measured.percentile(0.99):.1f} ms, CPU {contender.cpu[clients]:.2f} ms a message, "
                        f"unanswered {measured.failed}"
                    )
            contender.memory = resident_mb(process.pid)
        except BaseException:
            console.print(log.read_text(errors="replace")[-3000:])
            raise


def contenders(port: int, api: str, redis: str, scratch: Path) -> list[Contender]:
    """Who runs. Each has the port for itself in its time."""
    peer = [str(port), api, redis]
    environ = {"BENCH_PORT": str(port), "BENCH_API": api, "BENCH_STORE": f"sqlite:///{scratch / 'bench.db'}"}
    return [
        Contender(
            "frontline (SQLite, FULL)",
            [sys.executable, "-m", "gateway", "--config", "bench/config.yaml", "run"],
            "/hooks/telegram",
            environ,
        ),
        Contender("aiogram + Redis, by hand", [sys.executable, "-m", "bench.peers.aiogram_redis", *peer], "/hook"),
        Contender("bare aiohttp + Redis (floor)", [sys.executable, "-m", "bench.peers.floor", *peer], "/hook"),
    ]


def summary(all_: list[Contender]) -> Table:
    """The table of the run."""
    table = Table(title="messages per second through the webhook (p50 / p99 ms; CPU ms a message)")
    table.add_column("bot")
    for clients in CLIENTS:
        table.add_column(f"{clients} clients", justify="right")
    table.add_column("memory, MB", justify="right")
    for one in all_:
        cells = []
        for clients in CLIENTS:
            best = max(one.runs[clients], key=lambda run: run.rate)
            rate = statistics.median(run.rate for run in one.runs[clients])
            cells.append(
                f"{rate:.0f} ({1000 * best.percentile(0.5):.1f} / {1000 * best.percentile(0.99):.1f}; {one.cpu[clients]:.2f})"
            )
        table.add_row(one.name, *cells, f"{one.memory:.0f}")
    return table


def ratios(all_: list[Contender]) -> list[str]:
    """frontline against each of the others."""
    ours, *others = all_
    lines = []
    for other in others:
        parts = []
        for clients in CLIENTS:
            mine = statistics.median(run.rate for run in ours.runs[clients])
            theirs = statistics.median(run.rate for run in other.runs[clients])
            parts.append(f"{mine / theirs:.2f} × at {clients}")
        lines.append(f"frontline / {other.name}: " + ", ".join(parts))
    return lines


async def run(seconds: float, rounds: int, only: str) -> list[Contender]:
    """Starts Redis and the platform, then each bot in turn."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    scratch = Path(tempfile.mkdtemp(prefix="frontline-bench-"))
    server, api_port = await serve_platform()
    redis_port = free_port()
    redis_command = ["redis-server", "--port", str(redis_port), "--save", "", "--dir", str(scratch)]
    try:
        with running(redis_command, {}, scratch / "redis.log", core=1):
            await wait_port(redis_port)
            chosen = contenders(
                free_port(), f"http://127.0.0.1:{api_port}", f"redis://127.0.0.1:{redis_port}/0", scratch
            )
            chosen = [one for one in chosen if only in one.name]
            for one in chosen:
                port = (
                    int(one.command[3]) if one.command[2].startswith("bench.peers") else int(one.environ["BENCH_PORT"])
                )
                await measure(one, port, seconds, rounds, scratch)
                await asyncio.sleep(0.5)
            return chosen
    finally:
        server.close()
        shutil.rmtree(scratch, ignore_errors=True)


def write_page(table: Table, lines: list[str], step: str) -> None:
    """`docs/performance.md`: the last full run, with the machine it was made on."""
    plain = Console(width=160, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    plain.print(table)
    page = (
        "# Performance\n\nWritten by `make bench`; ratios are what counts, absolute numbers belong to the machine.\n\n"
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}; one core for the bot, one for"
        f" the load.\n\n```\n{plain.export_text()}\n" + "\n".join(lines) + f"\n{step}\n```\n"
    )
    notes = ROOT / "bench" / "notes.md"
    (ROOT / "docs" / "performance.md").write_text(page + (notes.read_text() if notes.exists() else ""))


def main() -> None:
    """Command line of the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a contender's name")
    options = parser.parse_args()
    import uvloop

    measured = uvloop.run(run(options.seconds, options.rounds, options.only))
    step = step_speed()
    table = summary(measured)
    console.print(table, step)
    if not options.only:
        lines = ratios(measured)
        console.print("\n".join(lines))
        write_page(table, lines, step)


if __name__ == "__main__":
    main()
