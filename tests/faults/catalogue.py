"""All scenarios by their names in the reliability notes, and the stores on which each makes sense."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from tests.faults.ground import Ground
from tests.faults.handovers import freeze_poller, jump_clock, restore_copy, stop_under_load, upgrade_in_turn
from tests.faults.house import Outcome
from tests.faults.kills import WINDOWS, kill_at_random, kill_in_window
from tests.faults.outages import cut_network, fill_disk, lose_redis, restart_database
from tests.faults.storms import disorder, poison, too_many_requests, trouble_platform

BOTH = ("sqlite", "postgresql")
SHARED = ("postgresql",)


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


async def _pooled(ground: Ground) -> Outcome:
    """Sessions are no one's own: what a connection remembers may be another's."""
    outcome = await kill_at_random(ground)
    outcome.name = "F5 PgBouncer between, kill -9 at random"
    return outcome


SCENARIOS: tuple[Scenario, ...] = (
    *(Scenario(f"F1 {name}", partial(_window, name=name)) for name in WINDOWS),
    Scenario("F1 W7 with 30 under way", _many_under_way),
    Scenario("F2 kill -9 at random", kill_at_random),
    Scenario("F3 PostgreSQL restarts", restart_database, SHARED),
    Scenario("F5 PgBouncer between, kill -9 at random", _pooled, ("pgbouncer",)),
    Scenario("F6 Redis lost, flushed, hung, full", lose_redis, SHARED),
    Scenario("F7 disk full", fill_disk),
    Scenario("F8 clock jumps", jump_clock, SHARED),
    Scenario("F9 platform slow, hung, 5xx, resets", trouble_platform),
    Scenario("F10 storm of 429", too_many_requests),
    Scenario("F11 network between process and database", cut_network, SHARED),
    Scenario("F12 frozen poller", freeze_poller),
    Scenario("F13 duplicates and disorder", disorder),
    Scenario("F14 poison", poison),
    Scenario("F16 rolling upgrade, tables expanded first", upgrade_in_turn, SHARED),
    Scenario("F17 SIGTERM under load", stop_under_load),
    Scenario("F18 backup and restore under load", restore_copy),
)
