"""`frontline backup` and `frontline restore`: a copy of the store, and a copy that becomes the store."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option


@command(
    "backup", help=n_("Copy the SQLite database into a file, also while the gateway runs; the copy does not serve.")
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def backup_command(shell: Shell, file: Path) -> int:
    config = shell.load()
    from storage.copies import NoBackup, back_up

    t = shell.t
    scheme, _, path = config.storage.url.partition(":///")
    if scheme != "sqlite":
        raise shell.fail(t("Only SQLite files are copied by this command; PostgreSQL has pg_dump."))
    try:
        size = back_up(Path(path), file, datetime.now(UTC).isoformat(timespec="seconds"))
    except NoBackup as error:
        raise shell.fail(t("There is no backup: {reason}", reason=error)) from None
    shell.say(t("The copy {file} is whole: {size} KB.", file=file, size=size // 1024))
    if isinstance(config.storage.files, Path):
        shell.say(t("Copy the folder of the files now: {folder}", folder=config.storage.files))
    else:
        shell.say(t("The files are in a bucket, which keeps its own copies: {place}", place=config.storage.files))
    return 0


@command(
    "restore",
    help=n_(
        "Make a database that was put back from a backup the one that serves. What waited to be sent is not sent: the"
        " original may have sent it since."
    ),
)
@option("--keep", is_flag=True, help=n_("The original was stopped before the copy was made: send what waits."))
@click.pass_obj
def restore_command(shell: Shell, keep: bool) -> int:
    config = shell.load()
    from sqlalchemy.exc import SQLAlchemyError

    from storage.copies import StillServed, restore

    t = shell.t
    if config.storage.url == "memory:":
        raise shell.fail(t("A store in memory has no copies."))
    try:
        with shell.refusals():
            done = run_async(restore(config.storage.url, time.time, keep))
    except StillServed:
        raise shell.fail(t("Processes serve this database: stop them first.")) from None
    except SQLAlchemyError as error:
        raise shell.fail(t("This did not work: {reason}", reason=getattr(error, "orig", None) or error)) from None
    if keep:
        shell.say(t("The database serves again, with everything that waited."))
    else:
        shell.say(t("The database serves again. Messages that will not be sent: {count}.", count=done.unsent))
        shell.say(t("New tickets begin with number {number}.", number=done.tickets_from))
    return 0
