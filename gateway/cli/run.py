"""`frontline run`: the whole gateway in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from gateway.config import Config

ROLES = ("intake", "worker", "sender", "clock")
LEVELS = ("debug", "info", "warning", "error")


@command("run", help=n_("Run the gateway: channels, flows, tickets, the web chat."))
@option(
    "--roles",
    metavar="LIST",
    default=",".join(ROLES),
    help=n_("Roles of this process, with commas between. One process serves a SQLite file: all of them run together."),
)
@option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help=n_("How much is logged."))
@click.pass_obj
def run_command(shell: Shell, roles: str, log_level: str) -> int:
    _check_roles(shell, roles)
    config = shell.load()
    from gateway.logs import configure

    configure(log_level)
    return _serve(shell, config)


def _check_roles(shell: Shell, roles: str) -> None:
    t = shell.t
    asked, known = set(roles.split(",")), ", ".join(ROLES)
    for name in sorted(asked - set(ROLES)):
        raise click.UsageError(t("There is no role «{name}»; known: {known}.", name=name, known=known))
    if asked != set(ROLES):
        raise click.UsageError(
            t("A SQLite file is served by one process: leave --roles out, or name all: {known}.", known=known)
        )


def _serve(shell: Shell, config: Config) -> int:
    """Runs until it is stopped; what keeps it from starting is said in one clear text."""
    from gateway.app import run_gateway
    from gateway.publish import Unpublishable

    t = shell.t
    chats = [name for name, channel in config.channels.items() if channel.kind == "web"]

    def told(address: str) -> None:
        shell.say(t("frontline is running at {address}. Stop it with Ctrl+C.", address=address))
        for name in chats:
            shell.say(t("Chat: {address}", address=f"{address}/chat/{name}"))

    try:
        with shell.refusals():
            return run_async(run_gateway(config, told=told))
    except Unpublishable as error:
        shell.print_findings(error.findings)
        for failure in error.failures:
            shell.say(failure)
        raise shell.fail(t("There are no flows that could serve: mend them and start again.")) from None
    except ValueError as error:
        raise shell.fail(t("frontline cannot start: {reason}", reason=error)) from None
