"""The address of the bot's chat in MAX carries a payload, which `bot_started` brings back."""

from __future__ import annotations

from core.codes import code_link
from core.joins import Linked
from tests.adapters.max.conftest import Build

PAYLOAD = code_link("7KMPXQ2WT5")


async def test_the_address_has_the_bots_name(build: Build) -> None:
    channel = build()
    assert isinstance(channel, Linked)
    assert await channel.link(PAYLOAD) == f"https://max.ru/shop_bot?start={PAYLOAD}"


async def test_without_an_answer_there_is_no_address(build: Build) -> None:
    assert await build(token="wrong").link(PAYLOAD) == ""
