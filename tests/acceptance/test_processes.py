"""Real processes on a real PostgreSQL, under load: roles apart, rolling upgrade, a poller that stood still."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.migrate import migrate_postgres
from tests.acceptance.house import until
from tests.acceptance.several import Node, Several, deployment
from tests.postgres import Cluster, cluster

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
async def several(request: pytest.FixtureRequest, server: Cluster, tmp_path: Path) -> AsyncIterator[Several]:
    database = server.create()
    await asyncio.to_thread(migrate_postgres, server.url(database))
    async with deployment(tmp_path, server, database, request.param) as made:
        yield made


both = pytest.mark.parametrize("several", ["webhook", "polling"], indirect=True)
polling = pytest.mark.parametrize("several", ["polling"], indirect=True)
webhook = pytest.mark.parametrize("several", ["webhook"], indirect=True)


class Writing:
    """People write for as long as the block lasts."""

    def __init__(self, several: Several, clients: int = 4) -> None:
        self.several, self.clients, self.over = several, clients, asyncio.Event()

    async def __aenter__(self) -> Writing:
        self.task = asyncio.create_task(self.several.write(self.clients, self.over))
        await self.more(20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.over.set()
        await self.task

    async def more(self, messages: int) -> None:
        """Waits until so many more are answered."""
        count = "SELECT count(*) FROM outbox WHERE state = 1"
        wanted = self.several.number(count) + messages

        async def answered() -> bool:
            return self.several.number(count) >= wanted

        await until(answered, "messages are answered", 30.0)


@both
async def test_a_rolling_upgrade_loses_and_doubles_nothing(several: Several) -> None:
    """The new process beside the old one, which then ends: within ten seconds, in the midst of the load."""
    old = await several.start()
    async with Writing(several) as writing:
        for _ in range(2):
            new = await several.start()
            await writing.more(10)
            assert await several.stop(old) < 10.0
            assert await several.holder("send:telegram") is new
            await writing.more(20)
            old = new
    await several.drained()
    await several.check()


@webhook
async def test_every_role_in_processes_of_its_own(several: Several) -> None:
    for roles in ("intake", "intake", "worker", "worker", "sender", "sender", "clock,console"):
        await several.start(*roles.split(","))
    async with Writing(several) as writing:
        sending = await several.holder("send:telegram")
        assert await several.stop(sending) < 10.0
        began = time.monotonic()
        assert await several.holder("send:telegram") is not sending
        assert time.monotonic() - began < 3.0, "a lease that is given back is taken within about a second"
        await writing.more(20)
        await several.stop(several.nodes[0])
        await several.stop(several.nodes[1])
        await writing.more(20)
    await several.drained()
    await several.check()


@polling
async def test_a_poller_that_stood_still_does_no_harm(several: Several) -> None:
    """It wakes up in the middle of its work, with an offset and a lease of the past."""
    for _ in range(2):
        await several.start()
    async with Writing(several, 2) as writing:
        still = await several.holder("poll:telegram")
        offsets = [await offset(several)]
        still.send(signal.SIGSTOP)
        other = next(node for node in several.nodes if node is not still)
        await until(lambda: other.holds(several.http, "poll:telegram"), "the other one polls", 30.0)
        await until(lambda: other.holds(several.http, "send:telegram"), "and sends", 30.0)
        for _ in range(3):
            await writing.more(5)
            offsets.append(await offset(several))
        still.send(signal.SIGCONT)
        for _ in range(3):
            await writing.more(10)
            offsets.append(await offset(several))
        assert await other.holds(several.http, "poll:telegram")
        assert not await still.holds(several.http, "poll:telegram")
    assert offsets == sorted(offsets), "the offset never goes back"
    await several.drained()
    assert several.ask("SELECT state, count(*) FROM inbox GROUP BY state") == [f"1|{several.said}"]
    heard = [call for call in await several.telegram.do("sent", method="sendMessage") if not call["error"]]
    assert several.said <= len(heard) <= several.said + 2, "at most what was under way when it was stopped"


async def offset(several: Several) -> int:
    (cursor,) = several.ask("SELECT value FROM cursors WHERE channel = 'telegram'")
    return int(cursor.split("@")[0])


@polling
async def test_a_poller_that_was_killed_is_replaced(several: Several) -> None:
    """Its leases end by themselves, and so do those of the rows it held."""
    for _ in range(2):
        await several.start()
    async with Writing(several, 2) as writing:
        killed = await several.holder("poll:telegram")
        await killed.process.end(signal.SIGKILL)
        several.nodes.remove(killed)
        await until(lambda: several.nodes[0].holds(several.http, "poll:telegram"), "the other one polls", 30.0)
        await writing.more(20)
    await several.drained()
    assert several.ask("SELECT state, count(*) FROM inbox GROUP BY state") == [f"1|{several.said}"]


@webhook
async def test_a_database_that_does_not_answer_keeps_nobody_from_stopping(several: Several) -> None:
    node = await several.start()
    async with Writing(several, 2):
        several.cluster.freeze()
        try:
            await until(lambda: refuses(several, node), "it is not ready, and lives", 30.0)
            assert (await node.get(several.http, "/healthz"))[0] == 200
            assert "frontline_messages_total" in (await node.get(several.http, "/metrics"))[1]
            assert await several.stop(node) < 10.0
        finally:
            several.cluster.thaw()
        await several.start()
    await several.drained()
    assert several.ask("SELECT state, count(*) FROM inbox GROUP BY state") == [f"1|{several.said}"]


async def refuses(several: Several, node: Node) -> bool:
    return (await node.get(several.http, "/readyz"))[0] == 503


@webhook
async def test_commands_go_to_the_database(several: Several) -> None:
    first, second = await several.start(), await several.start("worker")
    found = json.loads(await command(several, "status", "--format", "json"))
    assert found["store"]["inbox"] == 0
    assert not list(several.home.glob("**/*.sock")), "no socket two processes could quarrel about"
    for node in (first, second):
        await several.stop(node)
    assert "Roles of this process: worker" in second.process.said() or "Роли этого процесса: worker" in said(second)


def said(node: Node) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", node.process.said())


async def command(several: Several, *words: str) -> str:
    """What a command of the command line prints."""
    argv = [sys.executable, "-m", "gateway", "--config", str(several.home / "config.yaml"), *words]
    environ = several.telegram.process.environ
    done = await asyncio.to_thread(
        subprocess.run, argv, env=environ, cwd=several.home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
