"""One outbox row towards VK: rendered, paced, sent part by part with a key of its own, and judged."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from adapters.sending import Health, Memory, Stopped, later, send_parts, stored
from adapters.vk.api import Api, Closed
from adapters.vk.methods import Refusal, Trouble
from adapters.vk.render import (
    HIDE,
    Call,
    is_inline,
    render_delete,
    render_edit,
    render_key,
    render_send,
    without_keyboard,
    without_quote,
)
from adapters.vk.uploads import Uploads
from adapters.vk.verdicts import (
    FLOOD,
    UNANSWERABLE,
    UNDELETABLE,
    UNEDITABLE,
    WITHOUT_BUTTONS,
    Refused,
    is_alarm,
    judge,
)
from core.outbox import OutboxRow, Sent
from core.ports import Store

log = structlog.get_logger("frontline")


class Sending:
    """Sends rows of one community.

    VK shows a message with a known `random_id` once, so whatever had no answer is simply sent again.
    """

    def __init__(self, api: Api, uploads: Uploads, name: str) -> None:
        self._api, self._uploads, self._name = api, uploads, name
        self._keyboards = Memory()  # chats that show a keyboard of ours in place of their own
        self._health = Health("vk", name)

    async def pace(self, row: OutboxRow) -> Sent | None:
        """A `retry` while VK must not be asked for this chat; the pace of requests is kept where they are made."""
        after = self._api.windows.closed(row.chat)
        return Sent("retry", reason="waits as an error asked", after=after) if after else None

    async def send(self, row: OutboxRow, store: Store) -> Sent:
        """The verdict of a send, an edit or a delete."""
        try:
            calls = await self._render(row, store)
            ids = await self._perform(row, calls, store)
        except Stopped as stopped:
            return stopped.sent
        self._note_keyboard(row, calls)
        return Sent("sent", platform_ids=tuple(ids))

    async def typing(self, chat: str) -> None:
        """Shows “typing…”, when nothing else wants to be asked and VK lets us."""
        if not chat.isdecimal() or not self._api.idle(chat):
            return
        try:
            await self._api.call("messages.setActivity", {"peer_id": int(chat), "type": "typing"})
        except Refusal as refusal:
            if refusal.refused.code == FLOOD:
                self._api.windows.close(chat, judge(refusal.refused, 0).after)
        except (Trouble, Closed) as error:
            log.debug("vk_typing_not_shown", channel=self._name, error=type(error).__name__)

    async def _render(self, row: OutboxRow, store: Store) -> list[Call]:
        if not row.chat.isdecimal():
            raise Stopped(Sent("rejected", reason="not a chat of VK"))
        if row.kind == "delete":
            return render_delete(row.chat, row.target_ids)
        if row.message is None:
            raise Stopped(Sent("rejected", reason="a row without a message"))
        if row.kind == "edit":
            calls = render_edit(row.message, row.chat, row.target_ids)
        else:
            files = [await stored(file, store) for file in row.message.files]
            calls = render_send(row.message, row.chat, files, row.chat in self._keyboards)
        if not calls:
            raise Stopped(Sent("rejected", reason="nothing to show: the text is empty"))
        return calls

    async def _perform(self, row: OutboxRow, calls: list[Call], store: Store) -> list[str]:
        """The ids of what is shown now."""
        ids = await send_parts(row, len(calls), store, lambda index: self._part(row, calls[index], index))
        return [id for call, id in zip(calls, ids, strict=False) if call.method != "messages.delete"]

    async def _part(self, row: OutboxRow, call: Call, index: int) -> str:
        after = self._api.windows.closed(row.chat)
        if after:
            raise Stopped(Sent("retry", reason="waits as an error asked", after=after))
        try:
            result = await self._call(row, call, index)
        except Refusal as refusal:
            return await self._refused(row, call, index, refusal.refused)
        except Closed as closed:
            raise Stopped(Sent("retry", reason=str(closed), after=closed.after, scope="account")) from None
        except Trouble as trouble:
            raise Stopped(Sent("retry", reason=f"unconfirmed: {trouble}", after=later(row))) from None
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise Stopped(Sent("retry", reason="the channel stops", after=later(row))) from None
        self._health.good()
        return str(result) if call.method == "messages.send" else _shown(call)

    async def _call(self, row: OutboxRow, call: Call, index: int) -> Any:
        params = dict(call.params)
        if call.uploads:
            params["attachment"] = await self._uploads.attach(call.uploads, int(row.chat))
        if call.method != "messages.send":
            return await self._api.call(call.method, params)
        # Asked so, VK tells the message's number in its conversation, which reactions and answers name.
        params["random_id"], params["peer_ids"] = render_key(row.key, index), params.pop("peer_id")
        return _number(await self._api.call(call.method, params))

    async def _refused(self, row: OutboxRow, call: Call, index: int, refused: Refused) -> str:
        """The id when the refusal changes nothing for the client, or another call will do; else the verdict."""
        if call.method == "messages.delete" and refused.code in UNDELETABLE:
            return ""
        other = self._other(row, call, refused)
        if other is not None:
            return await self._part(row, other, index)
        sent = judge(refused, row.attempts)
        if refused.code == FLOOD:
            scope = self._api.windows.close(row.chat, sent.after)
            sent = Sent("retry", reason=sent.reason, after=sent.after, scope=scope)
        if is_alarm(refused.code):
            self._health.bad(refused.code)
        raise Stopped(sent)

    def _other(self, row: OutboxRow, call: Call, refused: Refused) -> Call | None:
        """What to do instead: a message that cannot be edited is sent anew; buttons that VK refuses become lines of text; of a
        message that cannot be pointed at, the words stay."""
        if refused.code in UNANSWERABLE:
            return without_quote(call, row.message.quote if row.message is not None else None)
        if call.method == "messages.edit" and refused.code in UNEDITABLE:
            kept = ("peer_id", "message", "keyboard", "disable_mentions")
            return Call("messages.send", {name: value for name, value in call.params.items() if name in kept})
        if refused.code in WITHOUT_BUTTONS:
            log.error("vk_buttons_refused", channel=self._name, status=refused.code)
            return without_keyboard(call)
        return None

    def _note_keyboard(self, row: OutboxRow, calls: list[Call]) -> None:
        """Remembers which chats show a keyboard. Lost with the process: then it hides itself after the first press."""
        for keyboard in (str(call.params["keyboard"]) for call in calls if "keyboard" in call.params):
            if keyboard == HIDE:
                self._keyboards.pop(row.chat, None)
            elif not is_inline(keyboard):
                self._keyboards.remember(row.chat)


def _shown(call: Call) -> str:
    """What an edited message is called."""
    return str(call.params.get("cmid", ""))


def _number(response: Any) -> int:
    """The number of a message that was sent to one peer. Raises Refusal when VK refused that peer, Trouble when it tells
    nothing."""
    one = response[0] if isinstance(response, list) and len(response) == 1 else None
    if not isinstance(one, dict):
        raise Trouble("an answer without a message")
    error = one.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        raise Refusal(error["code"], str(error.get("description") or ""))
    number = one.get("conversation_message_id") or one.get("message_id")
    if not isinstance(number, int):
        raise Trouble("an answer without a message")
    return number
