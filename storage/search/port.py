"""Search over what was said, what is known of clients, and tickets: one port for both engines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

import msgspec

from core.access import Sight

Kind = Literal["message", "note", "fields", "ticket", "client"]
Key = tuple[str, int, int]  # kind, home and number of a document
KINDS: tuple[Kind, ...] = ("message", "note", "fields", "ticket", "client")


class Document(msgspec.Struct, frozen=True):
    """Something that can be found. `home` is its conversation, 0 for tickets and clients; `number` its place in the history,
    its id or number. `at` orders what is found (seconds since the epoch)."""

    kind: Kind
    home: int
    number: int
    at: float
    text: str

    @property
    def key(self) -> Key:
        return self.kind, self.home, self.number


class Wanted(msgspec.Struct, frozen=True):
    """A question. Empty texts and 0 ask for nothing in particular; `before` is the `at` and id of the last hit of the page
    before."""

    text: str
    kind: str = ""
    line: str = ""
    channel: str = ""
    since: float = 0.0
    until: float = 0.0
    before: tuple[float, int] | None = None
    limit: int = 20


class Hit(msgspec.Struct, frozen=True):
    """Something that was found, with what it belongs to now. `marks` are places in `text`, a part of the whole."""

    id: int
    kind: Kind
    conversation: int
    number: int
    at: float
    client: int
    channel: str
    line: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


Rest = Callable[[], Awaitable[None]]


async def no_rest() -> None:
    """For who is in nobody's way."""


class Search(Protocol):
    """An index beside the store. It follows the store's commits, and is made anew from it where it has gaps."""

    unit: int  # conversations that are followed at once
    anew: int  # how often it was made anew since it was opened: then everything is to be read again

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def find(self, wanted: Wanted, sight: Sight) -> list[Hit]:
        """What somebody with this sight may find, the newest first. Raises `StorageFull`."""
        ...

    async def follow(
        self, homes: Sequence[int], clients: Sequence[int], tickets: Sequence[int], rest: Rest = no_rest
    ) -> None:
        """Bring the documents of these up to date with what is committed. `rest` is waited for between parts that hold others
        up. Raises `StorageFull`."""
        ...

    async def stale(self, after: int, limit: int) -> tuple[list[int], int]:
        """Of the next `limit` conversations behind `after`, those whose documents are of an older version; and the last one
        that was looked at, 0 at the end."""
        ...

    async def changed_tickets(self, since: float, limit: int) -> list[tuple[int, float]]:
        """Tickets that were changed since, with when, the oldest first."""
        ...
