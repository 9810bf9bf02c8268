"""One outbox row towards Telegram: rendered, paced, sent part by part, and judged."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import structlog

from adapters.telegram.library import Bot, BufferedInputFile, methods
from adapters.telegram.pacing import Limits, Pacer
from adapters.telegram.render import Call, asks, render_delete, render_edit, render_name, render_send
from adapters.telegram.session import Refusal, Unconfirmed, Unsent, bare
from adapters.telegram.verdicts import UNCHANGED, UNDELETABLE, UNEDITABLE, Refused, backoff, judge
from core.outbox import OutboxRow, Sent
from core.ports import Files, StorageFull, Store, StoredFile

log = structlog.get_logger("frontline")

# A longer wait for the platform's limits goes back to the store instead of holding the row.
PATIENCE_SECONDS = 10.0
FILE_SECONDS = 5.0
MOST_REMEMBERED = 10_000
METHODS = {
    "sendMessage": methods.SendMessage,
    "sendPhoto": methods.SendPhoto,
    "sendDocument": methods.SendDocument,
    "editMessageText": methods.EditMessageText,
    "deleteMessage": methods.DeleteMessage,
}
BAD_PICTURE = ("photo_invalid_dimensions", "image_process_failed", "photo_save_file_invalid")


class Stopped(Exception):
    """The row cannot go on: here is its verdict."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent.reason)
        self.sent = sent


