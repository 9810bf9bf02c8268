"""What a run found, kept as JSON beside the page, and `docs/performance.md` written from it and from the notes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.machine import ROOT
from bench.quiet import QUIET
from bench.stats import Bar, Outcome, Run, path_bars, ratio, spread

PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"
NOTES = ROOT / "bench" / "notes.md"
# Parts of the page in order: file of the results, heading.
PARTS = {
    "path": "The whole path",
    "micro": "The step and the matcher alone",
    "volume": "Ten thousand open conversations, a million stored messages",
    "steady": "Steady load and bursts",
    "scale": "One worker and two",
    "live": "People at work: a thousand live sockets",
    "console": "The console on a slow network",
    "soak": "Soak",
    "profile": "Where the time goes",
}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table: the first column to the left, all others to the right."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]


# --- the path --------------------------------------------------------------------------------------------------------


def path_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Tables of the path: speed, latency, CPU, memory; then ratios and bars."""
    loads = sorted({clients for one in outcomes for clients in one.runs})
    heads = [f"{clients} clients" for clients in loads]
    parts = [
        ("Messages per second (median of the rounds; spread of the rounds)", _rates, heads),
        ("Latency from the post to the answer, ms: p50 / p99", _latencies, heads),
        ("CPU ms a message: the bot and its children + its databases", _cpu, heads),
    ]
    lines = []
    for title, cells, columns in parts:
        rows = [[one.name, *cells(one, loads)] for one in outcomes]
        lines += [f"**{title}**", "", *table(["bot", *columns], rows), ""]
    rows = [[one.name, *_memory(one)] for one in outcomes]
    lines += ["**Memory, MB, and errors**", "", *table(["bot", "at the end", "at most", "unanswered"], rows), ""]
    busy = max((run.load_busy for one in outcomes for runs in one.runs.values() for run in runs), default=0.0)
    lines += [f"The core of the load was {busy:.0%} busy at most. {_disturbed(outcomes)}", ""]
    lines += [*ratio_lines(outcomes, loads), "", "**Bars**", ""]
    return [*lines, *bar_lines(path_bars(outcomes))]


def _disturbed(outcomes: Sequence[Outcome]) -> str:
    """How quiet the machine was."""
    shares = [run.disturbed for one in outcomes for runs in one.runs.values() for run in runs]
    noisy, most = sum(share > QUIET for share in shares), max(shares, default=0.0)
    return f"Of {len(shares)} loads strangers disturbed {noisy}: they had more than {QUIET:.0%} of a core, {most:.0%} at most."


def _cells(one: Outcome, loads: Sequence[int], cell: Any) -> list[str]:
    return [cell(clients) if clients in one.runs else (one.missing or "–") for clients in loads]


def _rates(one: Outcome, loads: Sequence[int]) -> list[str]:
    def cell(clients: int) -> str:
        return f"{one.rate(clients):.0f} (±{50 * spread([run.rate for run in one.runs[clients]]):.0f} %)"

    return _cells(one, loads, cell)


def _latencies(one: Outcome, loads: Sequence[int]) -> list[str]:
    return _cells(one, loads, lambda it: f"{one.middle(it, lambda run: run.p50):.1f} / {one.p99(it):.1f}")


def _cpu(one: Outcome, loads: Sequence[int]) -> list[str]:
    def cell(clients: int) -> str:
        own, store = one.middle(clients, lambda run: run.cpu), one.middle(clients, lambda run: run.store_cpu)
        return f"{own:.2f} + {store:.2f}"

    return _cells(one, loads, cell)


def _memory(one: Outcome) -> list[str]:
    return [f"{one.memory:.0f}", f"{one.peak:.0f}", str(one.failed)] if one.runs else [one.missing or "–"] * 3


def ratio_lines(outcomes: Sequence[Outcome], loads: Sequence[int]) -> list[str]:
    """A table of our messages per second by those of each of the others."""
    ran = [one for one in outcomes if one.runs]
    ours = [one for one in ran if one.kind == "ours"]
    rows = [[one.name, *(_ratios(mine, one, loads) for mine in ours)] for one in ran if one.kind != "ours"]
    title = f"**Messages per second, times those of the other, at {' · '.join(map(str, loads))} clients**"
    return [title, "", *table(["other", *(mine.name for mine in ours)], rows)]


def _ratios(mine: Outcome, other: Outcome, loads: Sequence[int]) -> str:
    found = (ratio(mine, other, clients) for clients in loads)
    return " · ".join("–" if value is None else f"{value:.2f}" for value in found)


# --- keeping and writing ---------------------------------------------------------------------------------------------


def from_json(kept: dict[str, Any]) -> Outcome:
    """An outcome as `asdict` made it."""
    runs = {int(clients): [Run(**run) for run in rounds] for clients, rounds in kept.pop("runs").items()}
    return Outcome(**kept, runs=runs)


def keep(part: str, how: str, body: Any) -> None:
    """Writes the results of a part down, with when and how they were made, and the page anew.

    A part may have several results: `soak-sqlite` stands beside `soak-postgres`.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = {
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, Python {sys.version.split()[0]}",
        "how": how,
        "body": body,
    }
    (FOLDER / f"{part}.json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", "utf-8")
    write_page()


def keep_path(outcomes: Sequence[Outcome], how: str) -> None:
    keep("path", how, [asdict(one) for one in outcomes])


def section(part: str, results: Sequence[dict[str, Any]]) -> list[str]:
    """A part of the page from its kept results: the path has tables of its own, all others keep lines."""
    lines = [f"## {PARTS[part]}", ""]
    for kept in results:
        body = kept["body"]
        told = path_lines([from_json(one) for one in body]) if part == "path" else body
        lines += [f"`{kept['how']}`, {kept['made']}, {kept['machine']}.", "", *told, ""]
    return lines


def write_page(folder: Path = FOLDER, page: Path = PAGE) -> None:
    """`docs/performance.md` from all kept results and the notes."""
    lines = [
        "# Performance",
        "",
        "Written by `make bench` (`make bench FULL=1` for everything) from the results in `docs/performance/` and from",
        "`bench/notes.md`. Ratios are what counts; absolute numbers belong to the machine. The bot has one core; the load,",
        "the platform and the databases share the other.",
        "",
    ]
    for part in PARTS:
        files = sorted(folder.glob(f"{part}*.json"))
        if files:
            lines += section(part, [json.loads(file.read_text("utf-8")) for file in files])
    notes = NOTES.read_text("utf-8") if NOTES.exists() else ""
    page.write_text("\n".join(lines).rstrip() + "\n" + notes, "utf-8")


def bar_lines(bars: Sequence[Bar]) -> list[str]:
    """Bars as lines of a list."""
    return [f"- {bar.line}" for bar in bars]
