"""Steady load and bursts: updates come when they are due, whether the bot keeps up or not.

Up to `CONNECTIONS` are under way, the most that Telegram opens for an account, or ten times as many: a burst may come from ten
accounts at once. A message is late from the moment it was due, so a bot that is slow cannot hide it by being asked less often.
What is refused with 503 is posted again, as Telegram does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console

from bench.contenders import OURS, SECRET, Contender, build
from bench.load import Client, Hook, Load, Platform
from bench.machine import memory_mb
from bench.path import house, up
from bench.stats import Bar, percentile

CONNECTIONS = 100
ACCOUNTS = 10  # that a burst comes from
AGAIN = 1.0  # seconds after a 503
DRAIN = 60.0  # seconds that all answers may take after the last message


@dataclass(frozen=True)
class Trial:
    """So many messages a second for so many seconds, and what is asked for: seconds, and MB for the growth of memory.

    An ack is measured from the moment its message was due; with `held` from the post, since the platform itself holds what is
    more than its connections carry.
    """

    key: str
    contender: str
    rate: int
    seconds: float
    ack_p99: float
    send_p95: float = 0.0
    growth: float = 0.0
    accounts: int = 1
    held: bool = False


@dataclass
class Found:
    """What came of it: times in seconds."""

    acks: list[float] = field(default_factory=list)  # from due to 200
    posts: list[float] = field(default_factory=list)  # from post to 200
    sends: list[float] = field(default_factory=list)  # from due to the answer at the platform
    refused: int = 0
    errors: int = 0
    unanswered: int = 0
    drained: float = 0.0  # after the last message was due
    growth: float = 0.0


class Pace:
    """Posts messages of many chats when they are due; a chat speaks again only when it was answered.

    A stubborn one posts again and again while the bot is away, as Telegram does; else that is an error.
    """

    def __init__(self, bot: Contender, stubborn: bool = False) -> None:
        self.stubborn = stubborn
        self.load = Load(bot.ports, bot.path, SECRET)
        self.found = Found()
        self._free: deque[Client] = deque()
        self._hooks: asyncio.LifoQueue[Hook] = asyncio.LifoQueue()
        Platform.clients = {}

    async def run(self, rate: float, seconds: float, accounts: int = 1) -> Found:
        """Returns when all is answered, or `DRAIN` after the last message."""
        for hook in await self.load.connect(accounts * CONNECTIONS):
            self._hooks.put_nowait(hook)
        tasks: set[asyncio.Task[None]] = set()
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0.001:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._one(self._client(), due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await self._drain(tasks, began + seconds)
        return self.found

    async def _drain(self, tasks: set[asyncio.Task[None]], ended: float) -> None:
        waiting = set(tasks)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=max(0.0, ended + DRAIN - time.perf_counter()))
        self.found.drained = max(0.0, time.perf_counter() - ended)
        self.found.unanswered = len(waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        while not self._hooks.empty():
            self._hooks.get_nowait().transport.close()

    def _client(self) -> Client:
        if self._free:
            return self._free.popleft()
        client = Client(Load.next_chat)
        Load.next_chat += 1
        Platform.clients[client.chat] = client
        return client

    async def _one(self, client: Client, due: float) -> None:
        if not await self._post(self.load.says(client), due):
            self.found.errors += 1
            return
        await client.answered.wait()
        self.found.sends.append(time.perf_counter() - due)
        self._free.append(client)

    async def _post(self, body: bytes, due: float) -> bool:
        """Whether it was acknowledged."""
        hook = await self._alive(await self._hooks.get())
        posted = time.perf_counter()
        try:
            while (status := await self._try(hook, body)) != b"200":
                if not (self.stubborn or status == b"503"):
                    return False
                self.found.refused += 1
                await asyncio.sleep(AGAIN)
                hook = await self._alive(hook)
        finally:
            self._hooks.put_nowait(hook)
        self.found.posts.append(time.perf_counter() - posted)
        self.found.acks.append(time.perf_counter() - due)
        return True

    async def _try(self, hook: Hook, body: bytes) -> bytes:
        try:
            return await hook.post(body)
        except ConnectionError:
            return b""

    async def _alive(self, hook: Hook) -> Hook:
        """The connection, or another one in its place, to the next port that takes one."""
        if not hook.transport.is_closing():
            return hook
        with contextlib.suppress(OSError):
            self.load.ports = [*self.load.ports[1:], self.load.ports[0]]
            (hook,) = await self.load.connect(1)
        return hook


async def run_steady(asked: Sequence[Trial], console: Console) -> list[str]:
    """Lines of the report."""
    lines = []
    for trial in asked:
        lines += told(trial, await run_trial(trial, console))
        console.print(lines[-1], markup=False)
    return lines


async def run_trial(trial: Trial, console: Console) -> Found:
    """One bot of its own, warmed up, under one load."""
    async with house(trial.contender.startswith("postgres")) as made:
        bot = await build(made.place, trial.contender)
        console.print(f"{trial.key}: {bot.name}, {trial.rate} messages/s for {trial.seconds:.0f} s")
        with bot.started(made.place.scratch):
            await up(bot, made)
            await Load(bot.ports, bot.path, SECRET).run(16, 3.0)
            before, _ = memory_mb(bot.pids)
            found = await Pace(bot).run(trial.rate, trial.seconds, trial.accounts)
            found.growth = memory_mb(bot.pids)[1] - before
            return found


def told(trial: Trial, found: Found) -> list[str]:
    """What was measured and whether it holds."""
    due, post, send = percentile(found.acks, 0.99), percentile(found.posts, 0.99), percentile(found.sends, 0.95)
    clean = not (found.errors or found.unanswered)
    holds = clean and (post if trial.held else due) <= trial.ack_p99
    asked = f"ack p99 ≤ {1000 * trial.ack_p99:.0f} ms{' from the post' if trial.held else ''}"
    if trial.send_p95:
        holds, asked = holds and send <= trial.send_p95, f"{asked}, answer p95 ≤ {1000 * trial.send_p95:.0f} ms"
    if trial.growth:
        holds = holds and found.growth <= trial.growth and found.drained <= DRAIN
        asked = f"{asked}, drained in {DRAIN:.0f} s, memory + {trial.growth:.0f} MB at most"
    load = f"{trial.rate} messages/s for {trial.seconds:.0f} s over {trial.accounts * CONNECTIONS} connections"
    name = f"{trial.key}, {OURS[trial.contender]}, {load}: {asked}, no errors"
    measured = (
        f"ack p99 {1000 * due:.0f} ms from due, {1000 * post:.0f} ms from the post; answer p95 "
        f"{1000 * send:.0f} ms; drained in {found.drained:.1f} s; {found.refused} refused and posted again, {found.errors} "
        f"errors, {found.unanswered} unanswered; memory + {found.growth:.0f} MB"
    )
    return [f"- {Bar(name, measured, holds).line}"]


def trials(seconds: float) -> list[Trial]:
    """L1 to L3 of the test catalogue; `seconds` is the length of the steady ones."""
    return [
        Trial("L1", "postgres-2", 300, seconds, ack_p99=0.05, send_p95=0.25),
        Trial("L2", "sqlite", 200, seconds, ack_p99=0.06, send_p95=0.3),
        *(
            Trial("L3", store, 2000, 10.0, ack_p99=1.0, growth=105.0, accounts=ACCOUNTS)
            for store in ("sqlite", "postgres-2")
        ),
        *(
            Trial("L3, one account", store, 2000, 10.0, ack_p99=1.0, growth=105.0, held=True)
            for store in ("sqlite", "postgres-2")
        ),
    ]
