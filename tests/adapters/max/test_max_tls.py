"""MAX's certificate comes from a root that systems do not trust: the setting `ca` names it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from adapters.max.api import Api, Unsent

TLS = Path(__file__).parent / "tls"


@pytest.fixture
async def base() -> AsyncIterator[str]:
    """A server whose certificate comes from a root of its own."""

    async def me(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "word"
        assert not request.query
        return web.json_response({"user_id": 5})

    app = web.Application()
    app.router.add_get("/me", me)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem")
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_root_that_is_named_is_trusted(base: str) -> None:
    api = Api("word", base, str(TLS / "ca.pem"))
    assert await api.call("GET", "/me") == {"user_id": 5}
    await api.close()


async def test_without_it_nothing_leaves(base: str) -> None:
    """The token must not go to somebody whose certificate nobody vouches for."""
    api = Api("word", base)
    with pytest.raises(Unsent, match="Certificate"):
        await api.call("GET", "/me")
    await api.close()


async def test_certificates_of_the_system_stay_trusted() -> None:
    plain, more = ssl.create_default_context(), Api("word", ca=str(TLS / "ca.pem"))._trust
    assert len(more.get_ca_certs()) == len(plain.get_ca_certs()) + 1
    assert more.verify_mode is ssl.CERT_REQUIRED
    assert more.check_hostname
