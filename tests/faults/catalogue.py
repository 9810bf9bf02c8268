"""All scenarios by their names in the reliability notes, and the stores on which each makes sense."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from tests.faults.ground import Ground
from tests.faults.house import Outcome
from tests.faults.kills import WINDOWS, kill_at_random, kill_in_window
from tests.faults.outages import cut_network, fill_disk, lose_redis, restart_database
from tests.faults.storms import disorder, poison, too_many_requests, trouble_platform

BOTH = ("sqlite", "postgresql")
SHARED = ("postgresql",)
EVERYWHERE = ("sqlite", "postgresql", "pgbouncer")


class Scenario(NamedTuple):
    """`run` leads one to its end on a ground."""

    name: str
    run: Callable[[Ground], Awaitable[Outcome]]
    stores: tuple[str, ...] = BOTH

    def matches(self, asked: tuple[str, ...]) -> bool:
        """`F1` is not `F10`, `F1 W7` are two windows."""
        return any(self.name == one or self.name.startswith(f"{one} ") for one in asked)


async def _window(ground: Ground, name: str) -> Outcome:
    return await kill_in_window(ground, name, ground.kills or (20 if ground.short else 50))


async def _many_under_way(ground: Ground) -> Outcome:
    """As shipped, many messages are under way: each may come twice after a kill, no client sees two of them."""
    outcome = await kill_in_window(
        ground, "W7 sent, not marked", ground.kills or (20 if ground.short else 50), at_once=30, chats=24
    )
    outcome.name = "F1 W7 with 30 under way"
    return outcome


SCENARIOS: tuple[Scenario, ...] = (
    *(Scenario(f"F1 {name}", partial(_window, name=name)) for name in WINDOWS),
    Scenario("F1 W7 with 30 under way", _many_under_way),
    Scenario("F2 kill -9 at random", kill_at_random, EVERYWHERE),
    Scenario("F3 PostgreSQL restarts", restart_database, SHARED),
    Scenario("F6 Redis lost, flushed, hung, full", lose_redis, SHARED),
    Scenario("F7 disk full", fill_disk),
    Scenario("F9 platform slow, hung, 5xx, resets", trouble_platform),
    Scenario("F10 storm of 429", too_many_requests),
    Scenario("F11 network between process and database", cut_network, SHARED),
    Scenario("F13 duplicates and disorder", disorder),
    Scenario("F14 poison", poison),
)
