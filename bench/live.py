"""People at work on live sockets: how late a change is on their screens, and what an open socket costs.

A gateway of its own process on the bot's core takes changes of sessions in transactions as turns write them (a row of the
list, a line of the feed), numbers them, looks up each conversation once and gives it to whoever may see it. The load holds
the sockets on the other core. Late is what lies between the moment before the transaction and the arrival.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console

from bench.machine import BOT, free_port
from bench.stats import Bar, percentile

EACH = 20  # people of a line: who sees a change
FAN_OUT_BAR, SOCKET_BAR = 0.2, 60.0  # seconds, KiB
ANSWER = "answer: "  # how the child's answers begin; its log stands between them
SETTLE = 3.0  # seconds without a change before memory is read
CONFIG = """\
http: {{host: 127.0.0.1, port: {port}}}
storage: {{url: "sqlite:///live.db", files: files, cache: cache}}
channels: {{}}
live: {{sockets: {each}}}
lines: {{{lines}}}
desks: {{general: {{title: Обращения}}}}
"""
LINE = 'l{n}: {{title: Линия {n}, hours: {{mon-sun: "00:00-24:00"}}, closed: {{ticket: general}}, busy: {{ticket: general}}}}'
FLOWS = {
    "_bot.yaml": "bot: Замер\nwelcome: hello\nfallback: hello\noperator: hello\n",
    "hello.yaml": "flow: Привет\nsteps:\n  - say: Привет\n  - end: готово\n",
}


@dataclass
class Found:
    """What was measured: seconds of lateness by arrival; KiB of memory for a socket; changes made, heard and due."""

    sockets: int
    rate: float
    late: list[float] = field(default_factory=list)
    kib: float = 0.0
    made: int = 0
    heard: int = 0
    due: int = 0
    opened: float = 0.0  # seconds until all were open
    busy: float = 0.0  # of the gateway's core


# --- the gateway -----------------------------------------------------------------------------------------------------


async def serve(folder: Path, port: int, lines: int) -> None:
    """The child: a gateway with a line, an operator and a token for every twenty sockets; obeys words on its stdin."""
    from core.access import Role
    from core.accounts import Deed, User
    from gateway.accounts.people import Place
    from gateway.app import Gateway
    from gateway.config import read_config
    from gateway.tuning import tune

    (folder / "flows").mkdir()
    for name, text in FLOWS.items():
        (folder / "flows" / name).write_text(text, "utf-8")
    text = CONFIG.format(port=port, each=EACH, lines=", ".join(LINE.format(n=n) for n in range(lines)))
    config, findings = read_config(text, folder / "config.yaml", {})
    assert config is not None, findings
    gateway = Gateway(config)
    await gateway.start()
    role: Role = "operator"
    tokens = []
    for n in range(lines):
        made = User(0, f"op{n}", f"Оператор {n}", role, {f"l{n}": role})
        user = await gateway.store.accounts.add_user(made, Deed("bench", "user_added"), time.time())
        _, secret = await gateway.people.add_token(user, "bench", ("conversations:read",), 0.0, Place())
        tokens.append(secret)
    tune()
    print(ANSWER + json.dumps(tokens), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while words := (await commands.readline()).split():
        if words[0] == b"change":
            print(ANSWER, await _change(gateway, lines, float(words[1]), float(words[2])), flush=True)
        elif words[0] == b"memory":
            print(ANSWER, _rss(), time.process_time(), flush=True)
    await gateway.stop()


async def _change(gateway: Any, lines: int, rate: float, seconds: float) -> int:
    """So many sessions a second change, evenly; each in a transaction of its own. How many did."""
    from core.conversation import Conversation, Session
    from storage.work.projecting import project

    homes = {}
    for n in range(lines):
        session = Session(number=1, status="closed", owner="operator", line=f"l{n}", epoch=1, opened_at=time.time())
        homes[n] = Conversation(id=n + 1, channel="bench", account="b", chat=str(n), client=n + 1, session=session)
    writing, began, count = set(), time.monotonic(), int(rate * seconds)
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        home = homes[number % lines]
        before, home.session = home.session, msgspec.structs.replace(home.session, note=f"{number}", epoch=number + 2)
        at, after = time.time(), msgspec.structs.replace(home)
        write = gateway.floor.units.write(
            lambda ledger, it=(before, after, at): project(ledger, it[0], it[1], [], it[2])
        )
        task = asyncio.create_task(write)
        writing.add(task)
        task.add_done_callback(writing.discard)
    await asyncio.gather(*writing)
    return count


def _rss() -> int:
    """KiB that the process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


