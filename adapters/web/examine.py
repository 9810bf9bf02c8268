"""Whether a web chat can be reached: where its page is, and which sites may embed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.examining import Found, Step
from adapters.verdict import Failed
from core.locale import n_


class Exam:
    """Of one web chat."""

    def __init__(self, name: str, settings: Mapping[str, Any], chat: str) -> None:
        self._name = name
        self._public_url = str(settings.get("public_url") or "").rstrip("/")
        self._origins = tuple(str(one) for one in settings.get("origins") or ())
        self.steps = (
            Step("address", n_("The page"), self._page, first=True),
            Step("sites", n_("Sites that may embed it"), self._sites),
        )

    async def close(self) -> None:
        """Nothing is open."""

    async def _page(self) -> Found:
        if not self._public_url:
            mend = n_("set it to the address under which the world reaches this server")
            raise Failed(n_("`http.public_url` is empty"), mend)
        return Found(n_("the chat is at {address}"), {"address": f"{self._public_url}/chat/{self._name}"})

    async def _sites(self) -> Found:
        wrong = [one for one in self._origins if one != "*" and urlsplit(one).scheme not in {"http", "https"}]
        if wrong:
            raise Failed(
                n_("these are no addresses of sites: {sites}"),
                n_("write them as https://shop.example, without a path"),
                sites=", ".join(wrong),
            )
        if not self._origins:
            return Found(n_("none but our own pages"))
        return Found("{sites}", {"sites": ", ".join(self._origins)})
