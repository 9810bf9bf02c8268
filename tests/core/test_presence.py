"""Presence: what people say, and what silence makes of it."""

from __future__ import annotations

import pytest

from core.presence import Presence, Said, State

GRACE = 60.0


@pytest.mark.parametrize(
    ("said", "silent", "state"),
    [
        ("online", 60.0, "online"),
        ("online", 60.1, "away"),
        ("busy", 60.0, "busy"),
        ("break", 61.0, "away"),
        ("offline", 0.0, "offline"),
        ("offline", 999.0, "offline"),
    ],
)
def test_the_state_that_counts(said: Said, silent: float, state: State) -> None:
    assert Presence(1, said, since=500.0, seen_at=1000.0 - silent).now(1000.0, GRACE) == state


@pytest.mark.parametrize(
    ("presence", "assigned_at", "goes"),
    [
        (Presence(1, "online", 100.0, 940.0), 50.0, False),
        (Presence(1, "online", 100.0, 939.0), 950.0, True),
        (Presence(1, "break", 100.0, 990.0), 50.0, False),
        (Presence(1, "offline", 990.0, 990.0), 50.0, False),
        (Presence(1, "offline", 900.0, 990.0), 50.0, True),
        (Presence(1, "offline", 900.0, 990.0), 950.0, False),
        (Presence(1), 50.0, False),
    ],
    ids=["there", "silent", "on a break", "just gone", "gone home", "taken since", "never said"],
)
def test_what_goes_back_to_the_queue(presence: Presence, assigned_at: float, goes: bool) -> None:
    assert presence.lets_go(assigned_at, 1000.0, GRACE) == goes


@pytest.mark.parametrize(
    ("capacity", "until", "limit"),
    [(0, 0.0, 0), (3, 0.0, 3), (3, 1000.1, 3), (3, 1000.0, 0), (3, 999.0, 0)],
    ids=["none", "always", "still holds", "ends now", "is over"],
)
def test_a_limit_of_ones_own_holds_for_its_time(capacity: int, until: float, limit: int) -> None:
    assert Presence(1, "online", capacity=capacity, capacity_until=until).limit(1000.0) == limit
