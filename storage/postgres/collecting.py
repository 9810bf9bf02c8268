"""What the rules want written, kept until the end of the group or until a question whose answer it may change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.util.concurrency import await_

from storage.postgres.asking import Asking
from storage.postgres.flushing import PICKERS, SAVED, compose, picker
from storage.rows import Row


class Collecting(Asking):
    """Changes by kind, new rows by table. `clean` mends texts that PostgreSQL cannot store."""

    def __init__(self, link: Any, clean: bool = False) -> None:
        super().__init__(link)
        self._clean = clean
        self.foreign: set[int] = set()  # conversations that another transaction has locked
        self._changes: dict[str, list[tuple[Any, ...]]] = {}
        self._fresh: dict[tuple[str, Any], Row] = {}
        self._inserts: dict[str, list[Row]] = {}
        self._touched: set[tuple[str, Any]] = set()
        self._saves: dict[int, tuple[Any, ...]] = {}
        self._timers: dict[tuple[int, str], Row | None] = {}
        self._armed: dict[tuple[int, int], float] = {}  # (conversation, row they wait for) → now
        self._uncaught: dict[str, tuple[int, float]] = {}
        self._queue: dict[int, Row | None] = {}
        self._sessions: dict[tuple[int, int], Row] = {}
        self.saved: tuple[set[int], set[int]] = set(), set()  # conversations and cards that were written

    def link_fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """A question that no change of this transaction concerns."""
        return super().fetch(sql, *map(self.wash, values))

    def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        self.flush()
        return self.link_fetch(sql, *values)

    def wash(self, value: Any) -> Any:
        """PostgreSQL stores no NUL in texts; who sends one anyway is not refused."""
        return value.replace("\0", "�") if self._clean and isinstance(value, str) else value

    def flush(self) -> None:
        """Write what was collected."""
        changes = self._collect()
        if not changes:
            return
        saved = len(self._saves)
        if self._clean:
            changes = {name: [tuple(map(self.wash, row)) for row in rows] for name, rows in changes.items()}
        sql, arguments = compose(changes)
        self._forget()
        if await_(self.link.fetchval(sql, *arguments)) != saved:
            raise RuntimeError("a conversation changed under its turn")

    def _collect(self) -> dict[str, list[tuple[Any, ...]]]:
        changes = self._changes
        for table, rows in self._inserts.items():
            changes[f"insert {table}"] = list(map(PICKERS[table], rows))
        for name in ("insert identities", "insert inbox"):  # neighbours wait for each other in one order
            if len(changes.get(name, ())) > 1:
                changes[name].sort(key=lambda row: row[:3] if name == "insert identities" else row[2:5])
        if "insert inbox" in changes and self.foreign:
            self._split_foreign(changes)
        if self._saves:
            changes[SAVED] = [self._saves[id] for id in sorted(self._saves)]
        self._collect_keyed(changes)
        return changes

    def _split_foreign(self, changes: dict[str, list[tuple[Any, ...]]]) -> None:
        rows = changes.pop("insert inbox")
        for name, wanted in (("insert inbox once", True), ("insert inbox", False)):
            found = [row for row in rows if (row[1] in self.foreign) is wanted]
            if found:
                changes[name] = found

    def _collect_keyed(self, changes: dict[str, list[tuple[Any, ...]]]) -> None:
        self._collect_timers(changes)
        for home, entry in sorted(self._queue.items()):
            if entry is None:
                changes.setdefault("unqueue", []).append((home,))
            else:
                values = (entry[name] for name in ("line", "priority", "deadline", "note", "since"))
                changes.setdefault("enqueue", []).append((home, *values))
        if self._sessions:
            pick = picker("sessions")
            changes["put session"] = [pick(self._sessions[key]) for key in sorted(self._sessions)]
        if self._uncaught:
            changes["count uncaught"] = [(text, *self._uncaught[text]) for text in sorted(self._uncaught)]

    def _collect_timers(self, changes: dict[str, list[tuple[Any, ...]]]) -> None:
        """Timers were armed before others of their conversation were set: see `arm_timers`."""
        if self._armed:
            others = self._keys_of_timers()
            rows = [(home, after, now, others.get(home, "[]")) for (home, after), now in sorted(self._armed.items())]
            changes["arm timers"] = rows
        for key, timer in sorted(self._timers.items()):
            if timer is None:
                changes.setdefault("stop timer", []).append(key)
            else:
                row = (*key, timer["due"], timer["after"], timer["seconds"], timer["data"])
                changes.setdefault("set timer", []).append(row)

    def _keys_of_timers(self) -> dict[int, str]:
        """Keys of the timers that are set or stopped, by conversation, as JSON."""
        keys: dict[int, list[str]] = {}
        for home, key in self._timers:
            keys.setdefault(home, []).append(self.wash(key))
        return {home: msgspec.json.encode(names).decode() for home, names in keys.items()}

    def _forget(self) -> None:
        """What is written is no longer collected."""
        self._changes, self._inserts, self._fresh = {}, {}, {}
        self._saves, self._timers, self._uncaught, self._queue = {}, {}, {}, {}
        self._touched, self._armed, self._sessions = set(), {}, {}

    def _change(self, kind: str, key: tuple[str, Any], *values: Any) -> None:
        """Collect a change of a stored row; a second one of the same row follows the first."""
        if key in self._touched:
            self.flush()
        self._touched.add(key)
        self._changes.setdefault(kind, []).append(values)
