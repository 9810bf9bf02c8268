"""What is another line's is 404: every route with an id in its path, asked by people who work elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from core.access import Role
from gateway.api.route import ADMIN, Route
from gateway.api.table import ROUTES
from tests.gateway.api.house import CONFIG, Browser, House, open_house

PARTS = re.compile(r"\{(\w+)\}")
WITH_IDS = [it for it in ROUTES if PARTS.search(it.path)]
# What stands in paths and is no thing of a line: reports are numbers of one's own lines, hours are no secret.
OPEN_TO_ALL = {"/reports/{name}", "/reports/{name}/csv", "/reports/{name}/sessions", "/lines/{name}/hours"}
# Flows are the whole deployment's; their numbers are those of the channels of one's own lines (`test_flows_pages.py`).
OPEN_TO_ALL |= {f"/bot/flows/{{name}}{rest}" for rest in ("", "/source", "/sessions")}
# Devices are one's own by the account that asks: somebody else's do not exist (`test_signing.py`).
OWN = {"/me/devices/{id}"}
# Things of the deployment, of no line: for admins alone, which the role matrix shows.
OF_THE_HOUSE = {
    *("/channels/{name}/test", "/channels/{name}/arrivals"),
    *("/hooks/{name}/attempts", "/hooks/{name}/replay", "/hooks/{name}/resume"),
}

# A body that fits, for each model that needs one. A new route needs a row, else its refusal proves nothing.
EPOCH = {"epoch": 2}
BODIES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("PlainAct", "HoldAct", "CloseAct", "ReplyAct"), EPOCH),
    "ReadMark": {"seq": 1},
    "ClientChange": {"version": "0" * 16, "name": "Чужой"},
    "NewClientNote": {"text": "чужая"},
    "JoinAsked": {"other": 2, "reason": "один человек"},
    "LoanAct": {**EPOCH, "flow": "Привет"},
    "PriorityAct": {**EPOCH, "priority": "high"},
    "FieldAct": {**EPOCH, "label": "Телефон", "text": "1"},
    "AssignAct": {**EPOCH, "person": 1},
    "TransferAct": {**EPOCH, "line": "support"},
    "TicketEdit": {"version": 1, "title": "Чужая"},
    "TicketWords": {"text": "чужое"},
    "SessionOf": {"conversation": 1, "session": 1},
    "Duplicate": {"number": 2},
    "NoWords": {},
    "NewTicket": {"desk": "general", "title": "Чужая"},
    "WhisperAct": {"text": "тсс"},
    "Edit": {"seq": 2, "text": "иначе"},
    "Recall": {"seq": 2},
    "Retry": {"seq": 2},
    "ReplyChange": {"title": "Чужой"},
    "NewDraft": {"text": "черновик"},
    "TakenOff": {"state": "break"},
    "CapacityChange": {"max_sessions": 3},
    "UserChange": {"title": "Чужой"},
}
QUERIES: dict[str, str] = {
    "To": "?to=support",
    "DraftQuery": "?desk=general",
    "DraftDropped": "?version=1",
    "JoinWith": "?other=1",
}


class World:
    """Two clients of the line `billing`, with everything that can be had there; `ids` are theirs by the path's first word."""

    def __init__(self, house: House, root: Browser) -> None:
        self.house, self.root = house, root
        self.ids: dict[str, int] = {}

    async def build(self) -> None:
        for chat in ("1", "2"):
            await self.house.client("привет", chat)
        boris = await self.house.add("boris", billing="operator")
        token = await (await self.house.browser("boris")).ask("POST", "/tokens", {"name": "crm", "scopes": ["me:read"]})
        reply = {"scope": "line", "line": "billing", "shortcut": "счёт", "title": "Счёт", "text": "Вот счёт"}
        canned = await self.root.ask("POST", "/replies", reply)
        taken = await self.root.ask("POST", "/conversations/1/take", {"epoch": 0})
        assert taken.status == 200, taken.body
        tickets = [await self.root.ask("POST", "/conversations/1/tickets", BODIES["NewTicket"]) for _ in range(2)]
        join = await self.root.ask("POST", "/clients/1/join", BODIES["JoinAsked"])
        made = (token, canned, *tickets, join)
        assert [it.status for it in made] == [201] * 5, [it.body for it in made]
        kept = join.body["kept"]["id"] if isinstance(join.body["kept"], dict) else join.body["kept"]
        self.ids = {
            "conversations": 1,
            "clients": kept,
            "users": boris.id,
            "tokens": token.body["id"],
            "replies": canned.body["id"],
            "tickets": tickets[0].body["number"],
            "joined tickets": tickets[1].body["number"],
            "joins": join.body["id"],
        }

    def path(self, route: Route) -> str:
        first = route.path.split("/")[1]
        if route.path == "/tickets/{id}/unjoin":
            first = "joined tickets"
        values = {"id": self.ids[first], "seq": 2, "reply": self.ids["replies"]}
        query = QUERIES.get(name_of(route.query), "")
        return PARTS.sub(lambda found: str(values[found[1]]), route.path) + query

    async def ask(self, browser: Browser, route: Route) -> int:
        body = BODIES[name_of(route.body)] if route.body is not None else None
        return (await browser.ask(route.method, self.path(route), body)).status


