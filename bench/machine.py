"""Processes and cores of this machine: who runs where, what it costs, how much memory it holds. Linux only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BOT, LOAD = (0, 1) if (os.cpu_count() or 1) > 1 else (0, 0)  # the bot's core, and that of everything else
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], environ: Mapping[str, str], log: Path, core: int, user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process and its children on one core; asked to end at the end, killed after 15 s."""
    with log.open("ab") as out:
        process = launch(command, {**os.environ, **environ}, out, core, user)
        try:
            yield process
        finally:
            end(process)


def launch(
    command: list[str], environ: Mapping[str, str], out: IO[bytes], core: int, user: str | None
) -> subprocess.Popen[bytes]:
    """Starts a process on one core: a child inherits the cores of the thread that starts it."""
    home = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out, user=user)
    finally:
        os.sched_setaffinity(0, home)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to stop, also one that is frozen; kills it when it does not within 15 s."""
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def freeze(pids: Iterable[int]) -> None:
    """They and all below them stand still, and cost nothing, until `thaw`."""
    _tell(pids, signal.SIGSTOP)


def thaw(pids: Iterable[int]) -> None:
    """Ends `freeze`."""
    _tell(pids, signal.SIGCONT)


def _tell(pids: Iterable[int], what: signal.Signals) -> None:
    for pid in pids:
        for one in family(pid):
            with suppress(ProcessLookupError):
                os.kill(one, what)


def family(pid: int) -> list[int]:
    """The process and all below it that live now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, []))
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/pid/stat from the state on; none when the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far of processes, their families and those of them that have ended."""
    all_ = (_stat(member) for pid in pids for member in family(pid))
    return sum(sum(int(value) for value in fields[11:15]) for fields in all_ if fields) / TICKS


def memory_mb(pids: Iterable[int]) -> tuple[float, float]:
    """Resident memory of families in MB: now, and the sum of what each held at most."""
    now = peak = 0.0
    for member in (member for pid in pids for member in family(pid)):
        values = status(member)
        now += values.get("VmRSS", 0) / 1e3
        peak += values.get("VmHWM", 0) / 1e3
    return now * 1.024, peak * 1.024


def descriptors(pid: int) -> int:
    """Open files and sockets of a process; 0 when it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def status(pid: int) -> dict[str, int]:
    """Numbers of /proc/pid/status: memory in KiB, threads."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name: int(rest.split()[0]) for name, _, rest in pairs if rest.split()[:1] and rest.split()[0].isdigit()}


def core_seconds(core: int) -> tuple[float, float, float]:
    """Busy, stolen and whole time of a core so far, from /proc/stat. What another machine on the same iron took (`steal`) is
    busy, too."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            values = [int(value) / TICKS for value in fields[:8]]
            return sum(values) - values[3] - values[4], values[7], sum(values)
    return 0.0, 0.0, 0.0
