"""What an integrator's endpoint says to one signed call. All its rules are tried out by `frontline channel-test`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.api import schema
from adapters.api.conformance.player import Answer, Player, shown
from adapters.api.parse import host_of
from adapters.api.signing import parse_secret
from adapters.api.verdicts import ABSENT
from adapters.doors import revealed
from adapters.examining import HELLO, NO_CHAT, Found, Step, refused, unreachable
from adapters.verdict import Failed, Skipped
from core.locale import n_, texts

SECONDS = 10.0
NOBODY = "frontline-test"  # a chat that no client has


class Exam:
    """Of one endpoint. Raises ValueError when the secret is none."""

    def __init__(self, name: str, settings: Mapping[str, Any], chat: str) -> None:
        self._settings, self._chat, self._url = settings, chat, str(settings.get("url") or "")
        self._can = dict(settings.get("capabilities") or {})
        limit = int(self._can.get("text_limit") or 4096)
        self._player = Player(
            self._url, [parse_secret(revealed(settings.get("secret")))], chat or NOBODY, limit, SECONDS
        )
        self.steps = (
            Step("address", n_("The address"), self._address, first=True),
            Step("signature", n_("A signed call"), self._signed, first=True),
            Step("message", n_("A message to a chat"), self._message),
        )

    async def close(self) -> None:
        await self._player.close()

    async def _address(self) -> Found:
        if not host_of(self._url):
            raise Failed(n_("`url` is empty or no address"), n_("set it to where your messenger takes our calls"))
        if not self._settings.get("public_url"):
            raise Failed(
                n_("`http.public_url` is empty"), n_("set it to the address under which the world reaches this server")
            )
        return Found("{host}", {"host": host_of(self._url)})

    async def _signed(self) -> Found:
        """“typing…” in a chat that nobody has: whatever the answer, it tells whether the signature was taken."""
        if self._can.get("typing") is False:
            raise Skipped(n_("the messenger has nothing that could be tried without a message"))
        answer = await self._player.call(schema.Typing(key=self._player.key(), chat=self._player.chat), patient=False)
        if answer.status in {401, 403}:
            raise Failed(
                n_("the call is refused: {status}"),
                n_("both sides must have the same secret, and clocks that agree within five minutes"),
                status=answer.status,
            )
        _require_answer(answer)
        return Found(n_("the call was taken"))

    async def _message(self) -> Found:
        if not self._chat:
            raise Skipped(NO_CHAT)
        said = texts(str(self._settings.get("language") or "en"))(HELLO)
        shown(await self._player.call(self._player.message(said), patient=False))
        return Found(n_("the message is there"))


def _require_answer(answer: Answer) -> None:
    """4xx about the chat is an answer, too: nobody has it. Raises Failed."""
    if not answer.status:
        raise unreachable(answer.trouble)
    code = answer.said.get("code") if isinstance(answer.said, dict) else None
    if answer.status in ABSENT and not code:
        raise Failed(
            n_("nothing takes calls at this address: {status}"),
            n_("set it to where your messenger takes our calls"),
            status=answer.status,
        )
    if answer.status >= 500:
        raise refused(f"HTTP {answer.status}")
