"""What a community's settings must be: events switched on, our address known. VK may refuse; then people do it by hand."""

from __future__ import annotations

from typing import Any

import structlog

from adapters.vk.api import Api, Closed
from adapters.vk.capabilities import API_VERSION, EVENTS
from adapters.vk.methods import Params, Refusal, Trouble

log = structlog.get_logger("frontline")

TITLE = "frontline"  # at most 14 letters


class Setup:
    """Prepares one community. Nothing here is needed to run: what VK refuses is said in the log. `polling` and `callback`
    raise Trouble, Closed."""

    def __init__(self, api: Api, name: str, group: int) -> None:
        self._api, self._name, self._group = api, name, group
        self._code = ""

    async def polling(self) -> None:
        """Switches the long poll on, with the events that we read."""
        await self._do("groups.setLongPollSettings", {"enabled": 1, **_events()})

    async def callback(self, url: str, secret: str) -> None:
        """Makes our address one of the community's servers, with the secret and the events that we read."""
        known = await self._do("groups.getCallbackServers", {})
        if known is None:
            return
        server = _server(known, url)
        address: dict[str, str | int] = {"url": url, "title": TITLE, "secret_key": secret}
        if server is None:
            added = await self._do("groups.addCallbackServer", address)
            id = added.get("server_id") if isinstance(added, dict) else None
        else:
            id = server.get("id")
            if server.get("secret_key") != secret:
                await self._do("groups.editCallbackServer", {"server_id": int(id or 0), **address})
        if isinstance(id, int):
            await self._do("groups.setCallbackSettings", {"server_id": id, **_events()})

    async def code(self) -> str:
        """The string that VK wants to read from our address; empty when it does not tell."""
        if not self._code:
            try:
                found = await self._do("groups.getCallbackConfirmationCode", {})
            except (Trouble, Closed):
                found = None
            self._code = str(found.get("code") or "") if isinstance(found, dict) else ""
        return self._code

    async def _do(self, method: str, params: Params) -> Any:
        try:
            return await self._api.call(method, {"group_id": self._group, **params})
        except Refusal as error:
            log.warning("vk_setup_by_hand", channel=self._name, method=method, error=str(error)[:200])
            return None


def _events() -> dict[str, str | int]:
    return {"api_version": API_VERSION, **dict.fromkeys(EVENTS, 1)}


def _server(known: Any, url: str) -> dict[str, Any] | None:
    items = known.get("items") if isinstance(known, dict) else None
    return next((item for item in items or () if isinstance(item, dict) and item.get("url") == url), None)
