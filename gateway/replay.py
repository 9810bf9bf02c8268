"""A conversation's past, turn by turn: as it was, or as other flows would have had it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from adapters.quoting import quoted
from bot.book import Book
from core.conversation import Conversation
from core.effects import CreateTicket, Effect, Send
from core.events import Edited, Event, Message, Opened, Press, Reacted, Removed, TimerFired
from core.messages import Attachment
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
    """An event in a line: what a client wrote, pressed or changed, else its kind and values."""
    render = LINES.get(type(event))
    return (render(event) if render else "") or render_plain(event)


def render_said(event: Message) -> str:
    return " ".join(filter(None, [quoted(event.quote), event.text, *map(render_file, event.attachments)]))


def render_edit(event: Edited) -> str:
    now = " ".join(filter(None, [event.text, *map(render_file, event.attachments or ())]))
    return f"✎ «{event.was}» → «{now}»" if event.was else f"✎ «{now}»"


LINES: dict[type, Callable[[Any], str]] = {
    Message: render_said,
    Press: lambda event: f"[{event.label or event.token}]",
    Opened: lambda event: f"/start {event.link}".rstrip(),
    Edited: render_edit,
    Reacted: lambda event: f"{' '.join(event.emojis) or '∅'} → {event.message_id}",
    Removed: lambda event: f"✕ {event.message_id}",
    TimerFired: lambda event: f"timer {event.key}",
}


def render_file(file: Attachment) -> str:
    """A file in words, with why it is none where it is none."""
    seconds = f" {file.duration:g} s" if file.duration else ""
    return f"[{file.kind} {file.name or file.ref}{seconds}{f': {file.note}' if file.note else ''}]"


def render_effect(effect: Effect) -> str:
    """An effect in a line: what was said, the ticket, else its kind and values."""
    if isinstance(effect, Send):
        buttons = [f"[{button.label}]" for row in effect.message.rows for button in row]
        return " ".join(filter(None, [quoted(effect.message.quote), effect.message.body.text, *buttons]))
    if isinstance(effect, CreateTicket):
        fields = ", ".join(f"{name}: {value}" for name, value in effect.fields.items() if name not in effect.private)
        return f"ticket {effect.number} → {effect.desk}: {effect.title} ({fields})"
    return render_plain(effect)


def render_plain(value: Event | Effect) -> str:
    """Kind and values as they are stored."""
    plain = msgspec.to_builtins(value)
    kind = plain.pop("type")
    return f"{kind} {plain}" if plain else str(kind)
