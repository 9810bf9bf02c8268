"""What a ticket gives to the numbers: told by its history, once, and nothing where it was joined to another."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from handoff.metrics import METRICS, REPORTS
from handoff.metrics_tables import Question, Tally, splits
from handoff.metrics_tickets import TicketLife

BORN = 1_767_261_600.0  # a Thursday, 10:00 UTC
STATUSES = {"open": (0, 0), "waiting": (0, 1), "done": (1, 0)}


def moved(after: float, means: str, by: str = "user:7", **more: Any) -> dict[str, Any]:
    done, waiting = STATUSES[means]
    return {"at": BORN + after, "what": "changed", "by": by, "status": means, "done": done, "waiting": waiting, **more}


def said(after: float, by: str, *, told: bool = True) -> dict[str, Any]:
    return {"at": BORN + after, "what": "comment", "by": by, "comment": "…", "told": told}


def ticket(*entries: dict[str, Any], **more: Any) -> TicketLife:
    """A ticket a day later. What its row says follows from its history."""
    history = [{"at": BORN, "what": "created", "by": ""}, *entries]
    last: dict[str, Any] = next((it for it in reversed(history) if "status" in it), {})
    known: dict[str, Any] = {
        **{"number": 1, "conversation": 1, "channel": "telegram", "desk": "returns", "category": "", "client": 5},
        **{"line": "support", "operator": "user:7", "opened_at": BORN, "deadline": 0.0, "rating": 0, "master": 0},
        **{"solved_at": last["at"] if last.get("done") else 0.0, "now": BORN + 86_400},
    }
    return TicketLife(entries=history, **{**known, **more})


def values(name: str, life: TicketLife) -> list[float]:
    return [measure.value for measure in METRICS[name].of(life)]


def test_the_first_answer_is_what_the_client_is_told_by_somebody_of_ours() -> None:
    told = [said(10, "client", told=False), said(20, "user:7", told=False), said(90, "user:8"), said(95, "user:7")]
    (answer,) = METRICS["ticket_first_answer"].of(ticket(*told))
    assert (answer.value, answer.operator) == (90.0, "user:8")
    (outer,) = METRICS["ticket_first_answer"].of(ticket(said(40, "desk")))
    assert (outer.value, outer.operator) == (40.0, "")
    assert values("ticket_first_answer", ticket(said(10, "client", told=False))) == []


@pytest.mark.parametrize(
    ("history", "solved", "reopened"),
    [
        ([], [], []),
        ([moved(60, "open"), moved(600, "done")], [600.0], [0.0]),
        ([moved(600, "done"), moved(700, "open")], [], [1.0]),
        ([moved(600, "done"), moved(700, "open"), moved(900, "done")], [900.0], [1.0]),
    ],
)
def test_it_is_solved_since_the_last_time(history: list[Any], solved: list[float], reopened: list[float]) -> None:
    assert values("ticket_resolution", ticket(*history)) == solved
    assert values("tickets_solved", ticket(*history)) == [1.0] * len(solved)
    assert values("tickets_reopened", ticket(*history)) == reopened


@pytest.mark.parametrize(
    ("history", "deadline", "overdue"),
    [
        ([], 0.0, []),
        ([], 3600.0, [1.0]),
        ([], 90_000.0, [0.0]),
        ([moved(1800, "done")], 3600.0, [0.0]),
        ([moved(5400, "done")], 3600.0, [1.0]),
        ([moved(1800, "waiting")], 3600.0, [0.0]),
        ([moved(5400, "waiting"), moved(5500, "done")], 3600.0, [1.0]),
    ],
)
def test_it_is_late_when_it_was_open_at_its_deadline(history: list[Any], deadline: float, overdue: list[float]) -> None:
    assert values("tickets_overdue", ticket(*history, deadline=BORN + deadline if deadline else 0.0)) == overdue


def test_one_that_was_joined_counts_as_created_and_nothing_else() -> None:
    joined = ticket(said(10, "user:7"), moved(60, "done"), deadline=BORN + 1, rating=5, master=9)
    assert {name for name in REPORTS["tickets"].metrics if values(name, joined)} == {"tickets"}


def test_they_are_split_by_desk_and_by_hour_of_the_week() -> None:
    lives = [ticket(), ticket(desk="general"), ticket(opened_at=BORN + 3600)]
    for by, keys in (("desk", ["general", "returns"]), ("weekhour", ["4-10", "4-11"]), ("day", ["2026-01-01"])):
        tally = Tally(Question(REPORTS["tickets"], by, UTC))  # type: ignore[arg-type]
        tally.add(lives)
        table = tally.table()
        assert [row.key for row in table.rows] == keys
        assert table.total.cells[0].value == 3.0
    assert "desk" in splits(REPORTS["tickets"])
    assert "desk" not in splits(REPORTS["overview"])
