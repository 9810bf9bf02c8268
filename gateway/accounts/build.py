"""The people of a deployment over its store."""

from __future__ import annotations

from collections.abc import Callable

from core.ports import Hints, Store
from gateway.accounts.endings import Endings
from gateway.accounts.people import People
from gateway.config.model import Config


def build_people(store: Store, config: Config, hints: Hints | None, now: Callable[[], float]) -> People:
    """`now` gives seconds since the epoch (UTC)."""
    return People(store.accounts, config.accounts, config.lines, now, Endings(hints))