# --- the load --------------------------------------------------------------------------------------------------------


class Child:
    """The gateway's process and its answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self) -> str:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode().strip():
            if line.startswith(ANSWER.strip()):
                return line.removeprefix(ANSWER.strip()).strip()
        raise ChildProcessError("the gateway of the bench ended")

    async def ask(self, *words: object) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        return await self.answer()


@asynccontextmanager
async def gateway_process(port: int, lines: int) -> AsyncIterator[Child]:
    with tempfile.TemporaryDirectory(prefix="frontline-live-") as folder:
        home = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {BOT})
        command = [sys.executable, "-m", "bench.live", folder, str(port), str(lines)]
        pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=quiet)
        os.sched_setaffinity(0, home)
        try:
            yield Child(process)
        finally:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()


async def listen(session: aiohttp.ClientSession, port: int, token: str, found: Found, ready: asyncio.Semaphore) -> None:
    """One socket, read until it is cancelled."""
    headers = {"Authorization": f"Bearer {token}"}
    async with session.ws_connect(f"http://127.0.0.1:{port}/api/v1/live", headers=headers) as ws:
        await ws.send_str('{"type":"hello"}')
        async for message in ws:
            if message.data.startswith('{"type":"ready"'):
                ready.release()
            elif message.data.startswith('{"type":"change"'):
                found.heard += 1
                if not found.heard % 4:  # a sample: reading every one would measure the reader
                    at = json.loads(message.data)["row"]["moved_at"]
                    found.late.append(time.time() - _seconds(at))


def _seconds(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


async def run_live(sockets: int, rate: float, seconds: float, console: Console) -> list[str]:
    """The lines of the report."""
    lines, port = max(1, sockets // EACH), free_port()
    found = Found(sockets, rate)
    async with AsyncExitStack() as stack:
        child = await stack.enter_async_context(gateway_process(port, lines))
        tokens: list[str] = json.loads(await child.answer())
        before = float((await child.ask("memory")).split()[0])
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        ready, began, listening = asyncio.Semaphore(0), time.monotonic(), []
        for n in range(sockets):
            listening.append(asyncio.create_task(listen(session, port, tokens[n % lines], found, ready)))
            if n % 50 == 49:
                await asyncio.sleep(0.05)
        for _ in range(sockets):
            await asyncio.wait_for(ready.acquire(), 60)
        found.opened = time.monotonic() - began
        console.print(f"live: {sockets} sockets open after {found.opened:.1f} s")
        await child.ask("change", min(rate, 50), 2)  # warming up
        await asyncio.sleep(1)
        found.late.clear()
        found.heard, cpu = 0, float((await child.ask("memory")).split()[1])
        started = time.monotonic()
        found.made = int(await child.ask("change", rate, seconds))
        found.due = found.made * (sockets // lines)
        until = time.monotonic() + 10
        while found.heard < found.due and time.monotonic() < until:  # noqa: ASYNC110 - the reader only counts
            await asyncio.sleep(0.05)
        spent = time.monotonic() - started
        await asyncio.sleep(SETTLE)
        memory, after = (float(it) for it in (await child.ask("memory")).split())
        found.busy, found.kib = (after - cpu) / spent, (memory - before) / sockets
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return told(found)


def told(found: Found) -> list[str]:
    """A run as lines of the report, with its bars."""
    middle, late = percentile(found.late, 0.5), percentile(found.late, 0.95)
    missed = found.due - found.heard
    size = f"{found.sockets} sockets, {found.rate:g} changes/s, each to {found.due // max(1, found.made)} of them"
    bars = [
        Bar(f"live, {size}: p95 from the change to the screen ≤ {FAN_OUT_BAR * 1000:g} ms, nothing missed",
            f"p50 {middle * 1000:.0f} ms, p95 {late * 1000:.0f} ms, {missed} missed",
            bool(found.late) and late <= FAN_OUT_BAR and not missed),
        Bar(f"memory of a socket ≤ {SOCKET_BAR:g} KiB", f"{found.kib:.0f} KiB", found.kib <= SOCKET_BAR),
    ]  # fmt: skip
    more = f"- all open after {found.opened:.1f} s; the gateway was {found.busy:.0%} busy"
    return [*(f"- {bar.line}" for bar in bars), more]


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
