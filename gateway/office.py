"""What commands ask of a store: tickets, unanswered texts, a conversation's past, the published flows. JSON in and out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from core.ports import Store
from gateway.accounts.build import build_people
from gateway.accounts.office import AccountsOffice
from gateway.accounts.people import People
from gateway.clientele import Clientele
from gateway.config.model import Config
from gateway.control import NotRunning, Refused, ask, socket_path
from gateway.deployment import build_deployment
from gateway.edition import Urgency
from gateway.hints import build_hints
from gateway.hooks.office import HooksOffice
from gateway.metrics import Metrics
from gateway.publish import Publisher, render_problems
from gateway.replybook import ReplyBook
from gateway.reporting import Reports
from handoff.metrics import REPORTS
from handoff.metrics_tables import BYS, Question
from storage.tickets.deeds import push_again
from storage.tickets.reading import NOTES
from storage.work.units import Based, Units

Ask = Callable[..., Awaitable[Any]]


class Office:
    """Answers commands with values that survive JSON; the same inside `run` and over a store opened by the command."""

    def __init__(
        self, store: Store, publisher: Publisher, people: People | None = None, webhooks: Collection[str] = ()
    ) -> None:
        self._store, self._publisher = store, publisher
        self.clientele = Clientele(store)
        self.hooks = HooksOffice(store, webhooks)
        self.replybook = ReplyBook(store, publisher.lines)
        self.accounts = AccountsOffice(people).answers() if people else {}

    def answers(self) -> dict[str, Ask]:
        """The commands by name, for the control socket."""
        return {
            "status": self.status,
            "publish": self.publish,
            "tickets": self.tickets,
            "ticket": self.ticket,
            "push_again": self.push_again,
            "uncaught": self.uncaught,
            "events": self.events,
            "report": self.report,
            "named": self.named,
            "clients": self.clientele.clients,
            "client": self.clientele.client,
            "joins": self.clientele.joins,
            "join": self.clientele.join,
            "unjoin": self.clientele.unjoin,
            "suggestions": self.clientele.suggestions,
            **self.hooks.answers(),
            **self.replybook.answers(),
            **self.accounts,
        }

    async def status(self) -> dict[str, Any]:
        """Versions and the runs on each, and the numbers of the store."""
        return {"flows": await self._publisher.status(), "store": await self._store.stats()}

    async def publish(
        self, urgent: bool = False, rollback: str = "", language: str = "en", by: str = "", why: str = ""
    ) -> dict[str, Any]:
        """Switch to the edited flows, or back to an older edition. Raises Refused when there is no such edition."""
        urgency = Urgency(by, why) if urgent else None
        try:
            outcome = await (
                self._publisher.rollback(rollback, urgent=urgency)
                if rollback
                else self._publisher.publish(urgent=urgency)
            )
        except LookupError:
            raise Refused("edition") from None
        return {
            "live": outcome.live,
            "id": outcome.id,
            "changed": list(outcome.changed),
            "tests": outcome.tests,
            "seconds": outcome.seconds,
            "problems": render_problems(outcome, language),
        }

    async def tickets(
        self, desk: str | None = None, status: str | None = None, client: int | None = None, limit: int = 50
    ) -> list[Any]:
        """The newest tickets first."""
        found = await self._store.tickets(client=client, desk=desk, status=status, limit=limit)
        return [msgspec.to_builtins(ticket) for ticket in found]

    async def ticket(self, number: int) -> Any:
        """One ticket with the names of its files. Raises Refused when there is none."""
        ticket = await self._store.ticket(number)
        if ticket is None:
            raise Refused("ticket")
        files = [await self._store.file(id) for id in ticket.files]
        notes = await Units(cast(Based, self._store)).ask(lambda reads: reads.all(NOTES, number=number))
        return msgspec.to_builtins(ticket) | {
            "stored": [msgspec.to_builtins(file) for file in files if file],
            "notes": notes,
        }

    async def push_again(self, number: int) -> None:
        """Send a ticket to its outer desk once more. Raises Refused when there is none, or it has no such desk."""
        ticket = await self._store.ticket(number)
        homes = [ticket.conversation] if ticket is not None else []
        units = Units(cast(Based, self._store))
        against = await units.write(lambda ledger: push_again(ledger, number, "console"), homes)
        if against:
            raise Refused("ticket")

    async def uncaught(self, limit: int = 100) -> list[Any]:
        """Texts that no flow caught: [text, times, last time], most frequent first."""
        return [list(row) for row in await self._store.uncaught(limit)]

    async def report(
        self,
        name: str,
        by: str,
        zone: str,
        since: float,
        until: float,
        line: str = "",
        channel: str = "",
        operator: str = "",
    ) -> list[Any]:
        """The rows of a report of the sessions that began in a time (seconds since the epoch), the total last."""
        assert by in BYS
        asked = Question(REPORTS[name], by, ZoneInfo(zone), line, channel, operator)
        table = await Reports(Units(cast(Based, self._store))).table(asked, since, until)
        return [msgspec.to_builtins(row) for row in (*table.rows, table.total)]

    async def named(self, hashes: list[str]) -> list[str]:
        """Those of the hashes that a file has."""
        return sorted(await self._store.named_hashes(hashes))

    async def events(self, conversation: int) -> Any:
        """A conversation with all its processed events. Raises Refused when there is none."""
        found = await self._store.conversation(conversation)
        if found is None:
            raise Refused("conversation")
        return msgspec.to_builtins({"conversation": found, "events": await self._store.events(conversation)})


@asynccontextmanager
async def reach(config: Config) -> AsyncIterator[Ask]:
    """The way to the office: through the running gateway if there is one, else over the store, opened here."""
    path = socket_path(config)
    if path is not None and path.exists():
        try:
            await ask(path, "status")
        except NotRunning:
            pass
        else:
            yield lambda do, **params: ask(path, do, **params)
            return
    async with opened(config) as office:
        answers = office.answers()
        yield lambda do, **params: answers[do](**params)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Office]:
    """The office over a store of one's own. Raises `StorageFull` or OSError when it cannot be opened."""
    from storage import open_store

    outer = frozenset(name for name, desk in build_deployment(config).desks.items() if desk.outer)
    store = open_store(config.storage.url, time.time, outer)
    await store.open()
    # Who serves, and that something new is to be served, is known through hints; nobody hears those of this process alone.
    hints = build_hints(config, Metrics()) if store.shared and config.redis.url else None
    people = build_people(store, config, hints, time.time)
    try:
        if hints is not None:
            await hints.open()
        yield Office(store, Publisher(store, config, hints=hints), people, config.webhooks)
    finally:
        people.close()
        if hints is not None:
            await hints.close()
        await store.close()
