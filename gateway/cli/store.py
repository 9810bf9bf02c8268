"""`frontline uncaught` and `frontline migrate`: what the store holds, and its shape."""

from __future__ import annotations

import click

from core.locale import n_
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import command, option


@command("uncaught", help=n_("List the messages that no flow caught: here trigger words are found."))
@option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help=n_("How many at most."))
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def uncaught_command(shell: Shell, limit: int, form: str) -> int:
    config = shell.load()
    found: list[tuple[str, int, float]] = ask_office(config, "uncaught", limit=limit)
    t = shell.t
    if form == "json":
        shell.json([{"text": text, "times": times, "last": last} for text, times, last in found])
    elif not found:
        shell.say(t("Every message was caught by a flow."))
    else:
        shell.table(
            (t("Times"), t("Last"), t("Message")),
            ((times, render_time(config, last), text) for text, times, last in found),
        )
    return 0


@command("migrate", help=n_("Bring the database to the shape of this version (`run` does it by itself for SQLite)."))
@click.pass_obj
def migrate_command(shell: Shell) -> int:
    config = shell.load()
    from gateway.stores import migrate

    before, after = migrate(config)
    t = shell.t
    if before == after:
        shell.say(t("The database is up to date ({version}).", version=after))
    else:
        shell.say(t("The database was brought from {before} to {after}.", before=before or "—", after=after))
    return 0
