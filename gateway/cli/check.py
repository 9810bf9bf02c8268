"""`frontline check`: every mistake of the configuration and the flows at once, each at its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.findings import Finding, Position
from core.locale import n_
from gateway.cli.shell import Shell, run_async
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from gateway.cli.flows import Flows
    from gateway.config import Config


@command(
    "check", help=n_("Check the configuration and all flows: every mistake at once, with its place and how to mend it.")
)
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for editors."))
@option("--explain", is_flag=True, help=n_("Show the line of each finding and the mended version."))
@click.pass_obj
def check_command(shell: Shell, form: str, explain: bool) -> int:
    from gateway.cli.flows import read_flows

    began = time.perf_counter()
    config, findings = shell.read()
    flows = read_flows(config) if config is not None else None
    findings = [*findings, *(flows.findings() if flows else ()), *_unreachable(shell, config)]
    errors = sum(finding.level == "error" for finding in findings)
    if form == "json":
        shell.json([render_json(finding, shell.language) for finding in findings])
    else:
        shell.print_findings(findings, _explainer(shell, flows) if explain else None)
        _sum_up(shell, flows, errors, len(findings) - errors, time.perf_counter() - began)
    return 1 if errors else 0


def _unreachable(shell: Shell, config: Config | None) -> list[Finding]:
    """A warning when the bucket of files does not answer: it may be the network's fault, so it stops no start."""
    from gateway.cli.files import Unreachable, open_files_of

    if config is None or isinstance(config.storage.files, Path):
        return []
    try:
        run_async(open_files_of(config))
    except Unreachable as error:
        return [
            Finding(
                Position(str(shell.path)),
                "C190",
                n_("the files cannot be reached: {reason}"),
                n_("until they can, files wait and uploads are refused; messages go on"),
                {"reason": str(error)},
                level="warning",
            )
        ]
    return []


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


def _explainer(shell: Shell, flows: Flows | None) -> Callable[[Finding], str]:
    from bot.explain import explain

    sources = {str(shell.path): shell.path.read_text("utf-8", "replace")} if shell.path.is_file() else {}
    if flows is not None:
        sources |= {flows.prefix + name: text for name, text in (flows.edition.sources | flows.tests).items()}
    return lambda finding: explain(finding, sources.get(finding.at.file, ""), shell.language)


def _sum_up(shell: Shell, flows: Flows | None, errors: int, warnings: int, seconds: float) -> None:
    """One calm line at the end."""
    t = shell.t
    library = flows.edition.library if flows else None
    counted = t.plural("{n} flow", "{n} flows", len(library.flows) if library else 0)
    warned = t.plural("{n} warning", "{n} warnings", warnings)
    took = t("{seconds} s", seconds=f"{seconds:.2f}")
    if errors:
        shell.say(", ".join((t.plural("{n} error", "{n} errors", errors), warned, counted, took)))
    elif warnings:
        shell.say(t("No errors: {flows}, {warnings}, {took}.", flows=counted, warnings=warned, took=took))
    else:
        shell.say(t("All is well: {flows}, {took}.", flows=counted, took=took))
