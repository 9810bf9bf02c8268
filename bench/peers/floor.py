"""The floor: a bare aiohttp handler that parses, remembers, sends. No dialogue, no promises.

In Redis it does one GET and one SET. In PostgreSQL it does one durable write: the least that "committed before it is sent" costs.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import orjson
from aiohttp import web
from redis.asyncio import Redis

from bench.peers.pool import pool

Remember = Callable[[int, str], Awaitable[None]]  # a chat, and what was said there
TABLE = "CREATE TABLE said (chat bigint PRIMARY KEY, text text)"
WRITE = "INSERT INTO said (chat, text) VALUES ($1, $2) ON CONFLICT (chat) DO UPDATE SET text = excluded.text"


@asynccontextmanager
async def in_redis(url: str) -> AsyncIterator[Remember]:
    redis = Redis.from_url(url, max_connections=1024)

    async def remember(chat: int, text: str) -> None:
        key = f"state:{chat}"
        state = await redis.get(key)
        await redis.set(key, b"x" if state is None else state)

    yield remember
    await redis.aclose()


@asynccontextmanager
async def in_postgres(url: str) -> AsyncIterator[Remember]:
    async with pool(url) as connections:
        await connections.execute(TABLE)

        async def remember(chat: int, text: str) -> None:
            await connections.execute(WRITE, chat, text)

        yield remember


def opened(url: str) -> AbstractAsyncContextManager[Remember]:
    return in_postgres(url) if url.startswith("postgresql:") else in_redis(url)


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis or of a database of PostgreSQL."""
    port, api, store = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    app = web.Application()

    async def life(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as app["http"], opened(store) as app["remember"]:
            yield

    async def hook(request: web.Request) -> web.Response:
        message = orjson.loads(await request.read())["message"]
        chat = message["chat"]["id"]
        await app["remember"](chat, message["text"])
        body = orjson.dumps({"chat_id": chat, "text": message["text"]})
        headers = {"Content-Type": "application/json"}
        async with app["http"].post(f"{api}/bot42:BENCH/sendMessage", data=body, headers=headers) as answer:
            orjson.loads(await answer.read())
        return web.Response()

    app.cleanup_ctx.append(life)
    app.router.add_post("/hook", hook)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
