"""Hints through a real Redis, which is killed, flushed, filled, hung and locked: a moment is lost, never an answer."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import OutOfMemoryError

from core.ports import Hints
from storage.hints import open_hints
from storage.hints.breaker import Breaker
from storage.hints.redis import TIMEOUT, WAITING, RedisHints
from tests.ports import free_port
from tests.redis import RedisServer, redis_server

__all__ = ["redis_server"]
SOON = 5.0  # seconds that anything here may take on a busy machine
ONE = 1.0  # seconds that one who asks a lost Redis may wait: the bar of fault F6
ALL = 2.0  # … and many who ask one after another, on a busy machine


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may answer late: tests of what is answered wait longer than a gateway does."""
    monkeypatch.setattr("storage.hints.redis.TIMEOUT", 5.0)


@asynccontextmanager
async def opened(url: str, **more: Any) -> AsyncIterator[Hints]:
    hints = open_hints(url, **more)
    await hints.open()
    try:
        yield hints
    finally:
        await hints.close()


async def until(true: Callable[[], bool], within: float = SOON) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)


async def counted(hints: Hints, key: str = "k") -> int:
    """Counts until somebody can say."""
    async with asyncio.timeout(SOON):
        while (n := await hints.count(key, 60)) is None:
            await asyncio.sleep(0.01)
    return n


async def heard_by(teller: Hints, heard: list[str], topic: str = "events") -> None:
    """Tells until the other one has heard: the way is open again."""
    async with asyncio.timeout(SOON):
        while "on" not in heard:
            teller.tell(topic, "on")
            await asyncio.sleep(0.02)


async def timed(command: Awaitable[object]) -> float:
    began = time.monotonic()
    await command
    return time.monotonic() - began


