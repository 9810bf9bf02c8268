"""`frontline uncaught` and `frontline migrate`: what the store holds, its shape and its place."""

from __future__ import annotations

from pathlib import Path

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
    found: list[tuple[str, int, float]] = ask_office(shell, config, "uncaught", limit=limit)
    t = shell.t
    if form == "json":
        shell.json([{"text": text, "times": times, "last": last} for text, times, last in found])
    elif not found:
        shell.say(t("Every message was caught by a flow."))
    else:
        heads = (t("Times"), t("Last"), t("Message"))
        shell.table(heads, ((times, render_time(config, last), text) for text, times, last in found))
    return 0


@command(
    "migrate",
    help=n_(
        "Bring the database to the shape of this version (`run` does it by itself for SQLite). With --from and --to an"
        " installation moves from an SQLite file to PostgreSQL."
    ),
)
@option("--from", "source", metavar="URL", help=n_("The SQLite database to move: sqlite:///var/frontline.db."))
@option("--to", "target", metavar="URL", help=n_("The empty PostgreSQL database to move into; ${NAME} is filled in."))
@click.pass_obj
def migrate_command(shell: Shell, source: str | None, target: str | None) -> int:
    if source or target:
        from gateway.cli.moving import move_installation

        if not (source and target):
            raise click.UsageError(shell.t("--from and --to go together."))
        return move_installation(shell, source, target)
    config = shell.load()
    t = shell.t
    if config.storage.url == "memory:":
        shell.say(t("A store in memory needs no migrations."))
        return 0
    with shell.refusals():
        before, after = _migrate(config.storage.url)
    if before == after:
        shell.say(t("The database is up to date ({version}).", version=after))
    else:
        shell.say(t("The database was brought from {before} to {after}.", before=before or "—", after=after))
    return 0


def _migrate(url: str) -> tuple[str, str]:
    """The revisions before and after."""
    from storage.migrate import migrate_postgres

    scheme, _, path = url.partition(":///")
    return _migrate_file(Path(path)) if scheme == "sqlite" else migrate_postgres(url)


def _migrate_file(path: Path) -> tuple[str, str]:
    """The same for a file, which is locked meanwhile: nobody may write."""
    from storage.lockfile import FileLock
    from storage.migrate import current_revision, migrate_file

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    lock.take()
    try:
        before = current_revision(path)
        migrate_file(path)
        return before, current_revision(path)
    finally:
        lock.free()
