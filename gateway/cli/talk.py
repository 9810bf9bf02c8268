"""`frontline talk`: a conversation in the terminal, through the real engine and a store in memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, is_terminal, option

if TYPE_CHECKING:
    from core.messages import Button, Outgoing
    from gateway.config import Config
    from gateway.edition import Edition
    from gateway.talk import TalkSession


@command("talk", help=n_("Talk to the bot in this terminal: the real engine, a store in memory, nothing is kept."))
@click.argument("flow", required=False)
@option("--line", help=n_("The line behind this talk (default: the first of the configuration)."))
@click.pass_obj
def talk_command(shell: Shell, flow: str | None, line: str | None) -> int:
    config = shell.load()
    from gateway.cli.flows import load_flows

    edition = load_flows(shell, config).edition
    if line is not None and line not in config.lines:
        raise click.UsageError(
            shell.t("There is no line «{line}»; known: {known}.", line=line, known=", ".join(config.lines))
        )
    if flow is not None:
        edition = _starting_with(shell, edition, flow)
    with tempfile.TemporaryDirectory() as files:
        return run_async(_talk(shell, config, edition, line or "", Path(files)))


def _starting_with(shell: Shell, edition: Edition, flow: str) -> Edition:
    """The same edition with the flow in the place of the welcome."""
    import dataclasses

    from gateway.cli.flows import require_flow

    library = edition.require()
    require_flow(shell, library, flow)
    bot = dataclasses.replace(library.bot, welcome=flow)
    return dataclasses.replace(edition, library=dataclasses.replace(library, bot=bot))


class _Screen:
    """Shows the bot's messages and remembers the buttons that can be pressed."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.buttons: list[Button] = []
        self.older: list[Button] = []

    def show(self, message: Outgoing, replaces: bool) -> None:
        from adapters.terminal.render import buttons_of, render_message

        t = self._shell.t
        text = render_message(message, t, colour=is_terminal())
        head = t("(changed) ") if replaces else ""
        self._shell.say(click.style("◀ ", fg="green") + head + text.replace("\n", "\n  "))
        self.older += self.buttons
        self.buttons = buttons_of(message) or self.buttons


def _lines(prompt: str) -> Iterator[str]:
    """What is typed, or what is piped in; ends at the end of the input."""
    while True:
        try:
            line = input(prompt if sys.stdin.isatty() else "")
        except EOFError:
            return
        if not sys.stdin.isatty():
            click.echo(f"▶ {line}")
        yield line


async def _talk(shell: Shell, config: Config, edition: Edition, line: str, files: Path) -> int:
    from gateway.logs import configure
    from gateway.talk import TalkSession

    configure("error")
    screen = _Screen(shell)
    session = TalkSession(config, screen.show, files, line)
    await session.start(edition)
    try:
        shell.say(
            click.style(
                shell.t("Write as a client would. /help shows what else can be done, /quit ends the talk."), dim=True
            )
        )
        await session.open()
        for typed in _lines("▶ "):
            if not await _one(shell, session, screen, typed):
                break
    finally:
        await session.close()
    return 0


async def _one(shell: Shell, session: TalkSession, screen: _Screen, typed: str) -> bool:
    """One typed line; False when the talk is over."""
    from adapters.terminal.parse import Quit, Told, Wait, parse_line

    if not typed.strip():
        return True
    meant = parse_line(typed, screen.buttons, shell.t, screen.older)
    if isinstance(meant, Quit):
        return False
    if isinstance(meant, Told):
        shell.say(click.style(meant.text, dim=True))
    elif isinstance(meant, Wait):
        await session.wait(meant.seconds)
        shell.say(
            click.style(shell.t("It is {time} now.", time=session.now().strftime("%d.%m.%Y %H:%M UTC")), dim=True)
        )
    else:
        await session.hear(meant)
    return True
