"""What a group of units wrote, as one statement: a part for each kind of change, many rows in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Float, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from storage.tables import metadata

_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "bigint"),
    (Float, "float8"),
    (LargeBinary, "bytea"),
    (Text, "text"),
)
_NUMBERED = {
    "notes": "id",
    "records": "id",
    "quarantine": "id",
    "feed": "id",
    "assignments": "id",
    "mentions": "id",
}  # the database numbers them


def kind_of(table: str, column: str) -> str:
    """The type of a column as PostgreSQL names it."""
    declared = metadata.tables[table].c[column].type
    return next(name for kind, name in _KINDS if isinstance(declared, kind))


def columns_of(table: str) -> tuple[str, ...]:
    return tuple(c.name for c in metadata.tables[table].columns)


def quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@dataclass(frozen=True)
class Part:
    """One kind of change. `sql` has `{v}` where the rows go; `types` are those of the row's values.

    `packed`: all values before the blobs travel in one JSON document. The driver takes about a microsecond for each element of
    an array, so a document of whole rows costs a tenth of an array for each column.
    """

    sql: str
    types: tuple[str, ...]
    packed: bool = False

    @cached_property
    def plain(self) -> int:
        """How many values are in the document."""
        return self.types.index("bytea") if "bytea" in self.types else len(self.types)

    @cached_property
    def _pack(self) -> type[msgspec.Struct]:
        return msgspec.defstruct("Packed", [(f"v{n}", Any) for n in range(self.plain)])

    def source(self, number: int) -> tuple[str, int]:
        """Where the rows come from, with parameters numbered after `number`; and the last one's number."""
        if not self.packed:
            arrays = ", ".join(f"${number + n}::{kind}[]" for n, kind in enumerate(self.types, 1))
            return f"unnest({arrays})", number + len(self.types)
        named = ", ".join(f"v{n} {kind}" for n, kind in enumerate(self.types[: self.plain]))
        blobs = len(self.types) - self.plain
        unnested = "".join(f", unnest(${number + 1 + n}::bytea[])" for n in range(1, blobs + 1))
        return f"ROWS FROM (json_to_recordset(${number + 1}::json) AS ({named}){unnested})", number + 1 + blobs

    def arguments(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The parameters of `source`."""
        if not self.packed:
            return list(zip(*rows, strict=True))
        plain, pack = self.plain, self._pack
        document = msgspec.json.encode([pack(*row[:plain]) for row in rows]).decode()
        return [document, *([row[n] for row in rows] for n in range(plain, len(self.types)))]


def _inserted(table: str) -> tuple[str, ...]:
    """The columns that an insertion fills, blobs last."""
    names = (name for name in columns_of(table) if name != _NUMBERED.get(table))
    return tuple(sorted(names, key=lambda name: kind_of(table, name) == "bytea"))


def _inserting(table: str, more: str = "") -> Part:
    columns = _inserted(table)
    sql = f"INSERT INTO {table} ({quoted(columns)}) SELECT * FROM {{v}}{more}"
    return Part(sql, tuple(kind_of(table, name) for name in columns), packed=True)


def _replacing(table: str, *keys: str, latest: str = "") -> str:
    """What an insertion does with a row that is there already: it takes its place. The column `latest` never goes back."""
    setting = ", ".join(f'"{name}" = {_taken(table, name, latest)}' for name in columns_of(table) if name not in keys)
    return f" ON CONFLICT ({quoted(keys)}) DO UPDATE SET {setting}"


def _taken(table: str, name: str, latest: str) -> str:
    return f'greatest("{table}"."{name}", excluded."{name}")' if name == latest else f'excluded."{name}"'


def _changing(table: str, keys: Sequence[str], columns: Sequence[str], more: str = "", where: str = "") -> Part:
    """UPDATE of rows by their keys; `more` sets and `where` asks for what needs no value of the row."""
    setting = ", ".join(f'"{name}" = v."{name}"' for name in columns) + more
    having = " AND ".join(f't."{name}" = v."{name}"' for name in keys) + where
    names = (*keys, *columns)
    sql = f"UPDATE {table} AS t SET {setting} FROM {{v}} AS v({quoted(names)}) WHERE {having}"
    return Part(sql, tuple(kind_of(table, name) for name in names))


_WAITING = " AND t.state = 0"
_FREE = ", lease_owner = '', lease_until = 0"

# In this order they are carried out: rows that others may insert too come first and in the order of their keys.
PARTS: dict[str, Part] = {
    **{
        f"insert {name}": _inserting(name)
        for name in (
            "clients",
            "identities",
            "conversations",
            "inbox",
            "messages",
            "outbox",
            "tickets",
            "ticket_history",
            "ticket_sessions",
            "notes",
            "records",
            "quarantine",
            "feed",
            "assignments",
            "mentions",
        )
    },
    # The conversation is another's now, who may be storing the very same event.
    "insert inbox once": _inserting("inbox", " ON CONFLICT DO NOTHING"),
    "save conversation": Part(
        "UPDATE conversations AS t SET version = v.version, epoch = v.epoch, live = v.live, state = v.state,"
        " last_at = CASE WHEN v.last_at > 0 THEN v.last_at ELSE t.last_at END"
        " FROM {v} AS v(id, was, version, epoch, live, last_at, state) WHERE t.id = v.id AND t.version = v.was RETURNING 1",
        ("bigint", "bigint", "bigint", "bigint", "bigint", "float8", "bytea"),
    ),
    "finish event": _changing("inbox", ("id",), ("state", "place", "facts", "outcome", "error")),
    "delay event": _changing("inbox", ("id",), ("attempts", "not_before", "error")),
    "settle row": _changing("outbox", ("id",), ("state", "platform_ids", "reason", "settled_at"), _FREE, _WAITING),
    "delay row": _changing("outbox", ("id",), ("attempts", "not_before", "reason"), _FREE, _WAITING),
    "advance row": _changing("outbox", ("id",), ("sent_parts",), "", _WAITING),
    "rewrite row": _changing("outbox", ("id",), ("message", "epoch", "guarded"), "", _WAITING),
    "lease row": _changing("outbox", ("id",), ("lease_owner", "lease_until"), "", _WAITING),
    "settle message": _changing("messages", ("conversation", "seq"), ("state", "reason", "message_id")),
    "edit message": _changing("messages", ("conversation", "seq"), ("message",), ", edited = t.edited + 1"),
    "name message": Part(
        "INSERT INTO message_ids (conversation, message_id, seq) SELECT * FROM {v} ON CONFLICT DO NOTHING",
        ("bigint", "text", "bigint"),
    ),
    "set timer": Part(
        "INSERT INTO timers (conversation, key, due, after, seconds, data) SELECT * FROM {v}"
        " ON CONFLICT (conversation, key) DO UPDATE SET due = excluded.due, after = excluded.after,"
        " seconds = excluded.seconds, data = excluded.data",
        ("bigint", "text", "float8", "bigint", "float8", "bytea"),
    ),
    "stop timer": Part(
        "DELETE FROM timers AS t USING {v} AS v(conversation, key)"
        " WHERE t.conversation = v.conversation AND t.key = v.key",
        ("bigint", "text"),
    ),
    # One statement must not change a row twice: `others` are keys that are set or stopped in the same breath.
    "arm timers": Part(
        "UPDATE timers AS t SET due = t.seconds + v.now, after = 0 FROM {v} AS v(conversation, after, now, others)"
        " WHERE t.conversation = v.conversation AND t.after = v.after AND NOT v.others::jsonb ? t.key",
        ("bigint", "bigint", "float8", "text"),
    ),
    "put session": _inserting("sessions", _replacing("sessions", "conversation", "number", latest="last_at")),
    "save card": _changing("clients", ("id",), ("card", "phone", "words", "tier")),
    "enqueue": Part(
        "INSERT INTO queue (conversation, line, priority, deadline, note, since) SELECT * FROM {v}"
        " ON CONFLICT (conversation) DO UPDATE SET line = excluded.line, priority = excluded.priority,"
        " deadline = excluded.deadline, note = excluded.note, since = excluded.since",
        ("bigint", "text", "bigint", "float8", "text", "float8"),
    ),
    "unqueue": Part(
        "DELETE FROM queue AS t USING {v} AS v(conversation) WHERE t.conversation = v.conversation", ("bigint",)
    ),
    "count uncaught": Part(
        "INSERT INTO uncaught (text, times, last_at) SELECT * FROM {v}"
        " ON CONFLICT (text) DO UPDATE SET times = uncaught.times + excluded.times, last_at = excluded.last_at",
        ("text", "bigint", "float8"),
    ),
}
_PLACES = {name: place for place, name in enumerate(PARTS)}
SAVED = "save conversation"


def picker(table: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """A row of a table as the values that its insertion takes."""
    return itemgetter(*_inserted(table))


PICKERS = {name: picker(name) for name in metadata.tables if f"insert {name}" in PARTS}


@cache
def statement(names: tuple[str, ...]) -> str:
    """The statement of these parts. It answers how many conversations were saved."""
    steps, number = [], 0
    for place, name in enumerate(names):
        source, number = PARTS[name].source(number)
        steps.append(f"w{place} AS ({PARTS[name].sql.format(v=source)})")
    saved = f"(SELECT count(*) FROM w{names.index(SAVED)})" if SAVED in names else "0"
    return f"WITH {', '.join(steps)} SELECT {saved}"


def compose(changes: Mapping[str, Sequence[tuple[Any, ...]]]) -> tuple[str, list[Any]]:
    """The statement for changes and its arguments."""
    names = tuple(sorted(changes, key=_PLACES.__getitem__))
    return statement(names), [it for name in names for it in PARTS[name].arguments(changes[name])]
