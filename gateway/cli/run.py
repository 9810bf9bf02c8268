"""`frontline run`: the whole gateway in one process, or some of its roles beside other processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
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
@option(
    "--demo",
    is_flag=False,
    flag_value="yes",
    default="no",
    type=click.Choice(("no", "yes", "auto")),
    help=n_(
        "A demo with invented clients and accounts, over a store of its own: never where a channel has a token. `auto`: the "
        "installation itself, if there is one."
    ),
)
@option("--log-level", type=click.Choice(LEVELS), help=n_("How much is logged (default: info, in a demo warning)."))
@click.pass_obj
def run_command(shell: Shell, roles: str, http: str, demo: str, log_level: str | None) -> int:
    from gateway.cli.demo import make_past, wants_demo
    from gateway.logs import configure

    asked = _parse_roles(shell, roles)
    listen = parse_address(shell, http)
    config = shell.load()
    config = config.model_copy(update={"http": config.http.model_copy(update=listen)})
    plays = wants_demo(shell, config, demo)
    _check_roles(shell, config, asked)
    if plays:
        configure("error")  # what went wrong among the invented is no news
        passwords = make_past(shell, config)
        configure(log_level or "warning")
        return _play(shell, config, asked, passwords)
    configure(log_level or "info")
    return _serve(shell, config, asked)


def _play(shell: Shell, config: Config, roles: list[str], passwords: dict[str, str]) -> int:
    """A demo is served, with clients who come by themselves; `passwords` are those of one that is new."""
    from gateway.app import run_gateway
    from gateway.cli.demo import show_passwords
    from gateway.demo.live import build_demo

    t = shell.t

    async def run() -> int:
        gateway, show = build_demo(config)
        more = {"demo": show.demo, "demo_passwords": show.passwords}
        return await run_gateway(gateway.config, roles, told=told, gateway=gateway, more=more)

    def told(address: str) -> None:
        _tell(shell, config, roles, address)
        shell.say(t("This is a demo: its clients are invented and come by themselves. Sign in to the console as"))
        if passwords:
            show_passwords(shell, passwords)
        else:
            names = ", ".join(("operator", "supervisor", "admin"))
            shell.say("  " + t("{names}; the passwords were shown at the first start", names=names))
        shell.say(t("New passwords: frontline demo --passwords. More clients at once: frontline demo --clients 5."))

    return _run(shell, run)


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
    """Runs until it is stopped."""
    from gateway.app import run_gateway
    from gateway.demo.place import database_of, mark_of

    path = database_of(config)
    if mark_of(path):
        raise shell.fail(shell.t("{path} is the store of a demo: an installation needs another one.", path=path))
    return _run(shell, lambda: run_gateway(config, roles, told=lambda address: _tell(shell, config, roles, address)))


def _tell(shell: Shell, config: Config, roles: list[str], address: str) -> None:
    """Where everything is."""
    t = shell.t
    shell.say(t("frontline is running at {address}. Stop it with Ctrl+C.", address=address))
    if len(roles) < len(ROLES):
        shell.say(t("Roles of this process: {roles}", roles=", ".join(roles)))
    chats = [name for name, channel in config.channels.items() if channel.kind == "web"]
    for name in chats if "intake" in roles else ():
        shell.say(t("Chat: {address}", address=f"{address}/chat/{name}"))
    if "console" in roles:
        shell.say(t("Console: {address}", address=f"{address}/console/"))


def _run(shell: Shell, run: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """What keeps it from starting is said in one clear text."""
    from gateway.publish import Unpublishable

    t = shell.t
    try:
        with shell.refusals():
            return run_async(run())
    except Unpublishable as error:
        shell.print_findings(error.findings)
        for failure in error.failures:
            shell.say(failure)
        raise shell.fail(t("There are no flows that could serve: mend them and start again.")) from None
    except ValueError as error:
        raise shell.fail(t("frontline cannot start: {reason}", reason=error)) from None
