"""What VK says of a community: its key and rights, where events go, whether a chat can be written to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from adapters.doors import revealed
from adapters.examining import HELLO, NO_CHAT, Found, Step, own_address, refused, unreachable, wrong_token
from adapters.verdict import Failed, Skipped
from adapters.vk.capabilities import EVENTS
from adapters.vk.methods import BASE, Methods, Params, Refusal, Trouble
from core.locale import n_, texts

SECONDS = 10.0
NO_KEY = frozenset((5, 27))  # no key any more; a key of the community that may not
RIGHTS = ("messages", "photos", "docs", "manage")
BY_HAND = n_(
    "switch them on in the community: Manage → API usage; the gateway does so at its start with a key that may manage"
)
SERVER_STATES = {
    "unconfigured": n_("VK has not asked our address for the confirmation string yet"),
    "failed": n_("VK cannot reach our address, or was told a wrong string"),
    "wait": n_("VK is asking our address for the confirmation string"),
}


class Exam:
    """Of one community."""

    def __init__(self, name: str, settings: Mapping[str, Any], chat: str) -> None:
        self._name, self._settings, self._chat = name, settings, chat
        self._group, self._mode = int(settings.get("group_id") or 0), str(settings.get("mode") or "longpoll")
        base = str(settings.get("api_url") or BASE).rstrip("/")
        self._own_server = base != BASE
        self._methods = Methods(revealed(settings["token"]), base, 1, SECONDS)
        ways = [Step("token", n_("The token"), self._hello, first=True), Step("rights", n_("The rights"), self._rights)]
        if self._mode != "callback":
            ways.append(Step("long-poll", n_("The way in: long poll"), self._long_poll))
        if self._mode != "longpoll":
            ways.append(Step("callback", n_("The way in: callback"), self._callback))
        self.steps = (*ways, Step("message", n_("A message to a chat"), self._message))

    async def close(self) -> None:
        self._methods.close()

    async def _call(self, method: str, params: Params) -> Any:
        try:
            return (await self._methods.call(method, params))["response"]
        except Refusal as refusal:
            words = f"{refusal.refused.code} {refusal.refused.words}"
            raise wrong_token(words) if refusal.refused.code in NO_KEY else refused(words) from None
        except Trouble as trouble:
            raise unreachable(str(trouble)) from None

    async def _hello(self) -> Found:
        found = await self._call("groups.getById", {"group_id": self._group})
        groups = found.get("groups") if isinstance(found, dict) else found
        group = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], dict) else {}
        return Found(n_("the community is «{title}»"), {"title": str(group.get("name") or self._group)})

    async def _rights(self) -> Found:
        found = await self._call("groups.getTokenPermissions", {})
        has = {str(one.get("name")) for one in found.get("permissions") or () if isinstance(one, dict)}
        lacking = [name for name in RIGHTS if name not in has]
        if lacking:
            raise Failed(
                n_("the key lacks rights: {lacking}"),
                n_("make a new key of the community with the rights for messages, photos, files and management"),
                lacking=", ".join(lacking),
            )
        return Found()

    async def _long_poll(self) -> Found:
        found = await self._call("groups.getLongPollSettings", {"group_id": self._group})
        if not found.get("is_enabled"):
            raise Failed(n_("the long poll is switched off"), BY_HAND)
        return _events(found.get("events"))

    async def _callback(self) -> Found:
        ours = own_address(str(self._settings.get("public_url") or ""), self._name, self._own_server)
        found = await self._call("groups.getCallbackServers", {"group_id": self._group})
        servers = [one for one in found.get("items") or () if isinstance(one, dict)]
        server = next((one for one in servers if one.get("url") == ours), None)
        if server is None:
            raise Failed(n_("our address is none of the community's callback servers"), BY_HAND)
        status = str(server.get("status") or "")
        if status != "ok":
            raise Failed(
                SERVER_STATES.get(status, n_("VK does not say that our address works")),
                n_("look whether the world reaches `http.public_url`, and at `confirmation` and `secret`"),
            )
        return Found(n_("VK calls our address"))

    async def _message(self) -> Found:
        if not self._chat:
            raise Skipped(NO_CHAT)
        if not self._chat.isdecimal():
            raise Failed(
                n_("this is no number of a client of VK"), n_("take it from the page of the client: vk.com/id<number>")
            )
        said = texts(str(self._settings.get("language") or "en"))(HELLO)
        # Asked so, VK says of each chat by itself what became of it.
        params: Params = {"peer_ids": self._chat, "random_id": secrets.randbelow(2**31), "message": said}
        found = await self._call("messages.send", params)
        error = found[0].get("error") if isinstance(found, list) and found and isinstance(found[0], dict) else None
        if isinstance(error, dict):
            raise Failed(
                n_("the messenger refuses: {words}"),
                n_("the client must have written to the community first, or allowed its messages"),
                words=f"{error.get('code')} {error.get('description')}"[:200],
            )
        return Found(n_("the message is there"))


def _events(given: Any) -> Found:
    said = given if isinstance(given, dict) else {}
    # An event that VK does not name in its answer may well be on: only what is said to be off counts.
    lacking = [name for name in EVENTS if not said.get(name, name != "message_new")]
    if lacking:
        raise Failed(n_("VK does not tell of everything: {lacking}"), BY_HAND, lacking=", ".join(lacking))
    return Found(n_("VK tells of everything we read"))
