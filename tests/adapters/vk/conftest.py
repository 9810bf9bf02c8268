"""A channel on an emulated VK, with a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.vk.channel import Vk
from tests.adapters.rows import buttons
from tests.adapters.rows import row as a_row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.vk import GROUP, TOKEN, VkEmulator

__all__ = ["buttons"]

Build = Callable[..., Vk]


@pytest.fixture
async def vk() -> AsyncIterator[VkEmulator]:
    """A VK; at the end the test fails when any call broke the official schema or a limit."""
    async with VkEmulator() as emulator:
        yield emulator
        emulator.check()


@pytest.fixture
def gate(tmp_path: Path) -> FakeGate:
    return FakeGate(tmp_path)


@pytest.fixture
async def build(vk: VkEmulator) -> AsyncIterator[Build]:
    """Makes channels on the emulator; all are stopped at the end."""
    made: list[Vk] = []

    def make(**settings: Any) -> Vk:
        defaults = {
            "token": TOKEN, "group_id": GROUP, "api_url": vk.url, "limits": "off",
            "poll_seconds": 30, "language": "ru",
        }  # fmt: skip
        made.append(Vk("vk", {**defaults, **settings}))
        return made[-1]

    yield make
    for channel in made:
        await channel.stop()


@pytest.fixture
async def polling(build: Build, gate: FakeGate, vk: VkEmulator) -> Vk:
    """A started channel that has read what waited; person 7 is known."""
    vk.person(7)
    channel = build()
    await channel.start(gate)
    await channel.caught_up()
    return channel


row = partial(a_row, "vk", str(GROUP))  # an outbox row to person 7
