"""A source that is not ours to run: what is wrong with it, where, and how to write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.findings import Finding, Position
from core.locale import n_

Locate = Callable[[int], Position]

LIMIT = 200  # nodes of one expression or template
TOO_LONG = n_("the expression is too long or nested too deeply (at most {limit} parts)")
TOO_LONG_MEND = n_("split it: put parts of it into names with `set`")


class Refused(Exception):
    """The source is not ours to run: `what` and `mend` are message ids, `offset` is where."""

    def __init__(
        self, offset: int, what: str, mend: str = "", length: int = 0, instead: str = "", **values: Any
    ) -> None:
        super().__init__(what)
        self.offset, self.what, self.mend, self.values = offset, what, mend, values
        self.length, self.instead = length, instead

    def finding(self, locate: Locate) -> Finding:
        return Finding(
            locate(self.offset), "L160", self.what, self.mend, self.values, length=self.length, instead=self.instead
        )


def locate_from(at: Position) -> Locate:
    """Offsets of a value as places of a file, for a value whose first character stands at `at`."""
    return lambda _offset: at
