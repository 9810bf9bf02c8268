"""The compose file for real, without containers: its commands over PostgreSQL and Redis answer a client, and stop cleanly."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib import error, request

import pytest

from tests.deploy.reading import CONFIG, environment
from tests.deploy.test_compose import OURS, SERVICES
from tests.ports import free_port
from tests.postgres import cluster
from tests.redis import RedisServer

START_SECONDS = 90.0
STOP_SECONDS = 10.0  # what is promised; compose waits 20


@dataclass
class Piece:
    """One process of the compose file."""

    name: str
    process: subprocess.Popen[bytes]
    port: int

    def ready(self) -> bool:
        try:
            with request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (error.URLError, OSError):
            return False


def command(service: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *SERVICES[service]["command"]]


@contextmanager
def running(folder: Path, **environ: str) -> Iterator[dict[str, Piece]]:
    """Every service of ours that stays, as often as it says, each on a port of its own; all are ready."""
    pieces: dict[str, Piece] = {}
    try:
        for name, service in OURS.items():
            for number in range(service.get("deploy", {}).get("replicas", 1) if name != "migrate" else 0):
                port = free_port()
                with (folder / f"{name}-{number}.log").open("wb") as log:
                    process = subprocess.Popen(
                        command(name), env={**environ, "HTTP_PORT": str(port)}, cwd=folder, stdout=log, stderr=log
                    )
                pieces[f"{name}-{number}"] = Piece(name, process, port)
        for key, piece in pieces.items():
            wait(piece.ready, START_SECONDS, (folder / f"{key}.log").read_text)
        yield pieces
    finally:
        for piece in pieces.values():
            piece.process.kill()
            piece.process.wait()


def wait(found: Any, seconds: float, why: Any = str) -> Any:
    ends = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < ends, why()
        time.sleep(0.1)
    return answer


def ask(url: str, token: str = "", body: object = None) -> Any:
    headers = {"Content-Type": "application/json", "Origin": url.partition("/chat")[0]}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with request.urlopen(request.Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The example of the environment, with real servers; tables made by the service `migrate`."""
    folder = tmp_path_factory.mktemp("serving")
    with ExitStack() as stack:
        server = stack.enter_context(cluster())
        hints = RedisServer(folder)
        hints.start()
        stack.callback(hints.stop)
        values = environment(
            DATABASE_URL=server.url(server.create()), REDIS_URL=hints.url, FILES_DIR=str(folder / "files"),
            FRONTLINE_CONFIG=str(CONFIG), FRONTLINE_LANG="en", PYTHONPATH=str(CONFIG.parents[1]), TRUSTED_PROXIES="0",
        )  # fmt: skip
        values |= {"PATH": os.environ["PATH"], "HOME": str(folder)}
        done = subprocess.run(command("migrate"), env=values, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield values


@pytest.mark.faults
def test_a_client_is_answered(environ: dict[str, str], tmp_path: Path) -> None:
    """Taken by intake, thought by a worker, sent by the sender; then all of them stop in time."""
    with running(tmp_path, **environ) as pieces:
        assert sorted(piece.name for piece in pieces.values()) == ["clock", "intake", "sender", "worker", "worker"]
        chat = f"http://127.0.0.1:{pieces['intake-0'].port}/chat/site"
        token = ask(f"{chat}/session", body={})["token"]
        ask(f"{chat}/messages", token, {"client_id": secrets.token_hex(8), "text": "хочу вернуть товар"})

        def answered() -> bool:
            return "номер заказа" in json.dumps(ask(f"{chat}/history", token), ensure_ascii=False).lower()

        wait(answered, 20.0)
        began = time.monotonic()
        for piece in pieces.values():
            piece.process.send_signal(signal.SIGTERM)
        codes = {name: piece.process.wait(STOP_SECONDS + 5) for name, piece in pieces.items()}
        assert set(codes.values()) == {0}, codes
        assert time.monotonic() - began < STOP_SECONDS
