"""The terminal as a channel: messages are handed to a function that shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.terminal.capabilities import CAPABILITIES
from adapters.terminal.parse import SAMPLE
from core.messages import Outgoing
from core.outbox import OutboxRow, Sent
from core.ports import Gate

Show = Callable[[Outgoing, bool], None]  # a message, and whether it replaces an earlier one


class Terminal:
    """`settings["show"]` is called with every message, in order."""

    kind = "terminal"
    account = "terminal"
    capabilities = CAPABILITIES

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self._show: Show = settings["show"]

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        return []

    async def start(self, gate: Gate) -> None:
        """There is nothing to start: lines are typed, not received."""

    async def stop(self) -> None:
        """There is nothing to stop."""

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Nothing limits how fast it goes."""
        return None

    async def caught_up(self) -> None:
        """Nothing was missed."""

    async def send(self, row: OutboxRow) -> Sent:
        if row.message is not None:
            self._show(row.message, row.kind == "edit")
        return Sent("sent", (str(row.id),))

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """A file of this computer, or the sample picture. Raises ValueError with the reason."""
        if ref.startswith("sample:"):
            return SAMPLE, "image/png"
        try:
            data = await asyncio.to_thread(Path(ref).read_bytes)
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from None
        if len(data) > limit:
            raise ValueError("too large")
        return data, "application/octet-stream"

    async def typing(self, chat: str) -> None:
        """The terminal shows nothing of the kind."""

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """The terminal has no menu."""
