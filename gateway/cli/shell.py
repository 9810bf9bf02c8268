"""What every command needs: the configuration, the reader's language, the way to the store, and how things look."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from core.findings import Finding
from core.locale import Texts, n_, texts
from gateway.cli.words import Language, is_terminal

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.config import Config

Value = TypeVar("Value")
# Why a database must not serve, by `StoreSealed.why`.
SEALED = {
    "backup": n_("This database is a backup of {detail}: `frontline restore` makes it the one that serves."),
    "copy": n_("This database was restored from a copy ({detail}): `frontline restore` makes it the one that serves."),
    "moved": n_("The installation has moved to {detail}: this file serves no more."),
    "moving": n_("The move into this database has not ended: run `frontline migrate --from … --to …` again."),
}

# Whether the tables are older than the program.
MISMATCH = {
    True: n_("The database has tables of revision {found}, this version needs {wanted}: run `frontline migrate`."),
    False: n_("The database has tables of revision {found}, this version knows {wanted}: run a newer frontline."),
}


@dataclass
class Shell:
    """One call of a command. `lang` is empty when the configuration decides."""

    path: Path
    lang: str = ""

    @property
    def t(self) -> Texts:
        return texts(self.language)

    @property
    def language(self) -> str:
        return self.lang or Language.now

    def load(self) -> Config:
        """The configuration. With errors in it they are printed, and the command is over with 1."""
        config, findings = self.read()
        if config is None:
            self.print_findings(findings)
            raise click.exceptions.Exit(1)
        return config

    def read(self) -> tuple[Config | None, list[Finding]]:
        """The configuration or None, and all findings."""
        from gateway.config import load_config

        config, findings = load_config(self.path, os.environ)
        if config is not None:
            self.lang = self.lang or config.language
        return config, findings

    def say(self, text: str = "", *, error: bool = False) -> None:
        """A line for people."""
        click.echo(text, err=error)

    def fail(self, text: str) -> click.exceptions.Exit:
        """Says why on the error stream; raise what it returns."""
        self.say(text, error=True)
        return click.exceptions.Exit(1)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turns what a store, a socket or a full disk say into one clear line and the exit code 1."""
        from core.ports import StorageFull
        from storage import SchemaMismatch, StoreBusy, StoreSealed

        t = self.t
        try:
            yield
        except StoreBusy as error:
            raise self.fail(t("{path} is used by process {pid}.", path=error.path, pid=error.pid or "?")) from None
        except StoreSealed as error:
            raise self.fail(t(SEALED[error.why], detail=error.detail)) from None
        except SchemaMismatch as error:
            raise self.fail(t(MISMATCH[error.older], found=error.found or "—", wanted=error.wanted)) from None
        except StorageFull:
            raise self.fail(t("Nothing can be written: the disk is full or the database is away.")) from None
        except OSError as error:
            raise self.fail(t("This did not work: {reason}", reason=error)) from None

    def json(self, value: Any) -> None:
        """A value for scripts."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def print_findings(self, findings: Iterable[Finding], explain: Callable[[Finding], str] | None = None) -> None:
        """One line each, coloured for people; with `explain` also the place and the mended version."""
        for finding in findings:
            said = explain(finding) + "\n" if explain else finding.line(self.language)
            colour = "red" if finding.level == "error" else "yellow"
            click.echo(said.replace(f" {finding.code} ", f" {click.style(finding.code, fg=colour)} ", 1))

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table for people; tab-separated lines when piped."""
        cells = [[str(cell) for cell in row] for row in rows]
        if not is_terminal():
            for row in cells:
                click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(*heads, box=None, header_style="bold", pad_edge=False)
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        self.console().print(table)

    def console(self) -> Console:
        """The rich console of this terminal."""
        from rich.console import Console

        return Console(highlight=False)


def ask_office(shell: Shell, config: Config, do: str, **params: Any) -> Any:
    """One command to the office, through the running gateway or over the store itself. Raises `Refused`."""
    from gateway.logs import configure
    from gateway.office import reach

    configure("error")  # the command says itself what came of it

    async def asked() -> Any:
        async with reach(config) as ask:
            return await ask(do, **params)

    with shell.refusals():
        return run_async(asked())


def render_time(config: Config, at: float) -> str:
    """A moment (seconds since the epoch, UTC) as people of the deployment write it."""
    return datetime.fromtimestamp(at, ZoneInfo(config.timezone)).strftime("%d.%m.%Y %H:%M")


def run_async(work: Coroutine[Any, Any, Value]) -> Value:
    """Runs a command's coroutine to its end, on uvloop where there is one (it is not made for Windows)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
