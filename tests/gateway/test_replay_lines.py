"""How events and effects of a past are told in a line each."""

from __future__ import annotations

import pytest

from core.effects import Effect, Send
from core.events import Edited, Event, Message, Opened, Poisoned, Press, Reacted, Removed, TimerFired
from core.messages import Attachment, Button, Contact, Outgoing, Quote
from core.rich import plain
from gateway.replay import render_effect, render_event

VOICE = Attachment("voice", "f1", "r1", duration=9.0)
VIDEO = Attachment("video", ref="r2", name="a.mp4", note="Telegram gives out no files of more than 20 MB")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Message("да", quote=Quote("5", "Ваш адрес?")), "«Ваш адрес?» да"),
        (Message("вот", (VOICE, VIDEO)), f"вот [voice r1 9 s] [video a.mp4: {VIDEO.note}]"),
        (Message(contact=Contact("+7")), "message {'contact': {'phone': '+7'}}"),
        (Edited("5", "Заказ 42", was="Заказ 24"), "✎ «Заказ 24» → «Заказ 42»"),
        (Edited("5", "Заказ 42", (VOICE,)), "✎ «Заказ 42 [voice r1 9 s]»"),
        (Reacted("5", ("👍", "🔥")), "👍 🔥 → 5"),
        (Reacted("5"), "∅ → 5"),
        (Removed("5"), "✕ 5"),
        (Press("1.2", "Да"), "[Да]"),
        (Opened("qr"), "/start qr"),
        (TimerFired("silence"), "timer silence"),
        (Poisoned(3, "boom"), "poisoned {'event_id': 3, 'error': 'boom'}"),
    ],
)
def test_events(event: Event, line: str) -> None:
    assert render_event(event) == line


def test_an_answer() -> None:
    message = Outgoing(plain("Едет"), rows=((Button("Ок", "1"),),), quote=Quote("5", "Где заказ?"))
    said: Effect = Send(message)
    assert render_effect(said) == "«Где заказ?» Едет [Ок]"
