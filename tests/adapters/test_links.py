"""Channels whose chat can be opened by an address carry a payload in it, as their messenger reads it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.pacing import Pacer
from adapters.telegram.library import Bot
from adapters.telegram.manners import Manners
from adapters.telegram.session import Unsent
from adapters.vk.channel import Vk
from adapters.web.channel import Web
from core.codes import code_link
from core.joins import Linked
from core.locale import texts

PAYLOAD = code_link("7KMPXQ2WT5")


class Platform:
    """Telegram's answers to `getMe`, one after another; None is no answer."""

    def __init__(self, *answers: dict[str, Any] | None) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, method: object) -> Any:
        self.asked += 1
        answer = self.answers.pop(0)
        if answer is None:
            raise Unsent(cast(Any, method), "no way")
        return answer


async def test_telegram_tells_its_name_once() -> None:
    platform = Platform(None, {"username": "shop_bot"})
    manners = Manners(cast(Bot, platform), "telegram", cast(Pacer, None), texts("ru"))
    assert await manners.link(PAYLOAD) == ""
    for _ in range(2):
        assert await manners.link(PAYLOAD) == "https://t.me/shop_bot?start=go-7KMPXQ2WT5"
    assert platform.asked == 2


async def test_vk_has_the_community() -> None:
    channel = Vk("vk", {"token": "t", "group_id": 77})
    assert isinstance(channel, Linked)
    assert await channel.link(PAYLOAD) == "https://vk.me/club77?ref=go-7KMPXQ2WT5"


@pytest.mark.parametrize(
    ("public_url", "address"),
    [("https://bot.example/", "https://bot.example/chat/site#start=go-7KMPXQ2WT5"), ("", "")],
)
async def test_the_web_chat_keeps_the_payload_behind_the_fragment(public_url: str, address: str) -> None:
    channel = Web("site", {"public_url": public_url})
    assert isinstance(channel, Linked)
    assert await channel.link(PAYLOAD) == address
