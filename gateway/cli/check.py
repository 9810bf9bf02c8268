"""`frontline check`: every mistake of the configuration and the flows at once, each at its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from core.findings import Finding
from core.locale import n_
from gateway.cli.shell import Shell
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from bot.model import Library
    from gateway.config import Config
    from gateway.edition import Edition


@command(
    "check", help=n_("Check the configuration and all flows: every mistake at once, with its place and how to mend it.")
)
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for editors."))
@option("--explain", is_flag=True, help=n_("Show the line of each finding and the mended version."))
@click.pass_obj
def check_command(shell: Shell, form: str, explain: bool) -> int:
    began = time.perf_counter()
    config, findings = shell.read()
    edition = read_flows(config) if config is not None else None
    findings = [*findings, *(edition.findings if edition else ())]
    errors = sum(finding.level == "error" for finding in findings)
    if form == "json":
        shell.json([render_json(finding, shell.language) for finding in findings])
    else:
        shell.print_findings(findings, _explainer(shell, config, edition) if explain else None)
        _sum_up(shell, edition, errors, len(findings) - errors, time.perf_counter() - began)
    return 1 if errors else 0


def read_flows(config: Config) -> Edition:
    """The folder of the flows, read and checked with its tests."""
    from gateway.deployment import build_deployment
    from gateway.edition import read_edition, read_folder, shown_prefix

    sources, tests = read_folder(config.flows)
    return read_edition(sources, build_deployment(config), shown_prefix(config.flows), tests)


def load_edition(shell: Shell, config: Config) -> Edition:
    """The flows of the folder. With errors in them they are printed, and the command is over with 1."""
    edition = read_flows(config)
    if edition.errors or edition.library is None:
        shell.print_findings(edition.errors)
        raise click.exceptions.Exit(1)
    return edition


def require_flow(shell: Shell, library: Library, flow: str) -> None:
    """A mistake on the command line when there is no such flow; the near ones are named."""
    from difflib import get_close_matches

    if flow in library.flows:
        return
    t = shell.t
    close = get_close_matches(flow, library.flows, 3, 0.4) or sorted(library.flows)
    raise click.UsageError(t("There is no flow «{flow}». Perhaps: {known}.", flow=flow, known=", ".join(close)))


def render_json(finding: Finding, language: str) -> dict[str, Any]:
    """A finding for editors."""
    return {
        "file": finding.at.file,
        "line": finding.at.line,
        "column": finding.at.column,
        "length": finding.length,
        "code": finding.code,
        "level": finding.level,
        "message": finding.message(language),
        "instead": finding.instead,
    }


def _explainer(shell: Shell, config: Config | None, edition: Edition | None) -> Any:
    from bot.explain import explain
    from gateway.edition import shown_prefix

    sources = {str(shell.path): shell.path.read_text("utf-8", "replace")} if shell.path.is_file() else {}
    if config is not None and edition is not None:
        prefix = shown_prefix(config.flows)
        sources |= {prefix + name: text for name, text in (edition.sources | edition.tests).items()}
    return lambda finding: explain(finding, sources.get(finding.at.file, ""))


def _sum_up(shell: Shell, edition: Edition | None, errors: int, warnings: int, seconds: float) -> None:
    """One calm line at the end."""
    t = shell.t
    library = edition.library if edition else None
    flows = t.plural("{n} flow", "{n} flows", len(library.flows) if library else 0)
    warned = t.plural("{n} warning", "{n} warnings", warnings)
    if errors:
        failed = t.plural("{n} error", "{n} errors", errors)
        shell.say(f"{failed}, {warned}, {flows}, " + t("{seconds} s", seconds=f"{seconds:.2f}"))
    elif warnings:
        shell.say(
            t("No errors: {flows}, {warnings}, {seconds} s.", flows=flows, warnings=warned, seconds=f"{seconds:.2f}")
        )
    else:
        shell.say(t("All is well: {flows}, {seconds} s.", flows=flows, seconds=f"{seconds:.2f}"))
