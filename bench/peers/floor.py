"""The floor: a bare aiohttp handler that parses, does one GET and one SET in Redis, and one send. No dialogue, no promises."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import aiohttp
import orjson
from aiohttp import web
from redis.asyncio import Redis


def main() -> None:
    """Arguments: port, address of the Bot API, address of Redis."""
    port, api, redis = int(sys.argv[1]), sys.argv[2], Redis.from_url(sys.argv[3], max_connections=1024)
    app = web.Application()

    async def session(_: web.Application) -> AsyncIterator[None]:
        app["http"] = aiohttp.ClientSession()
        yield
        await app["http"].close()

    async def hook(request: web.Request) -> web.Response:
        message = orjson.loads(await request.read())["message"]
        chat = message["chat"]["id"]
        key = f"state:{chat}"
        state = await redis.get(key)
        await redis.set(key, b"x" if state is None else state)
        body = orjson.dumps({"chat_id": chat, "text": message["text"]})
        headers = {"Content-Type": "application/json"}
        async with app["http"].post(f"{api}/bot42:BENCH/sendMessage", data=body, headers=headers) as answer:
            orjson.loads(await answer.read())
        return web.Response()

    app.cleanup_ctx.append(session)
    app.router.add_post("/hook", hook)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
