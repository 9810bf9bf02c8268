"""Whose turn it is not stands still; a turn begins when the bot has done what it does after a load."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bench.contenders import Contender
from bench.machine import cpu_seconds, end, freeze, thaw
from bench.path import CALM, settled
from bench.stats import Outcome

BUSY = "import time\nprint(flush=True)\nwhile time.process_time() < {}: pass\ntime.sleep(60)"


def busy(seconds: float) -> subprocess.Popen[bytes]:
    """A process that takes so many seconds of a core, then waits; it has begun."""
    process = subprocess.Popen([sys.executable, "-c", BUSY.format(seconds)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as out:
        out.readline()
    return process


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = busy(60)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def spent(pid: int, seconds: float) -> float:
    before = cpu_seconds([pid])
    time.sleep(seconds)
    return cpu_seconds([pid]) - before


def test_what_is_frozen_takes_nothing_and_goes_on(worker: subprocess.Popen[bytes]) -> None:
    freeze([worker.pid])
    time.sleep(0.05)
    assert spent(worker.pid, 0.3) == 0
    thaw([worker.pid])
    until = time.monotonic() + 20
    while spent(worker.pid, 0.1) == 0:
        assert time.monotonic() < until


def test_what_is_frozen_is_ended_like_the_rest(worker: subprocess.Popen[bytes]) -> None:
    freeze([worker.pid])
    began = time.monotonic()
    end(worker)
    assert worker.returncode == -15, "asked, not killed"
    assert time.monotonic() - began < 14


def test_who_has_ended_meanwhile_is_no_trouble() -> None:
    process = busy(0)
    process.kill()
    process.wait()
    freeze([process.pid])
    thaw([process.pid])


async def test_a_bot_settles_when_its_work_is_done() -> None:
    process = busy(1.5)
    try:
        bot = Contender(Outcome("one", "One", "ours"), pids=[process.pid])
        began = time.monotonic()
        await settled(bot, 30)
        assert CALM <= time.monotonic() - began < 30
        assert cpu_seconds([process.pid]) >= 1.4
    finally:
        process.kill()
        process.wait()
