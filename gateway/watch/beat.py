"""The watch of a process: every few seconds it writes down that it lives, how its channels fare, and what came to its doors.

All of it is gathered in memory where it happens, which costs about a microsecond, and written in one small unit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping

from core.outbox import Sent
from core.ports import Channel, StorageFull
from gateway.logs import logger
from gateway.watch.arrivals import DoorBook
from storage.rows import Row
from storage.watch.writing import Report, leave, write_report
from storage.work.units import Units

log = logger()
LOOK_SECONDS = 3.0  # between looks: is there news to be written?
BEAT_SECONDS = 15.0  # after which a process without news says that it lives
SILENT_SECONDS = 50.0  # after which it is taken for dead
LEAVE_SECONDS = 1.0  # that a stop waits for the store
LONGEST = 300  # characters of a platform's words


class Way:
    """Sending over one channel: what keeps it from going, since when, and when it is tried again."""

    __slots__ = ("since", "trouble", "until")

    def __init__(self) -> None:
        self.trouble, self.since, self.until = "", 0.0, 0.0


class Watch:
    """One for a process. `edition` gives the id of the flows that serve; `now` seconds since the epoch."""

    def __init__(
        self,
        units: Units,
        channels: Mapping[str, Channel],
        process: str,
        roles: Collection[str],
        version: str,
        edition: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._units, self._channels, self._now, self._edition = units, channels, now, edition
        self.process, self._roles, self._version = process, " ".join(roles), version
        self.doors = DoorBook(now)
        self._heard: dict[str, float] = {}
        self._went: dict[str, float] = {}
        self._ways = {name: Way() for name in channels}
        self._coming: dict[str, tuple[str, float]] = {}
        self._began = now()
        self._written: list[Row] = []
        self._beat = float("-inf")

    # --- what happens ---

    def heard(self, channel: str) -> None:
        """A channel has brought something."""
        self._heard[channel] = self._now()

    def settled(self, channel: str, sent: Sent) -> None:
        """What became of an attempt to send. One message that its platform refuses says nothing of the channel."""
        way = self._ways.get(channel)
        if way is None:
            return
        now = self._now()
        if sent.verdict == "sent":
            self._went[channel] = now
        if sent.verdict != "retry":
            way.trouble = ""
            return
        if not way.trouble:
            way.since = now
        way.trouble, way.until = (sent.reason or "retry")[:LONGEST], now + sent.after

    # --- writing it down ---

    async def run(self) -> None:
        """Until cancelled; returns at once over a store without lists."""
        while self._units.lists:
            await self.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self, now: bool = False) -> None:
        """Write down what there is to be told, if there is anything or it is time; `now`: in any case."""
        at = self._now()
        channels = [self._state(name, channel, at) for name, channel in self._channels.items()]
        arrivals = self.doors.take()
        if not (now or arrivals or channels != self._written or at - self._beat >= BEAT_SECONDS):
            return
        report = Report(self._row(at), channels, arrivals)
        try:
            await self._units.write(lambda ledger: write_report(ledger, report))
        except StorageFull:
            self.doors.give_back(arrivals)
        else:
            self._written, self._beat = channels, at

    async def leave(self) -> None:
        """The process ends; what it has not written yet is written first. One that never served has nothing to tell."""
        if not self._units.lists or self._beat == float("-inf"):
            return
        with contextlib.suppress(StorageFull, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.step(now=True)
                await self._units.write(lambda ledger: leave(ledger, self.process))

    def _row(self, at: float) -> Row:
        return {
            "name": self.process,
            "roles": self._roles,
            "version": self._version,
            "edition": self._edition(),
            "started_at": self._began,
            "beat_at": at,
        }

    def _state(self, name: str, channel: Channel, now: float) -> Row:
        way, (trouble, since) = self._ways.setdefault(name, Way()), self._listening(name, channel, now)
        return {
            "channel": name,
            "process": self.process,
            "in_trouble": trouble,
            "in_since": since,
            "out_trouble": way.trouble,
            "out_since": way.since if way.trouble else 0.0,
            "out_until": way.until if way.trouble else 0.0,
            "heard_at": self._heard.get(name, 0.0),
            "sent_at": self._went.get(name, 0.0),
        }

    def _listening(self, name: str, channel: Channel, now: float) -> tuple[str, float]:
        """What keeps a channel from hearing its platform, and since when: a channel that can say so has `trouble`."""
        trouble = str(getattr(channel, "trouble", ""))[:LONGEST]
        if not trouble:
            self._coming.pop(name, None)
            return "", 0.0
        since = self._coming.get(name, ("", now))[1]
        self._coming[name] = (trouble, since)
        return trouble, since
