"""A channel on an emulated Telegram, with a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.channel import Telegram
from tests.adapters.rows import buttons
from tests.adapters.rows import row as a_row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.fixtures import TOKEN, telegram
from tests.emulators.telegram import TelegramEmulator

__all__ = ["buttons", "telegram"]

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


row = partial(a_row, "telegram", "123456", key="k1")  # an outbox row to person 7
