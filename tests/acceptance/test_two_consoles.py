"""Two gateways over one PostgreSQL: people at one hear at once what happens at the other, and lose nothing when one dies."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.accounts import operator_id
from gateway.api.origin import HEADER
from gateway.leases import SECONDS
from tests.acceptance.house import until
from tests.acceptance.machines import WITHIN, Client, Machine, Machines, opened
from tests.gateway.api.live.conftest import Frame, Tap
from tests.postgres import Cluster, cluster
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
pytestmark = pytest.mark.faults
PASSWORD = "correct horse battery staple"
SECRET = "whsec_" + base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(params=["with Redis", "without Redis"])
async def machines(
    request: pytest.FixtureRequest, tmp_path: Path, server: Cluster, redis_server: RedisServer
) -> AsyncIterator[Machines]:
    async with opened(tmp_path, server, redis_server.url if request.param == "with Redis" else "") as made:
        yield made


class Colleague:
    """Somebody at work, with a console that is open at one machine. Their sign-in counts at every machine."""

    def __init__(self, name: str) -> None:
        self.name, self.id = name, 0
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers={HEADER: "1"})
        self.tap: Tap

    @property
    def operator(self) -> str:
        return operator_id(self.id)

    async def hired(self, machine: Machine) -> None:
        words = ("user", "add", self.name, "--role", "operator", "--line", "support", "--password-stdin")
        code, said = await asyncio.to_thread(machine.run, *words, given=f"{PASSWORD}\n")
        assert code == 0, said
        await self.ask(machine, "POST", "/login", {"name": self.name, "password": PASSWORD})
        self.id = (await self.ask(machine, "GET", "/me"))["id"]

    async def ask(self, machine: Machine, method: str, path: str, body: Any = None) -> Any:
        """What the API of the machine answers."""
        async with self.http.request(method, f"{machine.url}/api/v1{path}", json=body) as answer:
            said = await answer.read()
            assert answer.status < 300, said
            return json.loads(said) if said else None

    async def sit_down(self, machine: Machine, after: int | None = None) -> Tap:
        """Open the console at a machine and hear everything behind a place of the feed, or from now on."""
        self.tap = Tap(await self.http.ws_connect(f"{machine.url}/api/v1/live", headers={"Origin": machine.url}))
        await self.tap.say("hello", after=after)
        await until(self._ready, "the console is live", WITHIN)  # what was missed came before, and is still to be read
        return self.tap

    async def _ready(self) -> list[Frame]:
        return self.tap.of("ready")

    async def hears(self, **row: str) -> Frame:
        """The next change after which the row of a conversation says so; in time."""
        async with asyncio.timeout(WITHIN):
            while True:
                change = await self.tap.next("change")
                if change["row"] and row.items() <= _flat(change["row"]).items():
                    return change

    @property
    def heard(self) -> list[int]:
        """Places of the feed, as they came."""
        return [frame["seq"] for frame in self.tap.of("change")]


def _flat(row: Frame) -> dict[str, str]:
    return {**row, "text": (row["said"] or {}).get("text", "")}


@pytest.fixture
async def staff() -> AsyncIterator[list[Colleague]]:
    made = [Colleague("anna"), Colleague("boris")]
    yield made
    for one in made:
        await one.http.close()


async def _both_at_work(machines: Machines, staff: list[Colleague]) -> tuple[Machine, Machine]:
    """Anna's console is open at the first machine, that of Boris at the second."""
    one, other = machines.machine("one"), machines.machine("other")
    await one.start(machines.http)
    await other.start(machines.http)
    for colleague, machine in zip(staff, (one, other), strict=True):
        await colleague.hired(machine)
        await colleague.sit_down(machine)
    return one, other


async def _asks_for_somebody(machines: Machines, at: Machine, heard_by: Colleague) -> tuple[Client, Frame]:
    """A client in the queue, and the row of the conversation as somebody's console has it."""
    client = Client(machines.http)
    await client.say(at, "человек")
    return client, (await heard_by.hears(status="queued"))["row"]


