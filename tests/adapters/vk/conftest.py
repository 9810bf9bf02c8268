"""A channel on an emulated VK, with a gate that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.vk.channel import Vk
from core.messages import Button, Outgoing
from core.outbox import OutboxRow
from core.rich import Rich
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.vk import GROUP, TOKEN, VkEmulator

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


def row(text: str | Rich = "Здравствуйте", **values: Any) -> OutboxRow:
    """An outbox row to person 7."""
    body = Rich(text) if isinstance(text, str) else text
    kept = {name: values.pop(name) for name in ("rows", "files", "quote") if name in values}
    message = Outgoing(body, **kept)
    fields: dict[str, Any] = {
        "id": 1, "conversation": 1, "kind": "send", "channel": "vk", "account": str(GROUP), "chat": "7", "key": "s-1",
        "message": message,
    }  # fmt: skip
    return OutboxRow(**{**fields, **values})


def buttons(*labels: str) -> tuple[tuple[Button, ...], ...]:
    """One button per row."""
    return tuple((Button(label, token=f"1.2.{number}"),) for number, label in enumerate(labels))
