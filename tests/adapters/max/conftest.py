"""A channel on an emulated MAX, with a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.max.channel import Max
from tests.adapters.rows import buttons
from tests.adapters.rows import row as a_row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.max import TOKEN, MaxEmulator

__all__ = ["buttons"]

Build = Callable[..., Max]


@pytest.fixture
async def max_() -> AsyncIterator[MaxEmulator]:
    """A MAX; at the end the test fails when any call broke the official schema or a limit."""
    async with MaxEmulator() as emulator:
        yield emulator
        emulator.check()


@pytest.fixture
def gate(tmp_path: Path) -> FakeGate:
    return FakeGate(tmp_path)


@pytest.fixture
async def build(max_: MaxEmulator) -> AsyncIterator[Build]:
    """Makes channels on the emulator; all are stopped at the end."""
    made: list[Max] = []

    def make(**settings: Any) -> Max:
        defaults = {"token": TOKEN, "mode": "polling", "api_url": max_.url, "limits": "off", "language": "ru"}
        made.append(Max("max", {**defaults, **settings}))
        return made[-1]

    yield make
    for channel in made:
        await channel.stop()


@pytest.fixture
async def polling(build: Build, gate: FakeGate, max_: MaxEmulator) -> Max:
    """A started channel that has read what waited; person 7 is known."""
    max_.person(7)
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    return channel


row = partial(a_row, "max", "max")  # an outbox row to person 7
