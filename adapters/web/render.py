"""Ours → outside: history as the page reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.events import Event, Message, Opened, Press
from core.kinds import INLINE
from core.messages import Button, Location, Outgoing, Quote
from core.outbox import OutboxRow
from core.ports import HistoryItem, StoredFile
from core.rich import Mark, Rich

KIND = "web"
QUOTE_LIMIT = 500  # characters of an answered message that go along with the answer
SCHEMES = ("https://", "http://", "mailto:", "tel:")
Files = Mapping[str, StoredFile]


def safe_url(url: str) -> str:
    """The address when it is of a kind that only opens a page, a mail or a call; else nothing."""
    trimmed = url.strip()
    return trimmed if trimmed.lower().startswith(SCHEMES) else ""


def render_item(item: HistoryItem, files: Files) -> dict[str, Any] | None:
    """One history item as JSON values; None while its message has not left yet.

    What is not shown to the client (a refused message, an opened link) is `{seq, hidden: true}`: the page counts without gaps.
    One that was taken away keeps its place without its words.
    """
    if item.state == "pending":
        return None
    head = {"seq": item.seq, "author": item.author, "at": item.at, "edited": item.edited}
    if item.state == "refused":
        return {"seq": item.seq, "hidden": True}
    if item.removed:
        return head | {"text": "", "gone": True}
    if item.message is not None:
        return head | render_outgoing(item.message, files)
    shown = render_event(item.event, files) if item.event is not None else None
    return head | {"id": item.message_id} | shown if shown is not None else {"seq": item.seq, "hidden": True}


def render_row(row: OutboxRow, files: Files, at: float, author: str = "bot") -> dict[str, Any]:
    """A message that is leaving now, in the form of its history item. An edit carries its number of attempts as news."""
    body = render_outgoing(row.message or Outgoing(Rich("")), files)
    return {"seq": row.seq, "author": author, "at": at, "edited": 0, **body}


def render_own(seq: int, client_id: str, event: Event, at: float, files: Files) -> dict[str, Any] | None:
    """A client's own message for the client's other tabs; `seq` 0 while it has no place yet. None when nothing is shown."""
    shown = render_event(event, files)
    return (
        {"seq": seq, "author": "client", "at": at, "edited": 0, "id": client_id, **shown} if shown is not None else None
    )


def render_outgoing(message: Outgoing, files: Files) -> dict[str, Any]:
    """Text, marks, buttons and files of a message to a client."""
    body = message.per_channel.get(KIND, message.body)
    return _filled(
        {
            "text": body.text,
            "marks": [mark for mark in map(render_mark, body.marks) if mark],
            "rows": [shown for row in message.rows if (shown := [render_button(b) for b in row])],
            "files": render_files(message.files, files),
            "quote": render_quote(message.quote),
        }
    )


def render_event(event: Event, files: Files) -> dict[str, Any] | None:
    """What a client did, as the client sees it; None when there is nothing to see."""
    match event:
        case Press(token=token, label=label):
            return {"text": label, "token": token}
        case Message():
            return _filled(
                {
                    "text": event.text,
                    "files": render_files([a.file for a in event.attachments], files),
                    "phone": event.contact.phone if event.contact else "",
                    "place": render_place(event.location) if event.location else [],
                    "quote": render_quote(event.quote),
                }
            )
        case Opened() | _:
            return None


def render_mark(mark: Mark) -> list[Any]:
    """`[kind, start, end, url]`, offsets in code points; a link to a dangerous place is no mark at all."""
    if mark.kind != "link":
        return [mark.kind, mark.start, mark.end]
    url = safe_url(mark.url)
    return [mark.kind, mark.start, mark.end, url] if url else []


def render_button(button: Button) -> dict[str, Any]:
    """A button: its label and what it does."""
    return _filled({"label": button.label, "token": button.token, "url": safe_url(button.url), "ask": button.ask})


def render_quote(quote: Quote | None) -> dict[str, str]:
    """The answered message: its id (the client's own, else the place in the history) and what it said then."""
    return {"id": quote.message_id, "text": quote.text} if quote else {}


def quoted(item: HistoryItem) -> Quote | None:
    """The item as something that can be answered; None when it is not shown to the client."""
    shown = render_item(item, {})
    if shown is None or shown.get("hidden") or shown.get("gone"):
        return None
    said = shown["text"] or shown.get("phone", "") or ", ".join(attached(item))
    return Quote(item.message_id if item.author == "client" else str(item.seq), said[:QUOTE_LIMIT])


def attached(item: HistoryItem) -> list[str]:
    """The names of the files that a client sent with the item."""
    return [a.name for a in item.event.attachments if a.name] if isinstance(item.event, Message) else []


def render_place(place: Location) -> list[float]:
    """Latitude and longitude in degrees."""
    return [place.latitude, place.longitude]


def render_files(ids: Iterable[str], files: Files) -> list[dict[str, Any]]:
    """The files that exist, each as `render_file` tells it."""
    return [render_file(files[id]) for id in ids if id in files]


def render_file(file: StoredFile) -> dict[str, Any]:
    """A file for the page. `image`: it may be shown as a picture, a small one is at `thumb` (under the chat's address).
    `note` says why there are no bytes."""
    image = file.mime in INLINE and not file.error
    told = {"id": file.id, "name": file.name, "mime": file.mime, "size": file.size, "image": image}
    return told | ({"thumb": f"files/{file.id}/thumb"} if image else {}) | ({"note": file.error} if file.error else {})


def file_ids(item: HistoryItem) -> list[str]:
    """Ids of all files of an item."""
    if item.message is not None:
        return list(item.message.files)
    return [a.file for a in item.event.attachments if a.file] if isinstance(item.event, Message) else []


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value or key == "text"}
