"""`frontline hooks`: outgoing webhooks: how they fare, once more from a number or a moment, go on after a stop."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from core.locale import n_
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import Command, Group, Option
from gateway.config.model import Config


@click.group("hooks", cls=Group, help=n_("Outgoing webhooks: how they fare, once more, go on."))
def hooks_command() -> None:
    """The commands of webhooks."""


@hooks_command.command("list", cls=Command, help=n_("List the outgoing webhooks and how far they are."))
@click.option(
    "--format", "form", cls=Option, type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts.")
)
@click.pass_obj
def list_command(shell: Shell, form: str) -> int:
    config = shell.load()
    found: list[dict[str, Any]] = ask_office(shell, config, "hooks")
    t = shell.t
    if form == "json":
        shell.json(found)
    elif not found:
        shell.say(t("There are no outgoing webhooks."))
    else:
        heads = (t("Name"), t("State"), t("Last event"), t("Behind"), t("Last error"))
        shell.table(heads, ((row["name"], _state(shell, config, row), *_rest(row)) for row in found))
    return 0


def _rest(row: dict[str, Any]) -> tuple[Any, ...]:
    return row.get("cursor", 0), row["behind"], row.get("error", "")


def _state(shell: Shell, config: Config, row: dict[str, Any]) -> str:
    t = shell.t
    if not row["configured"]:
        return t("not configured")
    if row.get("stopped"):
        return t("stopped")
    if row.get("attempts"):
        return t("next attempt at {time}", time=render_time(config, row["next_at"]))
    return t("works")


@hooks_command.command("replay", cls=Command, help=n_("Send the events again, from a number or from a moment on."))
@click.argument("name")
@click.option(
    "--from",
    "start",
    cls=Option,
    required=True,
    metavar="SEQ|TIME",
    help=n_("The number of the first event, or a time like 2026-01-31T09:00."),
)
@click.pass_obj
def replay_command(shell: Shell, name: str, start: str) -> int:
    config = shell.load()
    values = {"seq": int(start)} if start.isdecimal() and int(start) else {"at": _moment(shell, config, start)}
    return _done(shell, _ask(shell, config, "replay_hook", name, **values))


@hooks_command.command("resume", cls=Command, help=n_("Go on with a webhook that was stopped, where it stopped."))
@click.argument("name")
@click.pass_obj
def resume_command(shell: Shell, name: str) -> int:
    return _done(shell, _ask(shell, shell.load(), "resume_hook", name))


def _moment(shell: Shell, config: Config, text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            shell.t("«{text}» is neither a number nor a time like 2026-01-31T09:00.", text=text)
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(config.timezone))).timestamp()


def _ask(shell: Shell, config: Config, do: str, name: str, **values: Any) -> dict[str, Any]:
    from gateway.control import Refused

    try:
        found: dict[str, Any] = ask_office(shell, config, do, name=name, **values)
    except Refused as refused:
        if str(refused) == "trimmed":
            raise shell.fail(shell.t("So old events are not kept any more.")) from None
        raise shell.fail(shell.t("There is no webhook «{name}» that was ever begun.", name=name)) from None
    return found


def _done(shell: Shell, moved: dict[str, Any]) -> int:
    t = shell.t
    shell.say(t("The webhook «{name}» goes on behind the event {number}.", name=moved["name"], number=moved["after"]))
    return 0
