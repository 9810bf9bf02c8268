"""The tables of accounts, and what the rules ask of them: the same for SQL and for the in-memory twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from core.access import Sight
from storage.rows import Row


class AccountRows(Protocol):
    """Rows by the keys of their tables, and the questions of the rules. One unit of writing at a time, on every engine."""

    def get(self, table: str, *key: Any) -> Row | None: ...
    def put(self, table: str, row: Row) -> None:
        """Insert a row, or replace the one with its key."""
        ...

    def drop(self, table: str, *key: Any) -> None: ...
    def drop_older(self, table: str, before: float) -> None:
        """Forget rows of `logins`, `guesses` or `requests` whose time was over before."""
        ...

    def last_id(self, table: str) -> int:
        """The highest id, 0 in an empty table."""
        ...

    def user_named(self, name: str) -> Row | None: ...
    def users_seen(self, sight: Sight, after: int, limit: int) -> list[Row]: ...
    def users_of_role(self, role: str) -> list[Row]: ...
    def lines_of(self, user: int) -> list[Row]: ...
    def logins_of(self, user: int) -> list[Row]:
        """The newest first."""
        ...

    def token_hashed(self, digest: str) -> Row | None: ...
    def tokens_seen(self, sight: Sight, after: int, limit: int) -> list[Row]: ...
    def audit_before(self, id: int, limit: int) -> list[Row]:
        """Downwards."""
        ...

    def audit_after(self, id: int, limit: int) -> Sequence[Row]:
        """Upwards."""
        ...

    def noted(self, name: str) -> str:
        """A value of `meta`, empty without one."""
        ...

    def set_noted(self, name: str, value: str) -> None: ...


SEPARATOR = "\n"  # no name of a line has one


def packed(lines: Sequence[str]) -> str:
    """Names of lines as one text, in which both engines find one in the same way."""
    return "".join(f"{SEPARATOR}{line}{SEPARATOR}" for line in lines)


# When a row of these tables is of no use any more.
OVER = {"logins": "ends_at", "guesses": "last_at", "requests": "at"}
