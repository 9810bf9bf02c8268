"""The web chat channel: pages, sockets and files under `/chat/<name>`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapters.web.api import Api, render_items
from adapters.web.capabilities import capabilities
from adapters.web.live import Live
from adapters.web.pages import Pages, static_file, widget
from adapters.web.render import render_item, render_row
from adapters.web.room import Room, answering, now
from adapters.web.settings import Settings, parse_settings
from core.outbox import OutboxRow, Sent
from core.ports import Gate, HistoryItem, StorageFull

BEFORE = 6  # items before a leaving message that are told again: the client's own places


class Web:
    """A chat on a web page. `settings` are those of `adapters.web.settings.Settings`, as a mapping or ready made.

    Raises ValueError when they cannot work.
    """

    kind = "web"

    def __init__(self, name: str, settings: Mapping[str, Any] | Settings) -> None:
        ready = settings if isinstance(settings, Settings) else parse_settings(settings)
        self.name = self.account = name
        self.capabilities = capabilities(ready.file_size)
        self._room = Room(name, ready)

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """All routes. `/widget.js` and `/chat/static` are the same handlers for every web chat: mount them once."""
        room, base = self._room, f"/chat/{self.name}"
        api, live, pages = Api(room), Live(room), Pages(self.name, room.settings)
        return [
            ("GET", "/widget.js", widget),
            ("GET", "/chat/static/{file}", static_file),
            ("GET", base, pages.page),
            ("POST", f"{base}/session", answering(room, api.session)),
            ("GET", f"{base}/history", answering(room, api.history)),
            ("POST", f"{base}/messages", answering(room, api.message)),
            ("POST", f"{base}/files", answering(room, api.upload)),
            ("GET", f"{base}/files/{{file}}", answering(room, api.download)),
            ("GET", f"{base}/files/{{file}}/thumb", answering(room, api.thumbnail)),
            ("GET", f"{base}/socket", answering(room, live.socket)),
        ]

    async def start(self, gate: Gate) -> None:
        """Opens the room. Raises ValueError when the name is one of our own paths."""
        if self.name == "static":
            raise ValueError("a web chat cannot be called «static»")
        self._room.open(gate)

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Nothing limits how fast it goes."""
        return None

    async def caught_up(self) -> None:
        """Pages push to us: there is nothing to catch up with."""

    async def stop(self) -> None:
        """Closes all sockets; the pages come again by themselves."""
        await self._room.close()

    async def send(self, row: OutboxRow) -> Sent:
        """Tells the open pages. The truth is the history: who is not here now reads it there, so this cannot fail."""
        if row.kind == "delete":
            for seq in row.target_ids:
                self._room.hub.publish(row.chat, {"type": "gone", "seq": int(seq)})
            return Sent("sent", row.target_ids)
        if self._room.follower is None and self._room.hub.listeners(
            row.chat
        ):  # else all processes read it when it is settled
            try:
                await self._tell(row)
            except StorageFull as error:
                return Sent("retry", reason=str(error), after=1.0)
        return Sent("sent", row.target_ids if row.kind == "edit" else (str(row.seq),))

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """Files of a web chat are ours from the start: nothing is fetched. Raises ValueError."""
        raise ValueError("files of a web chat are stored when they arrive")

    async def typing(self, chat: str) -> None:
        """Shows dots in the open pages, for 5 s or until the next message."""
        self._room.typing(chat)

    async def link(self, payload: str) -> str:
        """The chat's own page. The payload stands behind the `#`: no server and no log sees it (core.joins.Linked)."""
        base = self._room.settings.public_url.rstrip("/")
        return f"{base}/chat/{self.name}#start={payload}" if base else ""

    def writing(self) -> frozenset[int]:
        """Conversations whose client is writing now, in the pages of all processes."""
        return self._room.signs.writing()

    def seen(self, conversation: int) -> int:
        """The place in the history up to which the client has seen everything, as far as is known; 0 when nothing is."""
        return self._room.signs.seen(conversation)

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Pages have no menu."""

    async def _tell(self, row: OutboxRow) -> None:
        """Gives the message with its place in the history, and the few items before it: the client's own message may
        have found its place only now."""
        room = self._room
        items = await room.gate.store.history(row.conversation, max(row.seq - BEFORE, 0), BEFORE)
        leaving = next((item for item in items if item.seq == row.seq), None)
        before = [item for item in items if item.seq < row.seq and row.kind == "send"]
        for shown in await render_items(room, before):
            room.hub.publish(row.chat, {"type": "item", "item": shown})
        room.hub.publish(row.chat, {"type": "item", "item": await self._leaving(row, leaving)})

    async def _leaving(self, row: OutboxRow, item: HistoryItem | None) -> dict[str, Any]:
        if item is None:
            return render_row(row, await self._room.files(row.message.files if row.message else ()), now())
        sent = msgspec.structs.replace(item, message=row.message or item.message, state="sent")
        return render_item(sent, await self._room.files_of([sent])) or {"seq": row.seq, "hidden": True}
