"""What is counted and measured, for Prometheus. Labels are names of the config, never anything of a client."""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from core.ports import StorageFull, Store

STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
STORE_SECONDS = 3.0  # that the page waits for the store
SEND_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class Metrics:
    """The numbers of one gateway, in a registry of their own so that tests can run many gateways."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self.messages = Counter("frontline_messages", "Events taken in", ["channel", "kind"], **made)
        self.duplicates = Counter(
            "frontline_duplicates", "Repeated deliveries that changed nothing", ["channel"], **made
        )
        self.quarantined = Counter("frontline_quarantined", "Payloads that could not be read", ["channel"], **made)
        self.door = Counter(
            "frontline_door",
            "Deliveries turned away unread, and those that the platform repeats",
            ["channel", "what"],
            **made,
        )
        self.refused = Counter("frontline_intake_refused", "Deliveries answered 503", ["channel"], **made)
        self.step = Histogram("frontline_step_seconds", "Time of one pure step", buckets=STEP_BUCKETS, **made)
        self.poisoned = Counter("frontline_step_failures", "Steps that raised", **made)
        self.sends = Counter("frontline_sends", "Outbox rows settled", ["channel", "kind", "verdict"], **made)
        self.delivery = Histogram(
            "frontline_delivery_seconds",
            "From the turn's commit to the platform's answer",
            buckets=SEND_BUCKETS,
            **made,
        )
        self.calls = Counter("frontline_calls", "Service calls by outcome", ["service", "status"], **made)
        self.codes = Counter(
            "frontline_codes", "One-time codes: offered, and what came of those sent", ["answer"], **made
        )
        self.sign_ins = Counter("frontline_sign_ins", "Attempts of people to sign in", ["answer"], **made)
        self.phones = Counter(
            "frontline_phones", "Phones that a messenger proved, by what they joined", ["answer"], **made
        )
        self.tickets = Counter("frontline_tickets", "Tickets created", ["desk"], **made)
        self.handoffs = Counter("frontline_handoffs", "Sessions put on a line's queue", ["line"], **made)
        self.flooded = Counter("frontline_flooded", "Messages kept from flows by the flood limit", ["channel"], **made)
        self.hints = Gauge(
            "frontline_hints_up", "1 while Redis takes hints; 0 without Redis, or while it is lost", **made
        )
        self.publishes = Counter("frontline_publishes", "Attempts to publish flows", ["result"], **made)
        self.behind = Gauge("frontline_flows_behind", "1 while this process cannot serve the current flows", **made)
        self.silence = Gauge(
            "frontline_silence_seconds", "Since the last event of a channel, or since the start", ["channel"], **made
        )
        self.lease = Gauge("frontline_lease", "1 while this process polls or sends for a channel", ["lease"], **made)
        self.leases_lost = Counter("frontline_leases_lost", "Leases that ended before they were given back", **made)
        self.busy = Gauge("frontline_busy", "1 while new messages are refused: see the reasons", ["reason"], **made)
        for counted in (self.messages, self.duplicates, self.sends, self.calls):
            # What a metric has for these labels never changes, and looking it up costs more than counting.
            counted.labels = cache(counted.labels)  # type: ignore[method-assign]
        self._watch_people(made)
        self.tasks = Gauge("frontline_tasks", "asyncio tasks of this process", **made)
        self._heard: dict[str, float] = {}
        self.depth = Gauge(
            "frontline_store", "Inbox, outbox, timers, queue: rows and ages in seconds", ["what"], **made
        )

    def _watch_people(self, made: dict[str, Any]) -> None:
        """Sockets of people at work, and other systems that are told."""
        self.live_sockets = Gauge("frontline_live_sockets", "Open sockets of people at work", **made)
        self.live_messages = Counter("frontline_live_messages", "Changes sent to sockets of people at work", **made)
        self.live_ends = Counter("frontline_live_ends", "Sockets of people at work that ended", ["code"], **made)
        self.hooks = Counter("frontline_hooks", "Attempts to deliver outgoing webhooks", ["hook", "answer"], **made)
        self.hooks_stopped = Gauge("frontline_hook_stopped", "1 while an outgoing webhook is stopped", ["hook"], **made)
        self.hooks_behind = Gauge(
            "frontline_hook_behind", "Changes that an outgoing webhook has not got", ["hook"], **made
        )

    def heard(self, channel: str) -> None:
        """A channel has brought something, or has just begun to listen."""
        self._heard[channel] = time.monotonic()

    async def page(self, store: Store) -> bytes:
        """The whole page, with the store's gauges read now; without them while the store does not answer."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                for what, value in (await store.stats()).items():
                    self.depth.labels(what).set(value)
        except (StorageFull, TimeoutError):
            self.depth.clear()  # old numbers of a store that is away would look like news
        for channel, at in self._heard.items():
            self.silence.labels(channel).set(time.monotonic() - at)
        self.tasks.set(len(asyncio.all_tasks()))
        return generate_latest(self.registry)
