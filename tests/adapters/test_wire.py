"""The wire against a server that says exactly what the test tells it to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters import wire as wires
from adapters.wire import Unanswered, Unreached, Wire

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Server:
    """Reads whole requests and answers each as `reply` says; `None` hangs up."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.reply: Callable[[bytes], Awaitable[bytes | None]] = self.fine
        self.url = ""

    async def fine(self, request: bytes) -> bytes | None:
        return OK

    def says(self, *answers: bytes | None) -> None:
        """One answer after another."""
        left = iter(answers)

        async def reply(request: bytes) -> bytes | None:
            return next(left)

        self.reply = reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                answer = await self.reply(request)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    it = Server()
    listening = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield it
    listening.close()


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    it = Wire(server.url)
    yield it
    it.close()


async def test_a_call_is_one_plain_request(server: Server, wire: Wire) -> None:
    assert await wire.post("/bot42:X/sendMessage", b'{"a":1}', 5) == (200, b'{"ok":true}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /bot42:X/sendMessage HTTP/1.1"
    assert b"Host: " + server.url.removeprefix("http://").encode() in head
    assert body == b'{"a":1}'


async def test_connections_are_kept_and_shared(server: Server, wire: Wire) -> None:
    for _ in range(3):
        await wire.post("/", b"{}", 5)
    assert server.connections == 1
    await asyncio.gather(*(wire.post("/", b"{}", 5) for _ in range(4)))
    assert 2 <= server.connections <= 5


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n6\r\n:true}\r\n0\r\n\r\n',
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["chunked", "continue"],
)
async def test_every_shape_of_an_answer(server: Server, wire: Wire, answer: bytes) -> None:
    server.says(answer)
    assert await wire.post("/", b"{}", 5) == (200, b'{"ok":true}')


async def test_an_answer_in_pieces(server: Server, wire: Wire) -> None:
    async def reply(_: bytes) -> bytes | None:
        return OK

    server.reply = reply
    big = b"HTTP/1.1 429 Too Many\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    server.says(big)
    status, body = await wire.post("/", b"{}", 5)
    assert (status, len(body)) == (429, 300_000)


async def test_a_connection_that_is_not_kept(server: Server, wire: Wire) -> None:
    server.says(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), OK)
    await wire.post("/", b"{}", 5)
    assert await wire.post("/", b"{}", 5) == (200, b'{"ok":true}')
    assert server.connections == 2


async def test_a_hang_up_in_idle_time_harms_nobody(server: Server, wire: Wire) -> None:
    async def reply(_: bytes) -> bytes | None:
        return OK if server.connections > 1 else None

    await wire.post("/", b"{}", 5)
    server.reply = reply
    with pytest.raises(Unanswered):  # written before the hang-up was seen
        await wire.post("/", b"{}", 5)
    assert await wire.post("/", b"{}", 5) == (200, b'{"ok":true}')


@pytest.mark.parametrize(
    "answer", [None, OK[:-3], b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
async def test_half_an_answer_is_none(server: Server, wire: Wire, answer: bytes | None) -> None:
    async def reply(_: bytes) -> bytes | None:
        return answer

    server.reply = reply
    with pytest.raises(Unanswered) as caught:
        await wire.post("/bot42:SECRET/x", b"{}", 0.3)
    assert "SECRET" not in repr(caught.value)


async def test_too_long_an_answer(server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "ANSWER_BYTES", 10)
    with pytest.raises(Unanswered, match="too long"):
        await wire.post("/", b"{}", 5)


async def test_late_answers_are_nobodys(server: Server, wire: Wire) -> None:
    """A call that was given up leaves no connection behind on which the next one would read its answer."""
    hold = asyncio.Event()

    async def reply(request: bytes) -> bytes | None:
        if b"slow" in request:
            await hold.wait()
            return OK.replace(b"true", b"late")
        return OK

    server.reply = reply
    slow = asyncio.create_task(wire.post("/slow", b"{}", 5))
    while not server.requests:
        await asyncio.sleep(0)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    hold.set()
    assert await wire.post("/", b"{}", 5) == (200, b'{"ok":true}')


async def test_what_was_not_asked_for_closes_the_connection(server: Server, wire: Wire) -> None:
    server.says(OK + OK.replace(b"true", b"more"), OK)
    assert (await wire.post("/", b"{}", 5))[1] == b'{"ok":true}'
    await asyncio.sleep(0.05)
    assert (await wire.post("/", b"{}", 5))[1] == b'{"ok":true}'


async def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        wire = Wire(f"http://127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(Unreached):
            await wire.post("/", b"{}", 5)


async def test_no_trust_in_whoever_answers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not speak TLS gets no word of the call."""
    monkeypatch.setattr(wires, "CONNECT_SECONDS", 0.5)
    wire = Wire(server.url.replace("http:", "https:"))
    with pytest.raises(Unreached):
        await wire.post("/", b"secret", 5)
    assert not any(b"secret" in request for request in server.requests)


async def test_calls_wait_for_a_free_connection(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = asyncio.Event()

    async def reply(_: bytes) -> bytes | None:
        await hold.wait()
        return OK

    server.reply = reply
    wire = Wire(server.url, most=1)
    first, second = asyncio.create_task(wire.post("/", b"{}", 5)), asyncio.create_task(wire.post("/", b"{}", 5))
    await asyncio.sleep(0.01)
    monkeypatch.setattr(wires, "CONNECT_SECONDS", 0.01)
    with pytest.raises(Unreached, match="no free connection"):
        await wire.post("/", b"{}", 5)
    hold.set()
    assert [await first, await second] == [(200, b'{"ok":true}')] * 2
    assert server.connections == 1
    wire.close()
