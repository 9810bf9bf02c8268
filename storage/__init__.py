"""The truth: SQL tables behind `core.ports.Store`, and an in-memory twin of them."""

from __future__ import annotations

from collections.abc import Callable

from core.ports import Store
from storage.lockfile import StoreBusy
from storage.migrate import SchemaMismatch
from storage.seal import StoreSealed

__all__ = ["SchemaMismatch", "StoreBusy", "StoreSealed", "open_store"]


def open_store(url: str, clock: Callable[[], float], outer_desks: frozenset[str] = frozenset()) -> Store:
    """The store of a URL, not opened yet: `sqlite:///path` (`sqlite:////` for an absolute one), `postgresql://…`, `memory:`
    or `memory://`.

    `memory:` is a whole store in a temporary folder that goes when it is closed. `clock` gives seconds since the epoch
    (UTC). Raises ValueError for an engine that is not there.
    """
    if url in {"memory:", "memory://"}:
        from storage.fleeting import FleetingStore

        return FleetingStore(clock, outer_desks)
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from storage.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"), clock, outer_desks)
    if url.startswith(("postgresql://", "postgres://")):
        from storage.postgres.store import PostgresStore

        return PostgresStore(url, clock, outer_desks)
    raise ValueError(f"unknown storage {url.partition(':')[0]!r}: use sqlite:///path, postgresql://… or memory:")
