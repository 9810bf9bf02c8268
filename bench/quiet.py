"""Loads that strangers disturbed are measured again, while there is patience: a machine that is lent out is seldom quiet.

The rule looks at who used the cores, never at the result, and is the same for every contender.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.stats import Run

QUIET = 0.05  # of a core that strangers may have
TRIES = 6  # of one load
PAUSE = (1.0, 8.0)  # seconds before the second try, and at most


@dataclass
class Quiet:
    """`patience`: seconds that all repetitions of a run may take."""

    patience: float
    again: int = 0  # loads that were measured another time
    noisy: int = 0  # loads of which even the quietest try was disturbed

    async def measured(self, attempt: Callable[[], Awaitable[Run]]) -> Run:
        """The first quiet try, or else the quietest."""
        best, pause = await attempt(), PAUSE[0]
        for _ in range(TRIES - 1):
            if best.disturbed <= QUIET or self.patience <= 0:
                break
            began = time.perf_counter()
            await asyncio.sleep(pause)
            best, pause = min(best, await attempt(), key=lambda run: run.disturbed), min(2 * pause, PAUSE[1])
            self.again += 1
            self.patience -= time.perf_counter() - began
        self.noisy += best.disturbed > QUIET
        return best
