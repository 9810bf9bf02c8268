"""Hints through Redis. It may be killed, flushed, full or hung at any moment: that costs a moment, never an error.

Redis gets topics, ids and hashes, nothing of a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from redis.asyncio.client import PubSub
from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import RedisError, ResponseError

from storage.hints.breaker import Breaker, Changed
from storage.hints.local import Heard, LocalHints

TIMEOUT = 0.2  # seconds of a command, connecting included
CONNECTIONS = 32
WAITING = 1000  # hints that may wait to be told; of more, the oldest are dropped
BATCH = 100  # hints told in one go
BEAT = 0.4  # seconds of silence after which the subscription is asked whether it lives
PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between attempts to come back
LOST = (RedisError, OSError, TimeoutError)

Command = tuple[str | int, ...]

# A window is ten slots on the server's clock, the present one among them: a count covers nine to ten tenths of it, so that
# nobody is counted who wrote before.
COUNT = """
local now = redis.call('TIME')
local span = tonumber(ARGV[1])
local slot = math.floor((now[1] * 1000 + math.floor(now[2] / 1000)) / math.max(1, math.floor(span / 10)))
redis.call('HINCRBY', KEYS[1], slot, 1)
redis.call('PEXPIRE', KEYS[1], span)
local counts, n = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #counts, 2 do
  if tonumber(counts[i]) > slot - 10 then n = n + tonumber(counts[i + 1]) else redis.call('HDEL', KEYS[1], counts[i]) end
