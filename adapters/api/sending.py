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
from adapters.api.verdicts import Answer, Judged, backoff, judge
from adapters.pacing import Rate
from adapters.remote import Remote, Unanswered
from core.outbox import OutboxRow, Sent
from core.ports import Capabilities, Gate, StorageFull

log = structlog.get_logger("frontline")

ANSWER_SECONDS = 15.0
BRIEF_SECONDS = 5.0  # for what nothing depends on
PATIENCE_SECONDS = 10.0  # a longer wait goes back to the store instead of holding the row
FILE_SECONDS = 5.0
LINK_SECONDS = 86_400.0
HEADERS = {"Content-Type": "application/json", "User-Agent": "frontline"}


class Stopped(Exception):
    """The row cannot go on: here is its verdict."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent.reason)
        self.sent = sent


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
        self._trouble = ""

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
        if self._pacer.closed(""):
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
        """The ids of what is shown now; what went out is written down before the next part goes."""
        ids = list(row.sent_parts)
        for index in range(first := len(ids), len(calls)):
            if index > first:
                await self._pace(row.chat)
            ids.append(await self._part(row, calls[index]))
            if index + 1 < len(calls):
                row.sent_parts = tuple(ids)
                await gate.store.progress(row)
        return ids

    async def _part(self, row: OutboxRow, call: schema.Call) -> str:
        try:
            judged = judge(await self._post(call), row.attempts)
        except Unanswered as error:
            raise Stopped(Sent("retry", reason=f"unconfirmed: {error}", after=_spread(backoff(row.attempts)))) from None
        if judged.verdict == "gone":
            other = as_new(call)
            return await self._part(row, other) if other is not None else ""
        self._note_health(judged)
        if judged.verdict == "sent":
            return self._shown(call, judged)
        raise Stopped(self._verdict(row, judged))

    def _shown(self, call: schema.Call, judged: Judged) -> str:
        """What the message is called from now on: as they say; in an edit as before; else by our key, which they know."""
        if isinstance(call, schema.Edit | schema.Delete):
            return call.message_id
        if not judged.message_id:
            log.warning("api_answer_without_message_id", channel=self._name)
        return judged.message_id or call.key

    def _verdict(self, row: OutboxRow, judged: Judged) -> Sent:
        if judged.verdict != "retry":
            return Sent("unreachable" if judged.verdict == "unreachable" else "rejected", reason=judged.reason)
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

    def _note_health(self, judged: Judged) -> None:
        if judged.alarm and self._trouble != judged.reason:
            log.error("api_configuration", channel=self._name, status=judged.reason[:3])
        elif self._trouble and not judged.alarm:
            log.info("api_well_again", channel=self._name)
        self._trouble = judged.reason if judged.alarm else ""


async def link_file(id: str, gate: Gate) -> schema.File:
    """A file of ours as the integrator gets it. Raises `Stopped` when it is not here, or not yet."""
    stored = await gate.store.file(id)
    if stored is None or stored.error:
        raise Stopped(Sent("rejected", reason=f"there is no file {id}"))
    if not stored.sha256:
        raise Stopped(Sent("retry", reason=f"the file {id} is not here yet", after=FILE_SECONDS))
    try:
        url = gate.files.link(id, LINK_SECONDS)
    except StorageFull as full:
        raise Stopped(Sent("retry", reason="files cannot be given out now", after=full.after)) from None
    known = stored.kind in schema.KINDS
    return schema.File(id, url, stored.name, stored.mime, stored.size, stored.kind if known else "file")  # type: ignore[arg-type]


def _spread(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing
