"""How a channel fares, of what all processes of the deployment have written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.watch.beat import SILENT_SECONDS
from gateway.watch.words import Cause, cause_of
from storage.asked import Asked
from storage.rows import Row
from storage.watch.reading import all_processes, channel_rows, failed, held_leases, waiting

State = Literal["running", "off", "failing", "waiting", "absent"]
DAY = 86_400.0
OVER_SECONDS = 60.0  # after the next attempt was due: with nothing to send, a trouble of sending is over by then
MOST_ERRORS = 10
UNKNOWN = 3  # the state of a row of which nobody knows whether it came through


@dataclass(frozen=True)
class Trouble:
    """What keeps messages from coming or going. Times are seconds since the epoch, 0 for none."""

    way: str
    cause: Cause
    words: str
    since: float
    until: float
    process: str


@dataclass
class Failures:
    """Rows that failed with one reason."""

    reason: str
    unsure: bool
    times: int = 0
    at: float = 0.0


@dataclass
class Fares:
    """One channel. `servers`: by process, whether it hears, polls, sends."""

    state: State = "absent"
    troubles: list[Trouble] = field(default_factory=list)
    heard_at: float = 0.0
    sent_at: float = 0.0
    waiting: int = 0
    since: float = 0.0
    failed: int = 0
    errors: list[Failures] = field(default_factory=list)
    servers: dict[str, tuple[bool, bool, bool]] = field(default_factory=dict)


class Board:
    """What is written down now. `shared`: whether leases say who polls and sends."""

    def __init__(self, reads: Asked, now: float, shared: bool) -> None:
        self._now, self._shared = now, shared
        self.processes = {row["name"]: row for row in all_processes(reads)}
        self._states: dict[str, list[Row]] = {}
        for row in channel_rows(reads):
            self._states.setdefault(row["channel"], []).append(row)
        self._leases, self._waiting = held_leases(reads), waiting(reads)
        self._failed = [row for row in failed(reads) if (row["settled_at"] or 0.0) >= now - DAY]

    def alive(self, process: str) -> bool:
        """Whether a process was heard of lately."""
        row = self.processes.get(process)
        return row is not None and bool(row["beat_at"] >= self._now - SILENT_SECONDS)

    def holder(self, lease: str) -> str:
        """The process that has a lease, empty when none does."""
        return self._leases.get(lease, "")

    def fares(self, channel: str) -> Fares:
        """How a channel of the configuration fares that has its token."""
        states = self._states.get(channel, [])
        made = Fares(
            heard_at=max((row["heard_at"] for row in states), default=0.0),
            sent_at=max((row["sent_at"] for row in states), default=0.0),
        )
        waits: Mapping[str, float] = self._waiting.get(channel, {})
        made.waiting, made.since = int(waits.get("count", 0)), waits.get("since", 0.0)
        made.errors = gathered(row for row in self._failed if row["channel"] == channel)
        made.failed = sum(one.times for one in made.errors)
        del made.errors[MOST_ERRORS:]
        living = [row for row in states if self.alive(row["process"])]
        made.servers = {row["process"]: self._serves(channel, row["process"]) for row in living}
        made.troubles = [one for row in living for one in self._troubles(row, made.waiting)]
        made.state = self._state(made)
        return made

    def _serves(self, channel: str, process: str) -> tuple[bool, bool, bool]:
        roles = str(self.processes[process]["roles"]).split()
        hears, sends = "intake" in roles, "sender" in roles
        if not self._shared:
            return hears, hears, sends
        return hears, self.holder(f"poll:{channel}") == process, sends and self.holder(f"send:{channel}") == process

    def _troubles(self, row: Row, waiting: int) -> list[Trouble]:
        found = []
        process = row["process"]
        if row["in_trouble"]:
            found.append(Trouble("in", cause_of(row["in_trouble"]), row["in_trouble"], row["in_since"], 0.0, process))
        words, until = row["out_trouble"], row["out_until"]
        if words and (waiting or self._now < until + OVER_SECONDS):
            found.append(Trouble("out", cause_of(words), words, row["out_since"], until, process))
        return found

    def _state(self, made: Fares) -> State:
        if not any(hears for hears, _, _ in made.servers.values()) or not any(
            sends for _, _, sends in made.servers.values()
        ):
            return "absent"
        if not made.troubles:
            return "running"
        return "waiting" if all(one.cause == "limit" for one in made.troubles) else "failing"


def gathered(rows: Iterable[Row]) -> list[Failures]:
    """Rows by their reasons, the most frequent first."""
    found: dict[tuple[str, bool], Failures] = {}
    for row in rows:
        key = (row["reason"], row["state"] == UNKNOWN)
        one = found.setdefault(key, Failures(*key))
        one.times += 1
        one.at = max(one.at, row["settled_at"] or 0.0)
    return sorted(found.values(), key=lambda it: (-it.times, -it.at))
