"""Findings: mistakes of admins, each with its place, its code and the way to mend it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.locale import texts


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a file: the path as shown to people, line and column from 1."""

    file: str
    line: int = 1
    column: int = 1


class Finding(msgspec.Struct, frozen=True):
    """One mistake. `what` and `mend` are English message ids with `{named}` places; `values` fill them.

    `length` is how many characters to underline; `instead` is the text that would mend them (`--explain` shows it).
    """

    at: Position
    code: str
    what: str
    mend: str = ""
    values: dict[str, Any] = {}
    level: Literal["error", "warning"] = "error"
    length: int = 0
    instead: str = ""

    def message(self, language: str) -> str:
        """`what — mend` in the reader's language."""
        t = texts(language)
        said = t(self.what, **self.values)
        return f"{said} — {t(self.mend, **self.values)}" if self.mend else said

    def line(self, language: str) -> str:
        """`file:line:column  CODE message`, the form editors and people read."""
        where = f"{self.at.file}:{self.at.line}:{self.at.column}"
        return f"{where:<31} {self.code} {self.message(language)}"
