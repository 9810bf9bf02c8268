"""One edition of the flows: the files of the folder, read and checked, with the version of each flow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.check import check
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
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # editors leave such files behind
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
        (tests if name.startswith(TESTS) else flows)[name] = text
    return flows, tests


def edition_id(sources: Mapping[str, str]) -> str:
    """The hash of all files: 16 hex digits."""
    whole = hashlib.sha256()
    for name in sorted(sources):
        if name != URGENT:
            whole.update(f"{name}\0{sources[name]}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()[:16]


def read_edition(sources: Mapping[str, str], deployment: Deployment, prefix: str = "flows/") -> Edition:
    """Read and check. `prefix` is put before file names in findings. Takes tenths of a second of CPU for many flows."""
    files = {name: text for name, text in sources.items() if name != URGENT}
    library, findings = read(files, deployment, prefix)
    if library is not None:
        findings = [*findings, *check(library, deployment)]
    made = versions(library, files) if library is not None else {}
    ordered = tuple(sorted(findings, key=lambda finding: (finding.at, finding.code)))
    return Edition(edition_id(files), dict(sources), library, made, ordered)


def shown_prefix(folder: Path) -> str:
    """How files of the folder are named to people: relative to where they stand when it is below it."""
    relative = os.path.relpath(folder)
    return f"{folder if relative.startswith('..') else relative}/"
