"""Accounts as rows and as values."""

from __future__ import annotations

from typing import Any

import msgspec

from core.accounts import Login, Token, User
from storage.codec import encode
from storage.rows import Row

_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_LINES = "lines"  # a table of its own


def user_of(row: Row, lines: list[Row]) -> User:
    plain = {name: value for name, value in row.items() if name not in ("active", "recovery")}
    roles = {it["line"]: it["role"] for it in lines}
    return User(**plain, active=bool(row["active"]), recovery=_texts(row["recovery"]), lines=roles)


def user_row(user: User) -> Row:
    row: dict[str, Any] = msgspec.structs.asdict(user)
    del row[_LINES]
    return row | {"active": int(user.active), "recovery": encode(user.recovery)}


def login_of(row: Row) -> Login:
    plain = {name: value for name, value in row.items() if name != "user_id"}
    return Login(**plain, user=row["user_id"])


def login_row(login: Login) -> Row:
    row = msgspec.structs.asdict(login)
    return row | {"user_id": row.pop("user")}


def token_of(row: Row) -> Token:
    plain = {name: value for name, value in row.items() if name not in ("user_id", "scopes")}
    return Token(**plain, user=row["user_id"], scopes=_texts(row["scopes"]))


def token_row(token: Token) -> Row:
    row = msgspec.structs.asdict(token)
    return row | {"user_id": row.pop("user"), "scopes": encode(token.scopes)}
