"""The flood guard: a sliding window per conversation, forgetful beyond its size."""

from __future__ import annotations

from gateway.worker import FloodGuard


def test_an_album_is_one_message() -> None:
    guard = FloodGuard(3, 10.0)
    assert [guard.is_part(1, "a") for _ in range(12)] == [False, *[True] * 9, False, False]
    assert [guard.is_part(1, album) for album in ("b", "b", "c", "b")] == [False, True, False, False]
    assert guard.is_part(2, "b") is False, "of another client"


def test_messages_over_the_limit_are_counted() -> None:
    guard = FloodGuard(3, 10.0)
    assert [guard.over(1, at) for at in (0, 1, 2, 3, 4)] == [0, 0, 0, 1, 2]
    assert guard.over(2, 4) == 0, "another client is not concerned"
    assert guard.over(1, 15) == 0, "the window has moved on"


def test_off_is_off() -> None:
    guard = FloodGuard(0, 10.0)
    assert {guard.over(1, 0) for _ in range(1000)} == {0}


def test_the_oldest_are_forgotten() -> None:
    guard = FloodGuard(1, 10.0, remembered=2)
    for conversation in (1, 2, 3):
        guard.over(conversation, 0)
    assert guard.over(1, 0) == 0
    assert guard.over(3, 0) == 1
