"""`frontline texts export LANG`: the strings of the flows for translators."""

from __future__ import annotations

import re
from pathlib import Path

import click

from core.locale import n_
from gateway.cli.shell import Shell
from gateway.cli.words import Command, Group, option


@click.group("texts", cls=Group, help=n_("Translations of the flows."))
def texts_command() -> None:
    pass


@texts_command.command(
    "export",
    cls=Command,
    help=n_(
        "Collect all texts of the flows into `_texts/LANG.yaml`: translations stay, those of texts that are gone are marked."
    ),
)
@click.argument("lang")
@option("--out", type=click.Path(path_type=Path), metavar="FILE", help=n_("Another file; `-` is the screen."))
@click.pass_obj
def export_command(shell: Shell, lang: str, out: Path | None) -> int:
    t = shell.t
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", lang):
        raise click.UsageError(t("«{lang}» is not a language: write it like en", lang=lang))
    config = shell.load()
    from bot.export import compare, render_texts
    from bot.reading import read
    from gateway.cli.flows import load_flows

    flows = load_flows(shell, config)
    # As they are written: a bot that speaks LANG reads its flows with the translations in place.
    library, _ = read(flows.edition.sources, flows.deployment, flows.prefix, translate=False)
    found = compare(library or flows.edition.require(), lang)
    text = render_texts(found)
    if out == Path("-"):
        shell.say(text.rstrip())
        return 0
    place = out or config.flows / "_texts" / f"{lang}.yaml"
    with shell.refusals():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    missing = sum(not entry.text for entry in found)
    stale = sum(entry.stale for entry in found)
    shell.say(
        t(
            "{file}: {texts}, {missing} without a translation, {stale} stale.",
            file=place,
            missing=missing,
            stale=stale,
            texts=t.plural("{n} text", "{n} texts", len(found)),
        )
    )
    return 0
