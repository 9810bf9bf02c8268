"""One edition of the flows: the files of the folder, read and checked, with the version of each flow."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.book import Book, build_book, bundle_id
from bot.check import check, unique
from bot.model import Library
from bot.reading import read, versions
from bot.testing import Failure, TestReport, run_tests
from core.deployment import Deployment
from core.findings import Finding
from handoff.lines import House, line_facts

TESTS = "tests/"
# A name that cannot be a file of the folder: it marks an edition whose predecessors were ended at once. Beside it stands
# who did so, and why.
URGENT = "!urgent"


@dataclass(frozen=True)
class Urgency:
    """Who ended older versions at once, and why."""

    by: str = ""
    why: str = ""

    def text(self) -> str:
        """As it stands in a bundle."""
        return json.dumps(self.plain(), ensure_ascii=False)

    def plain(self) -> dict[str, str]:
        return {"by": self.by, "why": self.why}

    @classmethod
    def read(cls, text: str) -> Urgency:
        """From a bundle; one of before these words were kept has none."""
        values = json.loads(text) if text else {}
        return cls(values.get("by", ""), values.get("why", ""))


@dataclass(frozen=True)
class Edition:
    """Files and what was found in them. `library` is there when the files could be read, errors or not."""

    id: str
    sources: dict[str, str]
    library: Library | None
    versions: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> list[Finding]:
        """What keeps the edition from going live."""
        return [finding for finding in self.findings if finding.level == "error"]

    @property
    def sound(self) -> bool:
        """Whether it can be compiled here."""
        return self.library is not None and not self.errors

    def require(self) -> Library:
        """The library of a sound edition. Raises ValueError for one with errors."""
        if self.library is None or self.errors:
            raise ValueError("an edition with errors cannot be compiled")
        return self.library


def read_folder(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The flow files and the test files of a folder, by path relative to it. Bytes that are not UTF-8 stay findable.

    Raises OSError for a file that cannot be read.
    """
    flows: dict[str, str] = {}
    tests: dict[str, str] = {}
    for path in sorted(folder.rglob("*.yaml")):
        relative = path.relative_to(folder)
        if path.is_dir() or any(part.startswith(".") for part in relative.parts):
            continue  # editors leave such files behind
        name = relative.as_posix()
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
        (tests if name.startswith(TESTS) else flows)[name] = text
    return flows, tests


def folder_time(folder: Path) -> float:
    """When a file of the folder was changed last (seconds since the epoch); 0 for a folder without files."""
    times = [path.stat().st_mtime for path in folder.rglob("*.yaml") if path.is_file()]
    return max(times, default=0.0)


def edition_id(sources: Mapping[str, str]) -> str:
    """The hash of all files: 16 hex digits."""
    return bundle_id(files_of(sources))


def files_of(sources: Mapping[str, str]) -> dict[str, str]:
    """The files among the sources of a bundle."""
    return {name: text for name, text in sources.items() if name != URGENT}


def read_edition(sources: Mapping[str, str], deployment: Deployment, prefix: str = "flows/") -> Edition:
    """Read and check. `prefix` stands before file names in findings. Costs CPU: run it off the event loop."""
    files = files_of(sources)
    library, findings = read(files, deployment, prefix)
    made: dict[str, str] = {}
    if library is not None:
        findings = unique([*findings, *check(library, deployment)])
        made = versions(library, files)
    return Edition(bundle_id(files), dict(sources), library, made, tuple(findings))


def compile_edition(edition: Edition, deployment: Deployment) -> Book:
    """The book of one edition. Raises ValueError for one with errors. Costs CPU."""
    return build_book(edition.require(), deployment, edition.versions, edition.id)


def play_tests(
    book: Book, tests: Mapping[str, str], house: House, prefix: str = "flows/", only: Collection[str] | None = None
) -> TestReport:
    """Play the tests of the flows `only` (all without it), in the hours of the house. Costs CPU."""
    return run_tests(book, tests, only, lambda line, now: line_facts(house, now)[line], prefix)


def render_failure(failure: Failure) -> str:
    """A failed test as a line for people and editors."""
    at = failure.at
    return f"{at.file}:{at.line}:{at.column}  «{failure.test}»: {failure.what}"


def shown_prefix(folder: Path) -> str:
    """How files of the folder are named to people: relative to where they stand when it is below it."""
    relative = os.path.relpath(folder)
    return f"{folder if relative.startswith('..') else relative}/"
