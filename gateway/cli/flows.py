"""The folder of the flows as commands need it: read, checked, tested."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import click

from bot.book import Book
from bot.check.outcomes import check_outcomes
from bot.model import Library
from bot.testing import TestReport
from core.deployment import Deployment
from core.findings import Finding
from gateway.cli.shell import Shell
from gateway.config import Config
from gateway.deployment import build_deployment, build_house
from gateway.edition import Edition, compile_edition, play_tests, read_edition, read_folder, shown_prefix


@dataclass(frozen=True)
class Flows:
    """The files of a folder, with its tests. `prefix` stands before their names in findings."""

    config: Config
    deployment: Deployment
    edition: Edition
    tests: dict[str, str]
    prefix: str

    def findings(self) -> list[Finding]:
        """All of them; outcomes that no test expects are looked for when nothing else is wrong."""
        found = list(self.edition.findings)
        if self.edition.errors or self.edition.library is None:
            return found
        report = self.play()
        return [*found, *report.findings, *check_outcomes(self.edition.library, report.tested)]

    def compile(self) -> Book:
        """The book of the flows. Raises ValueError for flows with errors."""
        return compile_edition(self.edition, self.deployment)

    def play(self, only: Collection[str] | None = None) -> TestReport:
        """Play the tests. Raises ValueError for flows with errors."""
        book = self.compile()
        return play_tests(book, self.tests, build_house(self.config, book.bot.words), self.prefix, only)


def read_flows(config: Config, folder: Path | None = None) -> Flows:
    """The folder of the configuration, or another one."""
    place = folder or config.flows
    sources, tests = read_folder(place)
    deployment, prefix = build_deployment(config), shown_prefix(place)
    return Flows(config, deployment, read_edition(sources, deployment, prefix), tests, prefix)


def load_flows(shell: Shell, config: Config, folder: Path | None = None) -> Flows:
    """The same. With errors in them they are printed, and the command is over with 1."""
    flows = read_flows(config, folder)
    if flows.edition.errors or flows.edition.library is None:
        shell.print_findings(flows.edition.errors)
        raise click.exceptions.Exit(1)
    return flows


def require_flow(shell: Shell, library: Library, flow: str) -> None:
    """A mistake on the command line when there is no such flow; the near ones are named."""
    if flow in library.flows:
        return
    t = shell.t
    close = get_close_matches(flow, library.flows, 3, 0.4) or sorted(library.flows)
    raise click.UsageError(t("There is no flow «{flow}». Perhaps: {known}.", flow=flow, known=", ".join(close)))
