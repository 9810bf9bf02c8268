"""What became of a ticket's time: every second once, by whoever it waited for, and who moved its deadline."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.hours import Hours, parse_hours
from handoff.ticket_clock import CAUSES, Moved, Stretch, moves, stretches, sums

BORN = 1_767_351_600.0  # a Friday, 11:00 UTC: 14:00 in Moscow
HOUR = 3600.0
OFFICE = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
STATUSES = {"open": (0, 0), "waiting": (0, 1), "done": (1, 0)}


def moved(after: float, means: str, **more: Any) -> dict[str, Any]:
    done, waiting = STATUSES[means]
    return {
        "at": BORN + after,
        "what": "changed",
        "by": "user:7",
        "status": means,
        "done": done,
        "waiting": waiting,
        **more,
    }


def history(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"at": BORN, "what": "created", "by": "bot"}, *entries]


def told(*entries: dict[str, Any], now: float, hours: Hours | None = None) -> list[tuple[float, float, str]]:
    """The stretches in seconds since the ticket was born."""
    return [(it.since - BORN, it.until - BORN, it.cause) for it in stretches(history(*entries), hours, BORN + now)]


# --- what became of its time ------------------------------------------------------------------------------------------


def test_without_hours_all_of_an_open_ticket_counts_until_now() -> None:
    assert told(now=3 * 24 * HOUR) == [(0.0, 3 * 24 * HOUR, "counted")]


def test_what_it_waits_for_the_client_does_not_count() -> None:
    assert told(moved(60, "waiting"), moved(600, "open"), now=1000) == [
        (0.0, 60.0, "counted"),
        (60.0, 600.0, "client"),
        (600.0, 1000.0, "counted"),
    ]
    assert told(moved(60, "waiting"), now=1000)[-1] == (60.0, 1000.0, "client"), "it still waits"


def test_its_time_ends_when_it_is_solved_and_goes_on_when_it_comes_back() -> None:
    assert told(moved(60, "done"), now=9999) == [(0.0, 60.0, "counted")]
    assert told(moved(60, "done"), moved(500, "open"), now=700) == [
        (0.0, 60.0, "counted"),
        (60.0, 500.0, "done"),
        (500.0, 700.0, "counted"),
    ]


def test_what_is_no_change_of_status_cuts_nothing() -> None:
    said = {"at": BORN + 20, "what": "comment", "by": "client", "comment": "ну как там?"}
    assert told(said, moved(30, "open"), moved(40, "open"), now=100) == [(0.0, 100.0, "counted")]


def test_what_took_no_time_is_no_stretch() -> None:
    assert told(now=0) == []
    assert told(moved(0, "waiting"), now=50) == [(0.0, 50.0, "client")]
    assert told(moved(60, "waiting"), now=59) == [(0.0, 60.0, "counted")], "a clock that went back makes no time"
    assert stretches([], OFFICE, BORN) == []


def test_outside_the_hours_only_open_time_is_the_hours_own() -> None:
    """Friday 14:00 to Monday 10:00; what waits for the client over the weekend waits for the client."""
    closes, opens, now = 4 * HOUR, 67 * HOUR, 68 * HOUR
    assert told(now=now, hours=OFFICE) == [
        (0.0, closes, "counted"),
        (closes, opens, "hours"),
        (opens, now, "counted"),
    ]
    waited = told(moved(HOUR, "waiting"), moved(66 * HOUR, "open"), now=now, hours=OFFICE)
    assert waited == [
        (0.0, HOUR, "counted"),
        (HOUR, 66 * HOUR, "client"),
        (66 * HOUR, opens, "hours"),
        (opens, now, "counted"),
    ]


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 200_000), st.sampled_from(sorted(STATUSES))), max_size=8),
    hours=st.sampled_from([None, OFFICE]),
    wait=st.integers(0, 400_000),
)
def test_no_second_is_lost_and_none_is_told_twice(
    changes: list[tuple[int, str]], hours: Hours | None, wait: int
) -> None:
    after, entries = 0, []
    for pause, means in changes:
        after += pause
        entries.append(moved(after, means))
    parts = stretches(history(*entries), hours, BORN + after + wait)
    last = len(changes)
    while last > 1 and changes[last - 1][1] == changes[last - 2][1] == "done":  # solved since the first of them
        last -= 1
    solved = changes[last - 1][1] == "done" if changes else False
    end = BORN + (sum(pause for pause, _ in changes[:last]) if solved else after + wait)
    assert sum(it.seconds for it in parts) == end - BORN
    assert all(left.until == right.since for left, right in pairwise(parts))
    assert sum(sums(parts).values()) == end - BORN


def test_sums_tell_only_what_there_was_in_one_order() -> None:
    parts = [Stretch(0, 5, "hours"), Stretch(5, 7, "done"), Stretch(7, 17, "hours"), Stretch(17, 20, "counted")]
    assert list(sums(parts).items()) == [("counted", 3.0), ("done", 2.0), ("hours", 15.0)]
    assert sums([]) == {}
    assert list(sums([Stretch(0, 1, cause) for cause in reversed(CAUSES)])) == list(CAUSES)


# --- who moved the deadline -------------------------------------------------------------------------------------------


def test_every_deadline_is_told_with_the_one_before() -> None:
    entries = history(
        {"at": BORN + 10, "what": "comment", "by": "client", "comment": "…"},
        {"at": BORN + 20, "what": "changed", "by": "user:7", "deadline": BORN + 900},
        moved(500, "open", by="client", deadline=BORN + 1200, stood=300.0),
    )
    entries[0] |= {"deadline": BORN + 600}
    assert moves(entries) == [
        Moved(BORN, "bot", 0.0, BORN + 600, 0.0),
        Moved(BORN + 20, "user:7", BORN + 600, BORN + 900, 0.0),
        Moved(BORN + 500, "client", BORN + 900, BORN + 1200, 300.0),
    ]


def test_a_deadline_that_was_taken_away_is_a_move_too() -> None:
    taken = {"at": BORN + 20, "what": "changed", "by": "user:7", "deadline": 0}
    again = {"at": BORN + 30, "what": "changed", "by": "user:8", "deadline": BORN + 90}
    assert [(it.was, it.due) for it in moves([taken, again])] == [(0.0, 0.0), (0.0, BORN + 90)]
    assert moves(history(moved(10, "waiting"))) == [], "nothing was ever promised"


def test_old_entries_that_name_nobody_are_read() -> None:
    assert moves([{"at": BORN, "deadline": BORN + 1}]) == [Moved(BORN, "", 0.0, BORN + 1, 0.0)]
