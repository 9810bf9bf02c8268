"""What a check says: all is well, or what is not, why, and how to mend it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple

import msgspec


class Failed(Exception):
    """The endpoint does not do what it should. `what` and `mend` are message ids, `values` fill their places."""

    def __init__(self, what: str, mend: str, **values: Any) -> None:
        super().__init__(what)
        self.what, self.mend, self.values = what, mend, values


class Skipped(Exception):
    """There is nothing to check. The text is a message id."""


class Verdict(msgspec.Struct, frozen=True):
    """Of one check. `title`, `what` and `mend` are message ids; `seconds` is how long it took."""

    id: str
    title: str
    status: Literal["ok", "failed", "skipped"]
    what: str = ""
    mend: str = ""
    values: dict[str, Any] = {}
    seconds: float = 0.0


class Check(NamedTuple):
    """A check of something. `needs` names what a messenger may lack: then it is skipped."""

    id: str
    title: str
    run: Callable[..., Awaitable[None]]
    needs: str = ""
