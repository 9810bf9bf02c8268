"""The load: virtual Telegram clients that post updates to a webhook and wait for the bot's sendMessage, on raw asyncio.

One process plays the platform and all clients, so that one core is enough to drive a bot that has the other core.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

CHAT = re.compile(rb'chat_id"?\s*[:=]\s*"?(\d+)|(?:^|&)chat_id=(\d+)|name="chat_id"\r\n(?:[^\r\n]+\r\n)*\r\n(\d+)')
LENGTH = re.compile(rb"(?i)content-length:\s*(\d+)")
ANSWER = b'{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":%d,"type":"private"},"text":"x"}}'
TRUE = b'{"ok":true,"result":true}'
ME = b'{"ok":true,"result":{"id":42,"is_bot":true,"first_name":"bench","username":"bench_bot"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
# Four messages make one dialogue; each gets exactly one answer, in which these words stand.
DIALOGUE = ("хочу оставить заявку", "Мария Николаева", "+7 912 345-67-89", "ORD-123456")
EXPECTED = ("зовут", "телефон", "номер заказа", "Мария Николаева")
PATIENCE = 10.0  # seconds that an answer may take


@dataclass(slots=True)
class Client:
    """One chat: what it says next and when it said it."""

    chat: int
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    said: int = 0
    heard: int = 0  # answers
    last: bytes = b""  # the body of the last answer


class Platform(asyncio.Protocol):
    """A Bot API server that knows one thing: which chat was answered."""

    clients: dict[int, Client] = {}  # noqa: RUF012 - one platform a process
    sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (parts := self._request()) is not None:
            head, body = parts
            self.transport.write(self._answer(head, body))

    def _request(self) -> tuple[bytes, bytes] | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end]
        if b"100-continue" in head:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        found = LENGTH.search(head)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self.buffer) < whole:
            return None
        body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
        return head, body

    def _answer(self, head: bytes, body: bytes) -> bytes:
        method = head.split(b" ", 2)[1].rsplit(b"/", 1)[-1].lower()
        if method == b"sendmessage":
            found = CHAT.search(body)
            chat = int(next(filter(None, found.groups()))) if found else 0
            Platform.sent += 1
            answer = ANSWER % (Platform.sent, chat)
            client = Platform.clients.get(chat)
            if client is not None:
                client.heard += 1
                client.last = body
                client.answered.set()
        else:
            answer = ME if method == b"getme" else TRUE
        return HEAD % len(answer) + answer


class Hook(asyncio.Protocol):
    """A keep-alive connection to the webhook; waits for the 200 of the update it posted."""

    def __init__(self) -> None:
        self.acknowledged: asyncio.Future[bytes] | None = None
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        found = LENGTH.search(self.buffer[:end])
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self.buffer) >= whole and self.acknowledged is not None and not self.acknowledged.done():
            status, self.buffer = self.buffer[9:12], self.buffer[whole:]
            self.acknowledged.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self.acknowledged is not None and not self.acknowledged.done():
            self.acknowledged.set_exception(ConnectionError("the bot hung up"))

    async def post(self, request: bytes) -> bytes:
        """The status. Raises ConnectionError when the bot hangs up, or has hung up before."""
        if self.transport.is_closing():
            raise ConnectionError("the bot has hung up")
        self.acknowledged = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.acknowledged


@dataclass(slots=True)
class Measured:
    """One run of the load. Times in seconds, from the first byte posted to the answer's arrival at the platform.

    `failed` counts what was not answered within `PATIENCE`, not acknowledged with 200, or answered more than once.
    """

    clients: int
    messages: int
    seconds: float
    latencies: list[float]
    failed: int = 0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def update(update_id: int, chat: int, text: str) -> bytes:
    """A private text message as Telegram posts it."""
    person = {"id": chat, "is_bot": False, "first_name": "Клиент", "username": f"user{chat}", "language_code": "ru"}
    message = {
        "message_id": update_id,
        "from": person,
        "chat": {"id": chat, "first_name": "Клиент", "type": "private"},
        "date": int(time.time()),
        "text": text,
    }
    return orjson.dumps({"update_id": update_id, "message": message})


def request(host: str, path: str, secret: str, body: bytes) -> bytes:
    """The POST of one update."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """Drives `clients` chats for `seconds` against webhooks at 127.0.0.1, spread over their ports. No chat comes twice."""

    update_id = 0
    next_chat = 1000

    def __init__(self, ports: Sequence[int], path: str, secret: str) -> None:
        self.ports, self.path, self.secret = ports, path, secret

    async def run(self, clients: int, seconds: float) -> Measured:
        chats = [Client(Load.next_chat + n) for n in range(clients)]
        Load.next_chat += clients
        return await self.drive([deque([client]) for client in chats], seconds)

    async def drive(self, groups: Sequence[deque[Client]], seconds: float) -> Measured:
        """Each group has one message under way; its clients take turns, as fast as they are answered."""
        everybody = [client for group in groups for client in group]
        Platform.clients = {client.chat: client for client in everybody}
        heard = sum(client.heard for client in everybody)
        hooks = await self.connect(len(groups))
        latencies: list[float] = []
        began = time.perf_counter()
        talks = [self._talk(*pair, began + seconds, latencies) for pair in zip(groups, hooks, strict=True)]
        failed = await _count_failures(talks, seconds + PATIENCE)
        took = time.perf_counter() - began
        for hook in hooks:
            hook.transport.close()
        twice = sum(client.heard for client in everybody) - heard - len(latencies)
        return Measured(len(groups), len(latencies), took, latencies, failed + max(0, twice))

    async def connect(self, number: int) -> list[Hook]:
        """Connections to the ports in turn, one after another: a listener's backlog may be short."""
        loop = asyncio.get_running_loop()
        hooks: list[Hook] = []
        for n in range(number):
            _, hook = await loop.create_connection(Hook, "127.0.0.1", self.ports[n % len(self.ports)])
            hooks.append(hook)
        return hooks

    async def _talk(self, group: deque[Client], hook: Hook, until: float, latencies: list[float]) -> int:
        failed = 0
        while (began := time.perf_counter()) < until:
            client = group[0]
            group.rotate(-1)
            status = await hook.post(self.says(client))
            await client.answered.wait()
            failed += status != b"200"
            latencies.append(time.perf_counter() - began)
        return failed

    def says(self, client: Client) -> bytes:
        """The POST of what the client says next."""
        Load.update_id += 1
        text = DIALOGUE[client.said % len(DIALOGUE)]
        client.said += 1
        client.answered.clear()
        return request("127.0.0.1", self.path, self.secret, update(Load.update_id, client.chat, text))


