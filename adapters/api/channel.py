"""A messenger of an integrator as a channel: signed events in, signed calls out."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from adapters.api import schema
from adapters.api.capabilities import declared
from adapters.api.door import SAFE, Door, guarded
from adapters.api.fetching import fetch_file
from adapters.api.openapi import openapi
from adapters.api.parse import Reader, host_of
from adapters.api.sending import Sending
from adapters.api.signing import Signer, parse_secret
from adapters.api.uploads import Uploads
from adapters.doors import revealed
from adapters.pacing import parse_rate
from core.locale import texts
from core.outbox import OutboxRow, Sent
from core.ports import Gate

log = structlog.get_logger("frontline")

FILE_BYTES = 20 * 1024**2


class Api:
    """Settings: `secret`, `previous_secret`, `url`, `public_url`, `limits`, `capabilities`, `file_hosts`, `file_private`,
    `file_size` (bytes of an uploaded file), `language` of what it tells an admin.

    Raises ValueError when they cannot work.
    """

    kind = "api"

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = self.account = name
        self._t = texts(str(settings.get("language") or "en"))
        self._public_url = str(settings.get("public_url") or "").rstrip("/")
        self._url = str(settings.get("url") or "")
        offered = dict(settings.get("capabilities") or {})
        self._has_menu = bool(offered.get("menu"))
        self.capabilities = declared(offered)
        signer = Signer(self._keys(settings))
        self._hosts = frozenset(map(str, settings.get("file_hosts") or ())) | {host_of(self._url)} - {""}
        self._file_private = bool(settings.get("file_private"))
        self._door = Door(Reader(name, self.account, self._hosts), signer)
        self._uploads = Uploads(name, self._door, int(settings.get("file_size") or FILE_BYTES))
        rate = parse_rate(settings.get("limits", "30/s"))
        self._sending = Sending(name, self._url, signer, self.capabilities, rate)
        self._document = msgspec.json.encode(openapi(name, self._public_url or "http://127.0.0.1"))
        self._gate: Gate | None = None

    def _keys(self, settings: Mapping[str, Any]) -> list[bytes]:
        """The key to sign with, and the one before. Raises ValueError."""
        given = (revealed(settings.get(name)) for name in ("secret", "previous_secret"))
        try:
            keys = [parse_secret(one) for one in given if one]
        except ValueError as error:
            raise ValueError(
                self._t("channel {name}: the secret does not fit: {problem}", name=self.name, problem=error)
            ) from None
        return keys

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """The door for events, the one for files, and the published protocol."""
        base = f"/hooks/{self.name}"
        return [
            ("POST", base, guarded(self.name, self._door.hook, self._now)),
            ("POST", f"{base}/files", guarded(self.name, self._uploads.take, self._now)),
            ("GET", f"{base}/openapi.json", self._describe),
        ]

    async def start(self, gate: Gate) -> None:
        """Opens the doors. Raises ValueError when the configuration cannot work."""
        t = self._t
        if not host_of(self._url):
            raise ValueError(t("channel {name}: `url` is where your messenger takes our calls", name=self.name))
        if not self._public_url:
            raise ValueError(
                t("channel {name}: it needs http.public_url: there we are called, and give out files", name=self.name)
            )
        self._gate = gate

    async def stop(self) -> None:
        """Closes connections."""
        await self._sending.close()

    async def caught_up(self) -> None:
        """We are pushed to: there is nothing to catch up with."""

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the limit of the settings; a `retry` when that takes long, or a `Retry-After` has closed the chat."""
        return await self._sending.pace(row)

    async def send(self, row: OutboxRow) -> Sent:
        """Send, edit or delete. Never raises for what the integrator says: that is a verdict."""
        if self._gate is None:
            raise RuntimeError(f"channel {self.name} is not started")
        return await self._sending.send(row, self._gate)

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes and the mime type of a file by its address.

        Raises ValueError with the reason when it will never work, ConnectionError when it may work later.
        """
        return await fetch_file(ref, limit, self._hosts, self._file_private)

    async def typing(self, chat: str) -> None:
        """Shows once that an answer is being written, where the integrator has it."""
        if self.capabilities.typing:
            await self._sending.tell(schema.Typing(key=f"typing:{secrets.token_hex(12)}", chat=chat))

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Tells the commands, where the integrator has a menu."""
        if not self._has_menu:
            return
        told = tuple(schema.Command(name, description) for name, description in commands)
        if not await self._sending.tell(schema.Menu(key=f"menu:{secrets.token_hex(12)}", commands=told)):
            log.warning("api_menu_not_taken", channel=self.name)

    def _now(self) -> Gate | None:
        return self._gate

    async def _describe(self, request: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json", headers=SAFE)
