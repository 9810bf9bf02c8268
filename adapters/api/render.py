"""Our messages as calls to the integrator: pure; what the messenger cannot show becomes text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from adapters.api import schema
from adapters.quoting import with_quote
from adapters.splitting import split
from core.messages import Button, Outgoing
from core.ports import Capabilities
from core.rich import Mark, Rich

KIND = "api"
MORE = "…"  # the text over buttons that did not fit under the message itself

Rows = tuple[tuple[schema.Button, ...], ...]


def render_send(
    message: Outgoing, chat: str, key: str, files: Sequence[schema.File], can: Capabilities
) -> list[schema.Call]:
    """The calls that show a message, in order; each is one message there. None when there is nothing to show.

    Files hang on the first part, which also points at the quoted message; buttons stand under the last one.
    """
    shown = [file for file in files if can.files and file.size <= can.file_bytes]
    lines = [f"{file.name or file.id}: {file.url}" for file in files if file not in shown]
    packs = list(render_rows(message.rows, can))
    parts = _parts(message, lines, can)
    if not parts and (shown or packs):
        parts = [Rich("" if shown else MORE)]
    quote = schema.Quote(message.quote.message_id, message.quote.text) if message.quote and can.quotes else None
    calls: list[schema.Call] = [
        schema.Send(
            key=f"{key}:{n}",
            chat=chat,
            text=part.text,
            marks=render_marks(part),
            buttons=packs[0] if packs and n == len(parts) - 1 else (),
            files=tuple(shown) if n == 0 else (),
            quote=quote if n == 0 else None,
        )
        for n, part in enumerate(parts)
    ]
    below = [
        schema.Send(key=f"{key}:{len(parts) + n}", chat=chat, text=MORE, buttons=p) for n, p in enumerate(packs[1:])
    ]
    return [*calls, *below]


def render_edit(
    message: Outgoing, chat: str, key: str, target_ids: Sequence[str], can: Capabilities
) -> list[schema.Call]:
    """The calls that turn what is shown under `target_ids` into the message: edits, then new parts or deletions.

    Where messages cannot be changed, it is sent anew.
    """
    if not (can.edit and target_ids):
        return render_send(message, chat, key, (), can)
    parts = _parts(message, (), can)
    rows = next(render_rows(message.rows, can), ())
    calls: list[schema.Call] = []
    for n, part in enumerate(parts):
        below = rows if n == len(parts) - 1 else ()
        marks = render_marks(part)
        calls.append(
            schema.Edit(
                key=f"{key}:{n}", chat=chat, message_id=target_ids[n], text=part.text, marks=marks, buttons=below
            )
            if n < len(target_ids)
            else schema.Send(key=f"{key}:{n}", chat=chat, text=part.text, marks=marks, buttons=below)
        )
    return calls + render_delete(chat, key, target_ids[len(parts) :], can, len(parts)) if parts else []


def render_delete(
    chat: str, key: str, target_ids: Iterable[str], can: Capabilities, first: int = 0
) -> list[schema.Call]:
    """The calls that take messages away; none where that cannot be done."""
    if not can.delete:
        return []
    return [schema.Delete(key=f"{key}:{first + n}", chat=chat, message_id=id) for n, id in enumerate(target_ids)]


def as_new(call: schema.Call) -> schema.Call | None:
    """An edit of a message that is gone, as a new message; None for other calls. Its key is another: the edit was answered."""
    if not isinstance(call, schema.Edit):
        return None
    return schema.Send(key=f"{call.key}:new", chat=call.chat, text=call.text, marks=call.marks, buttons=call.buttons)


# --- text ------------------------------------------------------------------------------------------------------------


def _parts(message: Outgoing, lines: Iterable[str], can: Capabilities) -> list[Rich]:
    """The text in parts as long as the messenger takes them, with what it cannot show otherwise."""
    body = message.per_channel.get(KIND, message.body)
    if not can.quotes:
        body = with_quote(body, message.quote)
    body = plain_marks(body, can.formatting)
    more = [*lines, *numbered(message.rows, can)]
    if more:
        body += Rich(("\n\n" if body.text else "") + "\n".join(more))
    return [part for part in split(body, can.text_limit) if part.text.strip()]


def plain_marks(body: Rich, formatting: Sequence[str]) -> Rich:
    """The text with the marks that can be shown; a link that cannot be one stands in brackets behind its words."""
    if "link" not in formatting:
        for mark in sorted(body.marks, key=lambda mark: mark.end, reverse=True):
            if mark.kind == "link" and mark.url and mark.url != body.text[mark.start : mark.end]:
                body = _inserted(body, mark.end, f" ({mark.url})")
    return Rich(body.text, tuple(mark for mark in body.marks if mark.kind in formatting))


def _inserted(body: Rich, at: int, words: str) -> Rich:
    """The text with words put in; marks around them grow, later ones move."""
    length = len(words)
    marks = tuple(
        Mark(m.kind, m.start + length if m.start >= at else m.start, m.end + length if m.end > at else m.end, m.url)
        for m in body.marks
    )
    return Rich(body.text[:at] + words + body.text[at:], marks)


def render_marks(body: Rich) -> tuple[schema.Mark, ...]:
    """Marks with something under them."""
    return tuple(schema.Mark(m.kind, m.start, m.end, m.url) for m in body.marks if m.end > m.start)


# --- buttons ---------------------------------------------------------------------------------------------------------


def render_rows(rows: Sequence[Sequence[Button]], can: Capabilities) -> Iterator[Rows]:
    """Rows as wide as the messenger shows them, in packs as high as one message takes them."""
    if can.buttons == "none":
        return
    wrapped = []
    for row in rows:
        shown = [_button(one, can) for one in row if _known(one, can)]
        wrapped += [tuple(shown[at : at + can.buttons_per_row]) for at in range(0, len(shown), can.buttons_per_row)]
    for at in range(0, len(wrapped), can.button_rows):
        yield tuple(wrapped[at : at + can.button_rows])


def numbered(rows: Sequence[Sequence[Button]], can: Capabilities) -> list[str]:
    """Buttons as numbered lines, where there are none: a typed label or number is an answer, too."""
    if can.buttons != "none":
        return []
    buttons = [one for row in rows for one in row if not one.ask]
    return [f"{n}. {one.label}{f': {one.url}' if one.url else ''}" for n, one in enumerate(buttons, 1)]


def _known(button: Button, can: Capabilities) -> bool:
    return {"": True, "contact": can.contact_button, "location": can.location_button}[button.ask]


def _button(button: Button, can: Capabilities) -> schema.Button:
    label = button.label.strip() or MORE
    if len(label) > can.button_label:
        label = f"{label[: can.button_label - 1].rstrip()}…"
    return schema.Button(label, button.token, button.url, button.ask)


def encode(call: schema.Call) -> bytes:
    """A call as it goes over the wire."""
    return msgspec.json.encode(call)
