"""A VK community as a channel: callbacks and long poll in, vk_api over threads of ours out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from aiohttp import web

from adapters.background import Background
from adapters.doors import revealed
from adapters.pacing import parse_rate
from adapters.payloads import Unreadable
from adapters.vk.api import Api, Closed
from adapters.vk.callback import Callback
from adapters.vk.capabilities import CAPABILITIES
from adapters.vk.methods import BASE, THREADS, Methods, Refusal, Trouble
from adapters.vk.parse import Account, Answer, cropped, parse_answer, parse_event
from adapters.vk.people import People
from adapters.vk.polling import WATCH_SECONDS, Poller
from adapters.vk.sending import Sending
from adapters.vk.setup import Setup
from adapters.vk.uploads import Uploads
from core.events import Inbound
from core.locale import texts
from core.outbox import OutboxRow, Sent
from core.ports import Cursor, Gate, Receipt

log = structlog.get_logger("frontline")

MODES = ("longpoll", "callback", "both")
LAST_SECONDS = 0.3  # for calls under way: the sender has ended before us
WHOLE_SECONDS = 3.0  # for what VK has cut: VK waits for our answer meanwhile


class Vk:
    """Settings: `token`, `group_id`, `mode` (longpoll, callback, both), `secret`, `confirmation`, `api_url`, `public_url`,
    `limits`.

    Optional: `language` of notes in messages and of what it tells an admin, `threads` (calls at once, 4), `poll_seconds`
    (length of a long poll, 25), `watch_seconds` (how long silence is believed, 600).
    """

    kind = "vk"
    capabilities = CAPABILITIES

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self._t = texts(str(settings.get("language") or "en"))
        self._group = int(settings.get("group_id") or 0)
        self.account = str(self._group)
        self._mode = str(settings.get("mode") or "longpoll")
        self._secret = revealed(settings.get("secret"))
        self._confirmation = str(settings.get("confirmation") or "")
        self._public_url = str(settings.get("public_url") or "").rstrip("/")
        self._poll_seconds = int(settings.get("poll_seconds") or 25)
        self._watch_seconds = float(settings.get("watch_seconds") or WATCH_SECONDS)
        base = str(settings.get("api_url") or BASE).rstrip("/")
        methods = Methods(revealed(settings["token"]), base, int(settings.get("threads") or THREADS))
        self._api = Api(methods, parse_rate(settings.get("limits", "20/s")))
        self._uploads = Uploads(self._api, base)
        self._sending = Sending(self._api, self._uploads, name)
        self._people = People(self._api)
        self._setup = Setup(self._api, name, self._group)
        self._callback = Callback(name, self._group, self._secret, self._take_one, self._confirm)
        self._account = Account(name, self.account, self._t)
        self._gate: Gate | None = None
        self._poller: Poller | None = None
        self._background = Background()

    @property
    def trouble(self) -> str:
        """What keeps messages from coming, in VK's words; empty while all is well."""
        return self._poller.trouble if self._poller is not None else ""

    @property
    def _calls(self) -> bool:
        return self._mode in {"callback", "both"}

    @property
    def _polls(self) -> bool:
        return self._mode in {"longpoll", "both"}

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """The door for callbacks, when this channel has one."""
        return [("POST", f"/hooks/{self.name}", self._hook)] if self._calls else []

    async def start(self, gate: Gate) -> None:
        """Starts the loop that waits for its turn to listen. Raises ValueError when the configuration cannot work.

        A platform that cannot be reached now is tried again in the background: other channels must not wait for it.
        """
        self._check()
        self._gate = gate
        self._uploads.open(gate.files)
        self._poller = Poller(
            self._api,
            self.name,
            self._group,
            self._take,
            polls=self._polls,
            wait=self._poll_seconds,
            watch=self._watch_seconds,
            prepare=self._prepare,
        )
        self._background.main(self._poller.keep(gate))

    async def stop(self) -> None:
        """Ends listening at once (a batch under way is finished), waits a little for answers to buttons, closes connections."""
        if self._poller is not None:
            self._poller.stop()
        await self._background.stop()
        await self._api.close(LAST_SECONDS)
        await self._uploads.close()

    async def caught_up(self) -> None:
        """What waited at the platform has been read."""
        if self._poller is not None:
            await self._poller.caught_up.wait()

    async def pace(self, row: OutboxRow) -> Sent | None:
        """A `retry` while an error of VK forbids this chat, or the whole community."""
        return await self._sending.pace(row)

    async def send(self, row: OutboxRow) -> Sent:
        """Send, edit or delete. Never raises for what the platform says: that is a verdict."""
        if self._gate is None:
            raise RuntimeError(f"channel {self.name} is not started")
        return await self._sending.send(row, self._gate.store)

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes and the mime type of an attachment by its address.

        Raises ValueError with the reason when it will never work, ConnectionError when it may work later.
        """
        return await self._uploads.fetch(ref, limit)

    async def typing(self, chat: str) -> None:
        """Shows “typing…” for some seconds, unless messages wait."""
        await self._sending.typing(chat)

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """VK has no menu of commands."""

    async def link(self, payload: str) -> str:
        """`https://vk.me/club<id>?ref=<payload>`: the payload comes as `ref` with the next message (core.joins.Linked)."""
        return f"https://vk.me/club{self._group}?ref={payload}"

    # --- configuration -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        t = self._t
        if self._mode not in MODES:
            raise ValueError(
                t("channel {name}: the mode is longpoll, callback or both, not {mode}", name=self.name, mode=self._mode)
            )
        if self._group <= 0:
            raise ValueError(t("channel {name}: `group_id` is the number of the community", name=self.name))
        if self._calls and not self._secret:
            raise ValueError(t("channel {name}: without a secret anybody could forge messages", name=self.name))

    async def _prepare(self) -> None:
        """Whoever listens sees to the community's settings."""
        if self._polls:
            await self._setup.polling()
        if self._calls and self._public_url:
            await self._setup.callback(f"{self._public_url}/hooks/{self.name}", self._secret)

    async def _confirm(self) -> str:
        return self._confirmation or await self._setup.code()

    # --- in ----------------------------------------------------------------------------------------------------------

    async def _hook(self, request: web.Request) -> web.Response:
        return await self._callback.serve(request, self._gate)

    async def _take_one(self, gate: Gate, event: Any) -> None:
        await self._take(gate, [event], None)

    async def _take(self, gate: Gate, events: Sequence[Any], cursor: Cursor | None) -> list[Receipt]:
        """Durable first, with the cursor; then pressed buttons are answered. Raises StorageFull, LeaseLost.

        Events that leave nothing (VK tells of each message of ours) are not worth a commit: they may be read again.
        """
        inbounds = await self._people.named(await self._read(gate, events))
        idle = cursor is not None and not events
        receipts = await gate.accept(inbounds, cursor) if inbounds or idle else []
        known = {one.external_id for one, receipt in zip(inbounds, receipts, strict=True) if receipt.duplicate}
        for answer in filter(None, map(parse_answer, events)):
            if answer.external_id not in known:
                self._background.spawn(self._answer(answer))
        return receipts

    async def _read(self, gate: Gate, events: Sequence[Any]) -> list[Inbound]:
        """The events as inbounds; an unreadable one goes to quarantine and counts as taken."""
        inbounds: list[Inbound] = []
        now = datetime.now(UTC)
        for event in events:
            try:
                inbounds += parse_event(await self._whole(event), self._account, now)
            except Unreadable as unreadable:
                await gate.quarantine(self.name, orjson.dumps(_without_secret(event)), str(unreadable))
        return inbounds

    async def _whole(self, event: Any) -> Any:
        """An event whose message VK has cut, with the whole message; as it came when VK does not give it out in time."""
        place = cropped(event)
        if place is None:
            return event
        params: dict[str, str | int] = {"peer_id": place[0], "conversation_message_ids": place[1]}
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                found = await self._api.call("messages.getByConversationMessageId", params)
        except (TimeoutError, Refusal, Trouble, Closed) as error:
            log.warning("vk_message_stays_cut", channel=self.name, error=type(error).__name__)
            return event
        items = found.get("items") if isinstance(found, dict) else None
        whole = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else None
        return {**event, "object": {"message": {**whole, "peer_id": place[0]}}} if whole else event

    async def _answer(self, answer: Answer) -> None:
        """Stops the button's clock; nothing depends on it, so it is not repeated."""
        try:
            await self._api.call("messages.sendMessageEventAnswer", answer._asdict())
        except (Refusal, Trouble, Closed) as error:
            log.debug("vk_button_not_answered", channel=self.name, error=type(error).__name__)


def _without_secret(event: Any) -> Any:
    """What may be kept of a delivery."""
    return {name: value for name, value in event.items() if name != "secret"} if isinstance(event, dict) else event
