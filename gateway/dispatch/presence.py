"""Presence of people: what they set, their signs of life, and the away that comes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.ports import StorageFull
from core.presence import Presence, Said, State
from gateway.logs import logger
from storage.routing import writing
from storage.routing.reading import read_presence
from storage.work.units import Units

log = logger()
PART = 4.0  # a sign of life is written when the last one is older than this part of the grace
RETRY_SECONDS = 1.0


class PresenceBook:
    """One for a process. `now` gives seconds since the epoch (UTC), `grace` is in seconds.

    `changed` is called when somebody came, went, or can take more or less than before.
    """

    def __init__(self, units: Units, now: Callable[[], float], grace: float) -> None:
        self._units, self._now, self.grace = units, now, grace
        self.changed: Callable[[], None] = lambda: None
        self._told: dict[int, float] = {}  # user → the last sign of life that was, or will be, written
        self._pending: dict[int, float] = {}
        self._woken = asyncio.Event()

    # --- signs of life ---

    def seen(self, user: int) -> None:
        """A sign of life. Whoever holds a socket open for somebody calls this at least once in a quarter of the grace."""
        at = self._now()
        if at - self._told.get(user, 0.0) >= self.grace / PART:
            self._note(user, at)

    def gone(self, user: int) -> None:
        """Their last socket is lost: the grace begins now."""
        self._note(user, self._now())

    def _note(self, user: int, at: float) -> None:
        self._told[user] = self._pending[user] = at
        self._woken.set()

    async def run(self) -> None:
        """Writes signs of life, until it is cancelled."""
        while True:
            await self._woken.wait()
            try:
                await self.flush()
            except StorageFull:
                await asyncio.sleep(RETRY_SECONDS)

    async def flush(self) -> None:
        """Write what is known. Raises `StorageFull`, and keeps it."""
        self._woken.clear()
        pending, self._pending = self._pending, {}
        if not pending:
            return
        now = self._now()
        try:
            back = await self._units.write(lambda ledger: writing.touch(ledger, pending.items(), now))
        except BaseException:
            self._pending = {**pending, **self._pending}
            self._woken.set()
            raise
        if back:
            self.changed()

    # --- what people say ---

    async def say(self, user: int, state: Said) -> Presence:
        """A person sets their presence."""
        now = self._now()
        self._told[user] = now
        found = await self._units.write(lambda ledger: writing.say(ledger, user, state, now))
        self.changed()
        return found

    async def take_off(self, user: int, state: Said, by: int) -> Presence:
        """The account `by` sets it for them: how long nothing was heard of the person stays as it is."""
        now = self._now()
        found = await self._units.write(lambda ledger: writing.take_off(ledger, user, state, by, now))
        self.changed()
        return found

    async def set_capacity(self, user: int, capacity: int, until: float = 0.0) -> Presence:
        """How many sessions, weighted, somebody is given at most; 0 leaves it to the lines. Until a time, or (0) for good."""
        now = self._now()
        found = await self._units.write(lambda ledger: writing.set_capacity(ledger, user, capacity, until, now))
        self.changed()
        return found

    async def of(self, user: int) -> Presence:
        """What is known of somebody."""
        return await self._units.ask(lambda reads: read_presence(reads, user))

    async def state(self, user: int) -> State:
        """The state that counts now."""
        return (await self.of(user)).now(self._now(), self.grace)

    async def is_there(self, user: int) -> bool:
        """Whether a session may be given to them: they are not away and have not gone."""
        return await self.state(user) not in ("away", "offline")
