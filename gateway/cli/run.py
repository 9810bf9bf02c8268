"""`frontline run`: the whole gateway in one process, or some of its roles beside other processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option
from gateway.roles import ROLES

if TYPE_CHECKING:
    from gateway.config import Config

LEVELS = ("debug", "info", "warning", "error")


@command("run", help=n_("Run the gateway: channels, flows, tickets, the web chat."))
@option(
    "--roles",
    metavar="LIST",
    default=",".join(ROLES),
    help=n_(
        "Roles of this process, with commas between; on PostgreSQL each may run in many processes. One process serves a "
        "SQLite file: all of them run together."
    ),
)
@option(
    "--http",
    metavar="HOST:PORT",
    default="",
    help=n_("Where this process listens, in place of `http` of the configuration. Port 0 takes a free one."),
)
@option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help=n_("How much is logged."))
@click.pass_obj
def run_command(shell: Shell, roles: str, http: str, log_level: str) -> int:
    asked = _parse_roles(shell, roles)
    listen = parse_address(shell, http)
    config = shell.load()
    _check_roles(shell, config, asked)
    from gateway.logs import configure

    configure(log_level)
    return _serve(shell, config.model_copy(update={"http": config.http.model_copy(update=listen)}), asked)


def _parse_roles(shell: Shell, said: str) -> list[str]:
    asked = {name.strip() for name in said.split(",")}
    for name in sorted(asked - set(ROLES)):
        raise click.UsageError(shell.t("There is no role «{name}»; known: {known}.", name=name, known=", ".join(ROLES)))
    return [name for name in ROLES if name in asked]


def parse_address(shell: Shell, said: str) -> dict[str, Any]:
    """`HOST:PORT`, `:PORT` or `[::1]:PORT` as settings; nothing said changes nothing."""
    if not said:
        return {}
    host, _, port = said.rpartition(":")
    if not (port.isdecimal() and int(port) < 1 << 16):
        raise click.UsageError(shell.t("«{address}» is not HOST:PORT", address=said))
    return {"port": int(port)} | ({"host": host.strip("[]")} if host else {})


def _check_roles(shell: Shell, config: Config, asked: list[str]) -> None:
    from storage import open_store

    if len(asked) < len(ROLES) and not open_store(config.storage.url, time.time).shared:
        raise click.UsageError(
            shell.t(
                "A SQLite file is served by one process: leave --roles out, or name all: {known}.",
                known=", ".join(ROLES),
            )
        )


def _serve(shell: Shell, config: Config, roles: list[str]) -> int:
    """Runs until it is stopped; what keeps it from starting is said in one clear text."""
    from gateway.app import run_gateway
    from gateway.publish import Unpublishable

    t = shell.t
    chats = [name for name, channel in config.channels.items() if channel.kind == "web"]

    def told(address: str) -> None:
        shell.say(t("frontline is running at {address}. Stop it with Ctrl+C.", address=address))
        if len(roles) < len(ROLES):
            shell.say(t("Roles of this process: {roles}", roles=", ".join(roles)))
        for name in chats if "intake" in roles else ():
            shell.say(t("Chat: {address}", address=f"{address}/chat/{name}"))
        if "console" in roles:
            shell.say(t("Console: {address}", address=f"{address}/console/"))

    try:
        with shell.refusals():
            return run_async(run_gateway(config, roles, told=told))
    except Unpublishable as error:
        shell.print_findings(error.findings)
        for failure in error.failures:
            shell.say(failure)
        raise shell.fail(t("There are no flows that could serve: mend them and start again.")) from None
    except ValueError as error:
        raise shell.fail(t("frontline cannot start: {reason}", reason=error)) from None
