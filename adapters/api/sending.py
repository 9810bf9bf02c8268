"""One outbox row towards an integrator: rendered, paced, signed, sent part by part under keys of its own, and judged."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import structlog
from yarl import URL

from adapters.api import schema
from adapters.api.capabilities import ANSWER_BYTES
from adapters.api.pacing import Pacer
from adapters.api.render import as_new, encode, render_delete, render_edit, render_send
from adapters.api.signing import Signer
from adapters.api.verdicts import Answer, Judged, judge
from adapters.pacing import Rate
from adapters.remote import Remote, Unanswered
from adapters.sending import PATIENCE_SECONDS, Health, Stopped, later, send_parts, stored
from core.outbox import OutboxRow, Sent
from core.ports import Capabilities, Gate, StorageFull

log = structlog.get_logger("frontline")

ANSWER_SECONDS = 15.0
BRIEF_SECONDS = 5.0  # for what nothing depends on
LINK_SECONDS = 86_400.0
HEADERS = {"Content-Type": "application/json", "User-Agent": "frontline"}


class Sending:
    """Calls one address. The address comes from the settings, so it may be a private one; redirects are not followed.

    What got no answer is sent again under the same key until it is answered: the integrator shows it once.
    """

    def __init__(
        self,
        name: str,
        url: str,
        signer: Signer,
        can: Capabilities,
        rate: Rate | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._url, self._signer, self._can = name, URL(url), signer, can
        self._pacer = Pacer(rate, clock)
        self._remote = Remote(ANSWER_SECONDS, ANSWER_BYTES, allow_private=True, headers=HEADERS)
        self._health = Health("api", name)

    async def close(self) -> None:
        await self._remote.close()

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the first call of the row; the verdict when it must come again later."""
        try:
            await self._pace(row.chat)
        except Stopped as stopped:
            return stopped.sent
        return None

    async def send(self, row: OutboxRow, gate: Gate) -> Sent:
        """The verdict of a send, an edit or a delete. `pace` has let its first call go; the others are paced here."""
        try:
            calls = await self._render(row, gate)
            ids = await self._perform(row, calls, gate)
        except Stopped as stopped:
            return stopped.sent
        kept = [id for call, id in zip(calls, ids, strict=False) if not isinstance(call, schema.Delete)]
        return Sent("sent", platform_ids=tuple(kept))

    async def tell(self, call: schema.Call) -> bool:
        """A call that nothing depends on, once; whether it was taken."""
        if self._pacer.closed(getattr(call, "chat", "")):
            return False
        try:
            async with asyncio.timeout(BRIEF_SECONDS):
                answer = await self._post(call)
        except (Unanswered, TimeoutError):
            return False
        return 200 <= answer.status < 300

    async def _render(self, row: OutboxRow, gate: Gate) -> list[schema.Call]:
        if row.kind == "delete":
            return render_delete(row.chat, row.key, row.target_ids, self._can)
        message = row.message
        if message is None:
            raise Stopped(Sent("rejected", reason="a row without a message"))
        if row.kind == "edit":
            calls = render_edit(message, row.chat, row.key, row.target_ids, self._can)
        else:
            files = [await link_file(file, gate) for file in message.files]
            calls = render_send(message, row.chat, row.key, files, self._can)
        if not calls:
            raise Stopped(Sent("rejected", reason="nothing to show: the text is empty"))
        return calls

    async def _perform(self, row: OutboxRow, calls: list[schema.Call], gate: Gate) -> list[str]:
        first = len(row.sent_parts)

        async def one(index: int) -> str:
            if index > first:
                await self._pace(row.chat)
            return await self._part(row, calls[index])

        return await send_parts(row, len(calls), gate.store, one)

    async def _part(self, row: OutboxRow, call: schema.Call) -> str:
        try:
            judged = judge(await self._post(call), row.attempts)
        except Unanswered as error:
            raise Stopped(Sent("retry", reason=f"unconfirmed: {error}", after=later(row))) from None
        if judged.verdict == "gone":
            other = as_new(call)
            return await self._part(row, other) if other is not None else ""
        if not judged.alarm:
            self._health.good()
        if judged.verdict == "sent":
            return self._shown(call, judged)
        raise Stopped(self._verdict(row, judged))

    def _shown(self, call: schema.Call, judged: Judged) -> str:
        """What the message is called from now on: as they say; an edited one else as before, a new one by our key."""
        if isinstance(call, schema.Edit | schema.Delete):
            return judged.message_id or call.message_id
        if not judged.message_id:
            log.warning("api_answer_without_message_id", channel=self._name)
        return judged.message_id or call.key

    def _verdict(self, row: OutboxRow, judged: Judged) -> Sent:
        if judged.verdict != "retry":
            return Sent("unreachable" if judged.verdict == "unreachable" else "rejected", reason=judged.reason)
        if judged.alarm:
            self._health.bad(int(judged.reason[:3]))
        if judged.scope == "account":
            self._pacer.close_all(judged.after)
        elif judged.scope == "chat":
            self._pacer.close(row.chat, judged.after)
        after = judged.after if judged.scope else _spread(judged.after)
        return Sent("retry", reason=judged.reason, after=after, scope=judged.scope or "chat")

    async def _pace(self, chat: str) -> None:
        closed = self._pacer.closed(chat)
        if closed:
            raise Stopped(Sent("retry", reason="waits as Retry-After asked", after=closed))
        wait = self._pacer.take(PATIENCE_SECONDS)
        if wait > PATIENCE_SECONDS:
            raise Stopped(Sent("retry", reason="waits for the channel's limits", after=wait))
        if wait:
            await asyncio.sleep(wait)

    async def _post(self, call: schema.Call) -> Answer:
        """One signed call. Raises `Unanswered`."""
        body = encode(call)
        headers = self._signer.headers(call.key, time.time(), body)
        reply = await self._remote.ask("POST", self._url, body, {**headers, "Idempotency-Key": call.key})
        return Answer(reply.status, reply.body, reply.after)


async def link_file(id: str, gate: Gate) -> schema.File:
    """A file of ours as the integrator gets it. Raises `Stopped` when it is not here, or not yet."""
    found = await stored(id, gate.store)
    try:
        url = gate.files.link(id, LINK_SECONDS)
    except StorageFull as full:
        raise Stopped(Sent("retry", reason="files cannot be given out now", after=full.after)) from None
    kind = found.kind if found.kind in schema.KINDS else "file"
    return schema.File(id, url, found.name, found.mime, found.size, kind)  # type: ignore[arg-type]


def _spread(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing
