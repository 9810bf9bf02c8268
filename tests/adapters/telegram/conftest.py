"""A channel on an emulated Telegram, with a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.channel import Telegram
from core.messages import Button, Outgoing
from core.outbox import OutboxRow
from core.rich import Rich
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.fixtures import TOKEN, telegram
from tests.emulators.telegram import TelegramEmulator

__all__ = ["telegram"]

Build = Callable[..., Telegram]


@pytest.fixture
def gate(tmp_path: Path) -> FakeGate:
    return FakeGate(tmp_path)


@pytest.fixture
async def build(telegram: TelegramEmulator) -> AsyncIterator[Build]:
    """Makes channels on the emulator; all are stopped at the end."""
    made: list[Telegram] = []

    def make(**settings: Any) -> Telegram:
        defaults = {
            "token": TOKEN,
            "api_url": telegram.url,
            "limits": "off",
            "poll_seconds": 30,
        }
        made.append(Telegram("telegram", {**defaults, **settings}))
        return made[-1]

    yield make
    for channel in made:
        await channel.stop()


@pytest.fixture
async def polling(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> Telegram:
    """A started channel; person 7 is known."""
    telegram.person(7)
    channel = build()
    await channel.start(gate)
    return channel


def row(text: str | Rich = "Здравствуйте", **values: Any) -> OutboxRow:
    """An outbox row to person 7."""
    body = Rich(text) if isinstance(text, str) else text
    kept = {name: values.pop(name) for name in ("rows", "files", "quote") if name in values}
    message = Outgoing(body, **kept)
    fields: dict[str, Any] = {
        "id": 1, "conversation": 1, "kind": "send", "channel": "telegram", "account": "123456", "chat": "7", "key": "k1",
        "message": message,
    }  # fmt: skip
    return OutboxRow(**{**fields, **values})


def buttons(*labels: str) -> tuple[tuple[Button, ...], ...]:
    """One button per row."""
    return tuple((Button(label, token=f"1.2.{number}"),) for number, label in enumerate(labels))
