"""What commands ask about outgoing webhooks: how they fare, once more from a number or a moment, go on."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from core.ports import Store
from gateway.control import Refused
from storage.feed import hooks
from storage.feed.reading import bounds, first_since
from storage.work.units import Based, Units

Ask = Callable[..., Awaitable[Any]]


class HooksOffice:
    """`names` are those of the configuration."""

    def __init__(self, store: Store, names: Collection[str], now: Callable[[], float] = time.time) -> None:
        self._units, self._names, self._now = Units(cast(Based, store)), names, now

    def answers(self) -> dict[str, Ask]:
        return {"hooks": self.hooks, "replay_hook": self.replay, "resume_hook": self.resume}

    async def hooks(self) -> list[dict[str, Any]]:
        """Every webhook with how many changes it has not been given yet."""
        known = {row["name"]: row for row in await self._units.ask(hooks.all_hooks)}
        last = (await self._units.ask(bounds)).last
        told = []
        for name in sorted({*self._names, *known}):
            row = known.get(name)
            behind = last - row["cursor"] if row else 0
            told.append({"name": name, "configured": name in self._names, "behind": behind, **(row or {})})
        return told

    async def replay(self, name: str, seq: int = 0, at: float = 0.0) -> dict[str, Any]:
        """Send again from a number, or from a moment. Raises Refused."""
        ends = await self._units.ask(bounds)
        first = seq or await self._units.ask(lambda reads: first_since(reads, at))
        if ends.oldest and first < ends.oldest:
            raise Refused("trimmed")
        return await self._move(name, min(first - 1, ends.last))

    async def resume(self, name: str) -> dict[str, Any]:
        """Go on where it stopped. Raises Refused."""
        row = await self._units.ask(lambda reads: hooks.hook(reads, name))
        if row is None:
            raise Refused("hook")
        return await self._move(name, row["cursor"])

    async def _move(self, name: str, to: int) -> dict[str, Any]:
        if not await self._units.write(lambda ledger: hooks.move_hook(ledger, name, to, self._now())):
            raise Refused("hook")
        return {"name": name, "after": to}
