"""What MAX says of a bot: its token, where messages go, whether a client can be written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.doors import revealed
from adapters.examining import HELLO, NO_CHAT, Found, Step, host_of, own_address, refused, unreachable, wrong_token
from adapters.max.api import BASE, Api, Refusal, Unconfirmed, Unsent
from adapters.verdict import Failed, Skipped
from core.locale import n_, texts

SECONDS = 10.0


class Exam:
    """Of one bot. Raises ValueError when its certificates cannot be read."""

    def __init__(self, name: str, settings: Mapping[str, Any], chat: str) -> None:
        self._name, self._settings, self._chat = name, settings, chat
        base, ca = str(settings.get("api_url") or BASE), str(settings.get("ca") or "")
        self._own_server = base != BASE
        self._api = Api(revealed(settings["token"]), base, ca, SECONDS)
        self.steps = (
            Step("token", n_("The token"), self._hello, first=True),
            Step("way-in", n_("The way in"), self._way_in),
            Step("message", n_("A message to a chat"), self._message),
        )

    async def close(self) -> None:
        await self._api.close()

    async def _call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        try:
            return await self._api.call(method, path, query, body)
        except Refusal as refusal:
            found = refusal.refused
            words = f"{found.status} {found.code} {found.words}".strip()
            raise wrong_token(words) if found.status == 401 else refused(words) from None
        except (Unsent, Unconfirmed) as error:
            raise unreachable(str(error)) from None

    async def _hello(self) -> Found:
        me = await self._call("GET", "/me")
        return Found(n_("the bot is @{bot}"), {"bot": str(me.get("username") or me.get("user_id") or "?")})

    async def _way_in(self) -> Found:
        found = await self._call("GET", "/subscriptions")
        urls = [str(one.get("url") or "") for one in found.get("subscriptions") or () if isinstance(one, dict)]
        if str(self._settings.get("mode") or "webhook") == "polling":
            return _polled(urls)
        ours = own_address(str(self._settings.get("public_url") or ""), self._name, self._own_server)
        if ours not in urls:
            raise Failed(
                n_("no webhook is set for this address"),
                n_("start the gateway again: it sets the webhook at its start"),
            )
        return Found(n_("the webhook is set"))

    async def _message(self) -> Found:
        if not self._chat:
            raise Skipped(NO_CHAT)
        said = texts(str(self._settings.get("language") or "en"))(HELLO)
        await self._call("POST", "/messages", {"user_id": self._chat}, {"text": said, "attachments": [], "link": None})
        return Found(n_("the message is there"))


def _polled(urls: list[str]) -> Found:
    if urls:
        raise Failed(
            n_("a webhook is set at {host}: nothing comes to a poller"),
            n_("another program uses this token: give each a bot of its own; the poller removes a webhook by itself"),
            host=host_of(urls[0]),
        )
    return Found(n_("no webhook stands in the way"))
