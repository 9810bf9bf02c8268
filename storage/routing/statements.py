"""Statements about presence and routing, made once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import insert as upsert  # ON CONFLICT reads the same in SQLite

from storage.accounts.schema import user_lines, users
from storage.routing.schema import assignments, presence, routings, waits
from storage.tables import conversations
from storage.work.schema import sessions
from storage.work.sessions import SEEN

ZERO: ColumnElement[int] = literal("0")
ONE: ColumnElement[int] = literal("1")
_operator: ColumnElement[str] = literal("'user:'") + cast(users.c.id, Text)
_current = sessions.c.current == ONE
_queued = and_(_current, sessions.c.owner == literal("'queue'"))
_staffed = and_(_current, sessions.c.operator != literal("''"))


def _p(name: str) -> BindParameter[Any]:
    return bindparam(name)


# --- presence ----------------------------------------------------------------------------------------------------------

PRESENCE_OF = select(presence).where(presence.c.user_id == _p("user"))
_said = upsert(presence).values({column.name: _p(column.name) for column in presence.columns})
SAY = _said.on_conflict_do_update(
    index_elements=["user_id"],
    set_={name: _said.excluded[name] for name in ("state", "since", "seen_at", "away")},
)
TAKE_OFF = _said.on_conflict_do_update(
    index_elements=["user_id"], set_={name: _said.excluded[name] for name in ("state", "since")}
)
SET_CAPACITY = _said.on_conflict_do_update(
    index_elements=["user_id"], set_={name: _said.excluded[name] for name in ("capacity", "capacity_until")}
)
TOUCH = (
    update(presence)
    .where(presence.c.user_id == _p("user"), presence.c.seen_at < _p("at"))
    .values(seen_at=_p("at"), away=ZERO)
)
GO_AWAY = update(presence).where(presence.c.user_id == _p("user")).values(away=ONE)
# Whoever said that they are there and is silent since; told of once.
SILENT = select(presence).where(
    presence.c.state != literal("'offline'"), presence.c.away == ZERO, presence.c.seen_at < _p("before")
)
LINES_OF = select(user_lines.c.line).where(user_lines.c.user_id == _p("user")).order_by(user_lines.c.line)


# --- the snapshot -------------------------------------------------------------------------------------------------------

WAITING = select(
    *(sessions.c[name] for name in ("conversation", "number", "epoch", "line", "client", "channel")),
    *(sessions.c[name] for name in ("due", "priority", "queued_at", "state")),
).where(_queued)
WAITING_SEEN = select(sessions.c.conversation).where(_queued, SEEN)


def _last(what: str) -> ColumnElement[float]:
    """When somebody last got a session, or let one go."""
    found = select(func.max(assignments.c.at)).where(
        assignments.c.operator == _operator, assignments.c.what == literal(f"'{what}'")
    )
    return func.coalesce(found.correlate(users).scalar_subquery(), ZERO)


PEOPLE = (
    select(
        users.c.id,
        users.c.name,
        users.c.title,
        *(
            func.coalesce(presence.c[name], ZERO).label(name)
            for name in ("since", "seen_at", "capacity", "capacity_until")
        ),
        func.coalesce(presence.c.state, literal("'offline'")).label("state"),
        _last("got").label("got_at"),
        _last("left").label("left_at"),
    )
    .select_from(users.outerjoin(presence, presence.c.user_id == users.c.id))
    .where(users.c.active == ONE, exists().where(user_lines.c.user_id == users.c.id))
    .order_by(users.c.id)
)
ROLES = (
    select(user_lines.c.user_id, user_lines.c.line, user_lines.c.role)
    .select_from(user_lines.join(users, users.c.id == user_lines.c.user_id))
    .where(users.c.active == ONE)
    .order_by(user_lines.c.user_id, user_lines.c.line)
)
IN_WORK = (
    select(
        sessions.c.operator,
        sessions.c.line,
        sessions.c.channel,
        sessions.c.status,
        func.count().label("count"),
    )
    .where(_staffed)
    .group_by(sessions.c.operator, sessions.c.line, sessions.c.channel, sessions.c.status)
)

# Whom the clients that wait had before, and who let a waiting session go.
_home, _other = conversations.alias("home"), conversations.alias("other")
EARLIER = (
    select(
        sessions.c.conversation.label("waiting"),
        case(
            (
                and_(assignments.c.conversation == sessions.c.conversation, assignments.c.session == sessions.c.number),
                ONE,
            ),
            else_=ZERO,
        ).label("own"),
        *(assignments.c[name] for name in ("operator", "what", "why", "at")),
    )
    .select_from(
        sessions.join(_home, _home.c.id == sessions.c.conversation)
        .join(_other, _other.c.client == _home.c.client)
        .join(assignments, assignments.c.conversation == _other.c.id)
    )
    .where(_queued, assignments.c.at > _p("since"))
    .order_by(assignments.c.at, assignments.c.id)
)
WAITS_OF_LINE = (
    select(assignments.c.at, assignments.c.waited)
    .where(
        assignments.c.line == _p("line"),
        assignments.c.what == literal("'got'"),
        assignments.c.waited >= ZERO,
        assignments.c.at > _p("since"),
    )
    .order_by(assignments.c.at.desc())
    .limit(_p("n"))
    .offset(ZERO)
)

# Sessions of people who are away, or have no account any more.
OF_ABSENT = (
    select(
        *(sessions.c[name] for name in ("conversation", "epoch", "operator", "assigned_at")),
        users.c.id.label("user"),
        users.c.active,
        *(func.coalesce(presence.c[name], ZERO).label(name) for name in ("since", "seen_at")),
        func.coalesce(presence.c.state, literal("''")).label("said"),
    )
    .select_from(
        sessions.join(users, sessions.c.operator == _operator).outerjoin(presence, presence.c.user_id == users.c.id)
    )
    .where(
        _staffed,
        or_(
            users.c.active == ZERO,
            presence.c.seen_at < _p("before"),
            and_(presence.c.state == literal("'offline'"), presence.c.since < _p("before")),
        ),
    )
    .order_by(sessions.c.conversation)
)


# --- decisions ------------------------------------------------------------------------------------------------------------

_filled = [column.name for column in routings.columns if column.name != "id"]
KEEP: Executable = insert(routings).values({name: _p(name) for name in _filled})
SETTLE = update(routings).where(routings.c.key == _p("the_key")).values(outcome=_p("became"))
DECISIONS = (
    select(routings)
    .where(routings.c.conversation == _p("conversation"), routings.c.id < _p("before"))
    .order_by(routings.c.id.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
_waits = upsert(waits).values({column.name: _p(column.name) for column in waits.columns})
WAITS = select(waits)
PUT_WAIT = _waits.on_conflict_do_update(
    index_elements=["conversation"], set_={name: _waits.excluded[name] for name in ("epoch", "cause", "at")}
)
DROP_WAITS = delete(waits).where(~exists().where(sessions.c.conversation == waits.c.conversation, _queued))


# --- numbers of lines ---------------------------------------------------------------------------------------------------

# Of the sessions that began lately: how many, and how many of them no person ever had.
BOTS_SHARE = (
    select(
        sessions.c.channel,
        func.count().label("all"),
        func.sum(
            case(
                (and_(sessions.c.owner == literal("'bot'"), sessions.c.assigned_at == ZERO), ONE),
                else_=ZERO,
            )
        ).label("bots"),
    )
    .where(sessions.c.opened_at > _p("since"))
    .group_by(sessions.c.channel)
)
