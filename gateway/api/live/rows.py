"""A conversation as lists show it, and a change of the feed as it goes over the wire: made once, sent to many."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from gateway.api.live.rights import Key, keys_for
from storage.codec import decode_dict
from storage.rows import Row

SHOWN = 300  # characters of a last message: lists show one line
OWN = "ticket"  # changes of this kind belong to whom they say, wherever the conversation is
TIMES = ("due", "opened_at", "queued_at", "moved_at", "closed_at")
PLAIN = ("conversation", "client", "channel", "status", "owner", "line", "operator", "epoch", "priority", "category")


def stamp(at: float) -> str | None:
    """A moment as the API writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z") if at else None


def view(row: Row) -> dict[str, Any]:
    """A row of `sessions` with its last message as `models.ListRow`."""
    said = row.get("said")
    return {
        **{name: row[name] for name in PLAIN},
        "session": row["number"],
        **{name: stamp(row[name]) for name in TIMES},
        "said": view_said(said) if said is not None else None,
    }


def view_said(row: Row) -> dict[str, Any]:
    """A row of `messages` as `models.Said`."""
    raw = row["message"] if row["message"] is not None else row["event"]
    text, files = _content(raw) if raw else ("", 0)
    return {
        "seq": row["seq"],
        "at": stamp(row["at"]),
        "author": row["author"],
        "operator": row["operator"],
        "text": text[:SHOWN],
        "files": files,
    }


class _Body(msgspec.Struct, frozen=True):
    text: str = ""


class _Content(msgspec.Struct):
    """What of a message or an event is looked at here: words and files."""

    text: str = ""
    title: str = ""
    body: _Body = _Body()
    files: list[Any] = []
    attachments: list[Any] = []


_decode = msgspec.json.Decoder(_Content)


def _content(raw: bytes) -> tuple[str, int]:
    try:
        found = _decode.decode(raw)
    except msgspec.MsgspecError:  # an event of another kind
        return "", 0
    return found.text or found.body.text or found.title, len(found.files) + len(found.attachments)


class Made:
    """A change as it is sent: `full` for those who see what it is about now, `gone` for those who saw it until then, `bare`
    for whom alone it concerns, without what the conversation is like."""

    __slots__ = ("_bare", "_gone", "before", "conversation", "full", "now", "person", "seq")

    def __init__(self, row: Row, current: Row | None) -> None:
        self.seq: int = row["seq"]
        self.person: str = row["person"]
        self.conversation: int = row["conversation"]
        shown = None if row["kind"].startswith(OWN) else current
        data = decode_dict.decode(row["data"]) if row["data"] else {}
        self.now = _keys(shown if shown is not None else row)
        self.before = [*_keys(row), *_left(data, row)] if self.conversation or "from" in data else []
        head = {"seq": row["seq"], "at": stamp(row["at"]), "kind": row["kind"], "conversation": self.conversation}
        self._bare = {"type": "change", **head, "data": data, "row": None}
        self._gone = {"type": "gone", **head, "number": data.get("number", 0) if shown is None else 0}
        self.full = encode({**self._bare, "row": view(shown) if shown is not None else None})

    @property
    def bare(self) -> bytes:
        return encode(self._bare)

    @property
    def gone(self) -> bytes:
        return encode(self._gone)


def _keys(row: Row) -> list[Key]:
    return list(keys_for(row["line"], row["operator"], row["channel"]))


def _left(data: dict[str, Any], row: Row) -> Iterable[Key]:
    """Who saw it before a move: `from` is the line and the operator that it had."""
    came = data.get("from")
    if not (isinstance(came, list) and len(came) == 2 and all(isinstance(it, str) for it in came)):
        return ()
    return keys_for(came[0], came[1], row["channel"])


def encode(frame: dict[str, Any]) -> bytes:
    """A message as it goes over the wire."""
    return orjson.dumps(frame)
