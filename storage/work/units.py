"""How the parts that people work with ask the store and write into it: whole questions, whole units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

from storage.accounts.once import MARK, under_way
from storage.asked import Asked
from storage.ledger import Ledger

T = TypeVar("T")


class Based(Protocol):
    """A store of SQL: `SQLiteStore` or `PostgresStore`. The in-memory twin has no lists."""

    async def look(self, question: Callable[[Any], T]) -> T: ...
    async def locked(self, homes: Sequence[int], work: Callable[[Ledger], T]) -> T: ...


class Units:
    """A question to committed data, or a unit of writing. Both run outside the loop's sight and must not wait for it."""

    def __init__(self, store: Based) -> None:
        self._store = store

    @property
    def lists(self) -> bool:
        """Whether there are any: a gateway over the in-memory twin runs no loops that ask for them."""
        return getattr(self._store, "lists", True)

    async def ask(self, question: Callable[[Asked], T]) -> T:
        """Committed data, through a reader. Raises `StorageFull` when the database is away."""
        return await self._store.look(question)

    async def write(self, work: Callable[[Ledger], T], homes: Sequence[int] = ()) -> T:
        """One unit: all of it is committed when this returns, or nothing was written. `homes` are conversations that the
        unit has to itself. Statements of one's own run on `asked(ledger)`. Raises `StorageFull`.

        With it the request of the API that asks for it is marked as done.
        """
        once = under_way()
        if once is None:
            return await self._store.locked(homes, work)

        def both(ledger: Ledger) -> T:
            made = work(ledger)
            asked(ledger).run(MARK, of=once.owner, named=once.key, became=once.status)
            return made

        made = await self._store.locked(homes, both)
        once.done = True
        return made


def asked(ledger: Ledger) -> Asked:
    """The statements' way into a unit of writing."""
    return cast(Asked, ledger.rows)
