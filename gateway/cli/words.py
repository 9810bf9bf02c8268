"""Commands that speak the reader's language: click's pieces with their texts taken from the catalogue."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from core.locale import LANGUAGES, Texts, n_, texts

LANGUAGE_LINE = re.compile(r"^language:\s*[\"']?(\w+)", re.MULTILINE)
HELP = n_("Show this text and stop.")


def guess_language(argv: list[str], environ: dict[str, str]) -> str:
    """The language before anything is parsed: `--lang`, `FRONTLINE_LANG`, the config's own line, Russian."""
    asked = _value(argv, "--lang") or environ.get("FRONTLINE_LANG", "")
    if asked in LANGUAGES:
        return asked
    config = Path(_value(argv, "--config") or environ.get("FRONTLINE_CONFIG", "") or "config.yaml")
    try:
        said = LANGUAGE_LINE.search(config.read_text("utf-8", "replace"))
    except OSError:
        return LANGUAGES[0]
    return said[1] if said and said[1] in LANGUAGES else LANGUAGES[0]


def _value(argv: list[str], option: str) -> str:
    for at, word in enumerate(argv):
        if word == option:
            return argv[at + 1] if at + 1 < len(argv) else ""
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""


class Language:
    """The language of this process's command line."""

    now = LANGUAGES[0]


def spoken() -> Texts:
    """The catalogue of the command line."""
    return texts(Language.now)


class Option(click.Option):
    """An option whose help is a message id."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return (record[0], spoken()(self.help or "")) if record is not None else None


class Command(click.Command):
    """A command whose help is a message id."""

    def get_short_help_str(self, limit: int = 45) -> str:
        return spoken()(self.help or "").partition("\n")[0].rstrip(".")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(spoken()(self.help or ""))

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        t = spoken()
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), t("Usage:") + " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        t = spoken()
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx)) is not None]
        with formatter.section(t("Options")):
            formatter.write_dl(records)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = spoken()(HELP)
        return found


class Group(Command, click.Group):
    """A command of several commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise no_such_command(args[0], known)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        t = spoken()
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section(t("Commands")):
            formatter.write_dl([(name, one.get_short_help_str()) for name, one in found if one is not None])


def command(name: str, help: str) -> Callable[[Callable[..., Any]], Command]:
    """A command; `help` is a message id."""
    return click.command(name, cls=Command, help=help)


def option(*names: str, help: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option; `help` is a message id."""
    return click.option(*names, cls=Option, help=help, **more)


def render_usage_error(error: click.UsageError) -> str:
    """A mistake on the command line, in the reader's words."""
    t = spoken()
    if isinstance(error, click.NoSuchOption):
        said = t("There is no option {name}.", name=error.option_name)
        return _perhaps(said, list(error.possibilities or ()))
    if isinstance(error, click.MissingParameter):
        return t("{name} is missing.", name=_param(error))
    if isinstance(error, click.BadParameter):
        return t("{name} does not fit: {problem}", name=_param(error), problem=error.message)
    return error.format_message()


def _param(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "")
    return error.param.opts[0] if isinstance(error.param, click.Option) else error.param.make_metavar(error.ctx)  # type: ignore[arg-type]


def _perhaps(said: str, close: list[str]) -> str:
    t = spoken()
    return f"{said} " + t("Perhaps {close}?", close=close[0]) if close else said


def no_such_command(name: str, known: list[str]) -> click.UsageError:
    """The error for a word that is no command, with the nearest one."""
    from difflib import get_close_matches

    t = spoken()
    said = t("There is no command {name}.", name=name)
    return click.UsageError(_perhaps(said, get_close_matches(name, known, 1, 0.5)))


def is_terminal() -> bool:
    """Whether a person looks at the output."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"
