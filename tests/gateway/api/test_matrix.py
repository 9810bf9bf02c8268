"""Who may call what: a row for every route of the table, each tried in every role, by a token, and by nobody."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from core.access import ROLES, Role
from gateway.accounts.people import Place
from gateway.api.models import NewToken, Scope
from gateway.api.route import Route
from gateway.api.table import ROUTES
from tests.gateway.api.house import Browser, House

OPEN: tuple[Role, ...] = ()
ALL = ROLES
ADMIN: tuple[Role, ...] = ("admin",)
WORKERS: tuple[Role, ...] = ("operator", "supervisor", "admin")

NUMBERS: tuple[Role, ...] = ("supervisor", "analyst", "admin")

# A new route needs a row here: who may call it, and by which scope a token may.
MATRIX: dict[tuple[str, str], tuple[tuple[Role, ...], str]] = {
    ("GET", "/live"): (WORKERS, "conversations:read"),
    ("POST", "/login"): (OPEN, ""),
    ("POST", "/logout"): (OPEN, ""),
    ("GET", "/me"): (ALL, "me:read"),
    ("PATCH", "/me"): (ALL, ""),
    ("POST", "/me/password"): (ALL, ""),
    ("GET", "/me/devices"): (ALL, ""),
    ("DELETE", "/me/devices"): (ALL, ""),
    ("DELETE", "/me/devices/{id}"): (ALL, ""),
    ("POST", "/me/totp"): (ALL, ""),
    ("DELETE", "/me/totp"): (ALL, ""),
    ("GET", "/users"): (ALL, "users:read"),
    ("GET", "/users/{id}"): (ALL, "users:read"),
    ("POST", "/users"): (ADMIN, "users:write"),
    ("PATCH", "/users/{id}"): (ADMIN, "users:write"),
    ("GET", "/tokens"): (ALL, ""),
    ("POST", "/tokens"): (ALL, ""),
    ("DELETE", "/tokens/{id}"): (ALL, ""),
    ("GET", "/audit"): (ADMIN, "audit:read"),
    ("GET", "/audit/check"): (ADMIN, "audit:read"),
    ("GET", "/channels"): (ADMIN, "system:read"),
    ("POST", "/channels/{name}/test"): (ADMIN, ""),
    ("GET", "/channels/{name}/arrivals"): (ADMIN, "system:read"),
    ("GET", "/system"): (ADMIN, "system:read"),
    ("GET", "/hooks"): (ADMIN, "system:read"),
    ("GET", "/hooks/{name}/attempts"): (ADMIN, "system:read"),
    ("POST", "/hooks/{name}/replay"): (ADMIN, ""),
    ("POST", "/hooks/{name}/resume"): (ADMIN, ""),
    ("GET", "/reports"): (NUMBERS, "reports:read"),
    ("GET", "/reports/{name}"): (NUMBERS, "reports:read"),
    ("GET", "/reports/{name}/csv"): (NUMBERS, "reports:read"),
    ("GET", "/reports/{name}/sessions"): (("supervisor", "admin"), "conversations:read"),
    ("GET", "/bot/editions"): (NUMBERS, "reports:read"),
    ("GET", "/bot/flows"): (NUMBERS, "reports:read"),
    ("GET", "/bot/flows/{name}"): (NUMBERS, "reports:read"),
    ("GET", "/bot/flows/{name}/source"): (NUMBERS, "reports:read"),
    ("GET", "/bot/flows/{name}/sessions"): (("supervisor", "admin"), "conversations:read"),
    ("GET", "/bot/uncaught"): (("supervisor", "admin"), "conversations:read"),
    ("GET", "/clients"): (WORKERS, "clients:read"),
    ("GET", "/clients/{id}"): (WORKERS, "clients:read"),
    ("PATCH", "/clients/{id}"): (WORKERS, "clients:write"),
    ("GET", "/clients/{id}/notes"): (WORKERS, "clients:read"),
    ("POST", "/clients/{id}/notes"): (WORKERS, "clients:write"),
    ("GET", "/clients/{id}/edits"): (WORKERS, "clients:read"),
    ("GET", "/clients/{id}/timeline"): (WORKERS, "clients:read"),
    ("POST", "/clients/{id}/join"): (WORKERS, "clients:write"),
    ("GET", "/clients/{id}/join"): (WORKERS, "clients:read"),
    ("POST", "/joins/{id}/undo"): (WORKERS, "clients:write"),
    ("GET", "/clients/{id}/joins"): (WORKERS, "clients:read"),
    ("GET", "/clients/{id}/suggestions"): (WORKERS, "clients:read"),
    ("GET", "/conversations"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/counts"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/messages"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/history"): (WORKERS, "conversations:read"),
    ("POST", "/conversations/{id}/read"): (WORKERS, "conversations:read"),
    ("POST", "/conversations/{id}/take"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/reply"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/note"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/return"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/to_bot"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/close"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/release"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/assign"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/transfer"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/accept"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/send_back"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/hold"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/unhold"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/loan"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/end_loan"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/priority"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/set_field"): (WORKERS, "conversations:write"),
    ("GET", "/conversations/{id}/transfer"): (WORKERS, "conversations:read"),
    ("GET", "/flows"): (WORKERS, "conversations:read"),
    ("POST", "/files"): (WORKERS, "conversations:write"),
    ("GET", "/me/presence"): (ALL, ""),
    ("PUT", "/me/presence"): (ALL, ""),
    ("PUT", "/users/{id}/presence"): (("supervisor", "admin"), "users:write"),
    ("PUT", "/users/{id}/capacity"): (("supervisor", "admin"), "users:write"),
    ("GET", "/queue"): (WORKERS, "conversations:read"),
    ("GET", "/lines"): (ALL, "reports:read"),
    ("GET", "/lines/{name}/hours"): (ALL, "reports:read"),
    ("GET", "/sla/at-risk"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/sla"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/routings"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/delivery/{seq}"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/ways"): (WORKERS, "conversations:read"),
    ("POST", "/conversations/{id}/edit"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/recall"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/retry"): (WORKERS, "conversations:write"),
    ("GET", "/replies"): (WORKERS, "conversations:read"),
    ("GET", "/replies/{id}"): (WORKERS, "conversations:read"),
    ("POST", "/replies"): (WORKERS, "conversations:write"),
    ("PATCH", "/replies/{id}"): (WORKERS, "conversations:write"),
    ("DELETE", "/replies/{id}"): (WORKERS, "conversations:write"),
    ("POST", "/conversations/{id}/replies/{reply}/render"): (WORKERS, "conversations:read"),
    ("GET", "/conversations/{id}/draft"): (WORKERS, "conversations:read"),
    ("PUT", "/conversations/{id}/draft"): (WORKERS, "conversations:write"),
    ("DELETE", "/conversations/{id}/draft"): (WORKERS, "conversations:write"),
    ("GET", "/search"): (WORKERS, "conversations:read"),
    ("GET", "/me/mentions"): (WORKERS, "conversations:read"),
    ("POST", "/me/mentions/read"): (WORKERS, "conversations:write"),
    ("GET", "/desks"): (WORKERS, "tickets:read"),
    ("GET", "/tickets"): (WORKERS, "tickets:read"),
    ("GET", "/tickets/counts"): (WORKERS, "tickets:read"),
    ("GET", "/tickets/{id}"): (WORKERS, "tickets:read"),
    ("GET", "/tickets/{id}/people"): (WORKERS, "tickets:read"),
    ("PATCH", "/tickets/{id}"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/comment"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/note"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/link"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/unlink"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/join"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/unjoin"): (WORKERS, "tickets:write"),
    ("POST", "/tickets/{id}/push"): (WORKERS, "tickets:write"),
    ("GET", "/conversations/{id}/ticket-draft"): (WORKERS, "tickets:read"),
    ("POST", "/conversations/{id}/tickets"): (WORKERS, "tickets:write"),
}
DENIED = {"not-signed-in", "not-allowed"}


def test_every_route_has_a_row() -> None:
    assert {(it.method, it.path): (it.roles, it.scope) for it in ROUTES} == MATRIX


def test_scopes_are_those_that_tokens_may_have() -> None:
    schema = NewToken.model_json_schema()
    known = set(schema["properties"]["scopes"]["items"]["enum"])
    assert {it.scope for it in ROUTES} - {""} == known


async def kind_of(browser: Browser, route: Route) -> str:
    """What a call with an empty body comes to; only whether it is denied counts here."""
    body: dict[str, str] | None = {} if route.body is not None else None
    answer = await browser.ask(route.method, re.sub(r"\{\w+\}", "999", route.path), body)
    return answer.kind if answer.status >= 400 else "done"


def fits(route: Route, came: str, allowed: bool) -> list[str]:
    """Nothing, or what is wrong with how the call of a route was answered."""
    return [] if (came not in DENIED) == allowed else [f"{route.method} {route.path}: {came}"]


@pytest.mark.parametrize("role", ROLES)
async def test_roles(house: House, role: Role) -> None:
    """A browser of its own for each route: some sign out."""
    await house.add("anna", role)
    wrong: list[str] = []
    for route in ROUTES:
        roles, _ = MATRIX[route.method, route.path]
        wrong += fits(route, await kind_of(await house.browser("anna"), route), not roles or role in roles)
    assert wrong == []


async def test_nobody(house: House) -> None:
    browser = await house.browser()
    wrong: list[str] = []
    for route in ROUTES:
        came, (roles, _) = await kind_of(browser, route), MATRIX[route.method, route.path]
        if (came == "not-signed-in") != bool(roles):
            wrong.append(f"{route.method} {route.path}: {came}")
    assert wrong == []


@pytest.mark.parametrize("scope", sorted(get_args(Scope)))
async def test_tokens(house: House, scope: str) -> None:
    """A token of an admin does what its scope says, and never what needs a person."""
    user = await house.add("root", "admin")
    _, secret = await house.people.add_token(user, "crm", (scope,), 0.0, Place())
    browser = await house.browser(token=secret)
    wrong: list[str] = []
    for route in ROUTES:
        roles, wanted = MATRIX[route.method, route.path]
        allowed = not roles or ("admin" in roles and scope == wanted)
        wrong += fits(route, await kind_of(browser, route), allowed)
    assert wrong == []
