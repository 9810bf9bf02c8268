"""Rates, buckets and pauses, with a clock that tests move."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.pacing import MOST_CHATS, Limits, Pacer, Rate, parse_limits, parse_rate


class Clock:
    """Seconds that stand still until a test moves them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        ("30/s", Rate(30, 1.0)),
        ("20/min", Rate(20, 60.0)),
        ("20/10s", Rate(20, 10.0)),
        ("5 / h", Rate(5, 3600.0)),
        ("off", None),
        (None, None),
        (SimpleNamespace(count=3, seconds=2), Rate(3, 2.0)),
    ],
)
def test_rates(value: Any, rate: Rate | None) -> None:
    assert parse_rate(value) == rate


@pytest.mark.parametrize("value", ["fast", "0/s", "10", "-1/s", 7])
def test_what_is_no_rate(value: Any) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate(value)


def test_limits() -> None:
    assert parse_limits(None) == Limits(Rate(30, 1.0), Rate(1, 1.0), Rate(20, 60.0))
    assert parse_limits("off") == Limits(None, None, None)
    assert parse_limits({"chat": "off", "total": "100/s"}) == Limits(Rate(100, 1.0), None, Rate(20, 60.0))
    given = SimpleNamespace(total=None, chat=Rate(1, 1.0), group=None)
    given.chat = SimpleNamespace(count=2, seconds=1)
    assert parse_limits(given) == Limits(None, Rate(2, 1.0), None)


def test_a_chat_may_burst_then_walks(clock: Clock) -> None:
    pacer = Pacer(Limits(total=None), clock)
    assert [pacer.take("7", 10) for _ in range(5)] == [0, 0, 0, 1, 2]
    assert pacer.take("8", 10) == 0, "other chats do not wait"
    clock.now += 10
    assert [pacer.take("7", 10) for _ in range(4)] == [0, 0, 0, 1]


def test_a_group_has_twenty_a_minute(clock: Clock) -> None:
    pacer = Pacer(Limits(), clock)
    waits = [pacer.take("-100", 10) for _ in range(24)]
    assert waits[:20] == [0] * 20
    assert waits[20:] == [3, 6, 9, 12]


def test_the_account_has_thirty_a_second(clock: Clock) -> None:
    pacer = Pacer(Limits(), clock)
    waits = [pacer.take(str(chat), 10) for chat in range(60)]
    assert waits[:30] == [0] * 30
    assert waits[-1] == pytest.approx(1.0)


def test_a_place_too_far_is_given_back(clock: Clock) -> None:
    pacer = Pacer(Limits(total=None, group=Rate(1, 60.0)), clock)
    assert pacer.take("-1", 10) == 0
    assert [pacer.take("-1", 10) for _ in range(3)] == [60, 60, 60]
    clock.now += 60
    assert pacer.take("-1", 10) == 0


def test_a_429_closes_its_chat_then_opens(clock: Clock) -> None:
    pacer = Pacer(Limits(None, None, None), clock)
    assert pacer.refused("7", 5.0) == "chat"
    assert (pacer.closed("7"), pacer.closed("8")) == (5.0, 0.0)
    clock.now += 5
    assert pacer.closed("7") == 0.0


def test_a_storm_closes_the_account_but_old_429s_do_not_count(clock: Clock) -> None:
    pacer = Pacer(Limits(None, None, None), clock)
    pacer.refused("1", 1.0)
    pacer.refused("2", 1.0)
    clock.now += 11
    assert pacer.refused("3", 1.0) == "chat"
    pacer.refused("4", 1.0)
    assert pacer.refused("5", 4.0) == "account"
    assert pacer.closed("99") == 4.0


def test_many_chats_do_not_pile_up(clock: Clock) -> None:
    pacer = Pacer(Limits(total=None), clock)
    for chat in range(MOST_CHATS):
        pacer.take(str(chat), 10)
        pacer.refused(str(chat), 0.0)
    clock.now += 100
    pacer.take("one more", 10)
    pacer.refused("one more", 1.0)
    assert len(pacer._chats) == 1
    assert len(pacer._closed) == 1
