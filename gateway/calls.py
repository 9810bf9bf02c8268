"""Remote work beside the lanes: service calls, tickets of outer desks, files to fetch. Results return through the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.events import CallDone
from core.kinds import is_inert, label
from core.outbox import OutboxRow, Sent
from core.ports import Channel, Files, Outcome, OuterDesk, Service, StorageFull, Store
from core.tickets import TicketChange
from gateway.failpoints import failpoint
from gateway.files import link_files
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.typing import Typing

log = logger()
MOST_AT_ONCE = 32
# A client waits for what a service answers: one that asks to come later is asked so often, then `failed` answers.
MOST_ATTEMPTS = 8
# Nobody waits for an outer desk or a file: they are tried for about a day, with pauses of at most a quarter of an hour.
PATIENT_ATTEMPTS = 100
LONGEST_PAUSE = 900.0


class Calls:
    """Runs one row. `file_limit` is in bytes; `hands` says whether this process sends for a channel."""

    def __init__(
        self,
        store: Store,
        services: dict[str, Service],
        desks: dict[str, OuterDesk],
        channels: dict[str, Channel],
        files: Files,
        metrics: Metrics,
        file_limit: int = 20 << 20,
        hands: Callable[[str], bool] = lambda channel: True,
    ) -> None:
        self._store, self._services, self._desks, self._channels = store, services, desks, channels
        self._files, self._metrics, self._file_limit = files, metrics, file_limit
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._typing = Typing(channels, hands)
        self._by_kind: dict[str, Callable[[OutboxRow], Awaitable[Sent]]] = {
            "call": self._call,
            "ticket": self._ticket,
            "fetch": self._fetch,
        }

    async def run(self, row: OutboxRow) -> Sent:
        """The verdict of the row; its result, if a flow waits for one, is in the inbox before this returns."""
        async with self._slots:
            try:
                return await self._by_kind[row.kind](row)
            except StorageFull as full:
                return await self._wait(row, full)
            except Exception as error:
                log.error("side_row_failed", row=row.id, kind=row.kind, error_type=type(error).__name__, exc_info=True)
                return await self._later(row, type(error).__name__)

    async def _wait(self, row: OutboxRow, full: StorageFull) -> Sent:
        """The bucket, the disk or the database is away: that is no fault of the row, so it waits however long it takes."""
        log.warning("side_row_waits", row=row.id, kind=row.kind, error=str(full))
        if row.kind == "ticket":
            await self._tell(row, Outcome("ok"))
        return Sent("retry", reason=str(full), after=max(full.after, _pause(row)))

    async def _later(self, row: OutboxRow, reason: str, after: float = 0.0) -> Sent:
        """Again after a pause, or given up."""
        if row.kind == "ticket":
            # It is here and has its number: the client need not wait until the desk is back.
            await self._tell(row, Outcome("ok"))
        if row.attempts < (MOST_ATTEMPTS if row.kind == "call" else PATIENT_ATTEMPTS):
            return Sent("retry", reason=reason, after=after or _pause(row))
        if row.kind == "fetch":
            await self._store.store_file(row.payload["file"], "", 0, "", error=reason)
        await self._tell(row, Outcome("failed", error=reason))
        return Sent("rejected", reason=reason)

    async def _call(self, row: OutboxRow) -> Sent:
        name = row.payload["service"]
        service = self._services.get(name)
        conversation = await self._store.conversation(row.conversation)
        if service is None or conversation is None:
            outcome = Outcome("failed", error="service is not configured")
        else:
            async with self._typing.shown(row):
                outcome = await service.call(row.payload["call"], row.payload["params"], row.key, conversation.client)
        self._metrics.calls.labels(name, outcome.status).inc()
        if outcome.status == "retry" and row.attempts < MOST_ATTEMPTS:
            return await self._later(row, outcome.error, outcome.after)
        await self._tell(row, outcome)
        return Sent("sent")

    async def _ticket(self, row: OutboxRow) -> Sent:
        ticket = await self._store.ticket(row.payload["number"])
        desk = self._desks.get(ticket.desk) if ticket else None
        if ticket is None or desk is None:
            outcome = Outcome("failed", error="desk is not configured")
        else:
            outcome = await desk.push(ticket, row.key, await link_files(ticket.files, self._store, self._files))
            self._metrics.calls.labels(ticket.desk, outcome.status).inc()
            if outcome.status == "ok":
                number, link = str(outcome.take.get("number") or ""), str(outcome.take.get("link") or "")
                change = TicketChange(ticket.number, "desk", outer_number=number, outer_link=link, tell=False)
                await self._store.change_ticket(change)
        if outcome.status == "retry":
            return await self._later(row, outcome.error, outcome.after)
        await self._tell(row, outcome)
        return Sent("sent") if outcome.status == "ok" else Sent("rejected", reason=outcome.error)

    async def _tell(self, row: OutboxRow, outcome: Outcome) -> None:
        """The result as an event, once per row: told before the row is marked, so a crash between repeats nothing."""
        key = row.payload.get("key")
        if not key:
            return
        status = "failed" if outcome.status == "retry" else outcome.status
        event = CallDone(key, status, outcome.take, outcome.error)
        await self._store.push(row.conversation, event, f"done:{row.key}")

    async def _fetch(self, row: OutboxRow) -> Sent:
        file, ref = row.payload["file"], row.payload["ref"]
        channel = self._channels.get(row.channel)
        if channel is None:
            return Sent("retry", reason="channel is off", after=60.0)
        try:
            data, mime = await channel.fetch(ref, self._file_limit)
        except ValueError as error:
            await self._store.store_file(file, "", 0, "", error=str(error))
            return Sent("rejected", reason=str(error))
        sha256 = await self._files.keep(data)
        failpoint("files.saved")
        await self._store.store_file(file, sha256, len(data), await self._kind(row, sha256, mime))
        return Sent("sent")

    async def _kind(self, row: OutboxRow, sha256: str, claimed: str) -> str:
        """The mime type by the bytes. A file that only pretends to be something is counted."""
        stored = await self._store.file(row.payload["file"])
        name = stored.name if stored else ""
        mime = await self._files.mime(sha256, name)
        if is_inert(name, mime):
            self._metrics.door.labels(row.channel, "inert_file").inc()
        return label(mime, claimed)


def _pause(row: OutboxRow) -> float:
    """Seconds until the next attempt, growing."""
    return min(LONGEST_PAUSE, 2.0 ** min(row.attempts, 10))
