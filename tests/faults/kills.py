"""F1 and F2: kill -9 in every window between two durable steps, and at random."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.ground import Ground, pair
from tests.faults.house import House, Outcome, merge, percentile


class Window(NamedTuple):
    """Where the process dies. With `careful` the turn is kept out of the intake's transaction, so that a message waits in
    the inbox between acknowledgement and claim: the only way to be killed in windows 3 and 4 alone."""

    point: str
    careful: float = 0.0
    talk: str = "request"
    chance: float = 0.04


# The crash windows W1-W9 of the path of a message; W8, a person's click, is a client's message in every respect.
WINDOWS = {
    "W1 received, not committed": Window("intake.before_commit"),
    "W2 committed, not acknowledged": Window("intake.after_commit"),
    "W3 acknowledged, not claimed": Window("worker.claimed", 600.0),
    "W4 claimed, not committed": Window("worker.decided", 600.0),
    "W4 in the intake's own transaction": Window("worker.decided"),
    "W5 committed, nobody woken": Window("outbox.offered"),
    "W6 leased, not sent": Window("outbox.before_send"),
    "W7 sent, not marked": Window("outbox.after_send"),
    "W7 marked, lane not freed": Window("outbox.after_mark"),
    "W9 file saved, row not written": Window("files.saved", talk="photo", chance=0.1),
}
SENDING = ("outbox.", "files.")  # windows in which the sender dies
LONGEST = 900.0  # seconds until a window that kills too seldom is given up
RECOVERY = 35.0  # seconds: the bar of F2


async def kill_in_window(ground: Ground, name: str, kills: int, at_once: int = 1, chats: int = 8) -> Outcome:
    """Load against gateways that die in one window, until they died so often.

    On a shared store a killed sender is waited for until its lease ends: houses side by side wait together.
    """
    slow = ground.shared and WINDOWS[name].point.startswith(SENDING)
    beside = 8 if slow else 1
    houses = (_one_house(ground, name, math.ceil(kills / beside), at_once, chats) for _ in range(beside))
    outcome = merge(ground.outcome(f"F1 {name}"), await asyncio.gather(*houses))
    outcome.bar(int(outcome.numbers["kills"]) >= kills, f"died {outcome.numbers['kills']} times of {kills}")
    return outcome


async def _one_house(ground: Ground, name: str, kills: int, at_once: int, chats: int) -> Outcome:
    window = WINDOWS[name]
    outcome = Outcome(name, ground.store)
    # Many at once pass the same place together: most of them must get through it, or nobody is ever answered.
    fail = f"{window.point}:kill@p={window.chance if at_once == 1 else window.chance / 4}"
    environ = {"FRONTLINE_FAIL": fail, "FRONTLINE_CAREFUL_SECONDS": str(window.careful)}
    async with ground.house(at_once=at_once, environ=environ, add=pair if ground.shared else None) as house:
        house.clients.patience *= 3
        talk: Callable[[int], Awaitable[None]] = getattr(house.clients, window.talk)
        house.clients.start(chats, [talk])
        await until_killed(house, kills)
        await house.disarm()
        await house.finish(outcome)
    return outcome


async def until_killed(house: House, kills: int) -> None:
    until = time.monotonic() + LONGEST
    while house.fleet.kills < kills and time.monotonic() < until and not house.clients.over.is_set():
        await asyncio.sleep(0.05)


async def kill_at_random(ground: Ground) -> Outcome:
    """F2: any process dies at any moment, every 0.2-5 s, under the load of all kinds of dialogues."""
    outcome = ground.outcome("F2 kill -9 at random")
    async with ground.house() as house:
        seconds = ground.length(600.0, 12.0)
        # On a shared store the chats of a killed sender wait until its rows are free again: others must go on.
        start_mixed(house, ground.rate, 160 if ground.shared and not ground.short else 32)
        for _ in range(2 if ground.short else 4):
            await house.open_page()
        await _kill_for(ground, house, seconds)
        await house.finish(outcome)
        recovery = percentile(house.clients.journal.waits, 0.99)
        outcome.numbers |= {"p99 of an answer s": round(recovery, 1), "load s": round(seconds)}
        outcome.bar(recovery <= RECOVERY, f"p99 of an answer is {recovery:.1f} s")
    return outcome


async def _kill_for(ground: Ground, house: House, seconds: float) -> None:
    chance, until, told = random.Random(7), time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < until and not house.clients.over.is_set():
        await asyncio.sleep(chance.uniform(0.2, 5.0) if not ground.short else chance.uniform(0.2, 1.5))
        await chance.choice(house.fleet.members).kill()
        if time.monotonic() - told > 30:
            told = time.monotonic()
            journal = house.clients.journal
            ground.say(f"  {len(journal.acknowledged)} messages, {house.fleet.kills} kills, {until - told:.0f} s left")


def start_mixed(house: House, rate: float, chats: int = 32) -> None:
    """All kinds of dialogues, about so many messages a second."""
    clients = house.clients
    kinds = [clients.request, clients.echo, clients.request, clients.quiet, clients.request, clients.photo]
    # A dialogue is about three messages.
    clients.start(chats, kinds, rest=chats * 3 / rate)
