"""Long answers to questions travel packed, for whoever takes that; what is short or answers a deed does not."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from aiohttp import ClientResponse

from tests.gateway.api.house import House

LIST = "/api/v1/conversations?view=queue"


async def asked(house: House, path: str, accepts: str) -> ClientResponse:
    browser = await house.browser("anna")
    headers = {**browser.headers, "Accept-Encoding": accepts}
    return await browser.client.get(path, headers=headers, auto_decompress=False)


async def filled(house: House) -> None:
    """Eight clients wait, and the list says of each why: it does not change any more."""
    await house.add("anna", support="operator")
    for chat in range(1, 9):
        await house.client("человек", chat=str(chat))
    await house.quiet()
    while not all(line["cause"] for line in json.loads(await (await asked(house, LIST, "identity")).read())["items"]):
        await asyncio.sleep(0.02)


async def test_a_long_list_is_packed(house: House) -> None:
    await filled(house)
    packed, plain = await asked(house, LIST, "br, gzip"), await asked(house, LIST, "identity")
    body = await plain.read()
    assert gzip.decompress(await packed.read()) == body
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert packed.content_type == plain.content_type == "application/json"
    assert int(packed.headers["Content-Length"]) * 3 < len(body)
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(("path", "accepts"), [(LIST, "gzip;q=0"), (LIST, "br"), ("/api/v1/me", "gzip")])
async def test_else_it_is_not(house: House, path: str, accepts: str) -> None:
    await filled(house)
    answer = await asked(house, path, accepts)
    assert (answer.status, answer.headers.get("Content-Encoding")) == (200, None)