class Sending:
    """Sends rows of one account. `clock` gives seconds that only grow.

    Telegram has no idempotency key. Policy (at least once): a call whose answer was lost after it was written is repeated
    once, so the client may see it twice but never misses it; lost again, the row ends as `unknown`. A call that never
    left this machine is repeated without limit. Parts that are out are never repeated.
    """

    def __init__(self, bot: Bot, name: str, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot, self._name = bot, name
        self._files: Files | None = None
        self._pacer = Pacer(limits, clock)
        # Row part → nothing, of calls that lost their answer once; chats that show a reply keyboard of ours.
        self._unconfirmed: dict[str, None] = {}
        self._keyboards: dict[str, None] = {}
        self._trouble = ""

    def open(self, files: Files) -> None:
        """From now on files can be sent."""
        self._files = files

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the first call of the row; the verdict when it must come again later."""
        try:
            await self._pace(row.chat)
        except Stopped as stopped:
            return stopped.sent
        return None

    async def send(self, row: OutboxRow, store: Store) -> Sent:
        """The verdict of a send, an edit or a delete. `pace` has let its first call go; the others are paced here."""
        try:
            calls = await self._render(row, store)
            ids = await self._perform(row, calls, store)
        except Stopped as stopped:
            return stopped.sent
        self._note_keyboard(row, calls)
        return Sent("sent", platform_ids=tuple(ids))

    async def _render(self, row: OutboxRow, store: Store) -> list[Call]:
        if row.kind == "delete":
            return render_delete(row.chat, row.target_ids)
        message = row.message
        if message is None:
            raise Stopped(Sent("rejected", reason="a row without a message"))
        if row.kind == "edit":
            calls = render_edit(message, row.chat, row.target_ids)
        else:
            files = [await _stored(file, store, self._name) for file in message.files]
            calls = render_send(message, row.chat, files, self._name, row.chat in self._keyboards)
        if not calls:
            raise Stopped(Sent("rejected", reason="nothing to show: the text is empty"))
        return calls

    async def _perform(self, row: OutboxRow, calls: list[Call], store: Store) -> list[str]:
        """The ids of what is shown now, part by part; what went out is written down before the next part goes."""
        ids = list(row.sent_parts)
        for index in range(first := len(ids), len(calls)):
            if index > first:
                await self._pace(row.chat)
            ids.append(await self._part(row, calls[index], f"{row.key}:{index}"))
            if index + 1 < len(calls):
                row.sent_parts = tuple(ids)
                await store.progress(row)
        return [id for call, id in zip(calls, ids, strict=False) if call.method != "deleteMessage"]

    async def _part(self, row: OutboxRow, call: Call, key: str) -> str:
        try:
            result = await self._call(call)
        except Refusal as refusal:
            return await self._refused(row, call, key, Refused(refusal.code, refusal.message, refusal.parameters))
        except Unsent as error:
            raise Stopped(Sent("retry", reason=f"not sent: {error.message}", after=self._later(row))) from None
        except Unconfirmed as error:
            raise Stopped(self._lost(row, key, error.message)) from None
        self._healthy()
        return _message_id(result, call)

    async def _pace(self, chat: str) -> None:
        closed = self._pacer.closed(chat)
        if closed:
            raise Stopped(Sent("retry", reason="waits as 429 asked", after=closed))
        wait = self._pacer.take(chat, PATIENCE_SECONDS)
        if wait > PATIENCE_SECONDS:
            raise Stopped(Sent("retry", reason="waits for the platform's limits", after=wait))
        if wait:
            await asyncio.sleep(wait)

    async def _call(self, call: Call) -> Any:
        params = call.params
        if call.upload is not None:
            params = {**params, call.field: await self._bytes(call.upload)}
        return await self._bot(bare(METHODS[call.method], params))

    async def _bytes(self, file: StoredFile) -> BufferedInputFile:
        assert self._files is not None, "rows are sent after the start"
        try:
            data = await self._files.read(file.sha256)
        except FileNotFoundError:
            raise Stopped(Sent("rejected", reason=f"the bytes of the file {file.id} are gone")) from None
        except StorageFull as full:
            raise Stopped(Sent("retry", reason=str(full), after=full.after)) from None
        return BufferedInputFile(data, render_name(file))

    async def _refused(self, row: OutboxRow, call: Call, key: str, refused: Refused) -> str:
        """The id when the refusal changes nothing for the client or another call will do; else the verdict."""
        if call.method == "editMessageText" and refused.says(UNCHANGED):
            return str(call.params["message_id"])
        if call.method == "deleteMessage" and refused.code == 400 and refused.says(*UNDELETABLE):
            return ""
        other = _other_call(call, refused)
        if other is not None:
            return await self._part(row, other, key)
        sent = judge(refused, row.attempts)
        if refused.code == 429:
            scope = self._pacer.refused(row.chat, sent.after)
            raise Stopped(Sent("retry", reason=sent.reason, after=sent.after, scope=scope))
        if refused.code in {401, 404}:
            self._unhealthy(refused)
        raise Stopped(sent)

    def _lost(self, row: OutboxRow, key: str, words: str) -> Sent:
        """The first lost answer asks for one repetition, the second leaves the row as `unknown`."""
        if key in self._unconfirmed:
            del self._unconfirmed[key]
            return Sent("unknown", reason=f"no answer twice: {words}")
        _remember(self._unconfirmed, key)
        return Sent("retry", reason=f"unconfirmed: {words}", after=self._later(row))

    def _later(self, row: OutboxRow) -> float:
        return backoff(row.attempts) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, guards nothing

    def _note_keyboard(self, row: OutboxRow, calls: list[Call]) -> None:
        """Remembers which chats show a reply keyboard. Lost with the process: then `one_time_keyboard` folds it away."""
        if row.kind == "send" and row.message is not None and asks(row.message):
            _remember(self._keyboards, row.chat)
        elif any("remove_keyboard" in call.params.get("reply_markup", ()) for call in calls):
            self._keyboards.pop(row.chat, None)

    def _unhealthy(self, refused: Refused) -> None:
        if self._trouble != str(refused.code):
            log.error("telegram_configuration", channel=self._name, status=refused.code)
        self._trouble = str(refused.code)

    def _healthy(self) -> None:
        if self._trouble:
            log.info("telegram_well_again", channel=self._name)
            self._trouble = ""


async def _stored(file: str, store: Store, channel: str) -> StoredFile:
    """The row of a file that can be sent: its bytes are here, or Telegram holds it for this channel."""
    stored = await store.file(file)
    if stored is None or stored.error:
        raise Stopped(Sent("rejected", reason=f"there is no file {file}"))
    if not stored.sha256 and not (stored.ref and stored.channel == channel):
        raise Stopped(Sent("retry", reason=f"the file {file} is not here yet", after=FILE_SECONDS))
    return stored


def _other_call(call: Call, refused: Refused) -> Call | None:
    """What to do instead: a message that cannot be edited is sent anew, a picture that is none goes as a document."""
    if refused.code != 400:
        return None
    if call.method == "editMessageText" and refused.says(*UNEDITABLE):
        return Call("sendMessage", {name: value for name, value in call.params.items() if name != "message_id"})
    if call.method == "sendPhoto" and call.upload is not None and refused.says(*BAD_PICTURE):
        return call._replace(method="sendDocument", field="document")
    return None


def _message_id(result: Any, call: Call) -> str:
    if isinstance(result, dict) and "message_id" in result:
        return str(result["message_id"])
    return str(call.params.get("message_id", ""))


def _remember(memory: dict[str, None], key: str) -> None:
    memory[key] = None
    while len(memory) > MOST_REMEMBERED:
        del memory[next(iter(memory))]
