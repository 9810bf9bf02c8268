"""`frontline publish` and `frontline status`: switch to the edited flows; what serves now."""

from __future__ import annotations

import getpass
import os
import socket
from typing import Any

import click

from core.locale import Texts, n_
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import command, option
from gateway.config.model import Config


@command("publish", help=n_("Switch to the edited flows when they are sound and their tests are green."))
@option("--urgent", is_flag=True, help=n_("End older versions at once: their runs start anew in the new version."))
@option("--why", metavar="TEXT", default="", help=n_("Why it is urgent; kept with who said so, `status` shows it."))
@option("--rollback", metavar="HASH", default="", help=n_("Go back to an older edition; `status` lists them."))
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def publish_command(shell: Shell, urgent: bool, why: str, rollback: str, form: str) -> int:
    from gateway.control import Refused

    config = shell.load()
    asked: dict[str, Any] = {"urgent": urgent, "rollback": rollback, "language": shell.language}
    if urgent:
        asked |= {"by": who(), "why": why}
    try:
        done = ask_office(shell, config, "publish", **asked)
    except Refused:
        raise shell.fail(shell.t("There is no edition {id}; `frontline status` lists them.", id=rollback)) from None
    if form == "json":
        shell.json(done)
    else:
        _report(shell, done)
    return 0 if done["live"] else 1


def who() -> str:
    """Who is at the keyboard; a container may have no name for its user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def _report(shell: Shell, done: dict[str, Any]) -> None:
    t = shell.t
    if not done["live"]:
        for line in done["problems"]:
            shell.say(line)
        shell.say(t("Nothing was published: the flows from before keep serving."), error=True)
    elif not done["changed"]:
        shell.say(t("Nothing has changed: {id} serves.", id=done["id"]))
    else:
        shell.say(
            t(
                "{id} is live: {flows}; {tests}; {seconds} s.",
                id=done["id"],
                seconds=f"{done['seconds']:.2f}",
                flows=t.plural("{n} changed flow", "{n} changed flows", len(done["changed"])),
                tests=t.plural("{n} test passed", "{n} tests passed", done["tests"]),
            )
        )


@command("status", help=n_("Show what serves: the edition, versions and their runs, queues and their age."))
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def status_command(shell: Shell, form: str) -> int:
    config = shell.load()
    found = ask_office(shell, config, "status")
    if form == "json":
        shell.json(found)
    else:
        _flows(shell, config, found["flows"])
        _store(shell, found["store"])
    return 0


def _flows(shell: Shell, config: Config, flows: dict[str, Any]) -> None:
    t = shell.t
    if flows["id"]:
        at = render_time(config, flows["published_at"])
        count = t.plural("{n} flow", "{n} flows", flows["flows"])
        shell.say(t("Serving: {id}, published {at}, {count}.", id=flows["id"], at=at, count=count))
    else:
        shell.say(t("Nothing is published yet."))
    if flows["edited"]:
        shell.say(t("The folder holds other flows than those that serve."))
    if flows["urgent"] is not None:
        shell.say(t("It ended older versions at once: {by}, {why}.", **_told(flows["urgent"])))
    for line in flows["problems"]:
        shell.say(f"  {line}")
    _processes(shell, flows)
    if flows["runs"]:
        shell.table((t("Flow"), t("Version"), t("Runs"), ""), (_run(t, row) for row in flows["runs"]))
    if flows["older"]:
        older = ", ".join(f"{row['id']} ({render_time(config, row['published_at'])})" for row in flows["older"][:5])
        shell.say(t("Older editions: {older}", older=older))


def _told(urgent: dict[str, str]) -> dict[str, str]:
    return {name: value or "—" for name, value in urgent.items()}


def _processes(shell: Shell, flows: dict[str, Any]) -> None:
    """Where several serve, which serves what; one that cannot serve the current edition stands out."""
    t, rows = shell.t, flows["processes"]
    if len(rows) > 1 or any(row["edition"] != flows["id"] for row in rows):
        shell.table((t("Process"), t("Edition"), ""), ((it["process"], it["edition"], _lag(t, it)) for it in rows))


def _lag(t: Texts, row: dict[str, Any]) -> str:
    return t("cannot serve the current edition: see its log") if row["behind"] else ""


def _run(t: Texts, row: dict[str, Any]) -> tuple[Any, ...]:
    return row["flow"], row["version"], row["runs"], "" if row["current"] else t("old version")


def _store(shell: Shell, stats: dict[str, float]) -> None:
    t = shell.t
    names = {
        "inbox": t("Waiting events"),
        "inbox_age": t("Oldest event, s"),
        "outbox": t("Unsent messages"),
        "outbox_age": t("Oldest unsent, s"),
        "timers": t("Timers"),
        "queued": t("Sessions in queues"),
        "quarantine": t("Unreadable payloads"),
        "dead": t("Events set aside"),
    }
    shell.table((t("Store"), ""), ((names.get(name, name), f"{value:g}") for name, value in stats.items()))
