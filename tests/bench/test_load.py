"""The load against a bot of a few lines: what it counts as answered, as failed and as said twice."""

from __future__ import annotations

import asyncio

import pytest

from bench import load as load_module
from bench.load import DIALOGUE, Load, probe
from tests.bench.conftest import Bot


async def test_every_message_is_answered_once(bot: Bot) -> None:
    measured = await Load([bot.port], "/hook", "s").run(3, 0.2)
    assert measured.messages > 3
    assert measured.failed == 0
    assert len(measured.latencies) == measured.messages
    assert measured.rate == pytest.approx(measured.messages / measured.seconds)


async def test_what_is_said_twice_is_a_failure(bot: Bot) -> None:
    bot.answers[DIALOGUE[0]] = ["зовут", "зовут"]
    assert (await Load([bot.port], "/hook", "s").run(1, 0.1)).failed > 0


async def test_another_status_than_200_is_a_failure(bot: Bot) -> None:
    bot.status = 500
    measured = await Load([bot.port], "/hook", "s").run(1, 0.1)
    assert measured.failed == measured.messages > 0


async def test_silence_is_a_failure(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module, "PATIENCE", 0.05)
    bot.answers[DIALOGUE[0]] = []
    measured = await asyncio.wait_for(Load([bot.port], "/hook", "s").run(2, 0.05), 5)
    assert (measured.messages, measured.failed) == (0, 2)


async def test_the_probe_reads_what_the_bot_says(bot: Bot) -> None:
    await probe(bot.port, "/hook", "s")
    bot.answers[DIALOGUE[2]] = ["что?"]
    with pytest.raises(ValueError, match="номер заказа"):
        await probe(bot.port, "/hook", "s")
