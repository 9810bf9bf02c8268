"""`frontline demo`: more invented clients in a demo that runs, another pace, new passwords; and the way into a demo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, is_terminal, option

if TYPE_CHECKING:
    from gateway.config import Config

NO, YES, AUTO = "no", "yes", "auto"
WHO = {
    "operator": n_("an operator"),
    "supervisor": n_("a supervisor"),
    "admin": n_("an admin"),
}


@command("demo", help=n_("Feed the demo that runs (`make run`): more invented clients, another pace, new passwords."))
@option("--clients", type=click.IntRange(0, 50), default=0, help=n_("So many clients come now."))
@option(
    "--with",
    "whom",
    type=click.Choice(("any", "bot", "people")),
    default="any",
    show_default=True,
    help=n_("Whether they are content with the bot or want people."),
)
@option(
    "--pace",
    type=click.FloatRange(0.1, 20.0),
    help=n_("How many times quicker than people everything goes from now on."),
)
@option("--passwords", is_flag=True, help=n_("New passwords for the accounts of the demo, in place of lost ones."))
@click.pass_obj
def demo_command(shell: Shell, clients: int, whom: str, pace: float | None, passwords: bool) -> int:
    config = shell.load()
    t = shell.t
    if passwords:
        show_passwords(shell, _ask(shell, config, "demo_passwords"))
        return 0
    people = {"any": None, "bot": False, "people": True}[whom]
    found = _ask(shell, config, "demo", clients=clients, people=people, pace=pace or 0.0)
    if clients:
        shell.say(t("{count} clients come.", count=found["came"]))
    shell.say(
        t("{waiting} wait for people, {bot} talk to the bot.", waiting=found["waiting"], bot=found["with_bot"])
        + " "
        + t("Pace: {pace}", pace=f"{found['pace']:g}")
    )
    return 0


def _ask(shell: Shell, config: Config, do: str, **params: Any) -> Any:
    """One command to the demo that runs; where there is none, that is said, and the command is over with 1."""
    from gateway.control import NotRunning, Refused, ask, socket_path
    from gateway.demo.place import demo_config

    path = socket_path(demo_config(config))
    try:
        if path is not None:
            return run_async(ask(path, do, **params))
    except (NotRunning, Refused):
        pass
    raise shell.fail(shell.t("No demo runs here: start one by `make run` or `frontline run --demo`."))


def show_passwords(shell: Shell, found: dict[str, str]) -> None:
    """Who may sign in, and with what."""
    t = shell.t
    for name, password in found.items():
        shell.say("  " + t("{who}: {name}, password {password}", who=t(WHO[name]), name=name, password=password))


def wants_demo(shell: Shell, config: Config, said: str) -> bool:
    """Whether a demo is to run. What keeps one away is said: for `yes` it ends the command, for `auto` the installation runs."""
    from gateway.demo.place import is_installed, obstacles

    if said == NO:
        return False
    against = obstacles(config, shell.t)
    if said == AUTO and is_installed(config):
        against.append(shell.t("there is an installation already ({url})", url=config.storage.url))
    if against and said == YES:
        raise shell.fail(shell.t("There can be no demo here: {reasons}.", reasons="; ".join(against)))
    if against:
        shell.say(shell.t("This is no demo: {reasons}.", reasons="; ".join(against)))
    return not against


def make_past(shell: Shell, config: Config) -> dict[str, str]:
    """The past of the demo, once: passwords of a new one, nothing where it is there already."""
    from gateway.demo.past import Maker
    from gateway.demo.place import READY, database_of, demo_config, mark_of

    if mark_of(database_of(demo_config(config))) == READY:
        return {}
    t = shell.t
    shell.say(t("Making two weeks of invented clients, once; this takes a moment …"))

    def progress(part: float) -> None:
        if is_terminal():
            click.echo(f"\r  {part:4.0%} ", nl=False)

    with shell.refusals():
        made = run_async(Maker(config, datetime.now(UTC), progress).make())
    if is_terminal():
        click.echo("\r" + " " * 8 + "\r", nl=False)
    return made
