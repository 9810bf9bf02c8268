"""Processes under test: started by the zygote, killed by name, started again like by a service manager."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 12.0


class Zygote:
    """The process that starts gateways; one serves a whole session of runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.members: dict[str, Member] = {}
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls) -> Zygote:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.zygote", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        it = cls(process)
        async with asyncio.timeout(120):
            assert "ready" in await it._line()
        it._reading = asyncio.create_task(it._read())
        return it

    async def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = orjson.loads(await self.process.stdout.readline() or b"{}")
        return line

    async def _read(self) -> None:
        while line := await self._line():
            if "began" in line:
                self.members[line["began"]].pid = line["pid"]
            else:
                self.members[line["ended"]].ended(line["code"])

    def order(self, **order: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(order) + b"\n")

    async def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 20)
        if self._reading is not None:
            await self._reading


@dataclass
class Member:
    """One gateway process. `kept`: who dies is started again at once; `kills` counts deaths by SIGKILL."""

    zygote: Zygote
    name: str
    folder: Path
    environ: dict[str, str]
    arguments: list[str]
    port: int
    kept: bool = True
    afresh: bool = False  # an interpreter of its own, for what must be preloaded
    kills: int = 0
    codes: list[int] = field(default_factory=list)
    running: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = 0.0
    pid: int = 0

    @property
    def key(self) -> str:
        """Its name for the zygote, which serves several houses."""
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        self.zygote.members[self.key] = self
        self.over.clear()
        self.running, self.began = True, time.monotonic()
        arguments = ["--config", str(HERE / "config.yaml"), "run", "--log-level", "warning", *self.arguments]
        self.zygote.order(
            start=self.key, environ=self.environ, log=str(self.log), arguments=arguments, afresh=self.afresh
        )

    def ended(self, code: int) -> None:
        """Heard from the zygote."""
        self.running = False
        self.codes.append(code)
        self.over.set()
        if code == -signal.SIGKILL:
            self.kills += 1
        if self.kept and code != 0:
            # A crash loop must not eat the machine: who fell soon waits a little.
            pause = 0.0 if code == -signal.SIGKILL or time.monotonic() - self.began > 5 else 0.5
            asyncio.get_running_loop().call_later(pause, self._again)

    def _again(self) -> None:
        if self.kept and not self.running:
            self.start()

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            self.zygote.order(signal=self.key, number=int(number))

    async def ready(self, seconds: float = START_SECONDS) -> None:
        """Waits until messages are taken."""
        async with asyncio.timeout(seconds), ClientSession(timeout=ClientTimeout(total=5)) as http:
            while True:
                with suppress(ClientError, TimeoutError):
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def stop(self, seconds: float = STOP_SECONDS) -> int:
        """SIGTERM, as a service manager does; the exit code. Who does not end says why in its log, and is killed."""
        self.kept = False
        while self.running:
            self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(seconds):
                    await self.over.wait()
            except TimeoutError:
                self.signal(signal.SIGUSR1)
                await asyncio.sleep(1)
                await self.kill()
        return self.codes[-1]

    async def kill(self) -> None:
        """SIGKILL; returns when it is dead. It is started again when it is kept."""
        before = len(self.codes)
        self.signal(signal.SIGKILL)
        while self.running and len(self.codes) == before:
            await asyncio.sleep(0.005)

    def said(self) -> str:
        """All it logged."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


class Fleet:
    """The processes of one run. Leaving stops them all by SIGTERM, and what does not end by SIGKILL."""

    def __init__(self, zygote: Zygote, folder: Path, environ: dict[str, str]) -> None:
        self.zygote, self.folder, self.environ = zygote, folder, environ
        self.members: list[Member] = []

    def add(self, name: str, *arguments: str, **environ: str) -> Member:
        """A process under a name of its own; it is not started yet."""
        port = free_port()
        whole = {**self.environ, "FAULTS_PORT": str(port), **environ}
        member = Member(self.zygote, name, self.folder, whole, list(arguments), port)
        self.members.append(member)
        return member

    async def start(self) -> None:
        """Starts those that do not run, and waits until they take messages."""
        fresh = [member for member in self.members if not member.running]
        for member in fresh:
            member.kept = True
            member.start()
        await asyncio.gather(*(member.ready() for member in fresh))

    async def stop(self) -> list[int]:
        """The exit codes."""
        return list(await asyncio.gather(*(member.stop() for member in self.members if member.running)))

    @property
    def kills(self) -> int:
        return sum(member.kills for member in self.members)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for member in self.members:
            member.kept = False
            member.signal(signal.SIGCONT)
            await member.kill()
