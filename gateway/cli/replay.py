"""`frontline replay CONVERSATION`: what happened and why; with `--flows`, what edited flows would have made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.locale import n_
from gateway.cli.shell import Shell, ask_office, render_time
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from core.turn import Trace
    from gateway.config import Config
    from gateway.replay import Replayed


@command("replay", help=n_("Show the events of a conversation, what the bot did and why."))
@click.argument("conversation", type=int)
@option(
    "--flows",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=n_("Play the events against these flows instead."),
)
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@click.pass_obj
def replay_command(shell: Shell, conversation: int, folder: Path | None, form: str) -> int:
    from gateway.cli.flows import load_flows
    from gateway.control import Refused
    from gateway.replay import replay, stored

    config = shell.load()
    try:
        found = ask_office(shell, config, "events", conversation=conversation)
    except Refused:
        raise shell.fail(shell.t("There is no conversation {number}.", number=conversation)) from None
    turns = stored(found) if folder is None else replay(found, config, load_flows(shell, config, folder).compile())
    if form == "json":
        shell.json([turn.plain() for turn in turns])
    else:
        _print(shell, config, turns)
    return 0


def _print(shell: Shell, config: Config, turns: list[Replayed]) -> None:
    for turn in turns:
        at = click.style(render_time(config, turn.at), dim=True)
        shell.say(f"{at}  {click.style('▶', fg='cyan')} {turn.event}")
        for reason in turn.trace:
            shell.say(f"      {click.style(_reason(reason), dim=True)}")
        for effect in turn.effects:
            shell.say(f"    {click.style('◀', fg='green')} {effect}")


def _reason(trace: Trace) -> str:
    details = ", ".join(f"{name}={value}" for name, value in trace.data.items())
    return f"{trace.kind}: {details}" if details else trace.kind