async def _count_failures(talks: Sequence[Coroutine[Any, Any, int]], patience: float) -> int:
    """Failures of all talks; one that has not ended in time, or has broken, is one."""
    tasks = [asyncio.create_task(talk) for talk in talks]
    _, waiting = await asyncio.wait(tasks, timeout=patience)
    for task in waiting:
        task.cancel()
    return sum(it if isinstance(it, int) else 1 for it in await asyncio.gather(*tasks, return_exceptions=True))


async def probe(port: int, path: str, secret: str) -> None:
    """One dialogue; raises ValueError when the bot does not say in it what it should, TimeoutError when nothing."""
    load = Load([port], path, secret)
    client = Client(Load.next_chat)
    Load.next_chat += 1
    Platform.clients = {client.chat: client}
    (hook,) = await load.connect(1)
    try:
        for words in EXPECTED:
            async with asyncio.timeout(PATIENCE):
                await hook.post(load.says(client))
                await client.answered.wait()
            if not any(form in client.last for form in spellings(words)):
                raise ValueError(f"expected {words!r}, got {client.last!r}")
    finally:
        hook.transport.close()


def spellings(words: str) -> tuple[bytes, ...]:
    """How the words may stand in a body: as they are, escaped JSON, or a form."""
    form = quote_plus(words)
    return words.encode(), json.dumps(words).strip('"').encode(), form.encode(), quote(words).encode()


async def serve_platform() -> tuple[asyncio.Server, int]:
    """The platform on a free port."""
    server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", 0, backlog=1024)
    return server, server.sockets[0].getsockname()[1]


async def wait_port(port: int, seconds: float = 120.0, alive: Callable[[], bool] = lambda: True) -> None:
    """Returns when something listens; raises TimeoutError, or ChildProcessError when who should is dead."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            if not alive():
                raise ChildProcessError("the bot ended before it listened")
            await asyncio.sleep(0.1)
