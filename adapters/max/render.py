"""Our messages as calls of MAX's API: pure; formatting by HTML made here, in which every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from adapters.max.capabilities import (
    CAPABILITIES,
    COMMAND_NAME,
    COMMAND_WORDS,
    COMMANDS,
    PICTURE_BYTES,
    PICTURES,
    WIDE_PER_ROW,
)
from adapters.splitting import split
from core.messages import Button, Outgoing
from core.ports import StoredFile
from core.rich import Mark, Rich

KIND = "max"
TAGS = {"bold": "b", "italic": "i", "code": "code", "link": "a"}
MORE = "…"  # the text over buttons that did not fit under the message itself

Rows = Sequence[Sequence[Button]]


class Call(NamedTuple):
    """One call: method, path, query and body, and our files that are to hang on it, each with its type of upload."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any] | None = None
    uploads: tuple[tuple[str, StoredFile], ...] = ()


def render_send(message: Outgoing, chat: str, files: Sequence[StoredFile] = ()) -> list[Call]:
    """The calls that show a message, in order; each makes one message of MAX's. None when there is nothing to show.

    Pictures and videos hang on the first text, twelve on each message; a file or a sound must be alone on one of its own,
    and comes first. Buttons stand under the last message, the quote hangs on the first.
    """
    kinds = [(upload_type(file), file) for file in files]
    shown = [one for one in kinds if one[0] in {"image", "video"}]
    packs = [tuple(shown[at : at + PICTURES]) for at in range(0, len(shown), PICTURES)]
    texts = list(_texts(text_of(message)))
    alone = [one for one in kinds if one not in shown]
    if len(alone) == 1 and not packs and len(texts) <= 1 and not message.rows:
        calls = [_send(chat, texts[0] if texts else Rich(""), (alone[0],))]
    else:
        calls = [_send(chat, Rich(""), (one,)) for one in alone]
        for n in range(max(len(texts), len(packs))):
            calls.append(_send(chat, texts[n] if n < len(texts) else Rich(""), packs[n] if n < len(packs) else ()))
    if calls and message.quote is not None and message.quote.message_id:
        _body_of(calls[0])["link"] = {"type": "reply", "mid": message.quote.message_id}
    return _with_buttons(calls, chat, render_keyboards(message.rows))


def render_edit(message: Outgoing, chat: str, target_ids: Sequence[str]) -> list[Call]:
    """The calls that turn what is shown under `target_ids` into the message: edits, then new parts or deletions."""
    texts = list(_texts(text_of(message)))
    kept = (
        {"attachments": None} if message.files and not message.rows else {}
    )  # an empty list would take the files away
    calls = [
        Call("PUT", "/messages", {"message_id": target}, {**_body(text), **kept})
        for target, text in zip(target_ids, texts, strict=False)
    ]
    calls += [_send(chat, text) for text in texts[len(target_ids) :]]
    calls = _with_buttons(calls, chat, render_keyboards(message.rows)[:1])
    return calls + (render_delete(target_ids[len(texts) :]) if texts else [])


def render_delete(target_ids: Sequence[str]) -> list[Call]:
    """The calls that take messages away."""
    return [Call("DELETE", "/messages", {"message_id": target}) for target in target_ids]


