"""The examination of a channel: what each emulated messenger says of tokens, rights, ways in and chats; never a secret."""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from adapters.examining import examine
from adapters.verdict import Verdict
from adapters.vk.capabilities import EVENTS
from tests.emulators.api import ApiMessenger
from tests.emulators.fixtures import TOKEN, telegram
from tests.emulators.max import TOKEN as MAX_TOKEN
from tests.emulators.max import MaxEmulator
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.vk import TOKEN as VK_TOKEN
from tests.emulators.vk import VkEmulator

__all__ = ["telegram"]
HERE = "https://desk.example.org"
Tell = Callable[..., Awaitable[list[Verdict]]]


def statuses(verdicts: list[Verdict]) -> dict[str, str]:
    return {one.id: one.status for one in verdicts}


def words(verdicts: list[Verdict]) -> str:
    return msgspec.json.encode(verdicts).decode()


def settings(telegram: TelegramEmulator, **more: Any) -> dict[str, Any]:
    return {"token": TOKEN, "api_url": telegram.url, "public_url": HERE, "language": "ru", **more}


async def test_a_poller_that_is_well(telegram: TelegramEmulator) -> None:
    telegram.person(7)
    verdicts = await examine("telegram", "telegram", settings(telegram, mode="polling"), "7")
    assert statuses(verdicts) == {"token": "ok", "way-in": "ok", "message": "ok"}
    assert verdicts[0].values == {"bot": "frontline_bot"}
    assert telegram.texts(7) == ["Это проверка канала, отвечать не нужно."]


async def test_nobody_is_written_to_without_a_chat(telegram: TelegramEmulator) -> None:
    verdicts = await examine("telegram", "telegram", settings(telegram))
    assert statuses(verdicts) == {"token": "ok", "way-in": "ok", "message": "skipped"}
    assert telegram.sent() == []


async def test_a_wrong_token_ends_it_and_is_not_shown(telegram: TelegramEmulator) -> None:
    verdicts = await examine("telegram", "telegram", settings(telegram, token="999:of-somebody-else"), "7")
    assert statuses(verdicts) == {"token": "failed", "way-in": "skipped", "message": "skipped"}
    assert "401" in words(verdicts)
    assert "of-somebody-else" not in words(verdicts)


async def test_a_webhook_that_leads_elsewhere(telegram: TelegramEmulator) -> None:
    asked = settings(telegram, mode="webhook", secret="sesame")
    unset = await examine("telegram", "telegram", asked)
    assert statuses(unset)["way-in"] == "failed"
    await set_webhook(telegram, "https://other.example/hidden-word/hooks")
    verdicts = await examine("telegram", "telegram", asked)
    assert statuses(verdicts)["way-in"] == "failed"
    assert "other.example" in words(verdicts)
    assert "hidden-word" not in words(verdicts), "an address may hold a secret"
    await set_webhook(telegram, f"{HERE}/hooks/telegram")
    assert statuses(await examine("telegram", "telegram", asked))["way-in"] == "ok"
    polled = await examine("telegram", "telegram", settings(telegram, mode="polling"))
    assert statuses(polled)["way-in"] == "failed", "a webhook stands in the way of a poller"


async def set_webhook(telegram: TelegramEmulator, url: str) -> None:
    from adapters.telegram.session import LeanSession

    session = LeanSession(telegram.url)
    await session.call(TOKEN, "setWebhook", {"url": url, "secret_token": "sesame"})
    await session.close()


async def test_a_chat_that_does_not_exist(telegram: TelegramEmulator) -> None:
    verdicts = await examine("telegram", "telegram", settings(telegram), "4040")
    assert statuses(verdicts)["message"] == "failed"
    assert verdicts[-1].mend
    telegram.world.violations.clear()


async def test_a_messenger_that_is_away() -> None:
    verdicts = await examine("telegram", "telegram", {"token": TOKEN, "api_url": "http://127.0.0.1:9"})
    assert statuses(verdicts)["token"] == "failed"
    assert "reached" in verdicts[0].what


async def test_an_address_without_https_on_the_real_telegram() -> None:
    from adapters.examining import own_address
    from adapters.verdict import Failed

    with pytest.raises(Failed, match="not https"):
        own_address("http://desk.example.org", "telegram")
    with pytest.raises(Failed, match="empty"):
        own_address("", "telegram")


async def test_a_community() -> None:
    async with VkEmulator() as vk:
        vk.person(7)
        asked = {"token": VK_TOKEN, "group_id": vk.world.group, "api_url": vk.url, "mode": "longpoll", "language": "ru"}
        verdicts = await examine("vk", "vk", asked, "7")
        assert statuses(verdicts) == {"token": "ok", "rights": "ok", "long-poll": "failed", "message": "ok"}
        assert vk.texts(7) == ["Это проверка канала, отвечать не нужно."]
        vk.methods.polled = {"enabled", *EVENTS}
        assert statuses(await examine("vk", "vk", asked))["long-poll"] == "ok"
        vk.settings(manages=False)
        verdicts = await examine("vk", "vk", asked)
        assert statuses(verdicts)["rights"] == "failed"
        assert "manage" in words(verdicts)
        assert VK_TOKEN not in words(verdicts)
        vk.settings(manages=True)
        verdicts = await examine("vk", "vk", {**asked, "mode": "callback", "public_url": HERE})
        assert statuses(verdicts)["callback"] == "failed"
        away = await examine("vk", "vk", {**asked, "api_url": "http://127.0.0.1:9"})
        assert statuses(away)["token"] == "failed"


async def test_a_max_bot() -> None:
    async with MaxEmulator() as emulator:
        emulator.person(7)
        asked = {"token": MAX_TOKEN, "api_url": emulator.url, "public_url": HERE, "mode": "webhook", "language": "ru"}
        verdicts = await examine("max", "max", asked, "7")
        assert statuses(verdicts) == {"token": "ok", "way-in": "failed", "message": "ok"}
        assert MAX_TOKEN not in words(verdicts)
        assert statuses(await examine("max", "max", {**asked, "mode": "polling"}))["way-in"] == "ok"
        away = await examine("max", "max", {**asked, "api_url": "http://127.0.0.1:9"})
        assert statuses(away) == {"token": "failed", "way-in": "skipped", "message": "skipped"}


async def test_a_web_chat() -> None:
    bare = await examine("web", "site", {})
    assert statuses(bare) == {"address": "failed", "sites": "skipped"}
    whole = await examine("web", "site", {"public_url": HERE, "origins": ("https://shop.example",)})
    assert statuses(whole) == {"address": "ok", "sites": "ok"}
    odd = await examine("web", "site", {"public_url": HERE, "origins": ("shop.example",)})
    assert statuses(odd)["sites"] == "failed"


async def test_an_integrators_endpoint() -> None:
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    async with ApiMessenger(secret=secret) as emulator:
        asked = {"secret": secret, "url": emulator.url + "/calls", "public_url": HERE, "language": "ru"}
        verdicts = await examine("api", "api", asked)
        assert statuses(verdicts) == {"address": "ok", "signature": "ok", "message": "skipped"}
        other = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        wrong = await examine("api", "api", {**asked, "secret": other}, "7")
        assert statuses(wrong) == {"address": "ok", "signature": "failed", "message": "skipped"}
        assert secret not in words(wrong)
        assert other not in words(wrong)


def test_every_kind_can_be_examined() -> None:
    from adapters import CHANNELS, part_of

    assert all(part_of(kind, "examine").Exam for kind, _ in CHANNELS)
