"""What came to the webhooks of channels, with its end: counted here at once, written down later and in heaps.

No words of clients, no address, no token: when, how it ended, how long it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

from storage.rows import Row

# Why a delivery was not taken, by the status that says so.
ENDS = {
    400: "unreadable",
    401: "unsigned",
    403: "wrong_secret",
    408: "late",
    413: "too_large",
    415: "compressed",
    422: "unreadable",
    429: "busy",
    503: "busy",
}
ASIDE = "set_aside"


class Arrival:
    """A delivery under way. `note`: what the channel counted at its door; `fresh` and `known`: what the gate took of it."""

    __slots__ = ("began", "fresh", "known", "note")

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.note, self.fresh, self.known = "", 0, 0


# The delivery that a task is answering.
CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


def verdict_of(arrival: Arrival, status: int) -> str:
    """How a delivery ended, in one word."""
    if status >= 400:
        return arrival.note or ENDS.get(status, "failed")
    if arrival.fresh:
        return "taken"
    if arrival.note == ASIDE:
        return ASIDE
    return "repeated" if arrival.known else "nothing"


class DoorBook:
    """The arrivals of one process since they were last written down. `now` gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._heaps: dict[tuple[str, str, int], Row] = {}

    def at(self, channel: str) -> Watched:
        """What the door of a channel tells."""
        return Watched(self, channel)

    def add(self, channel: str, verdict: str, status: int, seconds: float) -> None:
        """One more, or the first of a heap: there are as many as there are ends."""
        heap = self._heaps.get((channel, verdict, status))
        if heap is None:
            heap = self._heaps[channel, verdict, status] = {
                "channel": channel,
                "refused": int(status >= 400 or verdict == ASIDE),
                "verdict": verdict,
                "status": status,
                "times": 0,
                "seconds": 0.0,
                "slowest": 0.0,
            }
        heap["times"] += 1
        heap["seconds"] += seconds
        heap["slowest"] = max(heap["slowest"], seconds)
        heap["at"] = self._now()

    def take(self) -> list[Row]:
        """What has come, in the order of its last one; from now on it is somebody else's."""
        heaps, self._heaps = self._heaps, {}
        return sorted(heaps.values(), key=lambda it: float(it["at"]))

    def give_back(self, heaps: list[Row]) -> None:
        """What could not be written down is kept for the next time."""
        for heap in heaps:
            key = (heap["channel"], heap["verdict"], heap["status"])
            newer = self._heaps.get(key)
            if newer is not None:
                newer["times"] += heap["times"]
                newer["seconds"] += heap["seconds"]
                newer["slowest"] = max(newer["slowest"], heap["slowest"])
            else:
                self._heaps[key] = heap


class Watched:
    """One door (`adapters.doors.Watch`)."""

    __slots__ = ("_book", "_channel")

    def __init__(self, book: DoorBook, channel: str) -> None:
        self._book, self._channel = book, channel

    def begin(self) -> Arrival:
        """Somebody has come."""
        arrival = Arrival()
        CURRENT.set(arrival)
        return arrival

    def end(self, arrival: Arrival, status: int) -> None:
        """And was answered."""
        CURRENT.set(None)
        seconds = time.perf_counter() - arrival.began
        self._book.add(self._channel, verdict_of(arrival, status), status, seconds)
