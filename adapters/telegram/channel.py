"""A Telegram bot as a channel: webhook or long polling in, aiogram over a lean session out."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
import structlog

from adapters.background import Background, until_done
from adapters.doors import Door, Reply, knows, revealed
from adapters.pacing import parse_limits
from adapters.payloads import Unreadable, parse_json
from adapters.telegram.capabilities import CAPABILITIES, DOWNLOAD_BYTES, UPDATE_BYTES, UPDATES
from adapters.telegram.library import Bot, TelegramAPIError, TokenValidationError, methods
from adapters.telegram.manners import Manners
from adapters.telegram.parse import callback_id, group_of, parse_update
from adapters.telegram.polling import Poller, utc_now
from adapters.telegram.sending import Sending
from adapters.telegram.session import LeanSession, Refusal, Unconfirmed, Unsent, bare
from core.events import Inbound
from core.locale import texts
from core.outbox import OutboxRow, Sent
from core.ports import Cursor, Gate, StorageFull

log = structlog.get_logger("frontline")

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
DONE = Reply()


class Telegram:
    """Settings: `token`, `mode` (polling, webhook), `secret`, `api_url`, `public_url`, `limits`.

    Optional: `language` of what it tells an admin, `max_connections` (webhook deliveries at once, 40) and `poll_seconds`
    (length of a long poll, 25).
    """

    kind = "telegram"
    capabilities = CAPABILITIES

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self._language = str(settings.get("language") or "en")
        self._token = revealed(settings["token"])
        self._secret = revealed(settings.get("secret"))
        self._mode = str(settings.get("mode") or "polling")
        self._public_url = str(settings.get("public_url") or "").rstrip("/")
        self._max_connections = int(settings.get("max_connections") or 40)
        self._poll_seconds = int(settings.get("poll_seconds") or 25)
        self._session = LeanSession(str(settings.get("api_url") or "https://api.telegram.org").rstrip("/"))
        self._bot = _bot(name, self._token, self._session, self._language)
        self.account = str(self._bot.id)
        self._sending = Sending(self._bot, name, parse_limits(settings.get("limits")))
        self._manners = Manners(self._bot, name, self._sending.pacer, texts(self._language))
        self._gate: Gate | None = None
        self._poller: Poller | None = None
        self._background = Background()
        self._unset = ""  # why the webhook is not set

    @property
    def trouble(self) -> str:
        """What keeps messages from coming, in Telegram's words; empty while all is well."""
        return self._poller.trouble if self._poller is not None else self._unset

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """The webhook, when this channel has one."""
        door = Door(UPDATE_BYTES, self._refused, self._hook)
        return [("POST", f"/hooks/{self.name}", door.answer)] if self._mode == "webhook" else []

    async def start(self, gate: Gate) -> None:
        """Registers the webhook where messages are taken, or starts the poller, which waits for its turn. Raises
        ValueError when the configuration cannot work.

        A platform that cannot be reached now is tried again in the background: other channels must not wait for it.
        """
        self._gate = gate
        self._sending.open(gate.files)
        if self._mode == "webhook":
            self._check_webhook()
            if gate.hears and not await self._register():
                self._background.main(self._keep_registering())
        elif self._mode == "polling":
            self._poller = Poller(self._session, self._token, self.name, self._take_batch, self._poll_seconds)
            self._background.main(self._poller.keep(gate))
        else:
            t = texts(self._language)
            raise ValueError(
                t("channel {name}: the mode is polling or webhook, not {mode}", name=self.name, mode=self._mode)
            )

    async def stop(self) -> None:
        """Ends polling at once (a batch under way is finished), waits a little for answers to buttons, closes connections."""
        if self._poller is not None:
            self._poller.stop()
        await self._background.stop(at_once=self._poller is None)
        await self._session.close()

    async def caught_up(self) -> None:
        """Polling: what waited at the platform has been read. A webhook is pushed to: at once."""
        if self._poller is not None:
            await self._poller.caught_up.wait()

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the limits of account and chat; a `retry` when that takes long, or a 429 has closed the chat."""
        return await self._sending.pace(row)

    async def send(self, row: OutboxRow) -> Sent:
        """Send, edit or delete. Never raises for what the platform says: that is a verdict."""
        if self._gate is None:
            raise RuntimeError(f"channel {self.name} is not started")
        return await self._sending.send(row, self._gate.store)

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes and the mime type of a file by its file_id.

        Raises ValueError with the reason when it will never work, ConnectionError when it may work later.
        """
        try:
            found = await self._bot(bare(methods.GetFile, {"file_id": ref}))
            path = str(found.get("file_path") or "") if isinstance(found, dict) else ""
            if not path:
                raise ValueError("Telegram does not give the file out")
            return await self._download(path, min(limit, DOWNLOAD_BYTES)), _mime(path)
        except Refusal as refusal:
            if refusal.code in {400, 403}:
                raise ValueError(f"{refusal.code} {refusal.message}") from None
            raise ConnectionError(f"{refusal.code} {refusal.message}") from None
        except (Unsent, Unconfirmed) as error:
            raise ConnectionError(error.message) from None

    async def _download(self, path: str, limit: int) -> bytes:
        url = self._session.api.file_url(token=self._token, path=quote(path))
        data = bytearray()
        async for piece in self._session.stream_content(url, timeout=60):
            data += piece
            if len(data) > limit:
                raise ValueError(f"the file is larger than {limit} bytes")
        return bytes(data)

    async def typing(self, chat: str) -> None:
        """Shows “typing…” for five seconds, unless messages need the platform's limits."""
        await self._manners.typing(chat)

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Tells Telegram the commands of private chats; goes on trying while it cannot be reached."""
        if not await self._manners.menu(commands):
            self._background.spawn(until_done(lambda: self._manners.menu_again(commands)))

    async def link(self, payload: str) -> str:
        """`https://t.me/<bot>?start=<payload>` (core.joins.Linked)."""
        return await self._manners.link(payload)

    # --- in: webhook -------------------------------------------------------------------------------------------------

    def _refused(self, headers: Mapping[str, str]) -> Reply | None:
        if not knows(self._secret, headers.get(SECRET_HEADER, "")):
            return Reply(403)
        return None if headers.get("Content-Encoding", "identity").lower() == "identity" else Reply(415)

    async def _hook(self, headers: Mapping[str, str], raw: bytes) -> Reply:
        """200 only after the update is durable; the answer to a pressed button rides on the response."""
        gate = self._gate
        if gate is None:
            return Reply(503)
        try:
            return await self._accept_one(gate, raw)
        except StorageFull as full:
            return Reply.later(full.after)

    async def _accept_one(self, gate: Gate, raw: bytes) -> Reply:
        try:
            update = parse_json(raw)
        except Unreadable as unreadable:
            await gate.quarantine(self.name, raw, str(unreadable))
            return DONE
        inbounds = await self._read(gate, [update])
        if not inbounds:
            return DONE
        await gate.accept(inbounds)
        query = callback_id(update)
        if not query:
            return DONE
        return Reply.json(orjson.dumps({"method": "answerCallbackQuery", "callback_query_id": query}))

    def _check_webhook(self) -> None:
        t = texts(self._language)
        if not self._secret:
            raise ValueError(t("channel {name}: without a secret anybody could forge messages", name=self.name))
        if not SECRET.fullmatch(self._secret):
            raise ValueError(t("channel {name}: a secret is 1-256 letters A-Z a-z, digits, _ and -", name=self.name))
        if not self._public_url:
            raise ValueError(
                t("channel {name}: the webhook needs http.public_url, where Telegram calls", name=self.name)
            )

    async def _register(self) -> bool:
        """Whether the webhook is set now. Raises ValueError when Telegram refuses the address."""
        params = {
            "url": f"{self._public_url}/hooks/{self.name}",
            "secret_token": self._secret,
            "allowed_updates": UPDATES,
            "max_connections": self._max_connections,
        }
        try:
            await self._bot(bare(methods.SetWebhook, params))
        except Refusal as refusal:
            self._unset = f"{refusal.code} {refusal.message}"
            if refusal.code == 400:
                t = texts(self._language)
                words = refusal.message
                raise ValueError(
                    t("channel {name}: Telegram refuses the webhook: {words}", name=self.name, words=words)
                ) from None
            log.warning("telegram_webhook_waits", channel=self.name, status=refusal.code, error=refusal.message)
            return False
        except (Unsent, Unconfirmed) as error:
            self._unset = error.message
            log.warning("telegram_webhook_waits", channel=self.name, error=error.message)
            return False
        self._unset = ""
        log.info("telegram_webhook_set", channel=self.name)
        return True

    async def _keep_registering(self) -> None:
        try:
            await until_done(self._register)
        except ValueError as error:
            log.error("telegram_webhook_refused", channel=self.name, error=str(error))

    # --- in: polling -------------------------------------------------------------------------------------------------

    async def _take_batch(self, gate: Gate, updates: Sequence[Any], cursor: Cursor) -> None:
        """Durable first, with the cursor; then the buttons among the updates are answered."""
        await gate.accept(await self._read(gate, updates), cursor)
        for query in (callback_id(update) for update in updates if isinstance(update, dict)):
            if query:
                self._background.spawn(self._answer(query))

    # --- in: both ----------------------------------------------------------------------------------------------------

    async def _read(self, gate: Gate, updates: Sequence[Any]) -> list[Inbound]:
        """The updates as inbounds; an unreadable one goes to quarantine and counts as taken."""
        inbounds = []
        now = utc_now()
        for update in updates:
            try:
                inbound = parse_update(update, self.name, self.account, now, texts(self._language))
            except Unreadable as unreadable:
                await gate.quarantine(self.name, orjson.dumps(update), str(unreadable))
                continue
            if inbound is not None:
                inbounds.append(inbound)
            group = group_of(update)
            if group and self._manners.may_leave(group):
                self._background.spawn(self._manners.leave(group))
        return inbounds

    async def _answer(self, query: str) -> None:
        """Stops the button's clock; nothing depends on it, so it is not repeated."""
        try:
            await self._bot(bare(methods.AnswerCallbackQuery, {"callback_query_id": query}))
        except TelegramAPIError as error:
            log.debug("telegram_button_not_answered", channel=self.name, error=error.message)


def _bot(name: str, token: str, session: LeanSession, language: str) -> Bot:
    try:
        return Bot(token, session=session)
    except TokenValidationError:
        t = texts(language)
        raise ValueError(
            t("channel {name}: this is not a token of a Telegram bot (digits:letters)", name=name)
        ) from None


def _mime(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
