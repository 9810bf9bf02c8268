"""Our messages as calls of the Bot API: pure; entities instead of a parse mode, so that no text can become markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.quoting import with_quote
from adapters.splitting import split
from adapters.telegram.capabilities import BUTTONS, CAPABILITIES, MOST_ENTITIES
from adapters.telegram.media import Call, can_hold, put_caption, render_files
from core.messages import Button, Outgoing, Quote
from core.normal import clean
from core.ports import StoredFile
from core.rich import Mark, Rich

KIND = "telegram"
ENTITIES = {"bold": "bold", "italic": "italic", "code": "code", "link": "text_link"}
MORE = "…"  # the text over buttons that did not fit under the message itself


def render_send(
    message: Outgoing, chat: str, files: Sequence[StoredFile] = (), channel: str = "", drop_keyboard: bool = False
) -> list[Call]:
    """The calls that show a message, in order. None when there is nothing to show.

    Files come first, with a short text as their caption when one call shows them all; buttons stand under the last call,
    and not under an album, which has none. With `drop_keyboard` the last call without buttons takes a reply keyboard away.
    The first call points at the message that is answered.
    """
    body = text_of(message)
    chat_id = render_chat(chat)
    markups = render_markups(message.rows)
    body = _with_links(body, message) if asks(message) else body
    body = body if answers(message) else with_quote(body, message.quote)
    calls = render_files(chat_id, files, channel)
    if _is_caption(body, calls, bool(markups)):
        put_caption(calls[0], _caption(body))
    else:
        calls += [_text(chat_id, part) for part in split(body, CAPABILITIES.text_limit) if part.text.strip()]
    if calls and markups and not can_hold(calls[-1], "reply_markup"):
        calls.append(_text(chat_id, Rich(MORE)))
    if calls and markups:
        calls[-1].params["reply_markup"] = markups[0]
        calls += [_text(chat_id, Rich(MORE), markup) for markup in markups[1:]]
    elif calls and drop_keyboard and can_hold(calls[-1], "reply_markup"):
        calls[-1].params["reply_markup"] = {"remove_keyboard": True}
    if calls and answers(message):
        calls[0].params["reply_parameters"] = _answered(message.quote)
    return calls


def _is_caption(body: Rich, calls: Sequence[Call], buttons: bool) -> bool:
    """Whether the text fits beside the files. Under an album it would be parted from its buttons."""
    if len(calls) != 1 or len(body.text) > CAPABILITIES.caption_limit or not can_hold(calls[0], "caption"):
        return False
    return can_hold(calls[0], "reply_markup") or not buttons


def answers(message: Outgoing) -> bool:
    """Whether the message points at one of Telegram's; another quote is told in the text."""
    return message.quote is not None and message.quote.message_id.isdecimal()


def _answered(quote: Quote | None) -> dict[str, Any]:
    """A message that is gone meanwhile does not keep the answer back."""
    return {"message_id": int(quote.message_id) if quote else 0, "allow_sending_without_reply": True}


def render_edit(message: Outgoing, chat: str, target_ids: Sequence[str]) -> list[Call]:
    """The calls that turn what is shown under `target_ids` into the message: edits, then new parts or deletions.

    A reply keyboard cannot be edited in, so buttons that ask for a contact stay away. Files stay as they are.
    """
    chat_id = render_chat(chat)
    body = text_of(message)
    if len(message.files) == 1 and len(target_ids) == 1 and len(body.text) <= CAPABILITIES.caption_limit:
        return [_edit_caption(chat_id, target_ids[0], message)]
    target_ids = target_ids[len(message.files) :]
    parts = [part for part in split(text_of(message), CAPABILITIES.text_limit) if part.text.strip()]
    calls = [_edit(chat_id, target, part) for target, part in zip(target_ids, parts, strict=False)]
    calls += [_text(chat_id, part) for part in parts[len(target_ids) :]]
    markups = [] if asks(message) else render_markups(message.rows)
    if calls and markups:
        calls[-1].params["reply_markup"] = markups[0]
    return calls + (render_delete(chat, target_ids[len(parts) :]) if parts else [])


def _edit_caption(chat_id: int | str, target: str, message: Outgoing) -> Call:
    params = {"chat_id": chat_id, "message_id": int(target), **_caption(text_of(message))}
    markups = [] if asks(message) else render_markups(message.rows)
    return Call("editMessageCaption", {**params, "reply_markup": markups[0]} if markups else params)


def render_delete(chat: str, target_ids: Sequence[str]) -> list[Call]:
    """The calls that take messages away."""
    chat_id = render_chat(chat)
    return [Call("deleteMessage", {"chat_id": chat_id, "message_id": int(target)}) for target in target_ids]


