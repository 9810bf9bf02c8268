"""F9, F10, F13, F14: a platform that is slow, strict or forgetful, and messages that are poison."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from tests.faults.clients import Clients
from tests.faults.fleet import HERE, ROOT
from tests.faults.ground import Ground
from tests.faults.history import DEAD_EVENTS
from tests.faults.house import House, Outcome, percentile
from tests.faults.platform import Platform, Trouble

POISON = "яд"
MOST_TRIES = 5  # of a poisoned event, before it is set aside
SLACK = 0.3  # seconds: a 429's window is measured at the platform, and begins when its answer arrives
NEIGHBOURS = 1.2  # the bar of F9: how much slower another channel may become …
NOISE = 0.1  # … and what a shared machine does to a p95 by itself, in seconds


class Moods:
    """A platform with moods: each chat meets a trouble with some chance, never two lost answers on end.

    Twice without an answer is where the sender gives a message up: that policy has tests of its own.
    """

    def __init__(self, seed: int = 5) -> None:
        self.kinds: tuple[Trouble, ...] = ()
        self.chance = 0.0
        self.random = random.Random(seed)
        self._last: dict[int, str] = defaultdict(str)

    def __call__(self, chat: int) -> Trouble | None:
        trouble = self.random.choice(self.kinds) if self.random.random() < self.chance else None
        if trouble is not None and trouble.kind not in {"429", "500"} and self._last[chat]:
            trouble = None
        if trouble is None or trouble.kind not in {"429", "500"}:
            self._last[chat] = trouble.kind if trouble else ""
        return trouble


# --- F9, F10: the platform -------------------------------------------------------------------------------------------


async def trouble_platform(ground: Ground) -> Outcome:
    """F9: one platform is slow, hangs, answers 5xx, resets connections; the other channel must not feel it."""
    outcome = ground.outcome("F9 platform slow, hung, 5xx, resets")
    async with Platform() as other:
        environ = {"FAULTS_TOKEN2": "43:FAULTS", "FAULTS_API2": other.url}
        async with ground.house(environ=environ, at_once=30) as house:
            neighbours = house.crowd(
                other, hook="telegram2", first_number=1_000_000, first_chat=5000, patience=ground.patience
            )
            house.clients.patience = 120.0 if ground.short else 400.0
            span = ground.length(60.0, 4.0)
            _start_both(ground, house, neighbours)
            await asyncio.sleep(span)
            usual, before = percentile(neighbours.journal.waits, 0.95), len(neighbours.journal.waits)
            await _storm(house, span, 25.0 if not ground.short else 3.0)
            late = percentile(neighbours.journal.waits[before:], 0.95)
            house.platform.trouble = lambda chat: None
            await house.finish(outcome)
            outcome.numbers |= {"neighbour p95 before s": round(usual, 3), "in the storm s": round(late, 3)}
            outcome.bar(
                late <= usual * NEIGHBOURS + NOISE, f"the other channel's p95 went from {usual:.2f} to {late:.2f} s"
            )
    return outcome


def _start_both(ground: Ground, house: House, neighbours: Clients) -> None:
    chats = 12
    house.clients.start(chats, rest=chats * 3 / (ground.rate / 2))
    neighbours.start(chats, rest=chats * 3 / (ground.rate / 2))


async def _storm(house: House, span: float, slow: float) -> None:
    moods = house.platform.trouble = Moods()
    for moods.kinds, moods.chance in (
        ((Trouble("slow", slow),), 0.5),
        ((Trouble("hang", slow),), 0.3),
        ((Trouble("500"),), 1.0),
        ((Trouble("cut"), Trouble("lost")), 0.4),
    ):
        await asyncio.sleep(span)


async def too_many_requests(ground: Ground) -> Outcome:
    """F10: half of all sends are answered with 429: nothing lost, order kept, nobody knocks inside a closed window."""
    outcome = ground.outcome("F10 storm of 429")
    longest = 2 if ground.short else 60
    async with ground.house(at_once=30) as house:
        span = ground.length(600.0, 6.0)
        house.clients.patience = span + 240.0  # the first message of a chat may be refused as long as the storm lasts
        chance = random.Random(3)

        def trouble(chat: int) -> Trouble | None:
            return Trouble("429", chance.randint(1, longest)) if chance.random() < 0.5 else None

        house.platform.trouble = trouble
        house.clients.start(24, rest=1.0)
        await asyncio.sleep(span)
        house.platform.trouble = lambda chat: None
        await house.finish(outcome)
        early = knocks(house.platform)
        refused = sum(call.outcome == "429" for call in house.platform.calls)
        outcome.numbers |= {"429": refused, "knocks too early": len(early)}
        outcome.bar(not early, f"{len(early)} calls into chats that a 429 had closed: {early[:3]}")
        outcome.bar(refused > 10, f"only {refused} calls were refused")
    return outcome


def knocks(platform: Platform) -> list[str]:
    """Calls that came before the window of a 429 was over."""
    closed: dict[int, float] = {}
    early = []
    for call in platform.calls:
        left = closed.get(call.chat, 0.0) - call.at
        if left > SLACK:
            early.append(f"chat {call.chat}, {left:.1f} s too early")
        if call.outcome == "429":
            closed[call.chat] = call.at + call.seconds
    return early


# --- F13, F14: messages ----------------------------------------------------------------------------------------------


async def disorder(ground: Ground) -> Outcome:
    """F13: a fifth of the messages comes three times, and not in their order."""
    outcome = ground.outcome("F13 duplicates and disorder")
    async with ground.house() as house:
        clients = house.clients
        clients.again = 0.2
        clients.start(24, [clients.echo, clients.request], rest=24 * 4 / ground.rate)
        await asyncio.sleep(ground.length(120.0, 6.0))
        await house.finish(outcome)
        outcome.bar(int(outcome.numbers["redelivered"]) > 10, "nothing came twice")
    return outcome


async def poison(ground: Ground) -> Outcome:
    """F14: a message whose turn fails, one that takes the process along, a flow without an end."""
    outcome = ground.outcome("F14 poison")
    environ = {"FAULTS_POISON": POISON, "FRONTLINE_CAREFUL_SECONDS": "20"}
    async with ground.house(environ=environ) as house:
        house.clients.start(12, rest=12 * 3 / ground.rate)
        await asyncio.sleep(1)
        for n, kind in enumerate(("raise", "kill") if ground.short else ("raise", "kill") * 3):
            await _swallow(house, outcome, 8000 + n, kind)
        await asyncio.sleep(ground.length(10.0, 1.0))
        wanted = 2 if ground.short else 6
        await house.finish(outcome, dead=wanted)
        # Before it is known that something kills, each process that takes turns may fall once or twice uncounted.
        most = (MOST_TRIES + 2 * (2 if ground.shared else 1)) * wanted // 2
        outcome.bar(house.fleet.kills <= most, f"{house.fleet.kills} processes died of poison, at most {most} may")
        refused = await asyncio.to_thread(refuses_loops, ground.new_folder())
        outcome.bar(refused, "a flow without an end was taken")
    return outcome


async def _swallow(house: House, outcome: Outcome, chat: int, kind: str) -> None:
    """The chat's own next message is answered, or people have it; how long the event was tried is counted."""
    began = time.monotonic()
    before = await _dead(house)
    await house.clients.say(chat, f"{POISON} {kind} {chat}")
    async with asyncio.timeout(120):
        while await _dead(house) == before:
            await asyncio.sleep(0.1)
    outcome.numbers["set aside after s"] = max(
        float(outcome.numbers.get("set aside after s", 0.0)), round(time.monotonic() - began, 1)
    )
    await house.platform.hear(chat, lambda text: True, 0, 30.0)


async def _dead(house: House) -> int:
    return int((await house.database.ask(DEAD_EVENTS))[0][0])


LOOP = """flow: Кольцо
triggers:
  - words: [кольцо]
steps:
  - step: начало
    set: {раз: "1"}
  - goto: начало
"""


def refuses_loops(folder: Path) -> bool:
    """A flow that goes in circles without asking cannot be published."""
    shutil.copytree(HERE / "flows", folder / "flows")
    (folder / "flows" / "ring.yaml").write_text(LOOP, "utf-8")
    text = (HERE / "config.yaml").read_text("utf-8").replace("${FAULTS_PORT}", "0")
    for kind in ("STORE", "FILES", "API", "API2", "REDIS", "TOKEN2", "MODE", "AT_ONCE"):
        value = {"STORE": "memory:", "FILES": str(folder), "MODE": "webhook", "AT_ONCE": "1"}.get(kind, "")
        text = text.replace(f"${{FAULTS_{kind}}}", value or ("http://127.0.0.1:9" if kind.startswith("API") else ""))
    (folder / "config.yaml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "gateway", "--config", str(folder / "config.yaml"), "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 1 and "L152" in done.stdout
