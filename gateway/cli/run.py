"""`frontline run`: the whole gateway in one process."""

from __future__ import annotations

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option

ROLES = ("intake", "worker", "sender", "clock")


@command("run", help=n_("Run the gateway: channels, flows, tickets, the web chat."))
@option(
    "--roles",
    metavar="LIST",
    default=",".join(ROLES),
    help=n_("Only some roles, with commas between; one process serves a SQLite file, so all of them run together."),
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help=n_("How much is logged."),
)
@click.pass_obj
def run_command(shell: Shell, roles: str, log_level: str) -> int:
    t = shell.t
    if set(roles.split(",")) != set(ROLES):
        unknown = sorted(set(roles.split(",")) - set(ROLES))
        reason = (
            t("there is no role {name}", name=unknown[0])
            if unknown
            else t(
                "a SQLite file has one process: run without --roles, or with all of them ({roles})",
                roles=",".join(ROLES),
            )
        )
        raise click.UsageError(reason)
    config = shell.load()
    from gateway.app import run_gateway
    from gateway.logs import configure

    configure(log_level)
    return run_async(run_gateway(config))
