"""`frontline replies …`: canned replies of lines and of the house as a YAML file, out and back in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from core.locale import n_
from gateway.cli.publish import who
from gateway.cli.shell import Shell, ask_office
from gateway.cli.words import Command, Group

# Why an entry of the file cannot be kept, by `gateway.replybook`.
WRONG = {
    "shape": n_("a reply has `shortcut`, `title` and `text`, perhaps `scope` (line, all), `line` and `place`"),
    "line": n_("`line` names a line of the configuration, for `scope: line` only"),
    "text": n_("the text has something in braces that is no variable"),
    "twice": n_("this shortcut stands in the file twice"),
}


@click.group("replies", cls=Group, help=n_("Canned replies of lines and of the house: as a file, out and back in."))
def replies_command() -> None:
    pass


@replies_command.command("export", cls=Command, help=n_("Print all canned replies as YAML."))
@click.pass_obj
def export_command(shell: Shell) -> int:
    import yaml

    found = ask_office(shell, shell.load(), "replies")
    click.echo(yaml.safe_dump({"replies": found}, allow_unicode=True, sort_keys=False, width=120), nl=False)
    return 0


@replies_command.command(
    "import", cls=Command, help=n_("Keep the canned replies of a file: new ones, and changed ones.")
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_command(shell: Shell, file: Path) -> int:
    t, found = shell.t, _read(shell, file)
    if found is None:
        return 1
    done: dict[str, Any] = ask_office(shell, shell.load(), "take_replies", found=found, by=who(), now=time.time())
    for place, why in done["wrong"]:
        shell.say(t("{file}: reply {number}: {reason}", file=file, number=place, reason=t(WRONG[why])))
    if done["wrong"]:
        shell.say(t("Nothing was changed."))
        return 1
    shell.say(t("{added} replies are new, {changed} were changed.", added=done["added"], changed=done["changed"]))
    return 0


def _read(shell: Shell, file: Path) -> list[Any] | None:
    """The entries of the file; None when it has none, and then why is said."""
    import yaml

    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        shell.say(shell.t("{file} is no YAML: {reason}", file=file, reason=str(error).splitlines()[0]))
        return None
    found = document.get("replies") if isinstance(document, dict) else None
    if not isinstance(found, list):
        shell.say(shell.t("{file} has no list `replies`.", file=file))
        return None
    return found
