"""The tables of accounts in SQL, for both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.access import Sight
from storage.accounts import statements as s
from storage.accounts.tables import packed
from storage.asked import Asked
from storage.rows import Row


class SqlAccountRows:
    """`AccountRows` over whoever runs statements within a transaction."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def get(self, table: str, *key: Any) -> Row | None:
        return self._asked.one(s.GET[table], **_places(key))

    def put(self, table: str, row: Row) -> None:
        self._asked.run(s.PUT[table], **row)

    def drop(self, table: str, *key: Any) -> None:
        self._asked.run(s.DROP[table], **_places(key))

    def drop_older(self, table: str, before: float) -> None:
        self._asked.run(s.DROP_OLDER[table], before=before)

    def last_id(self, table: str) -> int:
        return int(self._asked.value(s.LAST_ID[table]) or 0)

    def user_named(self, name: str) -> Row | None:
        return self._asked.one(s.USER_NAMED, name=name)

    def users_seen(self, sight: Sight, after: int, limit: int) -> list[Row]:
        lines = packed(sight.lines)
        seen = {"everything": int(sight.everything), "viewer": sight.user, "lines": lines}
        return self._asked.all(s.USERS_SEEN, after=after, n=limit, **seen)

    def users_of_role(self, role: str) -> list[Row]:
        return self._asked.all(s.USERS_OF_ROLE, role=role)

    def lines_of(self, user: int) -> list[Row]:
        return self._asked.all(s.LINES_OF, user_id=user)

    def logins_of(self, user: int) -> list[Row]:
        return self._asked.all(s.LOGINS_OF, user_id=user)

    def token_hashed(self, digest: str) -> Row | None:
        return self._asked.one(s.TOKEN_HASHED, digest=digest)

    def tokens_seen(self, sight: Sight, after: int, limit: int) -> list[Row]:
        seen = {"everything": int(sight.everything), "viewer": sight.user}
        return self._asked.all(s.TOKENS_SEEN, after=after, n=limit, **seen)

    def audit_before(self, id: int, limit: int) -> list[Row]:
        return self._asked.all(s.AUDIT_BEFORE, before=id, n=limit)

    def audit_after(self, id: int, limit: int) -> Sequence[Row]:
        return self._asked.all(s.AUDIT_AFTER, after=id, n=limit)

    def noted(self, name: str) -> str:
        return str(self._asked.value(s.NOTED, name=name) or "")

    def set_noted(self, name: str, value: str) -> None:
        self._asked.run(s.NOTE, name=name, value=value)


def _places(key: tuple[Any, ...]) -> dict[str, Any]:
    return {f"k{place}": value for place, value in enumerate(key)}
