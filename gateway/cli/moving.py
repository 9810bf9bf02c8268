"""`frontline migrate --from … --to …`: an installation moves from an SQLite file to PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import is_terminal

if TYPE_CHECKING:
    from storage.moving import Moved

REFUSALS = {
    "no_file": n_("There is no database {detail}."),
    "other_version": n_("{detail} is served by another version of the program: upgrade it first."),
    "sealed": n_("The database is not the one that serves ({detail}): `frontline restore` makes it so."),
    "source": n_("The SQLite file cannot be read: {detail}"),
    "target": n_("PostgreSQL refuses: {detail}"),
    "not_empty": n_("The target is not empty (table {detail}): an installation moves into an empty database only."),
    "moved": n_("The installation has moved already, and the target has been used since."),
    "busy": n_("Another move into this database is under way."),
    "differs": n_("The table {detail} differs after the copy: nothing was handed over, move again."),
}


def move_installation(shell: Shell, source: str, target: str) -> int:
    """The command, with the addresses as they were typed."""
    from storage.moving import MoveRefused, move

    t = shell.t
    path, url = _source(shell, source), _target(shell, target)
    try:
        with shell.refusals(), _progress(shell) as told:
            moved = run_async(move(path, url, told))
    except MoveRefused as error:
        raise shell.fail(t(REFUSALS[error.why], detail=error.detail)) from None
    _tell(shell, moved)
    return 0


def _tell(shell: Shell, moved: Moved) -> None:
    t = shell.t
    rows, written = sum(it.rows for it in moved.tables), sum(it.written for it in moved.tables)
    shell.say(t("Rows: {rows}, copied now: {written}; counts and checksums agree.", rows=rows, written=written))
    if moved.complete:
        shell.say(
            t("The installation has moved. Set storage.url to PostgreSQL and start; the SQLite file serves no more.")
        )
    else:
        shell.say(
            t("A gateway serves the SQLite file. Stop it and run this again: only what changes until then is copied.")
        )


def _source(shell: Shell, typed: str) -> Path:
    scheme, _, path = _filled(shell, typed).partition(":///")
    if scheme != "sqlite" or not path:
        raise click.UsageError(shell.t("--from must be an SQLite file: sqlite:///var/frontline.db"))
    return shell.path.absolute().parent / path


def _target(shell: Shell, typed: str) -> str:
    url = _filled(shell, typed)
    from storage.postgres.address import parse_address

    try:
        parse_address(url)
    except ValueError:
        raise click.UsageError(
            shell.t("--to must be a PostgreSQL database: postgresql://user:password@host/name")
        ) from None
    return url


def _filled(shell: Shell, typed: str) -> str:
    """`${NAME}` from the environment and `.env`, so that no password need stand on the command line."""
    from gateway.config.env import fill, read_environment

    filled, missing = fill(typed, read_environment(shell.path, os.environ))
    if missing:
        raise click.UsageError(shell.t("The variable {name} is not set.", name=missing[0]))
    return filled


@contextmanager
def _progress(shell: Shell) -> Iterator[Callable[[str, int, int], None]]:
    """Bars in a terminal, a line for each table that has rows when piped."""
    if not is_terminal():
        yield lambda table, done, total: shell.say(f"{table}\t{total}") if total and done == total else None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bars = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, int] = {}

    def told(table: str, done: int, total: int) -> None:
        if total and table not in tasks:
            tasks[table] = bars.add_task(table, total=total)
        if table in tasks:
            bars.update(tasks[table], completed=done)  # type: ignore[arg-type]

    with bars:
        yield told
