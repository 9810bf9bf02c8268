"""The tables of accounts in dictionaries: the in-memory twin of `storage.accounts.sql`."""

from __future__ import annotations

from typing import Any

from core.access import Sight
from storage.accounts.tables import OVER
from storage.memory_rows import KEYS, MemoryRows
from storage.rows import Row


class MemoryAccountRows:
    """`AccountRows` over the rows of the memory store, so that a unit can be undone."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    def get(self, table: str, *key: Any) -> Row | None:
        return self._rows.get(table, *key)

    def put(self, table: str, row: Row) -> None:
        self._rows.put(table, row, *(row[name] for name in KEYS[table]))

    def drop(self, table: str, *key: Any) -> None:
        self._rows.remove(table, *key)

    def drop_older(self, table: str, before: float) -> None:
        old = [row for row in self._rows.all(table) if row[OVER[table]] < before]
        for row in old:
            self.drop(table, *(row[name] for name in KEYS[table]))

    def last_id(self, table: str) -> int:
        return max((row["id"] for row in self._rows.all(table)), default=0)

    def user_named(self, name: str) -> Row | None:
        return next(self._rows.all("users", name=name), None)

    def users_seen(self, sight: Sight, after: int, limit: int) -> list[Row]:
        def is_seen(row: Row) -> bool:
            lines = {it["line"] for it in self.lines_of(row["id"])}
            return sight.everything or row["id"] == sight.user or bool(lines & set(sight.lines))

        return [row for row in _by_id(self._rows.all("users")) if row["id"] > after and is_seen(row)][:limit]

    def users_of_role(self, role: str) -> list[Row]:
        return _by_id(self._rows.all("users", role=role))

    def lines_of(self, user: int) -> list[Row]:
        return sorted(self._rows.all("user_lines", user_id=user), key=lambda row: str(row["line"]))

    def logins_of(self, user: int) -> list[Row]:
        return sorted(self._rows.all("logins", user_id=user), key=lambda row: (-row["created_at"], row["id"]))

    def token_hashed(self, digest: str) -> Row | None:
        return next(self._rows.all("tokens", digest=digest), None)

    def tokens_seen(self, sight: Sight, after: int, limit: int) -> list[Row]:
        rows = _by_id(self._rows.all("tokens"))
        return [row for row in rows if row["id"] > after and (sight.everything or row["user_id"] == sight.user)][:limit]

    def audit_before(self, id: int, limit: int) -> list[Row]:
        found = [row for row in _by_id(self._rows.all("audit")) if row["id"] < id]
        return found[::-1][:limit]

    def audit_after(self, id: int, limit: int) -> list[Row]:
        return [row for row in _by_id(self._rows.all("audit")) if row["id"] > id][:limit]

    def noted(self, name: str) -> str:
        row = self.get("meta", name)
        return "" if row is None else str(row["value"])

    def set_noted(self, name: str, value: str) -> None:
        self.put("meta", {"name": name, "value": value})


def _by_id(rows: Any) -> list[Row]:
    return sorted(rows, key=lambda row: int(row["id"]))
