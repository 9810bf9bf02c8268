"""A conversation's past, turn by turn: as it was, or as other flows would have had it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bot.book import Book
from core.conversation import Conversation
from core.effects import CreateTicket, Effect, Send
from core.events import Event, Message, Opened, Press, TimerFired
from core.ports import Done
from core.turn import Facts, Trace
from gateway.config.model import Config
from gateway.deployment import build_house
from gateway.turns import run_turn


@dataclass(frozen=True)
class Replayed:
    """One event, what came of it and why, for people."""

    at: float
    event: str
    trace: tuple[Trace, ...]
    effects: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "at": self.at,
            "event": self.event,
            "effects": list(self.effects),
            "trace": [{"kind": one.kind, **one.data} for one in self.trace],
        }


def _past(found: Mapping[str, Any]) -> list[Done]:
    return msgspec.convert(found["events"], list[Done], strict=False)


def stored(found: Mapping[str, Any]) -> list[Replayed]:
    """As it was: `found` is what the office answers to `events`."""
    return [_replayed(done, done.trace, done.effects) for done in _past(found)]


def replay(found: Mapping[str, Any], config: Config, book: Book) -> list[Replayed]:
    """The same events against another book, from an empty conversation; every turn knows what it knew then."""
    then = msgspec.convert(found["conversation"], Conversation, strict=False)
    state = Conversation(
        id=then.id, channel=then.channel, account=then.account, chat=then.chat, client=then.client, kind=then.kind
    )
    house, zone = build_house(config, book.bot.words), ZoneInfo(config.timezone)
    made: list[Replayed] = []
    for done in _past(found):
        if not done.facts:
            made.append(_replayed(done, done.trace, ()))  # kept from the flows by the flood limit
            continue
        facts = msgspec.json.decode(done.facts, type=Facts)
        turn = run_turn(book, house, state, done.pending.event, done.pending.at.astimezone(zone), facts)
        state = turn.conversation
        made.append(_replayed(done, turn.trace, turn.effects))
    return made


def _replayed(done: Done, trace: tuple[Trace, ...], effects: Sequence[Effect]) -> Replayed:
    return Replayed(
        done.pending.at.timestamp(), render_event(done.pending.event), trace, tuple(map(render_effect, effects))
    )


def render_event(event: Event) -> str:
    """An event in a line: what a client wrote or pressed, else its kind and values."""
    if isinstance(event, Message):
        parts = [event.text, *(f"[{one.kind} {one.name or one.ref}]" for one in event.attachments)]
        return " ".join(part for part in parts if part) or render_plain(event)
    if isinstance(event, Press):
        return f"[{event.label or event.token}]"
    if isinstance(event, Opened):
        return f"/start {event.link}".rstrip()
    if isinstance(event, TimerFired):
        return f"timer {event.key}"
    return render_plain(event)


def render_effect(effect: Effect) -> str:
    """An effect in a line: what was said, the ticket, else its kind and values."""
    if isinstance(effect, Send):
        buttons = [f"[{button.label}]" for row in effect.message.rows for button in row]
        return " ".join([effect.message.body.text, *buttons])
    if isinstance(effect, CreateTicket):
        fields = ", ".join(f"{name}: {value}" for name, value in effect.fields.items() if name not in effect.private)
        return f"ticket {effect.number} → {effect.desk}: {effect.title} ({fields})"
    return render_plain(effect)


def render_plain(value: Event | Effect) -> str:
    """Kind and values as they are stored."""
    plain = msgspec.to_builtins(value)
    kind = plain.pop("type")
    return f"{kind} {plain}" if plain else str(kind)
