"""The people of a deployment over its store."""

from __future__ import annotations

from collections.abc import Callable

from core.ports import Hints, Store
from gateway.accounts.endings import Endings
from gateway.accounts.people import People
from gateway.config.model import Config
from gateway.metrics import Metrics


def build_people(
    store: Store, config: Config, hints: Hints | None, now: Callable[[], float], metrics: Metrics | None = None
) -> People:
    """`now` gives seconds since the epoch (UTC)."""

    def count(answer: str) -> None:
        if metrics is not None:
            metrics.sign_ins.labels(answer).inc()

    return People(store.accounts, config.accounts, config.lines, now, Endings(hints), count=count)
