"""The names an expression sees: what the run collected, and what is given, made only when it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.engine.ground import Ground


class Names(dict[str, Any]):
    """The frame's values; `client`, `line`, `now` and the other given names appear when they are asked for."""

    __slots__ = ("_walk",)

    def __init__(self, values: dict[str, Any], walk: Ground) -> None:
        super().__init__(values)
        self._walk = walk

    def __missing__(self, key: str) -> Any:
        value = self[key] = GIVEN[key](self._walk)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        if key in self or key in GIVEN:
            return self[key]
        return default


def _chat(walk: Ground) -> dict[str, Any]:
    return {"channel": walk.conversation.channel, "kind": walk.conversation.kind}


def _line(walk: Ground) -> dict[str, Any]:
    return {
        id: {"title": line.title, "open": line.open, "opens_at": line.opens_at.isoformat() if line.opens_at else None}
        for id, line in walk.facts.lines.items()
    }


def _event(walk: Ground) -> dict[str, Any]:
    run = walk.talk.run
    data: dict[str, Any] = walk.event_data or (run.frames[0].memory.get("event", {}) if run else {})
    return data


def _question(walk: Ground) -> str:
    run = walk.talk.run
    return str(run.question.get("text", "")) if run else ""


GIVEN: dict[str, Callable[[Ground], Any]] = {
    "client": lambda walk: walk.client,
    "chat": _chat,
    "message": lambda walk: {"text": walk.message_text},
    "event": _event,
    "line": _line,
    "now": lambda walk: walk.now.isoformat(),
    "today": lambda walk: walk.now.date().isoformat(),
    "question": _question,
    "_language": lambda walk: walk.book.language,
}
