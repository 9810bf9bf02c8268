"""Routes of accounts and of tokens of machines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.accounts import LastAdmin, NameTaken, Token, User
from core.locale import n_
from gateway.accounts.people import NO_TOTP
from gateway.accounts.refused import BadAccount
from gateway.api.models import (
    MadeToken,
    MadeUser,
    NewToken,
    NewUser,
    Page,
    Tokens,
    TokenView,
    UserChange,
    Users,
    UserView,
    moment,
)
from gateway.api.paging import cut, read_cursor
from gateway.api.problems import Problem
from gateway.api.route import ADMIN, EVERYBODY, Call, Route
from handoff.access import access_tokens, access_users

DAY = 86_400.0


def _at(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


# --- users -----------------------------------------------------------------------------------------------------------


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "title": user.title,
        "role": user.role,
        "lines": user.lines,
        "active": user.active,
        "language": user.language,
        "totp": bool(user.totp),
        "created_at": _at(user.created_at),
        "changed_at": _at(user.changed_at),
    }


async def get_users(call: Call) -> Users:
    page: Page = call.query
    sight, after = access_users(call.who), read_cursor(page.cursor)
    found, cursor = cut(await call.people.accounts.users(sight, after, page.limit + 1), page.limit)
    return Users(items=[UserView(**_user(it)) for it in found], next=cursor)


async def get_user(call: Call) -> UserView:
    found = await call.people.accounts.users(access_users(call.who), call.id - 1, 1)
    if not found or found[0].id != call.id:
        raise Problem("not-found")
    return UserView(**_user(found[0]))


def _require_person(call: Call, needed: bool) -> None:
    """A token that leaks must not become a person: no password, second factor or admin by a machine's word."""
    if needed and call.token is not None:
        raise Problem("not-allowed", n_("No token may do that: a person must."))


async def add_user(call: Call) -> MadeUser:
    body: NewUser = call.body
    _require_person(call, body.role == "admin" or body.password is not None)
    password = body.password.get_secret_value() if body.password else ""
    lines = dict(body.lines)
    user = User(0, body.name, body.title or body.name, body.role, {**lines}, language=body.language)
    try:
        made, given = await call.people.add(user, password, call.deed("user_added"))
    except NameTaken:
        raise Problem("conflict", n_("Somebody has this name.")) from None
    except BadAccount as bad:
        raise invalid(bad) from None
    return MadeUser(**_user(made), password="" if password else given)


async def change_user(call: Call) -> UserView:
    body: UserChange = call.body
    _require_person(call, body.role == "admin" or body.password is not None or body.totp is False)
    given = body.model_dump(exclude={"password", "totp"}, exclude_none=True)
    changes = given | (NO_TOTP if body.totp is False else {})
    password = body.password.get_secret_value() if body.password else ""
    keep = call.session.login.digest if call.session and call.me.id == call.id else ""
    try:
        user = await call.people.change(call.id, changes, call.deed("user_changed"), password, keep)
    except LookupError:
        raise Problem("not-found") from None
    except LastAdmin:
        raise Problem("conflict", n_("Nobody could administer any more.")) from None
    except BadAccount as bad:
        raise invalid(bad) from None
    return UserView(**_user(user))


def invalid(bad: BadAccount) -> Problem:
    """A value that cannot be, as a problem."""
    return Problem("invalid", errors=[{"pointer": f"/{bad.field}", "detail": str(bad)}])


# --- tokens ----------------------------------------------------------------------------------------------------------


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "user": token.user,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": _at(token.created_at),
        "used_at": moment(token.used_at),
        "ends_at": moment(token.ends_at),
    }


async def get_tokens(call: Call) -> Tokens:
    page: Page = call.query
    sight, after = access_tokens(call.who), read_cursor(page.cursor)
    found, cursor = cut(await call.people.accounts.tokens(sight, after, page.limit + 1), page.limit)
    return Tokens(items=[TokenView(**_token(it)) for it in found], next=cursor)


async def add_token(call: Call) -> MadeToken:
    body: NewToken = call.body
    ends = call.people.now() + body.days * DAY if body.days else 0.0
    scopes = tuple(dict.fromkeys(body.scopes))
    token, secret = await call.people.add_token(call.me, body.name, scopes, ends, call.place)
    return MadeToken(**_token(token), token=secret)


async def drop_token(call: Call) -> None:
    deed = call.deed("token_dropped", f"token:{call.id}")
    if not await call.people.accounts.drop_token(access_tokens(call.who), call.id, deed, call.people.now()):
        raise Problem("not-found")


ROUTES = (
    Route(
        *("GET", "/users", get_users, "Accounts that one may see", EVERYBODY),
        scope="users:read",
        query=Page,
        answer=Users,
    ),
    Route(
        *("GET", "/users/{id}", get_user, "An account", EVERYBODY),
        scope="users:read",
        answer=UserView,
        problems=("not-found",),
    ),
    Route(
        *("POST", "/users", add_user, "Add an account", ADMIN),
        scope="users:write",
        body=NewUser,
        answer=MadeUser,
        status=201,
        keyed=True,
        once=True,
        problems=("conflict",),
    ),
    Route(
        *("PATCH", "/users/{id}", change_user, "Change or deactivate an account", ADMIN),
        scope="users:write",
        body=UserChange,
        answer=UserView,
        keyed=True,
        problems=("not-found", "conflict"),
    ),
    Route("GET", "/tokens", get_tokens, "Tokens of machines", EVERYBODY, query=Page, answer=Tokens),
    Route(
        *("POST", "/tokens", add_token, "Make a token for a machine", EVERYBODY),
        body=NewToken,
        answer=MadeToken,
        status=201,
        keyed=True,
        once=True,
    ),
    Route(
        *("DELETE", "/tokens/{id}", drop_token, "End a token", EVERYBODY),
        status=204,
        keyed=True,
        problems=("not-found",),
    ),
)
