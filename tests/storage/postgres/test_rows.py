"""The rows of a transaction end with it: nothing about them waits for the collector, which would stop every client."""

from __future__ import annotations

import gc
import weakref

from storage.postgres.numbers import TicketBlocks
from storage.postgres.rows import PostgresRows


async def _no_block(floor: int, size: int) -> int:
    raise AssertionError("nobody asked for a ticket's number")


def test_rows_are_gone_when_nobody_holds_them() -> None:
    gc.collect()
    gc.disable()
    try:
        rows = PostgresRows(object(), "owner", "instance", TicketBlocks(_no_block))
        gone = weakref.ref(rows)
        del rows
        assert gone() is None
    finally:
        gc.enable()