def render_commands(commands: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The menu of commands, as many and as long as MAX takes."""
    return {"commands": [_command(name, words) for name, words in commands[:COMMANDS] if name]}


def render_attachment(kind: str, token: str) -> dict[str, Any]:
    """An uploaded file as a part of a message."""
    return {"type": kind, "payload": {"token": token}}


def upload_type(file: StoredFile) -> str:
    """As what a file is shown: MAX makes pictures and videos anew, so what may fail there goes as a file."""
    if file.kind == "photo" and file.size <= PICTURE_BYTES:
        return "image"
    if file.kind == "voice" or (file.kind == "audio" and file.mime.startswith("audio/")):
        return "audio"
    return "video" if file.kind == "video" and file.mime in {"video/mp4", "video/quicktime", "video/webm"} else "file"


def text_of(message: Outgoing) -> Rich:
    """The text for this channel."""
    return message.per_channel.get(KIND, message.body)


def render_html(rich: Rich) -> str:
    """A text with its marks as HTML. Tags are closed and opened anew where marks cross, so they always nest."""
    edges = sorted({0, len(rich.text), *(mark.start for mark in rich.marks), *(mark.end for mark in rich.marks)})
    return "".join(_segment(rich, start, end) for start, end in pairwise(edges))


def _segment(rich: Rich, start: int, end: int) -> str:
    marks = [mark for mark in rich.marks if mark.start <= start and end <= mark.end]
    inner = escape(rich.text[start:end], quote=False)
    for mark in marks:
        inner = f"<{TAGS[mark.kind]}{_href(mark)}>{inner}</{TAGS[mark.kind]}>"
    return inner


def _href(mark: Mark) -> str:
    return f' href="{escape(mark.url)}"' if mark.kind == "link" else ""


def _texts(rich: Rich) -> Iterator[Rich]:
    """Parts that fit as they are written: MAX counts the marks, too."""
    for part in split(rich, CAPABILITIES.text_limit):
        if len(_written(part)) > CAPABILITIES.text_limit and len(part.text) > 1:
            for half in split(part, len(part.text) // 2 + 1):
                yield from _texts(half)
        elif part.text.strip():
            yield part


def _written(part: Rich) -> str:
    return render_html(part) if part.marks else part.text


def _body(text: Rich) -> dict[str, Any]:
    return {"text": _written(text), "attachments": [], "link": None, **({"format": "html"} if text.marks else {})}


def _send(chat: str, text: Rich, uploads: tuple[tuple[str, StoredFile], ...] = ()) -> Call:
    return Call("POST", "/messages", {"user_id": chat}, _body(text), uploads)


def _command(name: str, words: str) -> dict[str, str]:
    described = {"description": words[:COMMAND_WORDS]} if words else {}
    return {"name": name[:COMMAND_NAME], **described}


# --- buttons ---------------------------------------------------------------------------------------------------------


def _with_buttons(calls: list[Call], chat: str, keyboards: list[dict[str, Any]]) -> list[Call]:
    """The calls with the first keyboard under the last of them, the others under messages of their own."""
    if not calls or not keyboards:
        return calls
    if any(kind in {"file", "audio"} for kind, _ in calls[-1].uploads):  # alone on its message
        calls.append(_send(chat, Rich(MORE)))
    _body_of(calls[-1])["attachments"] = [keyboards[0]]
    for keyboard in keyboards[1:]:
        calls.append(_send(chat, Rich(MORE)))
        _body_of(calls[-1])["attachments"] = [keyboard]
    return calls


def _body_of(call: Call) -> dict[str, Any]:
    assert call.body is not None, "only deletions have none"
    return call.body


def render_keyboards(rows: Rows) -> list[dict[str, Any]]:
    """The keyboards for rows of buttons: one, or several when there are more rows than fit under one message."""
    wrapped = list(_wrapped(rows))
    packs = [wrapped[at : at + CAPABILITIES.button_rows] for at in range(0, len(wrapped), CAPABILITIES.button_rows)]
    return [
        {"type": "inline_keyboard", "payload": {"buttons": [[_button(one) for one in row] for row in pack]}}
        for pack in packs
    ]


def _wrapped(rows: Rows) -> Iterator[Sequence[Button]]:
    """Rows as wide as MAX shows them: fewer where one of the buttons is more than a plain one."""
    for row in rows:
        wide = any(button.url or button.ask for button in row)
        width = WIDE_PER_ROW if wide else CAPABILITIES.buttons_per_row
        yield from (row[at : at + width] for at in range(0, len(row), width))


def _button(button: Button) -> dict[str, str]:
    if button.ask:
        return {
            "type": {"contact": "request_contact", "location": "request_geo_location"}[button.ask],
            "text": _label(button),
        }
    if button.url:
        return {"type": "link", "text": _label(button), "url": button.url}
    token = (button.token or button.label[:16])[: CAPABILITIES.token_bytes]
    return {"type": "callback", "text": _label(button), "payload": token}


def _label(button: Button) -> str:
    """A label as it fits: MAX refuses an empty one."""
    label = button.label.strip() or MORE
    limit = CAPABILITIES.button_label
    return label if len(label) <= limit else f"{label[: limit - 1].rstrip()}…"
