"""`frontline files`: what is kept, what of it no row names, and the way to be rid of that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from core.locale import n_
from core.ports import StorageFull
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option
from gateway.config.model import Config

if TYPE_CHECKING:
    from storage.files import Kept
    from storage.files.sweep import Swept


@command("files", help=n_("Count the files that are kept, and those that nothing names any more."))
@option(
    "--remove", is_flag=True, help=n_("Remove what nothing names and what was never finished, if older than a day.")
)
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def files_command(shell: Shell, remove: bool, form: str) -> int:
    config = shell.load()
    try:
        with shell.refusals():
            swept = run_async(_look(config, remove))
    except Unreachable as error:
        raise shell.fail(shell.t("The files cannot be reached: {reason}", reason=error)) from None
    if form == "json":
        shell.json(msgspec.to_builtins(swept))
    else:
        _tell(shell, config, swept)
    return 0


class Unreachable(Exception):
    """The place of files does not answer: the text says why."""


async def open_files_of(config: Config) -> Kept:
    """The files, opened. Raises `Unreachable`."""
    from gateway.files import build_files

    files = build_files(config)
    try:
        await files.open()
    except StorageFull as error:
        raise Unreachable(str(error)) from None
    return files


async def _look(config: Config, remove: bool) -> Swept:
    """The files are read here; what names them is asked of whoever has the store."""
    from gateway.office import reach
    from storage.files.sweep import sweep

    files = await open_files_of(config)
    async with reach(config) as ask:

        async def named(hashes: Sequence[str]) -> set[str]:
            return set(await ask("named", hashes=list(hashes)))

        return await sweep(files, named, time.time(), remove)


def _tell(shell: Shell, config: Config, swept: Swept) -> None:
    t = shell.t
    shell.say(
        t("Files in {place}: {count}, {size} MB.", place=config.storage.files, count=swept.files, size=_mb(swept.size))
    )
    shell.say(
        t(
            "Older than a day and named by nothing: {count}, {size} MB; begun and never finished: {unfinished}.",
            count=swept.orphans,
            size=_mb(swept.orphan_size),
            unfinished=swept.unfinished,
        )
    )
    if swept.removed:
        shell.say(t("Removed: {count}.", count=swept.removed))
    elif swept.orphans or swept.unfinished:
        shell.say(t("`frontline files --remove` removes them; the running gateway does it once a day."))


def _mb(size: int) -> str:
    return f"{size / 1024**2:.1f}"
