"""What the bench writes down: tables, ratios, and a page made again from kept results."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from bench.report import from_json, path_lines, ratio_lines, table, write_page
from bench.stats import Outcome, Run


def made() -> list[Outcome]:
    ours = Outcome(
        "sqlite", "frontline", "ours", {1: [Run(300, 3, 9, 2, 0)], 16: [Run(1000, 10, 20, 0.8, 0)]}, 150, 160
    )
    peer = Outcome("aiogram", "aiogram", "python", {16: [Run(400, 30, 60, 2.5, 0.1, failed=2)]}, 200, 210)
    return [ours, peer, Outcome("chatsky", "Chatsky", "python", missing="not installed")]


def test_tables_are_markdown() -> None:
    assert table(["bot", "16"], [["frontline", "1000"]]) == ["| bot | 16 |", "| --- | ---: |", "| frontline | 1000 |"]


def test_the_path_says_who_is_missing_and_who_failed() -> None:
    lines = path_lines(made())
    assert "| frontline | 300 (±0 %) | 1000 (±0 %) |" in lines
    assert "| Chatsky | not installed | not installed |" in lines
    assert "| aiogram | 200 | 210 | 2 |" in lines
    assert any(line.startswith("- pass: frontline ≥ 2.5 × aiogram (2.50 × at 16)") for line in lines)


def test_ratios_are_of_loads_that_both_ran() -> None:
    title, _, *rows = ratio_lines(made(), [1, 16])
    assert title == "**Messages per second, times those of the other, at 1 · 16 clients**"
    assert rows == ["| other | frontline |", "| --- | ---: |", "| aiogram | – · 2.50 |"]


def test_results_survive_being_kept() -> None:
    one = made()[0]
    assert from_json(json.loads(json.dumps(asdict(one)))) == one


def test_the_page_is_written_from_what_was_kept(tmp_path: Path) -> None:
    kept = {"made": "2026-01-02 03:04 UTC", "machine": "2 cores", "how": "python -m bench"}
    (tmp_path / "path.json").write_text(json.dumps({**kept, "body": [asdict(one) for one in made()]}))
    (tmp_path / "micro.json").write_text(json.dumps({**kept, "body": ["- step alone: median 90 µs"]}))
    write_page(tmp_path, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text("utf-8")
    assert page.index("## The whole path") < page.index("- step alone: median 90 µs")
    assert "`python -m bench`, 2026-01-02 03:04 UTC, 2 cores." in page
