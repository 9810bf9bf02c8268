"""Who may have a socket, and for how long: stolen and expired cookies, foreign pages, people who were put out, junk."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from gateway.accounts.people import Place
from gateway.api.live import door
from gateway.api.live.models import INCOMING
from gateway.api.live.socket import BAD_HELLO, FRAME, MANY, RESTART, SIGNED_OUT
from gateway.api.live.table import WORDS
from tests.gateway.api.house import ROOT, Browser, House
from tests.gateway.api.live.conftest import open_tap
from tests.gateway.api.test_deeds import queued

WORKERS = ("operator", "supervisor", "admin")
# A new message needs a row here: who may say it.
MESSAGES: dict[str, tuple[str, ...]] = {
    "hello": WORKERS,
    "look": WORKERS,
    "answering": WORKERS,
    "watch": WORKERS,
    "ping": WORKERS,
}
BODIES: dict[str, dict[str, Any]] = {
    "hello": {},
    "look": {"conversation": 999},
    "answering": {"conversation": 999},
    "watch": {"lists": ["bot"]},
    "ping": {},
}


def test_every_message_has_a_row() -> None:
    assert {name: word.roles for name, word in WORDS.items()} == MESSAGES
    assert {word.model for word in WORDS.values()} == set(INCOMING)
    assert set(BODIES) == set(MESSAGES)


async def refused(house: House, browser: Browser, **headers: str) -> tuple[int, str]:
    """The refusal of a socket: its status, and the kind of the problem as a plain request is told it."""
    given = {**browser.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with pytest.raises(WSServerHandshakeError) as caught:
        await browser.client.ws_connect("/api/v1/live", headers=given)
    answer = await browser.ask("GET", "/live", **headers)
    return caught.value.status, answer.kind


def own(house: House) -> str:
    return str(house.server.make_url("")).rstrip("/")


async def test_nobody_is_let_in_without_a_cookie_or_with_one_that_is_over(house: House) -> None:
    await house.add("anna", support="operator")
    assert await refused(house, await house.browser(), Origin=own(house)) == (401, "not-signed-in")
    browser = await house.browser("anna")
    house.clock.at += 13 * 3600
    assert await refused(house, browser, Origin=own(house)) == (401, "not-signed-in")


FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {},
    {"Sec_Fetch_Site": "cross-site"},
    {"Origin": "http://127.0.0.1:1"},
)


async def test_a_page_of_another_site_is_refused_before_the_upgrade(house: House) -> None:
    """A browser sends the cookie with a socket of any page."""
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    for headers in FOREIGN:
        assert await refused(house, browser, **headers) == (403, "foreign-site"), headers


async def test_an_analyst_sees_numbers_elsewhere(house: House) -> None:
    await house.add("nina", "analyst")
    assert await refused(house, await house.browser("nina"), Origin=own(house)) == (403, "not-allowed")


@pytest.mark.parametrize(("scope", "status"), [("conversations:read", 101), ("me:read", 403)])
async def test_a_machine_needs_the_scope(house: House, scope: str, status: int) -> None:
    user = await house.add("anna", support="operator")
    _, secret = await house.people.add_token(user, "crm", (scope,), 0.0, Place())
    machine = await house.browser(token=secret)
    if status == 403:
        assert await refused(house, machine) == (403, "not-allowed")
        return
    tap = await open_tap(house, machine)
    await queued(house)
    assert await tap.next("change")


async def test_a_plain_request_is_told_to_upgrade(house: House) -> None:
    await house.add("anna", support="operator")
    answer = await (await house.browser("anna")).ask("GET", "/live", Origin=own(house))
    assert (answer.status, answer.kind) == (426, "upgrade-required")


# --- rights that end while the socket is open ------------------------------------------------------------------------


@pytest.mark.parametrize("hints", [True, False], ids=["told", "hint lost"])
@pytest.mark.parametrize("how", ["deactivated", "signed out", "role", "password"])
async def test_whoever_is_put_out_hears_nothing_more(house: House, how: str, hints: bool) -> None:
    """The socket ends within a second and a half also when the hint is lost; what comes meanwhile is not delivered."""
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    tap = await open_tap(house, browser)
    if not hints:
        house.people.endings._hints = None
    if how == "signed out":
        assert (await browser.ask("POST", "/logout")).status == 204
    elif how == "password":
        await house.people.change(anna.id, {}, ROOT, "another password of hers")
    else:
        await house.people.change(anna.id, {"active": False} if how == "deactivated" else {"role": "analyst"}, ROOT)
    before = len(tap.of("change"))
    await queued(house)
    assert await tap.until_closed() == SIGNED_OUT
    assert len(tap.of("change")) == before


async def test_a_line_that_is_taken_away_takes_its_sessions_with_it(house: House) -> None:
    anna = await house.add("anna", support="operator", billing="operator")
    tap = await open_tap(house, await house.browser("anna"))
    await queued(house)
    last = (await tap.next("change"))["seq"]
    await house.people.change(anna.id, {"lines": {"billing": "operator"}}, ROOT)
    reset = await tap.next("reset")
    assert reset["why"] == "rights"
    assert reset["seq"] >= last
    before = len(tap.of("change"))
    await house.client("этого она не видит")
    await asyncio.sleep(0.3)
    assert (len(tap.of("change")), tap.code) == (before, 0)


async def test_a_socket_does_not_outlive_the_session(house: House) -> None:
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    house.clock.at += 2 * 3600  # nobody used it for longer than it may idle
    await queued(house)
    assert await tap.until_closed() == SIGNED_OUT
    assert tap.of("change") == []


async def test_a_token_that_is_dropped_ends_its_sockets(house: House) -> None:
    root = await house.add("root", "admin")
    _, secret = await house.people.add_token(root, "crm", ("conversations:read",), 0.0, Place())
    tap = await open_tap(house, await house.browser(token=secret))
    browser = await house.browser("root")
    (row,) = (await browser.ask("GET", "/tokens")).body["items"]
    assert (await browser.ask("DELETE", f"/tokens/{row['id']}")).status == 204
    assert await tap.until_closed() == SIGNED_OUT


async def test_the_oldest_of_too_many_gives_way(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    house.gateway.live.hub._most = 2
    taps = [await open_tap(house, browser) for _ in range(3)]
    assert await taps[0].until_closed() == MANY
    await queued(house)
    for tap in taps[1:]:
        assert await tap.next("change")


# --- junk ------------------------------------------------------------------------------------------------------------


FIRST = (
    "", "{", "[]", '"hello"', '{"type":"hello","after":-1}', '{"type":"hello","after":"7"}', '{"type":"hello","x":1}',
    '{"type":"ping"}', '{"type":"hello","after":1e400}', "\ud7ff" * 10, "[" * 5000,
)  # fmt: skip


async def test_whoever_does_not_say_hello_is_not_heard(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    for first in FIRST:
        tap = await open_tap(house, browser, hello=False)
        await tap.ws.send_str(first)
        assert await tap.until_closed() == BAD_HELLO, first


async def test_a_silent_socket_is_not_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HELLO_SECONDS", 0.05)
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"), hello=False)
    assert await tap.until_closed() == BAD_HELLO


WRONG: tuple[tuple[str | bytes, str], ...] = (
    ("nonsense", "unreadable"),
    ("[]", "unknown"),
    ("{}", "unknown"),
    ('{"type":7}', "unknown"),
    ('{"type":"take"}', "unknown"),
    ('{"type":"look"}', "invalid"),
    ('{"type":"look","conversation":"1"}', "invalid"),
    ('{"type":"look","conversation":1,"x":1}', "invalid"),
    ('{"type":"look","conversation":999}', "not-found"),
    ('{"type":"answering","conversation":999}', "not-found"),
    ('{"type":"watch","lists":["все"]}', "invalid"),
    ('{"type":"hello","after":0}', "not-allowed"),
    (b"\x00\xff", "unreadable"),
)


async def test_what_cannot_be_done_is_an_answer(house: House) -> None:
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    for said, code in WRONG:
        await (tap.ws.send_bytes(said) if isinstance(said, bytes) else tap.ws.send_str(said))
        assert (await tap.next("error"))["code"] == code, said
    await tap.say("ping")
    assert await tap.next("pong")


async def test_nonsense_without_end_ends(house: House) -> None:
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    for _ in range(door.NONSENSE):
        await tap.ws.send_str("?")
    assert await tap.until_closed() == BAD_HELLO


async def test_whoever_talks_too_much_is_told_to_slow_down(house: House) -> None:
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    for _ in range(door.FAST + 1):
        await tap.say("ping")
    assert (await tap.next("error"))["code"] == "slow-down"
    assert len(tap.of("pong")) == door.FAST


async def test_a_message_that_is_too_large_ends_the_socket(house: House) -> None:
    await house.add("anna", support="operator")
    tap = await open_tap(house, await house.browser("anna"))
    await tap.ws.send_str(json.dumps({"type": "ping", "x": "x" * FRAME}))
    assert await tap.until_closed() == 1009


@pytest.mark.parametrize("role", WORKERS)
async def test_roles_of_messages(house: House, role: str) -> None:
    """Everybody who may have a socket may say all of today's messages: «not-allowed» comes from a second hello alone."""
    await house.add("anna", role)  # type: ignore[arg-type]
    tap = await open_tap(house, await house.browser("anna"))
    for name, body in BODIES.items():
        before = len(tap.of("error"))
        await tap.say(name, **body)
        await tap.say("ping")
        await tap.next("pong")
        codes = {frame["code"] for frame in tap.of("error")[before:]}
        assert ("not-allowed" in codes) == (name == "hello" or role not in MESSAGES[name])


async def test_a_stop_asks_everybody_to_come_again(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    tap = await open_tap(house, browser)
    await house.gateway.live.stop()
    assert await tap.until_closed() == RESTART
    with pytest.raises(WSServerHandshakeError) as caught:
        await open_tap(house, browser)
    assert caught.value.status == 503
