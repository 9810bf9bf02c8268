"""The flood limit of several processes: one limit for a client wherever it is served, nearly; none of it without Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.ports import Hints
from gateway.flood import WAITING, FloodShare
from gateway.worker import FloodGuard
from storage.hints import open_hints
from storage.hints.local import LocalHints
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
LIMIT, SECONDS = 20, 10.0


def guard(hints: Hints) -> FloodGuard:
    made = FloodGuard(LIMIT, SECONDS)
    made.shared = FloodShare(hints, SECONDS)
    return made


@asynccontextmanager
async def sharing(*guards: FloodGuard) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.shared.run()) for one in guards if one.shared is not None]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def shared(*guards: FloodGuard) -> None:
    """Until everything counted has been passed on."""
    async with asyncio.timeout(5):
        while any(one.shared is not None and one.shared._waiting for one in guards):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)


async def test_the_limit_holds_across_processes_nearly() -> None:
    hints = LocalHints()
    guards = [guard(hints) for _ in range(4)]
    async with sharing(*guards):
        fine = 0
        for n in range(100):
            fine += not guards[n % 4].over(7, n * 0.01)
            await shared(*guards)
        assert LIMIT <= fine <= LIMIT + len(guards)
        assert guards[0].over(8, 1.0) == 0  # another client is not concerned


async def test_redis_shares_the_limit(redis_server: RedisServer) -> None:
    ways = [open_hints(redis_server.url) for _ in range(2)]
    for way in ways:
        await way.open()
    guards = [guard(way) for way in ways]
    async with sharing(*guards):
        fine = 0
        for n in range(60):
            fine += not guards[n % 2].over(7, n * 0.001)
            await shared(*guards)
            await asyncio.sleep(0.005)
        assert LIMIT <= fine <= LIMIT + 4
    for way in ways:
        await way.close()


async def test_the_window_moves_on() -> None:
    hints = LocalHints()
    one, other = guard(hints), guard(hints)
    async with sharing(one, other):
        for n in range(15):
            one.over(7, n * 0.01)
        for n in range(2):
            other.over(7, n * 0.01)
        await shared(one, other)
        assert other.over(7, 0.5) == 0
        assert [other.over(7, 0.6) for _ in range(5)][-1] > 0
        assert other.over(7, 30.0) == 0


async def test_a_slow_client_is_counted_at_home_only() -> None:
    class Silent(LocalHints):
        async def count(self, key: str, seconds: float) -> int | None:
            raise AssertionError("nobody needs to know")

    one = guard(Silent())
    async with sharing(one):
        for n in range(20):
            assert one.over(n, 0.0) == 0
            assert one.over(7_000, n * SECONDS) == 0
        await shared(one)


async def test_one_notice_for_a_wave_wherever_it_breaks() -> None:
    hints = LocalHints()
    one, other = guard(hints), guard(hints)
    async with sharing(one, other):
        one.over(7, 1.0)
        other.over(7, 1.0)
        assert one.begins(7, 1.0)
        await asyncio.sleep(0.01)
        other.over(7, 2.0)
        assert not other.begins(7, 2.0)
        other.over(7, 30.0)
        assert other.begins(7, 30.0)  # the next wave


async def test_who_cannot_be_asked_lets_pass() -> None:
    class Lost(LocalHints):
        async def count(self, key: str, seconds: float) -> int | None:
            return None

    one, other = guard(Lost()), guard(Lost())
    async with sharing(one, other):
        for n in range(LIMIT):
            assert one.over(7, n * 0.01) == 0
            assert other.over(7, n * 0.01) == 0
            await shared(one, other)
        assert one.over(7, 1.0) == 1  # its own count stands


async def test_nonsense_and_crowds_are_bounded() -> None:
    hints = LocalHints()
    one = guard(hints)
    assert one.shared is not None
    for conversation in range(2 * WAITING):
        one.over(conversation, 0.0)
        one.over(conversation, 0.0)
    assert len(one.shared._waiting) == WAITING
    async with sharing(one):
        for data in ("", "x", "-3", "9" * 40):
            hints.tell("flood", data)
        await shared(one)
        assert not one.shared._waves
