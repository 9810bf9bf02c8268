"""Machines with a folder of flows each, on a real PostgreSQL, with Redis and without: one publishes, all switch."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from tests.acceptance.house import until
from tests.acceptance.machines import EDITED, ORDER, WITHIN, Client, Machines, opened
from tests.postgres import Cluster, cluster
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
async def machines(
    request: pytest.FixtureRequest, tmp_path: Path, server: Cluster, redis_server: RedisServer
) -> AsyncIterator[Machines]:
    async with opened(tmp_path, server, redis_server.url if request.param == "with Redis" else "") as made:
        yield made


both = pytest.mark.parametrize("machines", ["with Redis", "without Redis"], indirect=True)
with_redis = pytest.mark.parametrize("machines", ["with Redis"], indirect=True)
without_redis = pytest.mark.parametrize("machines", ["without Redis"], indirect=True)


@both
async def test_one_publishes_and_all_switch(machines: Machines) -> None:
    one, other, office = machines.machine("one"), machines.machine("other"), machines.machine("office")
    first = await one.start(machines.http)
    assert await other.start(machines.http) == first
    early, late = Client(machines.http), Client(machines.http)
    await early.say(one, "сделать заказ")
    await early.hears(other, "Что нужно?")

    office.write("order", EDITED)
    done = await office.command("publish")
    assert (done["live"], done["changed"]) == (True, ["order"])
    await machines.all_serve(done["id"], one, other)
    await early.say(other, "чайник")  # begun on one machine and version, gone on with on the other
    await early.hears(one, "Записал чайник")
    await late.say(other, "сделать заказ")
    await late.hears(other, "Что нужно?")
    flows = (await office.command("status"))["flows"]
    assert flows["id"] == done["id"]
    assert [(row["flow"], row["runs"], row["current"]) for row in flows["runs"]] == [("order", 1, True)]
    if machines.redis:
        names = {f"{socket.gethostname()}/{it.process.process.pid}" for it in (one, other) if it.process.process}
        assert {it["process"] for it in flows["processes"]} == names
        assert {it["edition"] for it in flows["processes"]} == {done["id"]}

    back = await office.command("publish", "--rollback", first[:6], "--urgent", "--why", "wrong price")
    assert (back["live"], back["id"]) == (True, first)
    await machines.all_serve(first, one, other)
    flows = (await office.command("status"))["flows"]
    assert flows["urgent"]["why"] == "wrong price"
    assert flows["urgent"]["by"].endswith(f"@{socket.gethostname()}")
    said = (await asyncio.to_thread(office.run, "status"))[1]
    assert "wrong price" in said


@without_redis
async def test_a_broken_edit_of_any_machine_stays_there(machines: Machines) -> None:
    one, office = machines.machine("one"), machines.machine("office")
    first = await one.start(machines.http)
    office.write("order", ORDER.replace("- ask: товар", "- ask: товра"))
    code, said = await asyncio.to_thread(office.run, "publish", "--urgent")
    assert code == 1
    assert "order.yaml" in said
    assert await one.serves(machines.http) == first


@without_redis
async def test_an_old_folder_comes_back_and_changes_nothing(machines: Machines) -> None:
    one, other = machines.machine("one", "auto"), machines.machine("other", "auto")
    first = await one.start(machines.http)
    assert await other.start(machines.http) == first
    other.write("order", EDITED)  # a save on a machine that watches

    async def switched() -> str:
        serving = await one.serves(machines.http)
        return serving if serving != first else ""

    newest = str(await until(switched, "the save is live everywhere", 10.0))
    assert await one.process.end() == 0
    assert await one.start(machines.http) == newest
    assert "folder_not_published" in one.process.said()
    assert await other.serves(machines.http) == newest
    assert "The folder holds other flows" in (await asyncio.to_thread(one.run, "status"))[1]


@with_redis
async def test_a_machine_that_is_behind_serves_on_and_stands_out(machines: Machines) -> None:
    one, behind = machines.machine("one"), machines.machine("behind")
    first = await one.start(machines.http)
    assert await behind.start(machines.http) == first
    settings = yaml.safe_load((one.home / "config.yaml").read_text("utf-8"))
    settings["desks"]["new"] = {"title": "Н"}
    office = machines.machine("office")
    (office.home / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    office.write("order", ORDER.replace("  - end", "  - ticket: new\n    title: Заказ\n  - end"))
    done = await office.command("publish")

    async def said() -> bool:
        return "flows_behind" in behind.process.said()

    await until(said, "it says that it is behind", WITHIN)
    assert await behind.serves(machines.http) == first
    async with machines.http.get(f"{behind.url}/metrics") as answer:
        assert "frontline_flows_behind 1.0" in await answer.text()

    async def both_stand_out() -> bool:  # neither has the desk; what processes say of themselves is seconds old
        text = (await asyncio.to_thread(office.run, "status"))[1]
        return text.count("cannot serve the current edition") == 2

    await until(both_stand_out, "status names both", 30.0)
    office.write("order", EDITED)
    done = await office.command("publish")
    await machines.all_serve(done["id"], one, behind)


@both
async def test_a_page_shows_what_another_machine_does(machines: Machines) -> None:
    one, other = machines.machine("one"), machines.machine("other")
    await one.start(machines.http)
    await other.start(machines.http)
    client = Client(machines.http)
    await client.say(one, "сделать заказ")
    await client.hears(one, "Что нужно?")
    socket_ = await machines.http.ws_connect(f"{other.url}/chat/site/socket")
    await socket_.send_json({"token": client.token, "after": -1})
    assert json.loads(await socket_.receive_str(timeout=5))["type"] == "history"
    began = time.monotonic()
    await client.say(one, "чайник")
    places: list[int] = []
    text = ""
    while text != "Записал чайник":
        item = json.loads(await socket_.receive_str(timeout=10))["item"]
        places, text = [*places, item["seq"]], item["text"]
    assert time.monotonic() - began < WITHIN
    assert places == sorted(set(places)), "each once, in order"
    await socket_.close()
