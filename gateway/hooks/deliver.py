"""Delivery of one outgoing webhook: one process at a time, one event after another, from a cursor in the database."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from yarl import URL

from adapters.api.signing import Signer, parse_secret
from adapters.remote import Remote, Reply, Unanswered
from core.ports import StorageFull
from gateway.config.hooks import Webhook
from gateway.hooks.payload import build_event, is_wanted, type_of
from gateway.leases import Leases
from gateway.logs import logger
from gateway.metrics import Metrics
from storage.feed import hooks
from storage.feed.reading import bounds
from storage.feed.store import Feed
from storage.ledger import Ledger
from storage.rows import Row
from storage.watch.writing import write_attempt
from storage.work.units import Units

log = logger()
BEAT = 1.0  # seconds: what no hint told of is looked for this often
PAUSES = (
    5.0,
    30.0,
    120.0,
    600.0,
    1800.0,
    3600.0,
)  # after the first failure, the second …; the last one again and again
ANSWER_BYTES = 64 * 1024  # nothing of an answer is used but its status
GONE = 410  # Standard Webhooks: whoever answers so wants nothing any more
SPREAD = 0.1  # part of a pause by which it is longer or shorter


class Delivery:
    """One webhook. `run` is its loop: it waits for the lease `hook:<name>`, so that one process of many delivers."""

    def __init__(
        self,
        name: str,
        settings: Webhook,
        units: Units,
        leases: Leases,
        metrics: Metrics,
        now: Callable[[], float],
        remote: Remote | None = None,
    ) -> None:
        self.name, self._settings, self._units = name, settings, units
        self._leases, self._metrics, self._now = leases, metrics, now
        self._feed = Feed(units)
        self._url = URL(settings.url)
        self._signer = Signer([parse_secret(settings.secret.get_secret_value())])
        headers = {"Content-Type": "application/json", "User-Agent": "frontline"}
        self._remote = remote or Remote(settings.timeout, ANSWER_BYTES, settings.allow_private, headers)
        self._more = asyncio.Event()

    def wake(self) -> None:
        """There may be something to deliver."""
        self._more.set()

    async def close(self) -> None:
        """Close all connections."""
        await self._remote.close()

    async def run(self) -> None:
        """Until cancelled; returns at once over a store without lists."""
        if not self._units.lists:
            return
        while True:
            hold = await self._leases.turn(f"hook:{self.name}")
            while hold.held:
                self._more.clear()
                try:
                    busy = await self.step()
                except StorageFull:
                    busy = False
                if not busy:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(BEAT):
                            await self._more.wait()

    async def step(self) -> bool:
        """Deliver what is next, if anything is and its time has come; whether there may be more. Raises `StorageFull`."""
        await self._feed.number()
        state = await self._units.write(lambda ledger: hooks.begin_hook(ledger, self.name, self._now()))
        self._metrics.hooks_stopped.labels(self.name).set(bool(state["stopped"]))
        if state["stopped"] or state["next_at"] > self._now():
            return False
        state = await self._over_the_gap(state)
        rows = (await self._feed.news(state["cursor"], 0)).rows
        self._metrics.hooks_behind.labels(self.name).set(len(rows))
        if not rows:
            return False
        wanted = [row for row in rows if is_wanted(row, self._settings.events, self._settings.lines)]
        if not wanted or wanted[0]["seq"] > rows[0]["seq"]:
            upto = wanted[0]["seq"] - 1 if wanted else rows[-1]["seq"]
            return await self._take(state, upto)
        return await self._deliver(state, wanted[0])

    async def _over_the_gap(self, state: Row) -> Row:
        """What was trimmed while the webhook failed is lost to it, and the log says so."""
        ends = await self._units.ask(bounds)
        if ends.reach(state["cursor"]):
            return state
        first = ends.oldest - 1 if ends.oldest and state["cursor"] < ends.last else ends.last
        log.error("hook_gap", kind=self.name, after=state["cursor"], count=first - state["cursor"])
        self._metrics.hooks.labels(self.name, "lost").inc()
        await self._take(state, first)
        return {**state, "cursor": first}

    async def _take(self, state: Row, upto: int) -> bool:
        """Everything up to a number is done. Whether the cursor was where it was thought to be does not matter: it is
        read again."""
        take = partial(hooks.take, name=self.name, was=state["cursor"], to=upto, now=self._now())
        await self._units.write(take)
        return True

    def _attempt(self, state: Row, row: Row, status: int, error: str, began: float) -> Row:
        """What is written down of an attempt to deliver."""
        return {
            "hook": self.name,
            "seq": row["seq"],
            "type": type_of(row["kind"]),
            "attempt": state["attempts"] + 1,
            "status": status,
            "error": error,
            "at": self._now(),
            "seconds": time.monotonic() - began,
        }

    async def _deliver(self, state: Row, row: Row) -> bool:
        """One attempt. The id is the event's own, so that a repeat is known as one."""
        body = build_event(row)
        headers = self._signer.headers(f"{self.name}-{row['seq']}", time.time(), body)
        began = time.monotonic()
        try:
            reply = await self._remote.ask("POST", self._url, body, headers)
        except Unanswered as error:
            return await self._failed(state, self._attempt(state, row, 0, str(error), began), None)
        if not reply.ok:
            tried = self._attempt(state, row, reply.status, f"HTTP {reply.status}", began)
            return await self._failed(state, tried, reply)
        tried = self._attempt(state, row, reply.status, "", began)
        self._metrics.hooks.labels(self.name, "ok").inc()
        if state["attempts"]:
            log.info("hook_works_again", kind=self.name, attempts=state["attempts"])
        seq, now = row["seq"], self._now()

        def taken(ledger: Ledger) -> None:
            write_attempt(ledger, tried)
            hooks.take(ledger, self.name, state["cursor"], seq, now)

        await self._units.write(taken)
        return True

    async def _failed(self, state: Row, tried: Row, reply: Reply | None) -> bool:
        now, attempts, why = self._now(), state["attempts"], tried["error"]
        pause = PAUSES[min(attempts, len(PAUSES) - 1)] * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311
        again = now + max(pause, reply.after if reply else 0.0)
        stop = self._reason(state, now, reply)
        self._metrics.hooks.labels(self.name, "failed").inc()
        log.warning("hook_stopped" if stop else "hook_failed", kind=self.name, attempts=attempts + 1, error=why)

        def failed(ledger: Ledger) -> None:
            write_attempt(ledger, tried)
            hooks.fail(ledger, state, again, why, stop, now)

        await self._units.write(failed)
        return False

    def _reason(self, state: Row, now: float, reply: Reply | None) -> str:
        """Why nothing is sent any more; empty while it is tried again."""
        if reply is not None and reply.status == GONE:
            return "gone"
        since = state["failing_since"]
        return "failing" if since and now - since >= self._settings.stop_after else ""


class Hooks:
    """All outgoing webhooks of a process."""

    def __init__(self, deliveries: list[Delivery]) -> None:
        self.deliveries = deliveries

    def wake(self) -> None:
        """There may be something to deliver."""
        for delivery in self.deliveries:
            delivery.wake()

    async def close(self) -> None:
        """Close all connections."""
        for delivery in self.deliveries:
            await delivery.close()


def build_hooks(
    configured: dict[str, Webhook], units: Units, leases: Leases, metrics: Metrics, now: Callable[[], float]
) -> Hooks:
    """Those of the configuration; one without a secret is off."""
    return Hooks(
        [
            Delivery(name, settings, units, leases, metrics, now)
            for name, settings in configured.items()
            if settings.secret.get_secret_value()
        ]
    )
