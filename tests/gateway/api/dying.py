"""A gateway that is killed between a deed and its answer: `python -m tests.gateway.api.dying STORAGE METHOD PATH BODY`."""

from __future__ import annotations

import asyncio
import json
import sys

from gateway import failpoints
from tests.gateway.api.house import CONFIG, open_house

KEY = "once-1"


def config_of(storage: str) -> str:
    return CONFIG.replace("sqlite:///house.db", storage)


async def die(storage: str, method: str, path: str, body: str) -> None:
    async for house in open_house(config=config_of(storage)):
        await house.add("root", "admin")
        browser = await house.browser("root")
        await house.client("человек")
        taken = await browser.ask("POST", "/conversations/1/take", {"epoch": 1})
        assert taken.status == 200, taken.body
        failpoints.arm("api.after_deed:kill@n=1")
        answer = await browser.ask(method, path, json.loads(body), Idempotency_Key=KEY)
        sys.exit(f"still alive: {answer.status} {answer.body}")


if __name__ == "__main__":
    asyncio.run(die(*sys.argv[1:]))
