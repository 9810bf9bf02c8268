"""Our messages as calls of VK's API: pure; formatting by `format_data`, so that no text can become markup."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from adapters.quoting import quoted, with_quote
from adapters.splitting import split
from adapters.vk.capabilities import (
    ATTACHMENTS,
    CAPABILITIES,
    INLINE_BUTTONS,
    INLINE_ROWS,
    KEYBOARD_BUTTONS,
    KEYBOARD_ROWS,
    PAYLOAD_BYTES,
    PAYLOADS_BYTES,
    ROW_BUTTONS,
)
from adapters.vk.mentions import neutralise
from core.messages import Button, Outgoing, Quote
from core.ports import StoredFile
from core.rich import Mark, Rich

KIND = "vk"
FORMATS = {"bold": "bold", "italic": "italic", "link": "url"}
MORE = "…"  # the text over buttons that did not fit under the message itself
PRESSED = "t"  # where our token stands in the payload of a button
HIDE = '{"buttons":[],"one_time":true}'
PARTS = 16  # parts of one row that have keys in a row of their own

Rows = Sequence[Sequence[Button]]
Params = dict[str, str | int]


class Call(NamedTuple):
    """One call: method, parameters as they go over the wire, and our files that are to hang on it. Messages are named by
    their number in the conversation, which both sides share."""

    method: str
    params: Params
    uploads: tuple[StoredFile, ...] = ()


def render_send(
    message: Outgoing, chat: str, files: Sequence[StoredFile] = (), drop_keyboard: bool = False
) -> list[Call]:
    """The calls that show a message, in order; each makes one message of VK's. None when there is nothing to show.

    Files hang on the first parts, ten on each; buttons stand under the last one; the first points at the message that is
    answered. With `drop_keyboard` a message without buttons takes a keyboard away that stands in place of the client's own.
    """
    body = text_of(message) if answers(message) else with_quote(text_of(message), message.quote)
    parts: list[Rich] = [part for part in split(body, CAPABILITIES.text_limit) if part.text.strip()]
    packs = [tuple(files[at : at + ATTACHMENTS]) for at in range(0, len(files), ATTACHMENTS)]
    count = max(len(parts), len(packs))
    calls = [
        Call("messages.send", _said(chat, parts[n] if n < len(parts) else Rich("")), packs[n] if n < len(packs) else ())
        for n in range(count)
    ]
    if calls and answers(message):
        calls[0].params["forward"] = _answered(chat, message.quote)
    keyboards = render_keyboards(message.rows)
    if calls and keyboards:
        calls[-1].params["keyboard"] = keyboards[0]
        calls += [Call("messages.send", {**_said(chat, Rich(MORE)), "keyboard": more}) for more in keyboards[1:]]
    elif calls and drop_keyboard:
        calls[-1].params["keyboard"] = HIDE
    return calls


def render_edit(message: Outgoing, chat: str, target_ids: Sequence[str]) -> list[Call]:
    """The calls that turn what is shown under `target_ids` into the message: edits, then new parts or deletions."""
    parts = [part for part in split(text_of(message), CAPABILITIES.text_limit) if part.text.strip()]
    calls = [_edit(chat, target, part) for target, part in zip(target_ids, parts, strict=False)]
    calls += [Call("messages.send", _said(chat, part)) for part in parts[len(target_ids) :]]
    keyboards = [one for one in render_keyboards(message.rows) if is_inline(one)]
    if calls and keyboards:
        calls[-1].params["keyboard"] = keyboards[0]
    return calls + (render_delete(chat, target_ids[len(parts) :]) if parts else [])


def answers(message: Outgoing) -> bool:
    """Whether the message points at one of the conversation; another quote is told in the text."""
    return message.quote is not None and message.quote.message_id.isdecimal()


def _answered(chat: str, quote: Quote | None) -> str:
    numbers = [int(quote.message_id)] if quote else []
    return orjson.dumps({"peer_id": int(chat), "conversation_message_ids": numbers, "is_reply": True}).decode()


def without_quote(call: Call, quote: Quote | None) -> Call | None:
    """The call with what it answers in words; None when it points at nothing."""
    if "forward" not in call.params:
        return None
    params = {name: value for name, value in call.params.items() if name not in {"forward", "format_data"}}
    said = f"{quoted(quote)}\n{params.get('message', '')}".strip()
    return call._replace(params={**params, **({"message": said[: CAPABILITIES.text_limit]} if said else {})})


def render_delete(chat: str, target_ids: Sequence[str]) -> list[Call]:
    """The calls that take messages away, for the client too."""
    return [
        Call("messages.delete", {"peer_id": int(chat), "cmids": target, "delete_for_all": 1}) for target in target_ids
    ]


def render_key(key: str, part: int) -> int:
    """The `random_id` of a part of an outbox row, from the row's key (`<store>-<number>`).

    VK counts these keys by community, so two rows must never share one: 32 bits of chance alone would collide after some
    ten thousand messages. Rows of one store follow each other, beginning at a place of the store's own.
    """
    store, _, number = key.rpartition("-")
    numbered = number.isdecimal() and part < PARTS
    place = _digest(store) + int(number) * PARTS + part if numbered else _digest(f"{key}:{part}")
    id = (place + 2**31) % 2**32 - 2**31
    return id or 1  # 0 would mean: no key


def text_of(message: Outgoing) -> Rich:
    """The text for this channel, in which nothing can be a mention."""
    return neutralise(message.per_channel.get(KIND, message.body))


def render_formats(rich: Rich) -> str:
    """Marks as `format_data`, offsets in UTF-16 units; nothing for a text without any."""
    items = [_format(mark, rich.text) for mark in rich.marks if mark.end > mark.start and mark.kind in FORMATS]
    return orjson.dumps({"version": "1", "items": items}).decode() if items else ""


def _format(mark: Mark, text: str) -> dict[str, Any]:
    start, end = _utf16(text[: mark.start]), _utf16(text[: mark.end])
    item: dict[str, Any] = {"type": FORMATS[mark.kind], "offset": start, "length": end - start}
    return {**item, "url": mark.url} if mark.kind == "link" else item


def _utf16(text: str) -> int:
    return len(text) + sum(symbol > "\uffff" for symbol in text)


def _said(chat: str, part: Rich) -> Params:
    params: Params = {"peer_id": int(chat)}
    if part.text:
        params |= {"message": part.text, "disable_mentions": 1}
    formats = render_formats(part)
    return params | {"format_data": formats} if formats else params


def _edit(chat: str, target: str, part: Rich) -> Call:
    """`messages.edit` takes no formatting."""
    params: Params = {"peer_id": int(chat), "cmid": int(target), "message": part.text, "disable_mentions": 1}
    return Call("messages.edit", params | {"keep_forward_messages": 1, "keep_snippets": 1})


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


# --- keyboards -------------------------------------------------------------------------------------------------------


def render_keyboards(rows: Rows) -> list[str]:
    """The keyboards for rows of buttons, as JSON: under the message when they fit there, else in place of the client's own,
    else several under messages of their own. VK gives out no phones: buttons that ask for one stay away."""
    wrapped = list(_wrapped(rows))
    buttons = [button for row in wrapped for button in row]
    payloads = sum(len(_payload(button)) for button in buttons)
    if not buttons:
        return []
    if len(buttons) <= INLINE_BUTTONS and len(wrapped) <= INLINE_ROWS and payloads <= PAYLOADS_BYTES:
        return [_inline(wrapped)]
    if len(buttons) <= KEYBOARD_BUTTONS and len(wrapped) <= KEYBOARD_ROWS and payloads <= PAYLOADS_BYTES:
        return [_keyboard(wrapped)]
    return [_inline(chunk) for chunk in _chunks(wrapped)]


def is_inline(keyboard: str) -> bool:
    """Whether a keyboard stands under its message."""
    return bool(orjson.loads(keyboard).get("inline"))


def without_keyboard(call: Call) -> Call | None:
    """The call with its buttons as numbered lines; None when it has none. A typed label or number is an answer, too."""
    keyboard = call.params.get("keyboard")
    if not isinstance(keyboard, str):
        return None
    actions = [button["action"] for row in orjson.loads(keyboard)["buttons"] for button in row]
    shown = [f"{number}. {_line(action)}" for number, action in enumerate(actions, 1)]
    params = {name: value for name, value in call.params.items() if name != "keyboard"}
    text = "\n".join([str(params.get("message", "")), *shown]).strip()
    return call._replace(params={**params, "message": text[: CAPABILITIES.text_limit]} if text else params)


def _line(action: dict[str, Any]) -> str:
    label = action.get("label") or action["type"]
    return f"{label}: {action['link']}" if "link" in action else str(label)


def _wrapped(rows: Rows) -> Iterator[list[Button]]:
    """Rows as wide as VK shows them; a button that asks for the place takes a whole one."""
    for row in rows:
        shown = [button for button in row if button.ask != "contact"]
        for button in (button for button in shown if button.ask):
            yield [button]
        plain = [button for button in shown if not button.ask]
        yield from (plain[at : at + ROW_BUTTONS] for at in range(0, len(plain), ROW_BUTTONS))


def _chunks(rows: Sequence[list[Button]]) -> Iterator[list[list[Button]]]:
    """Rows in packs that fit under one message each."""
    pack: list[list[Button]] = []
    for row in rows:
        fresh = [*pack, row]
        count = sum(map(len, fresh))
        payloads = sum(len(_payload(button)) for one in fresh for button in one)
        if pack and (len(fresh) > INLINE_ROWS or count > INLINE_BUTTONS or payloads > PAYLOADS_BYTES):
            yield pack
            pack = [row]
        else:
            pack = fresh
    yield pack


def _inline(rows: Rows) -> str:
    """Pressing comes back as an event and leaves no message in the chat."""
    keys = [[{"action": _action(button, "callback")} for button in row] for row in rows]
    return orjson.dumps({"inline": True, "one_time": False, "buttons": keys}).decode()


def _keyboard(rows: Rows) -> str:
    """Pressing sends the label as a message with our token in it."""
    keys = [[{"action": _action(button, "text")} for button in row] for row in rows]
    return orjson.dumps({"inline": False, "one_time": True, "buttons": keys}).decode()


def _action(button: Button, kind: str) -> dict[str, str]:
    payload = _payload(button)
    if button.ask:
        return {"type": "location", "payload": payload}
    if button.url:
        return {"type": "open_link", "link": button.url, "label": _label(button), "payload": payload}
    return {"type": kind, "label": _label(button), "payload": payload}


def _payload(button: Button) -> str:
    """Our token, within the bytes that VK keeps. A button that only opens or asks needs none."""
    if button.ask or button.url:
        return "{}"
    token = button.token or button.label[:16]
    while len(made := orjson.dumps({PRESSED: token})) > PAYLOAD_BYTES:
        token = token[:-1]
    return made.decode()


def _label(button: Button) -> str:
    """A label as it fits: VK refuses an empty one."""
    label = button.label.strip() or MORE
    limit = CAPABILITIES.button_label
    return label if len(label) <= limit else f"{label[: limit - 1].rstrip()}…"
