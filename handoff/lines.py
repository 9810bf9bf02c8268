"""Lines: named groups of operators with hours and rules, and what a pure step may know of them right now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from core.deployment import LineInfo, LineRule
from core.normal import normal
from core.turn import LineFacts
from handoff.hours import DAY, Hours, is_open, opens_at

ALWAYS = Hours((((0, DAY),),) * 7, "UTC")

# Words of flows (`priority: высокая`) → the number the queue is ordered by; unknown words are ordinary.
PRIORITIES = {
    "критическая": 3,
    "критичная": 3,
    "critical": 3,
    "срочная": 2,
    "срочно": 2,
    "urgent": 2,
    "высокая": 1,
    "high": 1,
    "обычная": 0,
    "normal": 0,
    "низкая": -1,
    "low": -1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line. Times in seconds; a rule that is None leaves the answer to the flow.

    After `max_wait` in the queue the line is busy (0: never); the promises `first_reply`, `next_reply` and
    `resolve` are in working time (0: none), with a warning after the part `warn_at`; `hurry` shortens them from a priority on.
    A transfer to the line must bring what `packet` names; a close names one of `categories`, where there are some. A client
    who is silent is asked after `idle_warn` and given up after `idle_close` (0: never). Who comes back within
    `continue_within` goes on with the session before, and is greeted by the bot or waits for the line (`returning`).
    Sessions are given out as `route` says: `max_sessions` to one person and `limit` in the whole line (weighted, 0: any number),
    for `sticky` to the one the client had before; an offer that nobody answers within `offer` goes to the next (0: never).
    """

    id: str
    title: str
    hours: Hours = ALWAYS
    closed: LineRule | None = None
    busy: LineRule | None = None
    max_wait: float = 600.0
    first_reply: float = 300.0
    packet: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rating: bool = False
    idle_warn: float = 0.0
    idle_close: float = 0.0
    continue_within: float = 259_200.0
    returning: Literal["bot", "line"] = "bot"
    route: Literal["balanced", "round_robin", "longest_idle", "pull"] = "balanced"
    max_sessions: float = 5.0
    limit: float = 0.0
    sticky: float = 259_200.0
    offer: float = 120.0
    next_reply: float = 0.0
    resolve: float = 0.0
    warn_at: float = 0.8
    hurry: tuple[tuple[int, float], ...] = ()

    def info(self) -> LineInfo:
        """The line as flows are checked against it."""
        return LineInfo(self.title, self.closed, self.busy, self.hours.always)

    def promised(self, promise: Literal["first_reply", "next_reply", "resolve"], urgency: int = 0) -> float:
        """How long (seconds of working time) a promise of the line gives; 0 where it makes none. Urgent matters get less."""
        parts = [part for level, part in self.hurry if level <= urgency]
        seconds = {"first_reply": self.first_reply, "next_reply": self.next_reply, "resolve": self.resolve}[promise]
        return round(seconds * min(parts, default=1.0), 6)

    @property
    def rules(self) -> str:
        """Marks the hours and the promises: deadlines are calculated anew when it changes."""
        return _mark(self.hours, (self.first_reply, self.next_reply, self.resolve, self.warn_at), self.hurry)


@lru_cache(maxsize=256)
def _mark(hours: Hours, promises: tuple[float, ...], hurry: tuple[tuple[int, float], ...]) -> str:
    said = repr((hours.week, hours.timezone, sorted(hours.holidays), promises, sorted(hurry)))
    return sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """All lines of a deployment, the system words of `_bot.yaml` (`cancel`, `menu`) and the clients' language."""

    lines: Mapping[str, Line]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    language: str = "ru"

    def says(self, kinds: tuple[str, ...], text: str) -> bool:
        """Whether the whole text is a system word of one of the kinds."""
        said = normal(text)
        return any(said == normal(word) for kind in kinds for word in self.words.get(kind, ()))


def line_facts(house: House, now: datetime) -> dict[str, LineFacts]:
    """Every line at this moment."""
    minute = int(now.timestamp() // 60)
    return {id: _facts(line.title, line.hours, minute) for id, line in house.lines.items()}


@lru_cache(maxsize=256)
def _facts(title: str, hours: Hours, minute: int) -> LineFacts:
    """Hours change only on whole minutes, so all messages of a minute share one calculation."""
    at = datetime.fromtimestamp(minute * 60, UTC)
    return LineFacts(title, is_open(hours, at), opens_at(hours, at))


def parse_priority(text: str) -> int:
    """A flow's priority as a number, higher is more urgent: a known word, an integer from -9 to 9, else 0."""
    said = normal(text) if not text.strip().startswith("-") else text.strip()
    if said in PRIORITIES:
        return PRIORITIES[said]
    digits = said.removeprefix("-")
    return max(-9, min(9, int(said))) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0
