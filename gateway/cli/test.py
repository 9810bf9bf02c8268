"""`frontline test`: the YAML tests of the flows, and what no test has visited."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from core.locale import n_
from gateway.cli.shell import Shell
from gateway.cli.words import command, option

if TYPE_CHECKING:
    from bot.coverage import Coverage
    from bot.testing import TestReport


@command("test", help=n_("Run the tests of the flows and report the steps and branches that none has visited."))
@click.argument("flows", nargs=-1)
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help=n_("`json` for scripts."))
@option("--missed/--no-missed", default=True, help=n_("List what no test has visited."))
@click.pass_obj
def test_command(shell: Shell, flows: tuple[str, ...], form: str, missed: bool) -> int:
    config = shell.load()
    from gateway.cli.flows import load_flows, require_flow

    loaded = load_flows(shell, config)
    for flow in flows:
        require_flow(shell, loaded.edition.require(), flow)
    began = time.perf_counter()
    report = loaded.play(flows or None)
    if form == "json":
        shell.json(_json(shell, report))
    else:
        _print(shell, report, missed, time.perf_counter() - began)
    return 0 if report.passed else 1


def _json(shell: Shell, report: TestReport) -> dict[str, object]:
    from gateway.cli.check import render_json

    return {
        "tests": report.tests,
        "passed": report.passed,
        "failures": [
            {"file": one.at.file, "line": one.at.line, "column": one.at.column, "test": one.test, "what": one.what}
            for one in report.failures
        ],
        "findings": [render_json(finding, shell.language) for finding in report.findings],
        "coverage": {"visited": report.coverage.visited, "whole": report.coverage.whole},
        "missed": [
            {"file": one.at.file, "line": one.at.line, "flow": one.flow, "step": one.step, "branch": one.event}
            for one in report.coverage.missed
        ],
    }


def _print(shell: Shell, report: TestReport, missed: bool, seconds: float) -> None:
    from gateway.edition import render_failure

    t = shell.t
    shell.print_findings(report.findings)
    for failure in report.failures:
        shell.say(click.style(render_failure(failure), fg="red"))
    if missed:
        _print_missed(shell, report.coverage)
    ran = t.plural("{n} test", "{n} tests", report.tests)
    share = f"{report.coverage.share:.0%}"
    if report.passed:
        shell.say(
            t(
                "All is well: {tests}, {share} of steps and branches visited, {seconds} s.",
                tests=ran,
                share=share,
                seconds=f"{seconds:.2f}",
            )
        )
    else:
        failed = t.plural("{n} failed", "{n} failed", len(report.failures))
        shell.say(f"{ran}, {failed}, " + t("{seconds} s", seconds=f"{seconds:.2f}"))


def _print_missed(shell: Shell, coverage: Coverage) -> None:
    t = shell.t
    if not coverage.missed:
        return
    shell.say(t("No test has visited:"))
    for one in coverage.missed:
        branch = t("branch {event}", event=one.event) if one.event else t("step")
        shell.say(f"  {one.at.file}:{one.at.line}:{one.at.column}  {branch}  {one.step}")
