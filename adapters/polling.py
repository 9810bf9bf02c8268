"""What every loop that asks a platform for messages has: a turn, a stop, pauses told once, a new start after our own fault."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import structlog

from core.hold import Hold
from core.ports import Gate, LeaseLost, StorageFull

log = structlog.get_logger("frontline")

MOST_BACKOFF_SECONDS = 30.0
MOST_RESTART_SECONDS = 60.0

T = TypeVar("T")


class Loop:
    """Asks in its turn, until `stop`. A platform's poller says in `_poll` what one turn is; it goes on while `_mine`."""

    kind: ClassVar[str]  # begins the names of what is logged

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopping = asyncio.Event()
        self.caught_up = asyncio.Event()  # set when what waited at the platform has been read
        self._trouble = ""
        self._hold: Hold | None = None

    async def _poll(self, gate: Gate, hold: Hold) -> None:
        raise NotImplementedError

    async def keep(self, gate: Gate) -> None:
        """Runs until `stop`; starts anew should our own fault end a run: a silent channel is the worst one."""
        seconds = 1.0
        while not self.stopping:
            run = asyncio.create_task(self.run(gate))
            try:
                await asyncio.wait({run})
            finally:
                run.cancel()
            error = run.exception()
            if error is None:  # stopped, or another's turn
                continue
            name = type(error).__name__
            log.error(f"{self.kind}_polling_failed", channel=self._name, error_type=name, exc_info=error)
            await self.rest(seconds)
            seconds = min(MOST_RESTART_SECONDS, seconds * 2)

    async def run(self, gate: Gate) -> None:
        """Waits for its turn and polls; returns soon after `stop`, or when another process has taken over."""
        hold: Hold | None = await self._until_stop(gate.turn(self._name))
        if hold is None:
            return
        self._hold = hold
        try:
            await self._poll(gate, hold)
        except LeaseLost:
            log.warning(f"{self.kind}_poller_replaced", channel=self._name)
            hold.drop()
        finally:
            self._hold = None

    def stop(self) -> None:
        """Ends the loop: a poll under way is dropped, a batch under way is finished."""
        self._stopping.set()

    @property
    def trouble(self) -> str:
        """What keeps it from reading, in the platform's words; empty while it reads."""
        return self._trouble

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    async def rest(self, seconds: float) -> None:
        """Waits so long, or until `stop`."""
        await self._until_stop(asyncio.sleep(seconds))

    def _mine(self, hold: Hold) -> bool:
        return hold.held and not self._stopping.is_set()

    async def _until_stop(self, work: Any) -> Any:
        """The result, or None when the loop shall end first, or is no longer ours."""
        task = asyncio.ensure_future(work)
        ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._stopping.wait())]
        if self._hold is not None:
            ends.append(asyncio.ensure_future(self._hold.lost()))
        try:
            await asyncio.wait({task, *ends}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            await _cancel(task, *ends)

    async def _durably(self, hold: Hold, write: Callable[[], Awaitable[T]]) -> T | None:
        """What the write gave; as long as the store is full, waits and tries again. None when the loop ends before."""
        failures = 0
        while self._mine(hold):
            try:
                return await write()
            except StorageFull:
                failures += 1
                await self._pause("storage full", failures)
        return None

    async def _pause(self, trouble: str, failures: int, after: float = 0.0) -> None:
        """Waits longer with every failure, at least `after` seconds; tells of a trouble once."""
        if trouble != self._trouble:
            log.warning(f"{self.kind}_polling_waits", channel=self._name, error=trouble)
        self._trouble = trouble
        seconds = min(MOST_BACKOFF_SECONDS, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        await self.rest(max(seconds, after))

    def _well(self) -> None:
        if self._trouble:
            log.info(f"{self.kind}_polling_again", channel=self._name)
            self._trouble = ""


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    """Ends what is left and takes its outcome, so that none goes unheard."""
    for task in tasks:
        if not task.done():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
