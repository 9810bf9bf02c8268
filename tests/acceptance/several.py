"""Several processes of one deployment on a real PostgreSQL, a balancer before their webhooks, people who write."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from tests.acceptance.house import SECRET, START_SECONDS, TOKEN, Process, Telegram, until
from tests.ports import free_port
from tests.postgres import Cluster
from tests.smallest import FLOWS

FIRST_CHAT = 60_001
EXIT_SECONDS = 10.0


class Node:
    """One process with its roles."""

    def __init__(self, home: Path, name: str, roles: tuple[str, ...]) -> None:
        self.port = free_port()
        split = ("--roles", ",".join(roles)) if roles else ()
        command = ("-m", "gateway", "--config", str(home / "config.yaml"), "run", *split)
        self.process = Process(*command, "--http", f"127.0.0.1:{self.port}", log=home / f"{name}.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, http: aiohttp.ClientSession, path: str) -> tuple[int, str]:
        """The status and the body; (0, "") when nobody listens."""
        try:
            async with http.get(self.url + path) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def holds(self, http: aiohttp.ClientSession, lease: str) -> bool:
        """Whether it has the lease, by its own metrics."""
        return f'frontline_lease{{lease="{lease}"}} 1.0' in (await self.get(http, "/metrics"))[1]

    def send(self, number: signal.Signals) -> None:
        assert self.process.process is not None
        self.process.process.send_signal(number)


class Several:
    """The deployment. `balancer` is what the platform calls; it goes on to the next process when one does not take it."""

    def __init__(self, home: Path, cluster: Cluster, database: str, telegram: Telegram, mode: str) -> None:
        self.home, self.cluster, self.database, self.telegram = home, cluster, database, telegram
        self.port = free_port()
        self.nodes: list[Node] = []
        self.http: aiohttp.ClientSession
        self.said = 0
        self._names = itertools.count(1)
        self._turn = itertools.count()
        self._write(mode)

    def _write(self, mode: str) -> None:
        (self.home / "flows").mkdir()
        for name, text in FLOWS.items():
            (self.home / "flows" / name).write_text(text, "utf-8")
        account = {"kind": "telegram", "token": TOKEN, "mode": mode, "line": "support", "limits": "off"}
        rules = {word: {"ticket": "general"} for word in ("closed", "busy")}
        settings = {
            "http": {"public_url": f"http://127.0.0.1:{self.port}"},
            "storage": {"url": self.cluster.url(self.database)},
            "flood": "off",
            "publish": "manual",
            "channels": {"telegram": account | {"secret": SECRET, "api_url": self.telegram.url}},
            "lines": {"support": {"title": "П", "hours": {"mon-sun": "00:00-24:00"}, **rules}},
            "desks": {"general": {"title": "Обращения"}},
        }
        (self.home / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    # --- processes ---------------------------------------------------------------------------------------------------

    async def start(self, *roles: str) -> Node:
        """One more process, ready; with all roles when none is named."""
        node = Node(self.home, f"node{next(self._names)}", roles)
        self.nodes.append(node)
        node.process.spawn()

        async def ready() -> bool:
            assert node.process.running, node.process.said()
            return (await node.get(self.http, "/readyz"))[0] == 200

        await until(ready, "the process is ready", START_SECONDS)
        return node

    async def stop(self, node: Node) -> float:
        """SIGTERM; it must end well, and in time. How long it took, in seconds."""
        began = time.monotonic()
        assert await node.process.end(signal.SIGTERM, EXIT_SECONDS) == 0, node.process.said()
        self.nodes.remove(node)
        return time.monotonic() - began

    async def holder(self, lease: str) -> Node:
        """Who has the lease."""

        async def found() -> Node | None:
            held = [node for node in self.nodes if await node.holds(self.http, lease)]
            return held[0] if len(held) == 1 else None

        node = await until(found, f"somebody holds {lease}", 30.0)
        assert isinstance(node, Node)
        return node

    async def close(self) -> None:
        for node in self.nodes:
            if node.process.running:
                node.send(signal.SIGCONT)
            await node.process.close()

    # --- the platform's way in ---------------------------------------------------------------------------------------

    async def balance(self, request: web.Request) -> web.Response:
        """One after another; a process that is away or stopping is passed over."""
        body = await request.read()
        first = next(self._turn)
        for node in [self.nodes[(first + n) % len(self.nodes)] for n in range(len(self.nodes))]:
            try:
                async with self.http.post(node.url + request.path, data=body, headers=request.headers) as answer:
                    if answer.status not in {404, 503}:
                        return web.Response(
                            status=answer.status, body=await answer.read(), content_type=answer.content_type
                        )
            except aiohttp.ClientError:
                continue
        return web.Response(status=503)

    async def write(self, clients: int, over: asyncio.Event, pause: float = 0.05) -> None:
        """So many people write without waiting for answers, until it is over."""

        async def one(chat: int) -> None:
            while not over.is_set():
                await self.telegram.do("say", chat=chat, text="привет")
                self.said += 1
                await asyncio.sleep(pause)

        await asyncio.gather(*(one(FIRST_CHAT + n) for n in range(clients)))

    # --- what became of it -------------------------------------------------------------------------------------------

    def ask(self, query: str) -> list[str]:
        """Rows of the database, read from outside."""
        return self.cluster.sql(query, self.database).splitlines()

    def number(self, query: str) -> int:
        return int(self.ask(query)[0])

    async def drained(self, seconds: float = 60.0) -> None:
        """Everything said is processed and answered."""

        async def done() -> bool:
            taken = self.number("SELECT count(*) FROM inbox WHERE channel = 'telegram' AND state = 1")
            waiting = self.number("SELECT count(*) FROM outbox WHERE state = 0")
            return taken == self.said and not waiting

        await until(done, "everything is answered", seconds)

    async def check(self) -> None:
        """Nothing lost, nothing doubled, nothing out of order; the platform has heard each answer once."""
        assert self.ask("SELECT state, count(*) FROM inbox GROUP BY state") == [f"1|{self.said}"]
        order = "SELECT external_id, row_number() OVER (PARTITION BY conversation ORDER BY place) AS n, conversation"
        sent = "SELECT *, split_part(external_id, ':', 2)::bigint AS sent FROM turns"
        late = "SELECT sent < lag(sent) OVER (PARTITION BY conversation ORDER BY n) AS late FROM told"
        query = f"WITH turns AS ({order} FROM inbox), told AS ({sent}) SELECT count(*) FROM ({late}) AS x WHERE late"
        assert self.number(query) == 0
        assert self.ask("SELECT state, count(*) FROM outbox GROUP BY state") == [f"1|{self.said}"]
        heard = [call for call in await self.telegram.do("sent", method="sendMessage") if not call["error"]]
        assert len(heard) == self.said


@asynccontextmanager
async def deployment(home: Path, cluster: Cluster, database: str, mode: str) -> AsyncIterator[Several]:
    """An emulated Telegram and a deployment without processes."""
    async with Telegram(home, "--fast") as telegram:
        it = Several(home, cluster, database, telegram, mode)
        app = web.Application()
        app.router.add_post("/hooks/{channel}", it.balance)
        runner = web.AppRunner(app, access_log=None)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as it.http:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", it.port).start()
            try:
                yield it
            finally:
                await it.close()
                await runner.cleanup()
