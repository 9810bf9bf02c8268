"""The table of docs/reliability.md: what was run, on which store, how long, and what broke."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.faults.house import Outcome

BEGIN, END = "<!-- results of make faults -->", "<!-- end of the results -->"
NOT_SHOWN = {"answers", "other errors", "drained s"}


def write_report(path: Path, outcomes: list[Outcome]) -> None:
    """Puts the rows into the file, between its marks; rows of the same scenario and store are replaced."""
    text = path.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    body, _, tail = rest.partition(END)
    rows = {key_of(line): line for line in body.splitlines() if line.startswith("| F")}
    for outcome in outcomes:
        line = render_row(outcome)
        rows[key_of(line)] = line
    table = "\n".join([HEAD, *sorted(rows.values(), key=order)])
    path.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", "utf-8")


HEAD = """
| scenario | store | violations | seconds | numbers | run |
|---|---|---|---|---|---|"""


def render_row(outcome: Outcome) -> str:
    numbers = ", ".join(f"{name} {value}" for name, value in outcome.numbers.items() if name not in NOT_SHOWN and value)
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M}, {versions(outcome.store)}"
    return (
        f"| {outcome.name} | {outcome.store} | {len(outcome.violations)} | {outcome.seconds:.0f} | {numbers} | {when} |"
    )


def versions(store: str) -> str:
    """Of what was run."""
    commit = _said("git", "rev-parse", "--short", "HEAD")
    engine = f"PostgreSQL {_said('psql', '--version').split()[2]}" if store != "sqlite" else "SQLite"
    python = platform.python_version()
    return f"{commit}, Python {python}, {engine}, aiohttp {version('aiohttp')}"


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown version"


def key_of(line: str) -> tuple[str, str]:
    cells = line.split("|")
    return cells[1].strip(), cells[2].strip()


def order(line: str) -> tuple[int, str, str]:
    name, store = key_of(line)
    return int("".join(filter(str.isdigit, name.split()[0]))), name, store