@pytest.mark.usefixtures("patient")
async def test_every_process_hears_what_one_tells_each_once(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as a, opened(redis_server.url) as b:
        of_a, of_b = list[str](), list[str]()
        a.listen("history:site", of_a.append)
        b.listen("history:site", of_b.append)
        await heard_by(a, of_b, "history:site")
        for n in range(50):
            a.tell("history:site", str(n))
        b.tell("history:site", "end")
        await until(lambda: "end" in of_a and "49" in of_b)
        numbers = [str(n) for n in range(50)]
        assert [one for one in of_a if one != "on"] == [*numbers, "end"]
        assert sorted(one for one in of_b if one != "on") == sorted([*numbers, "end"])


@pytest.mark.usefixtures("patient")
async def test_other_deployments_on_the_same_server_hear_nothing(redis_server: RedisServer) -> None:
    async with opened(redis_server.url, prefix="one") as one, opened(redis_server.url, prefix="other") as other:
        of_other = list[str]()
        other.listen("events", of_other.append)
        await other.present("process:x", 60)
        async with opened(redis_server.url, prefix="other") as third:
            await heard_by(third, of_other)
            one.tell("events", "foreign")
            assert await counted(one) == 1
            third.tell("events", "end")
            await until(lambda: "end" in of_other)
            assert "foreign" not in of_other
            assert await counted(other) == 1
            assert await one.who("") == frozenset()
            assert await third.who("process:") == {"process:x"}
        async with redis_server.client() as client:
            assert {str(key).partition(":")[0] for key in await client.keys("*")} == {"one", "other"}


@pytest.mark.usefixtures("patient")
async def test_counts_are_shared_and_end_by_themselves(redis_server: RedisServer) -> None:
    async with opened(redis_server.url, salt="s") as a, opened(redis_server.url, salt="s") as b:
        assert [await a.count("k", 60), await b.count("k", 60), await a.count("k", 60)] == [1, 2, 3]
        assert await a.count("short", 0.05) == 1
        await asyncio.sleep(0.2)
        assert await b.count("short", 0.05) == 1
        async with redis_server.client() as client:
            for key in await client.keys("*"):
                assert 0 < await client.pttl(key) <= 120_000
                assert ":k" not in str(key)
                assert "short" not in str(key)


@pytest.mark.usefixtures("patient")
async def test_presence_is_shared_and_ends_by_itself(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as a, opened(redis_server.url) as b:
        await a.present("process:1", 60)
        await b.present("process:2", 0.05)
        await b.present("operator:3", 60)
        await asyncio.sleep(0.1)
        assert await a.who("process:") == {"process:1"}
        assert await b.who("") == {"process:1", "operator:3"}


async def test_a_kill_and_a_restart_cost_a_moment(redis_server: RedisServer) -> None:
    states: list[tuple[str, str]] = []
    async with opened(redis_server.url, changed=lambda *it: states.append(it)) as a, opened(redis_server.url) as b:
        heard = list[str]()
        b.listen("events", heard.append)
        await heard_by(a, heard)
        redis_server.kill()
        lost = await timed(asyncio.gather(*(a.count("k", 60) for _ in range(100))))
        assert lost < ONE
        assert await a.count("k", 60) is None
        await until(lambda: bool(states))
        assert (states[0][0], bool(states[0][1])) == ("open", True)
        assert await timed(a.count("k", 60)) < TIMEOUT / 2  # nobody asks any more
        heard.clear()
        redis_server.start()
        await until(lambda: "" in heard)  # something may have been missed: look yourself
        await heard_by(a, heard)
        assert await counted(a) >= 1
        assert states[-1] == ("closed", "")


async def test_a_hung_server_costs_less_than_a_second(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as a, opened(redis_server.url) as b:
        heard = list[str]()
        b.listen("events", heard.append)
        await heard_by(a, heard)
        redis_server.hang()
        began = time.monotonic()
        try:
            waits = [await timed(a.count("k", 60)) for _ in range(20)]
            assert max(waits) < ONE
            assert sum(waits) < ALL
            for n in range(5 * WAITING):
                a.tell("events", str(n))
            assert await timed(a.who("")) < TIMEOUT
            await asyncio.sleep(5 - (time.monotonic() - began))
        finally:
            redis_server.go_on()
        heard.clear()
        await until(lambda: "" in heard)
        await heard_by(a, heard)
        assert await counted(a) >= 1


async def test_a_hung_server_does_not_hold_up_start_and_stop(redis_server: RedisServer) -> None:
    redis_server.hang()
    try:
        hints = open_hints(redis_server.url)
        assert await timed(hints.open()) < ONE
        hints.tell("events", "x")
        assert await timed(hints.close()) < ONE
    finally:
        redis_server.go_on()


@pytest.mark.usefixtures("patient")
async def test_a_flush_forgets_counts_and_presence_only(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as a, opened(redis_server.url) as b:
        heard = list[str]()
        b.listen("events", heard.append)
        await heard_by(a, heard)
        assert [await a.count("k", 60) for _ in range(3)] == [1, 2, 3]
        await a.present("process:a", 60)
        async with redis_server.client() as client:
            await client.flushall()
            await client.script_flush()
        assert await b.count("k", 60) == 1
        assert await b.who("process:") == frozenset()
        await a.present("process:a", 60)
        assert await b.who("process:") == {"process:a"}
        heard.clear()
        await heard_by(a, heard)
        assert "" not in heard  # the subscription was never lost


async def test_a_full_server_still_tells(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--maxmemory", "10mb", "--maxmemory-policy", "noeviction")
    server.start()
    states: list[tuple[str, str]] = []
    try:
        async with opened(server.url, changed=lambda *it: states.append(it)) as a, opened(server.url) as b:
            async with server.client() as client:
                await fill(client)
            heard = list[str]()
            b.listen("events", heard.append)
            waits = [await timed(a.count("k", 60)) for _ in range(20)]
            assert sum(waits) < ALL
            assert await a.count("k", 60) is None
            await a.present("process:a", 60)
            assert states == [("refused", "OutOfMemoryError")]  # said once
            await heard_by(a, heard)  # wake-ups need no memory
            async with server.client() as client:
                await client.flushall()
            assert await counted(a) == 1
            assert states[-1] == ("closed", "")
    finally:
        server.stop()


async def fill(client: Any) -> None:
    """Until nothing fits any more."""
    with contextlib.suppress(OutOfMemoryError):
        for n in range(1000):
            await client.set(f"ballast:{n}", b"x" * 100_000)
        raise AssertionError("the server takes everything")


@pytest.mark.usefixtures("patient")
async def test_a_wrong_password_is_said_without_it(redis_server: RedisServer) -> None:
    states: list[tuple[str, str]] = []
    async with redis_server.client() as client:
        await client.config_set("requirepass", "right")
        url = f"redis://:wrong-word@127.0.0.1:{redis_server.port}/0"
        async with opened(url, changed=lambda *it: states.append(it)) as hints:
            assert await hints.count("k", 60) is None
            assert states == [("open", "AuthenticationError")]
        async with opened(redis_server.url.replace("//", "//:right@")) as hints:
            assert await hints.count("k", 60) == 1
        async with opened(redis_server.url) as hints:
            assert await hints.count("k", 60) is None
        assert "wrong-word" not in repr(states)


async def test_a_slow_server_is_left_out(redis_server: RedisServer) -> None:
    async with slow_proxy(redis_server.port, 0.5) as port, opened(f"redis://127.0.0.1:{port}/0") as hints:
        waits = [await timed(hints.count("k", 60)) for _ in range(10)]
        assert sum(waits) < ALL
        assert await hints.count("k", 60) is None


@asynccontextmanager
async def slow_proxy(port: int, seconds: float) -> AsyncIterator[int]:
    """Each answer of the server comes so much later."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        try:
            while data := await reader.read(65536):
                await asyncio.sleep(delay)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pass_on(reader, forth, 0), pass_on(back, writer, seconds))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.usefixtures("patient")
async def test_cancelled_commands_never_leave_their_reply_to_another(redis_server: RedisServer) -> None:
    """redis-py#2624: each reply belongs to the one who asked, however many were cancelled around it."""
    hints = RedisHints(redis_server.url, "frontline", "", lambda state, why: None)

    async def echo(n: int) -> None:
        reply = await hints._send([("ECHO", f"{n}-a"), ("ECHO", f"{n}-b")])
        assert reply == [f"{n}-a".encode(), f"{n}-b".encode()]

    cancelled = 0
    for wave in range(60):
        tasks = [asyncio.create_task(echo(wave * 100 + n)) for n in range(20)]
        stopped = set[asyncio.Task[None]]()
        for step in range(wave % 8):
            await asyncio.sleep(0)
            stopped |= {tasks[step]} if tasks[step].cancel() else set()
        await asyncio.sleep(0.0005 * (wave % 5))
        stopped |= {task for task in tasks[8:12] if task.cancel()}
        await asyncio.wait(tasks)
        assert {task for task in tasks if task.cancelled()} == stopped, "who is told to stop stops"
        for task in set(tasks) - stopped:
            await task
        cancelled += len(stopped)
    assert cancelled > 100
    assert len(hints._pool._in_use_connections) == 0
    await hints.close()


@pytest.mark.usefixtures("patient")
async def test_encrypted_connections(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    make_certificate(certificate, key)
    port = free_port()
    words = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    server = RedisServer(tmp_path, *words, "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no")
    server.start()
    try:
        async with opened(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}") as hints:
            assert await hints.count("k", 60) == 1
        states: list[tuple[str, str]] = []
        async with opened(f"rediss://127.0.0.1:{port}/0", changed=lambda *it: states.append(it)) as hints:
            assert await hints.count("k", 60) is None  # an unknown certificate is not trusted
            assert states[0][0] == "open"
    finally:
        server.stop()


def make_certificate(certificate: Path, key: Path) -> None:
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    words += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
    assert ssl.create_default_context(cafile=str(certificate)).cert_store_stats()["x509"] == 1


async def test_an_absent_server_is_no_reason_not_to_start() -> None:
    async with opened(f"redis://127.0.0.1:{free_port()}/0") as hints:
        heard = list[str]()
        unlisten = hints.listen("events", heard.append)
        hints.tell("events", "x")
        await until(lambda: heard == ["x"])  # its own process hears it all the same
        unlisten()
        assert await hints.count("k", 60) is None
        await hints.present("process:me", 60)
        assert await hints.who("process:") == {"process:me"}


@pytest.mark.usefixtures("patient")
async def test_what_cannot_be_told_in_time_is_dropped_the_oldest_first(redis_server: RedisServer) -> None:
    async with opened(redis_server.url) as a, opened(redis_server.url) as b:
        heard = list[str]()
        b.listen("events", heard.append)
        await heard_by(a, heard)
        for n in range(3 * WAITING):  # the loop has no time to tell meanwhile
            a.tell("events", str(n))
        await until(lambda: str(3 * WAITING - 1) in heard)
        numbers = [int(one) for one in heard if one.isdigit()]
        assert numbers == list(range(2 * WAITING, 3 * WAITING))


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port/0", "redis://127.0.0.1:1/0?socket_timeout=x"])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        open_hints(url)


async def test_the_breaker_opens_after_failures_in_a_row() -> None:
    states: list[tuple[str, str]] = []
    breaker = Breaker(lambda *it: states.append(it), failures=2)
    breaker.failed("TimeoutError")
    breaker.worked()
    breaker.failed("TimeoutError")
    assert breaker.closed
    breaker.failed("ConnectionError")
    breaker.failed("ConnectionError")
    assert not breaker.closed
    breaker.worked()
    breaker.worked()
    assert states == [("open", "ConnectionError"), ("closed", "")]
