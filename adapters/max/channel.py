"""A MAX bot as a channel: webhook or long polling in, the official API out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from adapters.background import Background, until_done
from adapters.doors import Door, Reply, knows, revealed
from adapters.groups import GOODBYE, Groups
from adapters.max.api import BASE, Api, Refusal, Unconfirmed, Unsent
from adapters.max.capabilities import CAPABILITIES, UPDATE_BYTES, UPDATES
from adapters.max.parse import Account, callback_id, dialog_of, group_of, parse_update, strange
from adapters.max.polling import MOST_WAIT, Poller
from adapters.max.render import render_commands
from adapters.max.sending import Sending
from adapters.pacing import Limits, Rate, parse_limits
from adapters.payloads import Unreadable, number, parse_json
from core.events import Inbound
from core.locale import texts
from core.outbox import OutboxRow, Sent
from core.ports import Cursor, Gate, StorageFull

log = structlog.get_logger("frontline")

SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}")
SECRET_HEADER = "X-Max-Bot-Api-Secret"  # noqa: S105
RENEW_SECONDS = 3600.0  # MAX ends a subscription that has failed for eight hours
LIMITS = Limits(Rate(30, 1.0), Rate(2, 1.0), None)  # dev.max.ru: of the bot, into one dialog


class Max:
    """Settings: `token`, `mode` (polling, webhook), `secret`, `api_url`, `ca`, `timeout`, `public_url`, `limits`.

    Optional: `language` of notes in messages and of what it tells an admin, `poll_seconds` (length of a long poll, 30).
    """

    kind = "max"
    capabilities = CAPABILITIES

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = self.account = name
        self._t = texts(str(settings.get("language") or "en"))
        token = revealed(settings["token"])
        self._secret = revealed(settings.get("secret"))
        self._mode = str(settings.get("mode") or "webhook")
        self._public_url = str(settings.get("public_url") or "").rstrip("/")
        self._poll_seconds = int(settings.get("poll_seconds") or MOST_WAIT)
        base, ca = str(settings.get("api_url") or BASE), str(settings.get("ca") or "")
        self._api = Api(token, base, ca, float(settings.get("timeout") or 30.0))
        self._sending = Sending(self._api, name, parse_limits(settings.get("limits"), LIMITS))
        self._account = Account(name, token, self._t)
        self._door = Door(UPDATE_BYTES, self._refused, self._hook)
        self._groups = Groups()
        self._background = Background()
        self._username = ""
        self._gate: Gate | None = None
        self._poller: Poller | None = None
        self._unset = ""  # why the webhook is not set

    @property
    def trouble(self) -> str:
        """What keeps messages from coming, in MAX's words; empty while all is well."""
        return self._poller.trouble if self._poller is not None else self._unset

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """The webhook, when this channel has one."""
        return [("POST", f"/hooks/{self.name}", self._door.answer)] if self._mode == "webhook" else []

    async def start(self, gate: Gate) -> None:
        """Subscribes where messages are taken, or starts the poller, which waits for its turn. Raises ValueError when the
        configuration cannot work; a platform that cannot be reached now is tried again in the background."""
        self._gate = gate
        t = self._t
        if self._mode == "webhook":
            self._check_webhook()
            if gate.hears:
                subscribed = await self._subscribe()
                self._background.main(self._keep_subscribed(subscribed))
        elif self._mode == "polling":
            self._poller = Poller(self._api, self.name, self._take, self._hello, self._poll_seconds)
            self._background.main(self._poller.keep(gate))
        else:
            raise ValueError(
                t("channel {name}: the mode is polling or webhook, not {mode}", name=self.name, mode=self._mode)
            )

    async def stop(self) -> None:
        """Ends polling at once (a batch under way is finished), waits a little for answers to buttons, closes connections."""
        if self._poller is not None:
            self._poller.stop()
        await self._background.stop(at_once=self._poller is None)
        await self._api.close()

    async def caught_up(self) -> None:
        """Polling: what waited at the platform has been read. A webhook is pushed to: at once."""
        if self._poller is not None:
            await self._poller.caught_up.wait()

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the limits of bot and dialog; a `retry` when that takes long, or a 429 has closed the dialog."""
        return await self._sending.pace(row)

    async def send(self, row: OutboxRow) -> Sent:
        """Send, edit or delete. Never raises for what the platform says: that is a verdict."""
        if self._gate is None:
            raise RuntimeError(f"channel {self.name} is not started")
        return await self._sending.send(row, self._gate.store, self._gate.files)

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes and the mime type of an attachment. Raises ValueError with the reason when it will never work,
        ConnectionError when it may work later."""
        return await self._api.fetch(ref, limit)

    async def typing(self, chat: str) -> None:
        """Shows once that somebody is writing, in a dialog that we know by MAX's own number, unless messages need the limits."""
        if chat in self._sending.chats and self._sending.pacer.spare(chat):
            await self._quietly("POST", f"/chats/{self._sending.chats[chat]}/actions", body={"action": "typing_on"})

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Tells MAX which commands there are."""
        await self._quietly("PATCH", "/me/commands", body=render_commands(commands))

    async def link(self, payload: str) -> str:
        """`https://max.ru/<bot>?start=<payload>`; empty until MAX has told the bot's name (core.joins.Linked)."""
        if not self._username:
            with suppress(Refusal, Unsent, Unconfirmed):
                await self._hello()
        return f"https://max.ru/{self._username}?start={payload}" if self._username else ""

    async def _quietly(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> None:
        """A call nothing depends on, so it is not repeated."""
        try:
            await self._api.call(method, path, query, body)
        except (Refusal, Unsent, Unconfirmed) as error:
            log.debug("max_call_left_undone", channel=self.name, call=path.rpartition("/")[2], error=str(error))

    # --- in: webhook -------------------------------------------------------------------------------------------------

    def _refused(self, headers: Mapping[str, str]) -> Reply | None:
        """Whoever does not know the secret leaves no trace but a number."""
        length = headers.get("Content-Length") or ""
        if self._gate is None:
            return Reply.later(5.0)
        if not knows(self._secret, headers.get(SECRET_HEADER) or ""):
            return self._away(self._gate, "wrong_secret", 403)
        if (headers.get("Content-Encoding") or "identity").lower() != "identity":
            return Reply(415)
        if length.isdecimal() and int(length) > UPDATE_BYTES:
            return self._away(self._gate, "too_large", 413)
        return None

    async def _hook(self, headers: Mapping[str, str], raw: bytes) -> Reply:
        """200 only after the update is durable."""
        gate = self._gate
        if gate is None:
            return Reply.later(5.0)
        try:
            return await self._accept_one(gate, raw)
        except StorageFull as full:
            return Reply.later(full.after)

    async def _accept_one(self, gate: Gate, raw: bytes) -> Reply:
        try:
            update = parse_json(raw)
        except Unreadable as unreadable:
            await gate.quarantine(self.name, raw, str(unreadable))
            return Reply()
        if strange(update, self._account.bot):
            return self._away(gate, "foreign_account", 403)
        await self._take(gate, [update], None)
        return Reply()

    def _away(self, gate: Gate, what: str, status: int) -> Reply:
        gate.count(self.name, what)
        return Reply(status)

    def _check_webhook(self) -> None:
        t = self._t
        if not self._secret:
            raise ValueError(t("channel {name}: without a secret anybody could forge messages", name=self.name))
        if not SECRET.fullmatch(self._secret):
            raise ValueError(t("channel {name}: a secret is 5-256 letters A-Z a-z, digits, _ and -", name=self.name))
        if not self._public_url:
            raise ValueError(t("channel {name}: the webhook needs http.public_url, where MAX calls", name=self.name))

    async def _subscribe(self) -> bool:
        """Whether the webhook is set now. Raises ValueError when MAX refuses the address."""
        body = {"url": f"{self._public_url}/hooks/{self.name}", "secret": self._secret, "update_types": list(UPDATES)}
        try:
            await self._hello()
            await self._api.call("POST", "/subscriptions", body=body)
        except Refusal as refusal:
            refused = refusal.refused
            self._unset = f"{refused.status} {refused.code} {refused.words}"
            if refused.status == 400:
                raise ValueError(
                    self._t("channel {name}: MAX refuses the webhook: {words}", name=self.name, words=refused.words)
                ) from None
            log.warning("max_webhook_waits", channel=self.name, status=refused.status, error=refused.code)
            return False
        except (Unsent, Unconfirmed) as error:
            self._unset = str(error)
            log.warning("max_webhook_waits", channel=self.name, error=str(error))
            return False
        self._unset = ""
        return True

    async def _keep_subscribed(self, subscribed: bool) -> None:
        """Subscribes until it is done, and anew from time to time."""
        try:
            while True:
                if not subscribed:
                    await until_done(self._subscribe)
                log.info("max_webhook_set", channel=self.name)
                await asyncio.sleep(RENEW_SECONDS)
                subscribed = await self._subscribe()
        except ValueError as error:
            log.error("max_webhook_refused", channel=self.name, error=str(error))

    async def _hello(self) -> int:
        """The bot's own id. Raises Refusal, Unsent, Unconfirmed."""
        me = await self._api.call("GET", "/me")
        bot, self._username = number(me.get("user_id")), str(me.get("username") or "")
        self._account = self._account._replace(bot=bot)
        return bot

    # --- in: both ----------------------------------------------------------------------------------------------------

    async def _take(self, gate: Gate, updates: Sequence[Any], cursor: Cursor | None) -> None:
        """Durable first, with the cursor; then pressed buttons are answered."""
        inbounds = await self._read(gate, updates)
        if inbounds or cursor is not None:
            await gate.accept(inbounds, cursor)
        for update in updates:
            user, chat = dialog_of(update)
            if user and chat > 0:
                self._sending.chats.remember(str(user), str(chat))
            query = callback_id(update)
            if query:  # an empty notice stops the button's clock and shows nothing
                answer = self._quietly("POST", "/answers", {"callback_id": query}, {"notification": " "})
                self._background.spawn(answer)
            group = group_of(update)
            if group and self._groups.may_leave(group):
                self._background.spawn(self._leave(group))

    async def _leave(self, group: int) -> None:
        """Says once why, and goes: what people write to each other there is not for us."""
        log.info("max_group_left", channel=self.name)
        said = self._t(GOODBYE)
        body: dict[str, Any] = {"text": said, "attachments": [], "link": None}
        await self._quietly("POST", "/messages", {"chat_id": str(group)}, body)
        await self._quietly("DELETE", f"/chats/{group}/members/me")

    async def _read(self, gate: Gate, updates: Sequence[Any]) -> list[Inbound]:
        """The updates as inbounds; an unreadable one goes to quarantine and counts as taken."""
        inbounds = []
        now = datetime.now(UTC)
        for update in updates:
            try:
                inbound = parse_update(update, self._account, now)
            except Unreadable as unreadable:
                await gate.quarantine(self.name, orjson.dumps(update), str(unreadable))
                continue
            if inbound is not None:
                inbounds.append(inbound)
        return inbounds
