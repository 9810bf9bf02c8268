"""What an outgoing webhook is told: places and marks of the feed, never what somebody said or noted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from storage.codec import decode_dict
from storage.rows import Row

TYPES = {"session": "session.changed", "message": "message.added", "ticket": "ticket.changed"}
WORD = 64  # characters of a mark; nothing of the feed's own is longer


class Stand(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a change of a session came to."""

    number: int = 0
    status: str = ""
    owner: str = ""
    epoch: int = 0
    category: str = ""
    rating: int = 0


class Moved(msgspec.Struct, frozen=True):
    """Where it was before."""

    line: str
    operator: str


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event is about. `client` and `conversation` are our numbers, `operator` is `user:<id>`, `message` the place of
    the last message in the conversation, `ticket` a number."""

    conversation: int = 0
    client: int = 0
    channel: str = ""
    line: str = ""
    operator: str = ""
    session: Stand | None = None
    before: Moved | None = None
    ticket: int = 0
    version: int = 0
    message: int = 0
    what: tuple[str, ...] = ()
    state: str = ""


class Event(msgspec.Struct, frozen=True):
    """The body of a call, as Standard Webhooks has it. `seq` is the number in the feed: it grows, with gaps."""

    type: str
    timestamp: str
    seq: int
    data: Data


def type_of(kind: str) -> str:
    """The type of an event by the feed's kind: `session.changed`, `ticket.changed`, `message.added`, else `<kind>.changed`."""
    return TYPES.get(kind, f"{kind}.changed")


def is_wanted(row: Row, patterns: Sequence[str], lines: Collection[str]) -> bool:
    """Whether a webhook with these filters is told of a row of the feed. What concerns one person alone is nobody else's."""
    if row["person"] or not any(fnmatchcase(type_of(row["kind"]), pattern) for pattern in patterns):
        return False
    if not lines:
        return True
    before = _before(decode_dict.decode(row["data"]))
    return row["line"] in lines or (before is not None and before.line in lines)


def build_event(row: Row) -> bytes:
    """The body for a row of the feed."""
    marks = decode_dict.decode(row["data"])
    ticket = row["kind"] == "ticket"
    data = Data(
        conversation=row["conversation"],
        client=row["client"],
        channel=row["channel"],
        line=row["line"],
        operator=row["operator"],
        session=_stand(marks.get("now")),
        before=_before(marks),
        ticket=_number(marks.get("number")) if ticket else 0,
        version=_number(marks.get("version")) if ticket else 0,
        message=_number(marks.get("seq")),
        what=_words(marks.get("what")),
        state=_word(marks.get("state")),
    )
    at = datetime.fromtimestamp(row["at"], UTC).isoformat().replace("+00:00", "Z")
    return msgspec.json.encode(Event(type_of(row["kind"]), at, row["seq"], data))


def _stand(found: Any) -> Stand | None:
    if not isinstance(found, Mapping):
        return None
    return Stand(
        number=_number(found.get("number")),
        status=_word(found.get("status")),
        owner=_word(found.get("owner")),
        epoch=_number(found.get("epoch")),
        category=_word(found.get("category")),
        rating=_number(found.get("rating")),
    )


def _before(marks: Mapping[str, Any]) -> Moved | None:
    came = marks.get("from")
    if isinstance(came, list) and len(came) == 2:
        return Moved(_word(came[0]), _word(came[1]))
    return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= WORD else ""


def _words(value: Any) -> tuple[str, ...]:
    """Marks are words; what has a space in it is somebody's text."""
    return tuple(it for it in value if _word(it) and " " not in it) if isinstance(value, list) else ()
