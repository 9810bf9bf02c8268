"""A conversation at a keyboard: the real gateway over a store in memory, with a clock that can be moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from adapters.terminal.channel import Show, Terminal
from core.events import Event, Inbound, Opened
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Receipt
from gateway.app import Gateway
from gateway.config.channels import ChannelSettings
from gateway.config.model import Config
from gateway.edition import Edition
from storage.memory import MemoryStore

CHANNEL = "terminal"
CHAT = "keyboard"
# More rounds of work than any dialogue needs; a circle of ours must not hang a terminal.
ROUNDS = 1000


class TerminalSettings(ChannelSettings):
    """The channel of `frontline talk`; it cannot stand in `config.yaml`."""

    kind: Literal["terminal"] = "terminal"
    """The kind of the channel."""


class TalkSession:
    """One client at a keyboard. `show` gets every message that the client would see; `line` is the channel's line."""

    def __init__(
        self,
        config: Config,
        show: Show,
        files: Path,
        line: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now, self._shift, self._count = now, timedelta(), 0
        self._rows: list[OutboxRow] = []
        channel = TerminalSettings(line=line or next(iter(config.lines), ""))
        kept = {"url": "memory:", "files": files, "cache": files / "cache"}
        storage = config.storage.model_copy(update=kept)
        config = config.model_copy(
            update={"storage": storage, "channels": {**config.channels, CHANNEL: channel}, "flood": None}
        )
        self.gateway = Gateway(
            config,
            store=MemoryStore(lambda: self.now().timestamp(), frozenset()),
            now=self.now,
            channels={CHANNEL: Terminal(CHANNEL, {"show": show})},
        )

    def now(self) -> datetime:
        """The clock of the talk."""
        return self._now() + self._shift

    async def start(self, edition: Edition) -> None:
        """Serve these flows. Raises ValueError when they have errors."""
        await self.gateway.store.open()
        await self.gateway.publisher.serve(edition)

    async def hear(self, event: Event) -> None:
        """The client does something; returns when everything that follows at once has been shown."""
        self._count += 1
        inbound = Inbound(CHANNEL, Terminal.account, f"line:{self._count}", CHAT, event, self.now(), sender_id=CHAT)
        self._take(await self.gateway.store.accept([inbound], self.gateway.worker.decide))
        await self._settle()

    async def open(self, link: str = "") -> None:
        """The client comes by a deep link, or presses Start."""
        await self.hear(Opened(link=link))

    async def wait(self, seconds: float) -> None:
        """Let time pass, timer by timer, as it would."""
        until = self.now() + timedelta(seconds=seconds)
        for _ in range(ROUNDS):
            due = await self.gateway.store.next_due()
            if due is None or due > until.timestamp():
                break
            self._shift += max(timedelta(), datetime.fromtimestamp(due, UTC) - self.now())
            await self.gateway.store.due(self.now())
            await self._settle()
        self._shift += max(timedelta(), until - self.now())

    async def close(self) -> None:
        for service in self.gateway.services.values():
            await service.close()
        for desk in self.gateway.desks.values():
            await desk.close()
        await self.gateway.store.close()

    def _take(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            self._rows += receipt.outbox

    async def _settle(self) -> None:
        """Works and sends until nothing is left to do now."""
        store = self.gateway.store
        for _ in range(ROUNDS):
            self._take(await store.work(self.gateway.worker.decide))
            known = {row.id for row in self._rows}
            self._rows += [row for row in await store.lease() if row.id not in known]
            if not self._rows:
                return
            rows, self._rows = sorted(self._rows, key=lambda row: row.id), []
            for row in rows:
                self._take(await store.mark([Settled(row, await self._run(row))]))

    async def _run(self, row: OutboxRow) -> Sent:
        if row.kind in ("send", "edit", "delete"):
            return await self.gateway.channels[CHANNEL].send(row)
        return await self.gateway.calls.run(row)