def name_of(model: type[BaseModel] | None) -> str:
    return model.__name__ if model is not None else ""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A house whose only channel belongs to `billing`."""
    async for house in open_house(config=CONFIG.replace("line: support}}", "line: billing}}")):
        await house.add("root", "admin")
        made = World(house, await house.browser("root"))
        await made.build()
        yield made


def asked() -> list[Route]:
    return [it for it in WITH_IDS if it.path not in OPEN_TO_ALL | OWN | OF_THE_HOUSE]


def test_every_route_with_an_id_is_tried() -> None:
    """A new route with a body or parameters needs a row above; one with another kind of id a place in `World`."""
    known = {"conversations", "clients", "users", "tokens", "replies", "tickets", "joins"}
    assert {it.path.split("/")[1] for it in asked()} == known
    assert {name_of(it.body) for it in asked() if it.body is not None} <= set(BODIES)
    assert {name for it in asked() for name in PARTS.findall(it.path)} == {"id", "seq", "reply"}
    assert {it.path for it in WITH_IDS} >= OPEN_TO_ALL | OWN | OF_THE_HOUSE


async def test_another_lines_things_do_not_exist(world: World) -> None:
    """For an operator and for a supervisor of another line; an admin finds each of them by the very same question."""
    wrong: list[str] = []
    for role in ("operator", "supervisor"):
        await world.house.add(role, role, support=role)
        browser = await world.house.browser(role)
        for route in asked():
            if role in route.roles and (status := await world.ask(browser, route)) != 404:
                wrong.append(f"{role}: {route.method} {route.path} {status}")
    assert wrong == []
    there = [it for it in asked() if not it.path.startswith("/tokens/")]
    for route in sorted(there, key=lambda it: it.method == "DELETE" or it.path.endswith("/undo")):
        if "admin" in route.roles and await world.ask(world.root, route) == 404:
            wrong.append(f"admin: {route.method} {route.path} 404")
    assert wrong == []


@pytest.mark.parametrize("role", ["operator", "supervisor"])
async def test_ones_own_line_is_there(world: World, role: Role) -> None:
    """The same questions of the same roles find something in a line of theirs: it is the line that hides it."""
    await world.house.add("anna", role, billing=role)
    browser = await world.house.browser("anna")
    reads = [it for it in asked() if it.method == "GET" and role in it.roles and not it.path.startswith("/users/")]
    found = {route.path: await world.ask(browser, route) for route in reads}
    assert {path: status for path, status in found.items() if status == 404} == {}


def test_admins_routes_hide_nothing() -> None:
    """What only admins may ask is refused to others before anything is looked for (the role matrix)."""
    assert {it.path for it in asked() if it.roles == ADMIN} == {"/users/{id}"}
