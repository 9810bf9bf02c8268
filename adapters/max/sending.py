"""One outbox row towards MAX: rendered, paced, its files uploaded, sent part by part, and judged."""

from __future__ import annotations

import time
from collections.abc import Callable

from adapters.max.api import Api, Refusal, Unconfirmed, Unsent
from adapters.max.render import Call, render_attachment, render_delete, render_edit, render_send
from adapters.max.verdicts import Refused, judge, reason
from adapters.pacing import Limits, Pacer
from adapters.payloads import Json, line, mapping, number
from adapters.sending import Doubts, Health, Memory, Stopped, later, pace, read_bytes, send_parts, stored
from core.files import parse_name
from core.outbox import OutboxRow, Sent
from core.ports import Files, Store, StoredFile


class Sending:
    """Sends rows of one bot. `clock` gives seconds that only grow. MAX takes no key against repeats: what lost its answer is
    repeated once (`Doubts`). An edit, a deletion or an upload may be repeated at will."""

    def __init__(self, api: Api, name: str, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self.pacer = Pacer(limits, clock, even=True)
        self._doubts = Doubts()
        self._health = Health("max", name)
        self._tokens = Memory()  # of files that MAX holds already, but may still be at work on
        self.chats = Memory()  # what MAX calls the dialog with a client, once it has told

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the first call of the row; the verdict when it must come again later."""
        try:
            await pace(row.chat, self.pacer)
        except Stopped as stopped:
            return stopped.sent
        return None

    async def send(self, row: OutboxRow, store: Store, files: Files) -> Sent:
        """The verdict of a send, an edit or a delete. `pace` has let its first call go; the others are paced here."""
        try:
            calls = await self._render(row, store)
            first = len(row.sent_parts)

            async def part(index: int) -> str:
                if index > first:
                    await pace(row.chat, self.pacer)
                return await self._part(row, calls[index], index, files)

            ids = await send_parts(row, len(calls), store, part)
        except Stopped as stopped:
            return stopped.sent
        shown = [id for call, id in zip(calls, ids, strict=False) if call.method != "DELETE"]
        return Sent("sent", platform_ids=tuple(shown))

    async def _render(self, row: OutboxRow, store: Store) -> list[Call]:
        if not row.chat.isdecimal():
            raise Stopped(Sent("rejected", reason="not a client of MAX"))
        if row.kind == "delete":
            return render_delete(row.target_ids)
        if row.message is None:
            raise Stopped(Sent("rejected", reason="a row without a message"))
        if row.kind == "edit":
            calls = render_edit(row.message, row.chat, row.target_ids)
        else:
            calls = render_send(row.message, row.chat, [await stored(file, store) for file in row.message.files])
        if not calls:
            raise Stopped(Sent("rejected", reason="nothing to show: the text is empty"))
        return calls

    async def _part(self, row: OutboxRow, call: Call, index: int, files: Files) -> str:
        try:
            uploaded = [
                render_attachment(kind, await self._token(row, kind, file, files)) for kind, file in call.uploads
            ]
            answer = await self._api.call(call.method, call.path, call.query, _with(call, uploaded))
        except Refusal as refusal:
            return await self._refused(row, call, index, refusal.refused, files)
        except Unsent as error:
            raise Stopped(Sent("retry", reason=f"not sent: {error}", after=later(row))) from None
        except Unconfirmed as error:
            again = Sent("retry", reason=f"unconfirmed: {error}", after=later(row))
            raise Stopped(again if call.method != "POST" else self._doubts.lost(row, index, str(error))) from None
        self._doubts.answered(row, index)
        self._health.good()
        return self._shown(row, call, answer)

    def _shown(self, row: OutboxRow, call: Call, answer: Json) -> str:
        """What the message is called; beside it MAX names the dialog."""
        message = mapping(answer.get("message"))
        chat = number(mapping(message.get("recipient")).get("chat_id"))
        if chat:
            self.chats.remember(row.chat, str(chat))
        return line(mapping(message.get("body")).get("mid"), 512) or call.query.get("message_id", "")

    async def _token(self, row: OutboxRow, kind: str, file: StoredFile, files: Files) -> str:
        """A file is uploaded once, however often its message is tried."""
        key = f"{row.key}:{kind}:{file.id}"
        if key not in self._tokens:
            data = await read_bytes(file, files)
            self._tokens.remember(key, await self._api.upload(kind, parse_name(file.name), data))
        return self._tokens[key]

    async def _refused(self, row: OutboxRow, call: Call, index: int, refused: Refused, files: Files) -> str:
        """The id when the refusal changes nothing for the client or another call will do; else the verdict."""
        final = refused.status in {400, 403, 404} and not refused.not_ready
        if call.method == "DELETE" and final:
            if row.kind == "delete" and refused.status != 404:  # who took it back must know that it is still there
                raise Stopped(Sent("rejected", reason=reason(refused)))
            return ""  # gone already, or too old: nothing to be done
        other = _other_call(row, call, refused) if final else None
        if other is not None:
            return await self._part(row, other, index, files)
        sent = judge(refused, row.attempts)
        if refused.status == 429:
            scope = self.pacer.refused(row.chat, sent.after)
            raise Stopped(Sent("retry", reason=sent.reason, after=sent.after, scope=scope))
        if refused.ours:
            self._health.bad(refused.status)
        raise Stopped(sent)


def _other_call(row: OutboxRow, call: Call, refused: Refused) -> Call | None:
    """What to do instead: a message that cannot be changed is sent anew; one whose quoted message is gone goes without."""
    body = call.body or {}
    if call.method == "PUT":
        anew = {**body, "attachments": body.get("attachments") or []}
        return Call("POST", call.path, {"user_id": row.chat}, anew, call.uploads)
    if body.get("link") and refused.status != 403:
        return call._replace(body={**body, "link": None})
    return None


def _with(call: Call, uploaded: list[dict[str, object]]) -> Json | None:
    """The body with what was uploaded in front of the buttons."""
    if call.body is None or not uploaded:
        return call.body
    return {**call.body, "attachments": [*uploaded, *(call.body["attachments"] or [])]}