async def test_people_hear_what_happens_at_the_other_machine(machines: Machines, staff: list[Colleague]) -> None:
    one, other = await _both_at_work(machines, staff)
    anna, boris = staff
    client, waiting = await _asks_for_somebody(machines, other, anna)
    home = waiting["conversation"]
    await anna.ask(one, "POST", f"/conversations/{home}/take", {"epoch": waiting["epoch"]})
    taken = (await boris.hears(operator=anna.operator))["row"]
    body = {"epoch": taken["epoch"], "text": "Слушаю вас"}
    await anna.ask(one, "POST", f"/conversations/{home}/reply", body)
    await boris.hears(text="Слушаю вас")
    await client.hears(other, "Слушаю вас")
    await client.say(other, "где заказ?")
    await asyncio.gather(anna.hears(text="где заказ?"), boris.hears(text="где заказ?"))
    if machines.redis:  # what lasts for seconds is nowhere but in hints
        for one_of_them in staff:
            await one_of_them.tap.say("look", conversation=home)
        looking = await anna.tap.next("looking")
        while {it["id"] for it in looking["people"]} != {anna.id, boris.id}:
            looking = await anna.tap.next("looking")
        await boris.tap.say("answering", conversation=home)
        assert (await anna.tap.next("answering"))["person"]["id"] == boris.id
    assert anna.heard == sorted(set(anna.heard))
    assert anna.heard == boris.heard, "each place once and in order, at both"


async def test_who_moves_to_the_other_machine_has_missed_nothing(machines: Machines, staff: list[Colleague]) -> None:
    """The machine of Anna's console is killed; she goes on at the other one, where her sign-in counts, too."""
    one, other = await _both_at_work(machines, staff)
    anna, boris = staff
    client, waiting = await _asks_for_somebody(machines, one, anna)
    await one.process.end(signal.SIGKILL)
    before = anna.heard
    await client.say(other, "вы здесь?")
    await boris.hears(text="вы здесь?")
    await anna.sit_down(other, after=before[-1])
    await anna.hears(text="вы здесь?")
    taken = await anna.ask(other, "POST", f"/conversations/{waiting['conversation']}/take", {"epoch": waiting["epoch"]})
    await boris.hears(operator=anna.operator, status="assigned")
    await anna.hears(operator=anna.operator)
    assert before + anna.heard == boris.heard, "each place once and in order, over both machines"
    assert taken["epoch"] == waiting["epoch"] + 1


class Crm:
    """Another system that is told of everything by a signed webhook."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        app = web.Application()
        app.router.add_post("/in", self._take)
        self.server = TestServer(app)

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        self.ids.append(request.headers["webhook-id"])
        return web.Response(status=204)

    @property
    def places(self) -> list[int]:
        """Places of the feed in the order in which they were first told of."""
        return [int(id.rpartition("-")[2]) for id in dict.fromkeys(self.ids)]


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    made = Crm()
    await made.server.start_server()
    yield made
    await made.server.close()


async def test_a_webhook_goes_on_where_the_killed_machine_was(
    machines: Machines, staff: list[Colleague], crm: Crm
) -> None:
    url = str(crm.server.make_url("/in"))
    hooks = {"crm": {"url": url, "secret": SECRET, "events": ["*"], "allow_private": True}}
    made = [machines.machine(name, webhooks=hooks) for name in ("one", "other")]
    for machine in made:
        await machine.start(machines.http)
    anna = staff[0]
    await anna.hired(made[0])
    holder = await until(lambda: _holder(machines, made, "hook:crm"), "somebody delivers", WITHIN)
    (other,) = (machine for machine in made if machine is not holder)
    await anna.sit_down(other, after=0)

    async def told_of_all() -> bool:
        return bool(anna.heard) and set(anna.heard) <= set(crm.places)

    client, _ = await _asks_for_somebody(machines, other, anna)
    await until(told_of_all, "the webhook is told", WITHIN)
    await holder.process.end(signal.SIGKILL)
    told = len(crm.ids)
    await client.say(other, "вы здесь?")
    await anna.hears(text="вы здесь?")
    await until(told_of_all, "the other one goes on", SECONDS + WITHIN)
    assert len(crm.ids) > told
    assert crm.places == list(range(1, crm.places[-1] + 1)), "nothing is left out, nothing overtakes"
    assert await _holder(machines, [other], "hook:crm") is other


async def _holder(machines: Machines, among: list[Machine], lease: str) -> Machine | None:
    """Who has a lease, by its own metrics."""
    for machine in among:
        async with machines.http.get(f"{machine.url}/metrics") as answer:
            if f'frontline_lease{{lease="{lease}"}} 1.0' in await answer.text():
                return machine
    return None
