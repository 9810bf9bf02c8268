"""The report keeps what was run before and replaces what was run again."""

from __future__ import annotations

from pathlib import Path

from tests.faults.checker import Violation
from tests.faults.house import Outcome, merge
from tests.faults.platform import Called, Platform, Trouble
from tests.faults.report import BEGIN, END, write_report
from tests.faults.storms import Moods, knocks


def test_rows_are_replaced_and_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text(f"before\n{BEGIN}\n{END}\nafter\n", "utf-8")
    broken = Outcome("F2 random", "sqlite", [Violation("I1", "lost")], {"kills": 3})
    write_report(path, [Outcome("F10 storm", "sqlite"), broken])
    write_report(path, [Outcome("F2 random", "sqlite", [], {"kills": 9}, 61.4)])
    text = path.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| F")]
    assert [row.split("|")[1:6] for row in rows] == [
        [" F2 random ", " sqlite ", " 0 ", " 61 ", " kills 9 "],
        [" F10 storm ", " sqlite ", " 0 ", " 0 ", "  "],
    ]
    assert text.startswith("before")
    assert text.endswith("after\n")


def test_outcomes_side_by_side_are_added_up() -> None:
    parts = [
        Outcome("a", "s", [Violation("I1", "x")], {"kills": 2, "back s": 3}),
        Outcome("b", "s", [], {"kills": 5, "back s": 1}),
    ]
    whole = merge(Outcome("F1", "s"), parts)
    assert (whole.numbers, len(whole.violations)) == ({"kills": 7, "back s": 3}, 1)


def test_a_call_into_a_closed_chat_is_found() -> None:
    platform = Platform()
    platform.calls = [Called(1, 10.0, "429", 5.0), Called(2, 11.0, "ok"), Called(1, 12.0, "ok"), Called(1, 15.1, "ok")]
    assert knocks(platform) == ["chat 1, 3.0 s too early"]


def test_no_chat_loses_two_answers_on_end() -> None:
    moods = Moods()
    moods.kinds, moods.chance = (Trouble("lost"),), 1.0
    met = [moods(1) for _ in range(6)]
    assert [it is None for it in met] == [False, True] * 3