end
return n
"""
PRESENT = """
local now = redis.call('TIME')
local ms, span = now[1] * 1000 + math.floor(now[2] / 1000), tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], ms + span, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
if redis.call('PTTL', KEYS[1]) < span then redis.call('PEXPIRE', KEYS[1], span) end
return 1
"""
WHO = """
local now = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now[1] * 1000 + math.floor(now[2] / 1000)), '+inf')
"""


class RedisHints:
    """`core.ports.Hints` through one Redis server. Raises ValueError for an address that cannot be read.

    Listeners of this process are told directly, so that they hear each other without Redis, too. After an interruption
    every listener hears "": something may have been missed.
    """

    def __init__(self, url: str, prefix: str, salt: str, changed: Changed) -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT,
            socket_timeout=None,  # ours is around all of a command; the library's swallows cancellations (Python 3.11)
            socket_connect_timeout=TIMEOUT,
            protocol=2,
            driver_info=None,
        )
        self._prefix, self._salt = prefix, hashlib.sha256(salt.encode()).digest()
        self._me = secrets.token_hex(4)
        self._local = LocalHints()
        self._breaker = Breaker(changed)
        self._refused = ""
        self._changed = changed
        self._waiting: dict[tuple[str, str], None] = {}
        self._more = asyncio.Event()
        self._pubsub: PubSub | None = None
        self._interrupted = False
        self._tasks: set[asyncio.Task[None]] = set()

    # --- open and close ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Returns within a moment, whether the server answers or not."""
        if why := await self._probe():
            self._breaker.give_up(why)
        for role in (self._tell_on, self._hear_on, self._mend):
            self._begin(role())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What waits is told if the server takes it at once."""
        while tasks := tuple(self._tasks):  # again, should the library lose a cancellation
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=TIMEOUT)
        await self._tell_waiting()
        await self._local.close()
        with contextlib.suppress(*LOST):
            await self._pool.disconnect()

    # --- tell ----------------------------------------------------------------------------------------------------------

    def tell(self, topic: str, data: str = "") -> None:
        """Tells every process, this one too. Never waits, never raises; what cannot be told is dropped."""
        self._local.tell(topic, data)
        if not self._tasks or not self._breaker.closed:
            return
        self._waiting[topic, data] = None
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._more.set()

    async def _tell_on(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            await self._tell_waiting()

    async def _tell_waiting(self) -> None:
        while self._waiting:
            batch = list(self._waiting)[:BATCH]
            for one in batch:
                del self._waiting[one]
            await self._ask([("PUBLISH", self._channel(topic), f"{self._me} {data}") for topic, data in batch])

    def _channel(self, topic: str) -> str:
        return f"{self._prefix}:tell:{topic}"

    # --- listen --------------------------------------------------------------------------------------------------------

    def listen(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Calls `heard` for everything told from now on; "" also after an interruption. The answer takes it back."""
        known = topic in self._local.topics()
        unlisten = self._local.listen(topic, heard)
        if self._pubsub is not None and not known:
            self._begin(self._subscribe(self._pubsub, topic))
        return unlisten

    async def _subscribe(self, pubsub: PubSub, *topics: str) -> None:
        """What is lost here is noticed by the one who reads the subscription."""
        with contextlib.suppress(*LOST):
            await pubsub.subscribe(*map(self._channel, topics))

    async def _hear_on(self) -> None:
        pause = PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            with contextlib.suppress(*LOST):
                await self._hear_once()
            self._interrupted = True
            pause = (
                PAUSE if asyncio.get_running_loop().time() - began > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
            )
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)

    async def _hear_once(self) -> None:
        """Reads one subscription until it is lost."""
        pubsub = PubSub(self._pool)
        try:
            async with asyncio.timeout(TIMEOUT):
                # Our own topic comes last: when it is confirmed, all are.
                await pubsub.subscribe(*map(self._channel, [*self._local.topics(), self._me]))
            self._pubsub = pubsub
            await self._read(pubsub)
        finally:
            self._pubsub = None
            with contextlib.suppress(*LOST):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _read(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=BEAT)
            if message is not None:
                asked = False
                self._heard(message)
            elif asked:
                raise TimeoutError("the subscription is silent")
            else:
                asked = True
                async with asyncio.timeout(TIMEOUT):
                    await pubsub.ping()

    def _heard(self, message: dict[str, Any]) -> None:
        topic = (
            message["channel"].decode("utf-8", "replace").removeprefix(self._channel("")) if message["channel"] else ""
        )
        if message["type"] == "subscribe" and topic == self._me and self._interrupted:
            self._interrupted = False
            self._local.tell_all()
        if message["type"] == "message":
            sender, _, data = message["data"].decode("utf-8", "replace").partition(" ")
            if sender != self._me:
                self._local.tell(topic, data)

    # --- count and presence --------------------------------------------------------------------------------------------

    async def count(self, key: str, seconds: float) -> int | None:
        """How many times within about the last `seconds`; None while Redis cannot say."""
        digest = hashlib.blake2b(key.encode(), key=self._salt, digest_size=16).hexdigest()
        counted = await self._run(COUNT, f"{self._prefix}:count:{digest}", max(1, round(seconds * 1000)))
        return counted if isinstance(counted, int) else None

    async def present(self, key: str, seconds: float) -> None:
        await self._local.present(key, seconds)
        await self._run(PRESENT, f"{self._prefix}:here", key, max(1, round(seconds * 1000)))

    async def who(self, prefix: str) -> frozenset[str]:
        """Those whom this process knows, and those whom Redis knows."""
        found = await self._run(WHO, f"{self._prefix}:here") or ()
        there = {key.decode("utf-8", "replace") for key in found}
        return await self._local.who(prefix) | {key for key in there if key.startswith(prefix)}

    # --- commands ------------------------------------------------------------------------------------------------------

    async def _run(self, script: str, key: str, *args: str | int) -> Any:
        replies = await self._ask([("EVAL", script, 1, key, *args)])
        return replies[0] if replies else None

    async def _ask(self, commands: list[Command]) -> list[Any]:
        """The replies; none while the server is not to be asked, or says nothing useful. Raises nothing."""
        if not self._breaker.closed:
            return []
        try:
            replies = await self._send(commands)
        except LOST as error:
            self._breaker.failed(type(error).__name__)
            return []
        self._breaker.worked()
        return self._sound(replies)

    def _sound(self, replies: list[Any]) -> list[Any]:
        """An error reply (memory full, no rights) came quickly and costs nobody time: it is said once, then ignored."""
        wrong = next((type(reply).__name__ for reply in replies if isinstance(reply, ResponseError)), "")
        if wrong != self._refused:
            self._refused = wrong
            self._changed("refused" if wrong else "closed", wrong)
        return [] if wrong else replies

    async def _send(self, commands: Iterable[Command]) -> list[Any]:
        """One round trip. Whatever goes wrong, cancellation too, the connection is dropped: its reply must never be taken
        for the next one's."""
        asked = list(commands)
        async with asyncio.timeout(TIMEOUT):
            connection: Any = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.send_packed_command(connection.pack_commands(asked))
                return [await _reply(connection) for _ in asked]
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            finally:
                await self._pool.release(connection)

    # --- mending -------------------------------------------------------------------------------------------------------

    async def _mend(self) -> None:
        """While the breaker is open, only this one asks."""
        while True:
            await self._breaker.opened.wait()
            pause = PAUSE
            while not self._breaker.closed:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)
                pause = min(2 * pause, LONGEST_PAUSE)
                await self._probe()

    async def _probe(self) -> str:
        """Asks whether the server answers; the type of the error when it does not."""
        try:
            await self._send([("PING",)])
        except LOST as error:
            return type(error).__name__
        self._breaker.worked()
        return ""


async def _reply(connection: Any) -> Any:
    """One reply; an error reply as a value, so that those behind it are read, too."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
