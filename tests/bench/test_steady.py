"""Load that comes when it is due: late answers, refusals, a bot that hangs up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench import steady
from bench.contenders import Contender
from bench.stats import Outcome, percentile
from bench.steady import Found, Pace, Trial, told
from tests.bench.conftest import Bot


def contender(bot: Bot) -> Contender:
    return Contender(Outcome("bot", "bot", "ours"), ports=[bot.port])


async def test_all_that_is_due_is_posted_and_answered(bot: Bot) -> None:
    found = await Pace(contender(bot)).run(100, 0.3)
    assert len(found.acks) == len(found.sends) == 30
    assert (found.errors, found.refused, found.unanswered) == (0, 0, 0)


async def test_slowness_counts_from_when_a_message_was_due(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection and 0.1 s an answer: the last of five messages due at once waits for the four before it."""
    monkeypatch.setattr(steady, "CONNECTIONS", 1)
    bot.slow = 0.1
    found = await Pace(contender(bot)).run(1000, 0.005)
    assert percentile(found.posts, 1.0) < 0.3 < percentile(found.acks, 1.0)


async def test_what_is_refused_is_posted_again(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "AGAIN", 0.05)
    bot.status = 503
    asyncio.get_running_loop().call_later(0.2, setattr, bot, "status", 200)
    found = await Pace(contender(bot)).run(50, 0.1)
    assert found.refused > 0
    assert (len(found.acks), found.errors) == (5, 0)


async def test_a_bot_that_is_away_is_an_error_or_is_waited_for(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "AGAIN", 0.05)
    bot.hangs_up = 3
    assert (await Pace(contender(bot)).run(100, 0.05)).errors == 3
    bot.hangs_up = 3
    found = await Pace(contender(bot), stubborn=True).run(100, 0.05)
    assert (found.errors, found.refused, len(found.sends)) == (0, 3, 5)


async def test_silence_is_unanswered(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "DRAIN", 0.2)
    bot.answers = {text: [] for text in bot.answers}
    assert (await Pace(contender(bot)).run(50, 0.1)).unanswered == 5


def test_bars_of_a_steady_load() -> None:
    trial = Trial("L2", "sqlite", 200, 60, ack_p99=0.06, send_p95=0.3)
    good = Found(acks=[0.01] * 100, posts=[0.01] * 100, sends=[0.02] * 100)
    assert told(trial, good)[0].startswith(
        "- pass: L2, frontline (SQLite, FULL), 200 messages/s for 60 s over 100 connections"
    )
    late = Found(acks=[0.07] * 100, posts=[0.01] * 100, sends=[0.02] * 100)
    assert told(trial, late)[0].startswith("- FAIL")
    lost = Found(acks=[0.01] * 100, posts=[0.01] * 100, sends=[0.02] * 99, unanswered=1)
    assert told(trial, lost)[0].startswith("- FAIL")


def test_what_the_platform_holds_counts_from_its_post() -> None:
    found = Found(acks=[4.0] * 100, posts=[0.2] * 100, sends=[9.0] * 100)
    assert told(Trial("L3", "sqlite", 2000, 10, ack_p99=1.0, held=True), found)[0].startswith("- pass")
    assert told(Trial("L3", "sqlite", 2000, 10, ack_p99=1.0, accounts=10), found)[0].startswith("- FAIL")


async def test_ten_accounts_have_ten_times_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "CONNECTIONS", 2)
    opened: list[int] = []

    async def connect(count: int) -> list[Any]:
        opened.append(count)
        return []

    pace = Pace(Contender(Outcome("x", "x", "ours")))
    monkeypatch.setattr(pace.load, "connect", connect)
    await pace.run(1, 0, accounts=10)
    assert opened == [20]


def test_a_burst_may_not_swell() -> None:
    trial = Trial("L3", "sqlite", 2000, 10, ack_p99=1.0, growth=105)
    assert told(trial, Found(acks=[0.1], growth=100))[0].startswith("- pass")
    assert told(trial, Found(acks=[0.1], growth=110))[0].startswith("- FAIL")
