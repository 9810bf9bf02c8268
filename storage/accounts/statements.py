"""Statements about accounts, compiled with those of `storage.queries`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Table,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import insert as upsert  # ON CONFLICT reads the same in SQLite

from storage.accounts import tables as t
from storage.accounts.schema import ACCOUNTS, audit, logins, tokens, user_lines, users
from storage.tables import meta

_tables = {table.name: table for table in ACCOUNTS}


def _p(name: str) -> BindParameter[Any]:
    return bindparam(name)


def _key(table: Table) -> list[ColumnElement[bool]]:
    return [column == _p(f"k{place}") for place, column in enumerate(table.primary_key.columns)]


def _put(table: Table) -> Executable:
    statement = upsert(table).values({column.name: _p(column.name) for column in table.columns})
    keys = [column.name for column in table.primary_key.columns]
    changes = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


GET: dict[str, Executable] = {name: select(it).where(*_key(it)) for name, it in _tables.items()}
PUT: dict[str, Executable] = {name: _put(it) for name, it in _tables.items()}
DROP: dict[str, Executable] = {name: delete(it).where(*_key(it)) for name, it in _tables.items()}
DROP_OLDER: dict[str, Executable] = {
    name: delete(_tables[name]).where(_tables[name].c[column] < _p("before")) for name, column in t.OVER.items()
}
LAST_ID: dict[str, Executable] = {it.name: select(func.max(it.c.id)) for it in (users, tokens, audit)}

# The filter of `core.access.Sight`: everything, one of the lines, or what is one's own.
_everything = bindparam("everything", type_=Integer) == literal("1")
_newline: ColumnElement[str] = literal(f"'{t.SEPARATOR}'")
_in_lines = func.replace(_p("lines"), _newline + user_lines.c.line + _newline, literal("''")) != _p("lines")
_seen = or_(
    _everything,
    users.c.id == _p("viewer"),
    exists().where(user_lines.c.user_id == users.c.id, _in_lines),
)

USER_NAMED = select(users).where(users.c.name == _p("name"))
USERS_SEEN = (
    select(users).where(users.c.id > _p("after"), _seen).order_by(users.c.id).limit(_p("n")).offset(literal("0"))
)
USERS_OF_ROLE = select(users).where(users.c.role == _p("role")).order_by(users.c.id)
LINES_OF = select(user_lines).where(user_lines.c.user_id == _p("user_id")).order_by(user_lines.c.line)
LOGINS_OF = select(logins).where(logins.c.user_id == _p("user_id")).order_by(logins.c.created_at.desc(), logins.c.id)
TOKEN_HASHED = select(tokens).where(tokens.c.digest == _p("digest"))
TOKENS_SEEN = (
    select(tokens)
    .where(tokens.c.id > _p("after"), or_(_everything, tokens.c.user_id == _p("viewer")))
    .order_by(tokens.c.id)
    .limit(_p("n"))
    .offset(literal("0"))
)
AUDIT_BEFORE = (
    select(audit).where(audit.c.id < _p("before")).order_by(audit.c.id.desc()).limit(_p("n")).offset(literal("0"))
)
AUDIT_AFTER = select(audit).where(audit.c.id > _p("after")).order_by(audit.c.id).limit(_p("n")).offset(literal("0"))
NOTED = select(meta.c.value).where(meta.c.name == _p("name"))
NOTE: Executable = _put(meta)
