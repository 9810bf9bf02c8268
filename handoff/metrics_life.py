"""A session's life from its facts: its moves, and its time split by who had it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

# Whose time it is. `held`: put aside by an operator.
Whose = Literal["bot", "queue", "operator", "client", "held"]
WHOSE: Mapping[str, Whose] = {
    "bot": "bot",
    "queued": "queue",
    "assigned": "operator",
    "waiting": "client",
    "held": "held",
}
CLOSED = "closed"


class Fact(NamedTuple):
    """A row of the event log. `at` is in seconds since the epoch, UTC."""

    at: float
    kind: str
    data: Mapping[str, Any]


class Span(NamedTuple):
    """A stretch of a session's time with one owner in one status. `ended` is the move that ended it, empty while it lasts."""

    whose: Whose
    since: float
    until: float
    line: str
    operator: str
    ended: str

    @property
    def seconds(self) -> float:
        return self.until - self.since


class Move(NamedTuple):
    """A move with where the session was before it. `line` and `operator` are those after it, kept through a close."""

    at: float
    name: str
    before: str
    after: str
    who: str
    why: str
    line: str
    operator: str
    line_before: str
    operator_before: str

    @property
    def to_people(self) -> bool:
        return self.before == "bot" and self.after not in ("bot", CLOSED)


@dataclass(frozen=True)
class Life:
    """All that the event log knows of a session. `line` is its last one, else its channel's; `closed_at` is 0 while it lasts.

    `marks` are its facts that are no moves; `messages` counts what was said in it, by author.
    """

    conversation: int
    number: int
    channel: str
    client: int
    opened_at: float
    closed_at: float
    line: str
    operator: str
    category: str
    moves: tuple[Move, ...]
    spans: tuple[Span, ...]
    marks: tuple[Fact, ...]
    messages: Mapping[str, int] = field(default_factory=dict)

    def mark(self, kind: str) -> Iterator[Fact]:
        """Its facts of a kind, the oldest first."""
        return (fact for fact in self.marks if fact.kind == kind)


def build_life(
    conversation: int, number: int, facts: Iterable[Fact], now: float, messages: Mapping[str, int] | None = None
) -> Life | None:
    """The life of a session from its facts in the order of the log; None when its beginning is not among them.

    Its time reaches to its close, else to `now`. A clock that went back between two processes makes a span of no length.
    """
    opening, told = None, []
    for fact in facts:
        if fact.kind == "session_opened":
            opening = opening or fact
        else:
            told.append(fact)
    if opening is None:
        return None
    tape = _Tape(opening)
    for fact in told:
        tape.take(fact)
    return tape.life(conversation, number, now, messages or {})


class _Tape:
    """Reads the facts of one session in order."""

    def __init__(self, opening: Fact) -> None:
        self.opening, self.at = opening, opening.at
        self.status, self.line, self.operator = "bot", "", ""
        self.since = opening.at
        self.category = ""
        self.moves: list[Move] = []
        self.spans: list[Span] = []
        self.marks: list[Fact] = []

    def take(self, fact: Fact) -> None:
        self.at = max(self.at, fact.at)
        if fact.kind == "session_moved":
            self._move(fact.data)
        else:
            self.marks.append(Fact(self.at, fact.kind, fact.data))

    def _move(self, data: Mapping[str, Any]) -> None:
        after, line = data["to"], data["line"]
        operator = data.get("operator", "")
        has = operator if WHOSE.get(after) in ("operator", "client", "held") else ""
        if (after, line, has) != (self.status, self.line, self._has()):
            self._end(data["move"])
        said = (data["who"], data["why"], line, operator)
        self.moves.append(Move(self.at, data["move"], self.status, after, *said, self.line, self.operator))
        self.status, self.line, self.operator = after, line, operator
        self.category = data.get("category", "") or self.category

    def _has(self) -> str:
        return self.operator if WHOSE.get(self.status) in ("operator", "client", "held") else ""

    def _end(self, move: str) -> None:
        """The span under way ends here; what took no time at all is none."""
        if self.status in WHOSE and self.at > self.since:
            self.spans.append(Span(WHOSE[self.status], self.since, self.at, self._place(), self._has(), move))
        self.since = self.at

    def _place(self) -> str:
        return self.line or str(self.opening.data.get("line", ""))

    def life(self, conversation: int, number: int, now: float, messages: Mapping[str, int]) -> Life:
        closed_at = self.since if self.status == CLOSED else 0.0
        if not closed_at:
            self.at = max(self.at, now)
            self._end("")
        born = self.opening.data
        return Life(
            conversation,
            number,
            str(born.get("channel", "")),
            int(born.get("client", 0)),
            self.opening.at,
            closed_at,
            self._place(),
            next((move.operator for move in reversed(self.moves) if move.operator), ""),
            self.category,
            tuple(self.moves),
            tuple(self.spans),
            tuple(self.marks),
            messages,
        )