def text_of(message: Outgoing) -> Rich:
    """The text for this channel."""
    return message.per_channel.get(KIND, message.body)


def asks(message: Outgoing) -> bool:
    """Whether a button asks for a contact or a location, which only a reply keyboard can."""
    return any(button.ask for row in message.rows for button in row)


def render_chat(chat: str) -> int | str:
    """A chat id as Telegram wants it."""
    return int(chat) if chat.lstrip("-").isdigit() else chat


def render_name(file: StoredFile) -> str:
    """A file name that fits into a header: one line, no quotes."""
    return " ".join(clean(file.name).split()).replace('"', "'") or file.id


def render_entities(rich: Rich) -> list[dict[str, Any]]:
    """Marks as entities, in UTF-16 units. Of more than Telegram shows, those stay that a reader would miss: links."""
    places = _utf16(rich.text) if rich.text and max(rich.text) > "\uffff" else None
    marks = [mark for mark in rich.marks if mark.end > mark.start]
    if len(marks) > MOST_ENTITIES:
        marks = sorted(marks, key=lambda mark: mark.kind != "link")[:MOST_ENTITIES]
    return [_entity(mark, places) for mark in marks]


def _entity(mark: Mark, places: list[int] | None) -> dict[str, Any]:
    start, end = (places[mark.start], places[mark.end]) if places else (mark.start, mark.end)
    entity: dict[str, Any] = {"type": ENTITIES[mark.kind], "offset": start, "length": end - start}
    return {**entity, "url": mark.url} if mark.kind == "link" else entity


def _utf16(text: str) -> list[int]:
    """For each place of the text (and its end) the same place in UTF-16 units."""
    places = [0]
    for symbol in text:
        places.append(places[-1] + (2 if symbol > "\uffff" else 1))
    return places


def _text(chat_id: int | str, part: Rich, markup: dict[str, Any] | None = None) -> Call:
    params: dict[str, Any] = {"chat_id": chat_id, "text": part.text}
    if part.marks:
        params["entities"] = render_entities(part)
    if markup:
        params["reply_markup"] = markup
    return Call("sendMessage", params)


def _edit(chat_id: int | str, target: str, part: Rich) -> Call:
    call = _text(chat_id, part)
    return Call("editMessageText", {"message_id": int(target), **call.params})


def _caption(body: Rich) -> dict[str, Any]:
    if not body.text.strip():
        return {}
    entities = {"caption_entities": render_entities(body)} if body.marks else {}
    return {"caption": body.text, **entities}


def render_markups(rows: Sequence[Sequence[Button]]) -> list[dict[str, Any]]:
    """The keyboards for rows of buttons: one, or several inline ones when there are more buttons than fit into one."""
    if not rows:
        return []
    wrapped = _wrapped(rows)
    if any(button.ask for row in wrapped for button in row):
        return [_reply_keyboard(wrapped)]
    keyboards: list[list[list[dict[str, str]]]] = []
    count = BUTTONS
    for row in wrapped:
        if count + len(row) > BUTTONS:
            keyboards.append([])
            count = 0
        keyboards[-1].append([_inline(button) for button in row])
        count += len(row)
    return [{"inline_keyboard": keyboard} for keyboard in keyboards]


def _wrapped(rows: Sequence[Sequence[Button]]) -> Sequence[Sequence[Button]]:
    width = CAPABILITIES.buttons_per_row
    return [row[start : start + width] for row in rows for start in range(0, len(row), width)]


def _label(button: Button) -> str:
    """A label as it fits: Telegram refuses an empty one."""
    label = button.label.strip() or MORE
    limit = CAPABILITIES.button_label
    return label if len(label) <= limit else f"{label[: limit - 1].rstrip()}…"


def _inline(button: Button) -> dict[str, str]:
    if button.url:
        return {"text": _label(button), "url": button.url}
    return {"text": _label(button), "callback_data": button.token or button.label[:16]}


def _reply_keyboard(rows: Sequence[Sequence[Button]]) -> dict[str, Any]:
    """A keyboard in place of the client's own. Its plain buttons send their label as a message; links cannot be on it."""
    keys = [[_key(button) for button in row if not button.url] for row in rows]
    return {"keyboard": [row for row in keys if row], "resize_keyboard": True, "one_time_keyboard": True}


def _key(button: Button) -> dict[str, Any]:
    """The whole label, because a pressed key comes back as its text."""
    asked = {f"request_{button.ask}": True} if button.ask else {}
    return {"text": button.label.strip() or MORE, **asked}


def _with_links(body: Rich, message: Outgoing) -> Rich:
    """Links that a reply keyboard cannot hold, as lines under the text."""
    for button in (button for row in message.rows for button in row if button.url):
        body += Rich("\n") + Rich(button.label, (Mark("link", 0, len(button.label), button.url),))
    return body
