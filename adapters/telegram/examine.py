"""What Telegram says of a bot: its token, where messages go, whether a chat can be written to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from adapters.doors import revealed
from adapters.examining import HELLO, NO_CHAT, Found, Step, host_of, own_address, refused, unreachable, wrong_token
from adapters.telegram.capabilities import UPDATES
from adapters.telegram.session import LeanSession, Refusal, Unconfirmed, Unsent
from adapters.verdict import Failed, Skipped
from core.locale import n_, texts

RECENT_SECONDS = 3600.0  # an error of Telegram's calls that is older is history
MANY = 100  # waiting updates that are a heap
SECONDS = 10.0
PUBLIC = "https://api.telegram.org"


class Exam:
    """Of one bot."""

    def __init__(self, name: str, settings: Mapping[str, Any], chat: str) -> None:
        self._name, self._settings, self._chat = name, settings, chat
        self._token = revealed(settings["token"])
        api_url = str(settings.get("api_url") or PUBLIC).rstrip("/")
        self._session, self._own_server = LeanSession(api_url), api_url != PUBLIC
        self.steps = (
            Step("token", n_("The token"), self._hello, first=True),
            Step("way-in", n_("The way in"), self._way_in),
            Step("message", n_("A message to a chat"), self._message),
        )

    async def close(self) -> None:
        await self._session.close()

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        try:
            return await self._session.call(self._token, method, params, SECONDS)
        except Refusal as refusal:
            if refusal.code in {401, 404} and not params:
                raise wrong_token(f"{refusal.code} {refusal.message}") from None
            raise
        except (Unsent, Unconfirmed) as error:
            raise unreachable(error.message) from None

    async def _hello(self) -> Found:
        try:
            me = await self._call("getMe", {})
        except Refusal as refusal:
            raise refused(f"{refusal.code} {refusal.message}") from None
        return Found(n_("the bot is @{bot}"), {"bot": str(me.get("username") or me.get("id") or "?")})

    async def _way_in(self) -> Found:
        try:
            info = await self._call("getWebhookInfo", {})
        except Refusal as refusal:
            raise refused(f"{refusal.code} {refusal.message}") from None
        url = str(info.get("url") or "")
        if str(self._settings.get("mode") or "polling") == "polling":
            return _polled(url, int(info.get("pending_update_count") or 0))
        return self._hooked(url, info)

    def _hooked(self, url: str, info: Mapping[str, Any]) -> Found:
        ours = own_address(str(self._settings.get("public_url") or ""), self._name, self._own_server)
        if not url:
            raise Failed(n_("no webhook is set"), n_("start the gateway again: it sets the webhook at its start"))
        if url != ours:
            raise Failed(
                n_("Telegram calls another address, at {host}"),
                n_("another program uses this token: give each a bot of its own, then start the gateway again"),
                host=host_of(url),
            )
        error, at = str(info.get("last_error_message") or ""), float(info.get("last_error_date") or 0)
        if error and time.time() - at < RECENT_SECONDS:
            raise Failed(
                n_("Telegram could not deliver to us: {words}"),
                n_(
                    "look at the certificate, at the proxy before the gateway, and whether the port is open to the world"
                ),
                words=error[:200],
            )
        lacking = set(UPDATES) - set(info.get("allowed_updates") or UPDATES)
        if lacking:
            raise Failed(
                n_("Telegram does not tell of everything: {lacking}"),
                n_("start the gateway again: it sets the webhook at its start"),
                lacking=", ".join(sorted(lacking)),
            )
        return _waiting(int(info.get("pending_update_count") or 0))

    async def _message(self) -> Found:
        if not self._chat:
            raise Skipped(NO_CHAT)
        said = texts(str(self._settings.get("language") or "en"))(HELLO)
        try:
            await self._call("sendMessage", {"chat_id": self._chat, "text": said})
        except Refusal as refusal:
            words = f"{refusal.code} {refusal.message}"
            if refusal.code in {400, 403}:
                mend = n_(
                    "the number is that of a chat with this bot, and its client must have begun and not blocked it"
                )
                raise Failed(n_("the messenger refuses: {words}"), mend, words=words[:200]) from None
            raise refused(words) from None
        return Found(n_("the message is there"))


def _polled(url: str, waiting: int) -> Found:
    if url:
        raise Failed(
            n_("a webhook is set at {host}: nothing comes to a poller"),
            n_("another program uses this token: give each a bot of its own; the poller removes a webhook by itself"),
            host=host_of(url),
        )
    return _waiting(waiting)


def _waiting(count: int) -> Found:
    if count >= MANY:
        raise Failed(
            n_("{count} messages wait at the messenger"),
            n_("look whether the gateway refuses messages: its inbox, the disk, the database"),
            count=count,
        )
    return Found(n_("all is set; {count} messages wait at the messenger"), {"count": count})
