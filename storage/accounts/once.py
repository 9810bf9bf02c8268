"""Writes under an idempotency key: the unit of writing that does the deed says so itself, so that no death can come between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import bindparam, literal_column, update

from storage.accounts.schema import requests

MARK = (
    update(requests)
    .where(
        requests.c.owner == bindparam("of"),
        requests.c.key == bindparam("named"),
        requests.c.status == literal_column("0"),
    )
    .values(status=bindparam("became"))
)


@dataclass
class Once:
    """A write under way: whose, under which key, and the status of its answer. `done`: a unit that did something of it is
    committed, so it must not be done again whatever becomes of the rest."""

    owner: str
    key: str
    status: int
    done: bool = False
    over: bool = False  # tasks that the write has started do not speak for it


_under_way: ContextVar[Once | None] = ContextVar("once", default=None)


@contextmanager
def one_write(owner: str, key: str, status: int) -> Iterator[Once]:
    """While this lasts, units of writing of this task mark the request as done."""
    once = Once(owner, key, status)
    token = _under_way.set(once)
    try:
        yield once
    finally:
        once.over = True
        _under_way.reset(token)


def under_way() -> Once | None:
    """The write that this task does."""
    once = _under_way.get()
    return None if once is None or once.over else once
