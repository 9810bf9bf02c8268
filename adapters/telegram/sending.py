"""One outbox row towards Telegram: rendered, paced, sent part by part, and judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from adapters.pacing import Limits, Pacer
from adapters.sending import Doubts, Health, Memory, Stopped, later, pace, read_bytes, send_parts, stored
from adapters.telegram.capabilities import CAPABILITIES
from adapters.telegram.library import Bot, BufferedInputFile, methods
from adapters.telegram.media import Call, as_documents, by_bytes
from adapters.telegram.render import asks, render_delete, render_edit, render_name, render_send
from adapters.telegram.session import Refusal, Unconfirmed, Unsent, bare
from adapters.telegram.verdicts import TOO_OLD, UNCHANGED, UNDELETABLE, UNEDITABLE, Refused, judge, reason
from core.outbox import OutboxRow, Sent
from core.ports import Files, Store, StoredFile

METHODS = {
    "sendMessage": methods.SendMessage,
    "sendPhoto": methods.SendPhoto,
    "sendDocument": methods.SendDocument,
    "sendVideo": methods.SendVideo,
    "sendVoice": methods.SendVoice,
    "sendAudio": methods.SendAudio,
    "sendSticker": methods.SendSticker,
    "sendMediaGroup": methods.SendMediaGroup,
    "editMessageText": methods.EditMessageText,
    "editMessageCaption": methods.EditMessageCaption,
    "deleteMessage": methods.DeleteMessage,
}
EDITS = frozenset(("editMessageText", "editMessageCaption"))
BAD_PICTURE = (
    "photo_invalid_dimensions",
    "image_process_failed",
    "photo_save_file_invalid",
    "voice_messages_forbidden",
)
# An id that Telegram knows no more, or knows as another kind of thing.
BAD_ID = ("wrong file identifier", "wrong file_id", "wrong remote file", "can't use file of type", "file_reference")
JOIN = "+"  # between the ids of a call that shows several messages: they are one part of the row


class Sending:
    """Sends rows of one account. `clock` gives seconds that only grow.

    Telegram has no idempotency key. Policy (at least once): a call whose answer was lost after it was written is repeated
    once, so the client may see it twice but never misses it; lost again, the row ends as `unknown`. A call that never
    left this machine is repeated without limit. Parts that are out are never repeated.
    """

    def __init__(self, bot: Bot, name: str, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._bot, self._name = bot, name
        self._files: Files | None = None
        self.pacer = Pacer(limits, clock)
        self._doubts = Doubts()
        self._keyboards = Memory()  # chats that show a reply keyboard of ours
        self._health = Health("telegram", name)

    def open(self, files: Files) -> None:
        """From now on files can be sent."""
        self._files = files

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits for the first call of the row; the verdict when it must come again later."""
        try:
            await pace(row.chat, self.pacer)
        except Stopped as stopped:
            return stopped.sent
        return None

    async def send(self, row: OutboxRow, store: Store) -> Sent:
        """The verdict of a send, an edit or a delete. `pace` has let its first call go; the others are paced here."""
        try:
            calls = await self._render(row, store)
            parts = await self._perform(row, calls, store)
        except Stopped as stopped:
            return stopped.sent
        self._note_keyboard(row, calls)
        return Sent("sent", platform_ids=tuple(id for part in parts for id in part.split(JOIN)))

    async def _render(self, row: OutboxRow, store: Store) -> list[Call]:
        if row.kind == "delete":
            return render_delete(row.chat, row.target_ids)
        message = row.message
        if message is None:
            raise Stopped(Sent("rejected", reason="a row without a message"))
        if row.kind == "edit":
            calls = render_edit(message, row.chat, row.target_ids)
        else:
            files = [await self._file(file, store) for file in message.files]
            calls = render_send(message, row.chat, files, self._name, row.chat in self._keyboards)
        if not calls:
            raise Stopped(Sent("rejected", reason="nothing to show: the text is empty"))
        return calls

    async def _file(self, id: str, store: Store) -> StoredFile:
        """A file that can be sent. One that is too large need not be carried to Telegram to be refused."""
        file = await stored(id, store, self._name)
        if file.size > CAPABILITIES.file_bytes and not (file.ref and file.channel == self._name):
            limit = CAPABILITIES.file_bytes // 2**20
            raise Stopped(
                Sent("rejected", reason=f"the file {file.id} is larger than the {limit} MB that Telegram takes")
            )
        return file

    async def _perform(self, row: OutboxRow, calls: list[Call], store: Store) -> list[str]:
        """The ids of what is shown now, part by part: an album is one part."""
        first = len(row.sent_parts)

        async def send(index: int) -> str:
            if index > first:
                await pace(row.chat, self.pacer)
            return await self._part(row, calls[index], index)

        ids = await send_parts(row, len(calls), store, send)
        return [id for call, id in zip(calls, ids, strict=False) if call.method != "deleteMessage"]

    async def _part(self, row: OutboxRow, call: Call, index: int) -> str:
        try:
            result = await self._call(call)
        except Refusal as refusal:
            return await self._refused(row, call, index, Refused(refusal.code, refusal.message, refusal.parameters))
        except Unsent as error:
            raise Stopped(Sent("retry", reason=f"not sent: {error.message}", after=later(row))) from None
        except Unconfirmed as error:
            raise Stopped(self._doubts.lost(row, index, error.message)) from None
        self._doubts.answered(row, index)
        self._health.good()
        return _message_id(result, call)

    async def _call(self, call: Call) -> Any:
        params = dict(call.params)
        for field, file in call.uploads:
            assert self._files is not None, "rows are sent after the start"
            params[field] = BufferedInputFile(await read_bytes(file, self._files), render_name(file))
        return await self._bot(bare(METHODS[call.method], params))

    async def _refused(self, row: OutboxRow, call: Call, index: int, refused: Refused) -> str:
        """The id when the refusal changes nothing for the client or another call will do; else the verdict."""
        if call.method in EDITS and refused.says(UNCHANGED):
            return str(call.params["message_id"])
        if call.method == "deleteMessage" and refused.code == 400 and refused.says(*UNDELETABLE):
            if row.kind == "delete" and refused.says(TOO_OLD):  # who took it back must know that it is still there
                raise Stopped(Sent("rejected", reason=reason(refused)))
            return ""
        other = _other_call(call, refused)
        if other is not None:
            return await self._part(row, other, index)
        sent = judge(refused, row.attempts)
        if refused.code == 429:
            scope = self.pacer.refused(row.chat, sent.after)
            raise Stopped(Sent("retry", reason=sent.reason, after=sent.after, scope=scope))
        if refused.code in {401, 404}:
            self._health.bad(refused.code)
        raise Stopped(sent)

    def _note_keyboard(self, row: OutboxRow, calls: list[Call]) -> None:
        """Remembers which chats show a reply keyboard. Lost with the process: then `one_time_keyboard` folds it away."""
        if row.kind == "send" and row.message is not None and asks(row.message):
            self._keyboards.remember(row.chat)
        elif any("remove_keyboard" in call.params.get("reply_markup", ()) for call in calls):
            self._keyboards.pop(row.chat, None)


def _other_call(call: Call, refused: Refused) -> Call | None:
    """What to do instead: a message that cannot be edited is sent anew, a picture that is none goes as a document."""
    if refused.code != 400:
        return None
    if call.method in EDITS and refused.says(*UNEDITABLE):
        names = {"caption": "text", "caption_entities": "entities"}
        kept = {names.get(name, name): value for name, value in call.params.items() if name != "message_id"}
        return Call("sendMessage", kept) if str(kept.get("text", "")).strip() else None
    if refused.says(*BAD_PICTURE):
        return as_documents(call)
    return by_bytes(call) if refused.says(*BAD_ID) else None


def _message_id(result: Any, call: Call) -> str:
    """The id of what is shown, several of an album in one text."""
    if isinstance(result, list):
        return JOIN.join(str(one["message_id"]) for one in result if isinstance(one, dict) and "message_id" in one)
    if isinstance(result, dict) and "message_id" in result:
        return str(result["message_id"])
    return str(call.params.get("message_id", ""))
