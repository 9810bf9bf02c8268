"""The command line `frontline`. Commands are imported when they are called, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from core.locale import LANGUAGES, n_
from gateway.cli.words import Group, Language, Option, guess_language, render_usage_error, spoken

# The commands in the order of the help. Each lives in `gateway/cli/<module>.py` under its own name.
COMMANDS: tuple[tuple[str, str], ...] = (
    ("run", "run"),
    ("demo", "demo"),
    ("check", "check"),
    ("test", "test"),
    ("talk", "talk"),
    ("read", "read"),
    ("graph", "read"),
    ("schema", "read"),
    ("publish", "publish"),
    ("status", "publish"),
    ("tickets", "tickets"),
    ("clients", "clients"),
    ("replies", "replies"),
    ("user", "users"),
    ("audit", "users"),
    ("hooks", "hooks"),
    ("report", "report"),
    ("uncaught", "store"),
    ("replay", "replay"),
    ("channel-test", "channel_test"),
    ("channel-schema", "channel_schema"),
    ("texts", "texts"),
    ("migrate", "store"),
    ("files", "files"),
    ("backup", "copies"),
    ("restore", "copies"),
)
ABOUT = n_("A chatbot-first messenger gateway for customer support: dialogue flows in YAML, tickets, lines of people.")


class Commands(Group):
    """All commands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = dict(COMMANDS).get(cmd_name)
        if module is None:
            return None
        found: click.Command = getattr(import_module(f"gateway.cli.{module}"), f"{cmd_name.replace('-', '_')}_command")
        return found


def _print_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from gateway import version

        click.echo(f"frontline {version()}")
        ctx.exit()


@click.group(
    cls=Commands, help=ABOUT, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--config",
    "config",
    cls=Option,
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    envvar="FRONTLINE_CONFIG",
    metavar="FILE",
    help=n_("The configuration (default: ./config.yaml)."),
)
@click.option(
    "--lang",
    "lang",
    cls=Option,
    type=click.Choice(LANGUAGES),
    envvar="FRONTLINE_LANG",
    help=n_("The language of what the commands say (default: the configuration's)."),
)
@click.option(
    "--version",
    cls=Option,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help=n_("Show the version and stop."),
)
@click.pass_context
def frontline(ctx: click.Context, config: Path, lang: str | None) -> None:
    from gateway.cli.shell import Shell

    ctx.obj = Shell(config, lang or "")


def main(argv: list[str] | None = None) -> None:
    """The console script: 0 when all is well, 1 for findings and failures, 2 for a mistake on the command line."""
    sys.exit(execute(sys.argv[1:] if argv is None else argv))


def execute(argv: list[str]) -> int:
    """Runs a command line and gives its exit code."""
    Language.now = guess_language(argv, dict(os.environ))
    try:
        done: Any = frontline.main(argv, prog_name="frontline", standalone_mode=False)
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else ""
        click.echo(f"{usage}\n\n{render_usage_error(error)}".lstrip(), err=True)
        return 2
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return 1
    except OSError as error:
        t = spoken()
        click.echo(t("This did not work: {reason}", reason=error), err=True)
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        return 130
    return done if isinstance(done, int) else 0
