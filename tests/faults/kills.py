"""F1 and F2: kill -9 in every window between two durable steps, and at random."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.ground import Ground
from tests.faults.house import House, Outcome


class Window(NamedTuple):
    """Where the process dies. With `careful` the turn is kept out of the intake's transaction, so that a message waits in
    the inbox between acknowledgement and claim: the only way to be killed in windows 3 and 4 alone."""

    point: str
    careful: float = 0.0
    talk: str = "request"
    chance: float = 0.03


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
LONGEST = 600.0  # seconds until a window that kills too seldom is given up


async def kill_in_window(ground: Ground, name: str, kills: int, at_once: int = 1, chats: int = 8) -> Outcome:
    """Load against gateways that die in one window, until they died so often."""
    window = WINDOWS[name]
    outcome = ground.outcome(f"F1 {name}")
    fail = f"{window.point}:kill@p={window.chance}"
    environ = {"FRONTLINE_FAIL": fail, "FRONTLINE_CAREFUL_SECONDS": str(window.careful)}
    async with ground.house(at_once=at_once, environ=environ) as house:
        talk: Callable[[int], Awaitable[None]] = getattr(house.clients, window.talk)
        house.clients.start(chats, [talk])
        await until_killed(house, kills)
        await house.disarm()
        await house.finish(outcome)
        outcome.bar(house.fleet.kills >= kills, f"died {house.fleet.kills} times, {kills} were asked for")
    return outcome


async def until_killed(house: House, kills: int) -> None:
    until = time.monotonic() + LONGEST
    while house.fleet.kills < kills and time.monotonic() < until and not house.clients.over.is_set():
        await asyncio.sleep(0.05)
