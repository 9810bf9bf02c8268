"""Runs the checks one after another; each has a verdict, whatever the others said."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Collection
from typing import Any

from adapters.api.conformance import back, checks
from adapters.api.conformance.player import Player
from adapters.verdict import Check, Failed, Skipped, Verdict
from core.locale import n_

ABSENT = n_("the messenger has nothing of the kind")
CLOSED = n_("no message was taken: the other checks would say nothing")


async def play(player: Player, absent: Collection[str] = ()) -> AsyncGenerator[Verdict, None]:
    """The way to the integrator. Checks of what is `absent` are skipped; all are, when the first message is not taken."""
    closed = False
    for check in checks.CHECKS:
        if closed or (check.needs in absent and check.needs):
            yield Verdict(check.id, check.title, "skipped", CLOSED if closed else ABSENT)
            continue
        verdict = await judged(check, player)
        closed = check.id == "send" and verdict.status == "failed" and not player.slowest
        yield verdict


async def listen(
    listener: back.Listener, address: tuple[str, int], seconds: float, ready: Callable[[str], None]
) -> AsyncGenerator[Verdict, None]:
    """The way back: `ready` is told the address, then events are waited for. Raises OSError when it cannot listen."""
    ready(await listener.start(*address))
    try:
        for check in back.CHECKS:
            yield await judged(check, listener, seconds)
    finally:
        await listener.stop()


async def judged(check: Check, *given: Any) -> Verdict:
    """The verdict of one check."""
    began = time.monotonic()
    try:
        await check.run(*given)
    except Skipped as skipped:
        return Verdict(check.id, check.title, "skipped", str(skipped))
    except Failed as failed:
        took = time.monotonic() - began
        return Verdict(check.id, check.title, "failed", failed.what, failed.mend, failed.values, took)
    return Verdict(check.id, check.title, "ok", seconds=time.monotonic() - began)
