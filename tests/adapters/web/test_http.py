"""The chat over HTTP: secrets, messages that arrive once, history, limits, honest refusals."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, make_mocked_request

from core.events import Opened
from core.messages import Outgoing
from core.rich import plain
from tests.adapters.web.conftest import Open, Visitor, visit
from tests.adapters.web.corpus import XSS
from tests.adapters.web.house import House

Client = TestClient[Any, Any]


async def test_a_message_is_answered_and_both_are_in_the_history(visitor: Visitor) -> None:
    answer = await visitor.said("a1", text="hi")
    assert answer == {"id": "a1", "seq": 1, "duplicate": False}
    page = await visitor.history()
    assert [(item["seq"], item["author"], item["text"]) for item in page["items"]] == [
        (1, "client", "hi"),
        (2, "bot", "Echo: hi"),
    ]
    assert page["items"][0]["id"] == "a1"
    assert page["cursor"] == 2


async def test_a_repeated_message_is_one_message(visitor: Visitor, house: House) -> None:
    await visitor.said("a1", text="hi")
    again = await visitor.said("a1", text="hi")
    assert again["duplicate"] is True
    assert await visitor.texts() == ["hi", "Echo: hi"]
    assert {inbound.external_id for inbound in house.accepted} == {f"{house.accepted[0].chat}:a1"}


async def test_the_same_id_of_two_clients_is_two_messages(visitor: Visitor, client: Client) -> None:
    other = await visit(client)
    await visitor.said("same", text="mine")
    await other.said("same", text="theirs")
    assert await visitor.texts() == ["mine", "Echo: mine"]
    assert await other.texts() == ["theirs", "Echo: theirs"]


async def test_opened_links_reach_the_bot_and_are_not_shown(visitor: Visitor, house: House) -> None:
    await visitor.said("open", link="")
    await visitor.said("l1", link="return-qr")
    assert [inbound.event for inbound in house.accepted] == [Opened(""), Opened("return-qr")]
    assert await visitor.texts() == ["Hello!", "Hello! return-qr"]
    hidden = [item for item in (await visitor.history())["items"] if item.get("hidden")]
    assert hidden == [{"seq": 1, "hidden": True}, {"seq": 3, "hidden": True}]


async def test_pressing_a_button(visitor: Visitor) -> None:
    await visitor.said("p1", press={"token": "1.1.0", "label": "Yes"})
    page = await visitor.history()
    assert page["items"][0] | {"at": 0} == {
        "seq": 1,
        "author": "client",
        "at": 0,
        "edited": 0,
        "id": "p1",
        "text": "Yes",
        "token": "1.1.0",
    }


async def test_only_the_hash_of_the_secret_is_kept(client: Client, house: House) -> None:
    visitor = await visit(client)
    assert len(visitor.token) >= 43  # 256 bits in base64
    digest = hashlib.sha256(visitor.token.encode()).hexdigest()
    chat = await house.store.web_client("site", digest)
    assert chat is not None
    assert await house.store.web_client("site", visitor.token) is None
    assert visitor.token not in chat


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic x"},
        {"Authorization": "Bearer " + "x" * 5000},
    ],
)
async def test_without_the_secret_nothing_opens(client: Client, house: House, header: dict[str, str]) -> None:
    calls = (
        client.get("/chat/site/history", headers=header),
        client.post("/chat/site/messages", json={"client_id": "a", "text": "x"}, headers=header),
        client.post("/chat/site/files", data=b"x", headers=header),
        client.get("/chat/site/files/abc", headers=header),
    )
    for call in calls:
        answer = await call
        assert answer.status == 403
        assert (await answer.json())["error"] == "token"
    assert house.accepted == []


async def test_the_secret_does_not_work_in_an_address(client: Client) -> None:
    visitor = await visit(client)
    for name in ("token", "access_token", "authorization"):
        assert (await client.get(f"/chat/site/history?{name}={visitor.token}")).status == 403


async def test_the_secret_of_one_chat_does_not_open_another(open_house: Open) -> None:
    _, one = await open_house("one")
    _, two = await open_house("two")
    visitor = await visit(one, "/chat/one")
    assert (await two.get("/chat/two/history", headers=visitor.headers)).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "file://",
        "http://",
        "http://[bad",
        "x",
    ],
)
async def test_pages_of_others_are_refused(visitor: Visitor, house: House, origin: str) -> None:
    for path in ("/session", "/messages"):
        answer = await visitor.client.post(
            visitor.base + path,
            json={"client_id": "a", "text": "x"},
            headers=visitor.headers | {"Origin": origin},
        )
        assert answer.status == 403
        assert (await answer.json())["error"] == "origin"
    assert house.accepted == []


async def test_our_own_page_is_let_in_behind_a_proxy_too(open_house: Open) -> None:
    _, client = await open_house(public_url="https://chat.example/")
    base = f"http://{client.host}:{client.port}"
    for origin in (base, "https://chat.example"):
        assert (await client.post("/chat/site/session", headers={"Origin": origin})).status == 201


async def test_a_flood_is_told_when_to_come_again(open_house: Open) -> None:
    house, client = await open_house(flood=(3, 30))
    visitor, other = await visit(client), await visit(client)
    statuses = [(await visitor.post(f"m{n}", text="x")).status for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = await visitor.post("m9", text="x")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert (await other.post("m1", text="x")).status == 200
    assert len(house.accepted) == 4


async def test_new_sessions_are_limited_by_address(open_house: Open) -> None:
    _, client = await open_house(sessions=(2, 60))
    statuses = [(await client.post("/chat/site/session")).status for _ in range(3)]
    assert statuses == [201, 201, 429]


async def test_a_full_store_acknowledges_nothing(visitor: Visitor, house: House) -> None:
    house.full = True
    answer = await visitor.post("a1", text="keep me")
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert (await answer.json())["error"] == "busy"
    house.full = False
    await visitor.said("a1", text="keep me")
    assert await visitor.texts() == ["keep me", "Echo: keep me"]


async def test_a_channel_that_has_not_started_is_busy(house: House) -> None:
    fresh = House("fresh", house.settings, house.store, house.files)
    handler = next(handler for _, path, handler in fresh.channel.routes() if path == "/chat/fresh/session")
    answer = await handler(make_mocked_request("POST", "/chat/fresh/session"))
    assert answer.status == 503


async def test_too_much_is_413_however_it_is_sent(visitor: Visitor, house: House) -> None:
    big = json.dumps({"client_id": "a", "text": "x" * 1024**2}).encode()

    async def drops() -> Any:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    for body in (io.BytesIO(big), drops()):
        headers = visitor.headers | {"Content-Type": "application/json"}
        answer = await visitor.client.post(f"{visitor.base}/messages", data=body, headers=headers)
        assert answer.status == 413
    assert house.accepted == []


async def test_compressed_requests_are_refused(visitor: Visitor, house: House) -> None:
    headers = visitor.headers | {"Content-Type": "application/json"}
    body = b'{"client_id": "a", "text": "' + b"x" * 4000 + b'"}'
    answer = await visitor.client.post(f"{visitor.base}/messages", data=body, headers=headers, compress="deflate")
    assert answer.status == 415
    assert house.accepted == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"client_id": "../x", "text": "a"}', b"[" * 100_000])
async def test_broken_requests_are_400(visitor: Visitor, house: House, body: bytes) -> None:
    headers = visitor.headers | {"Content-Type": "application/json"}
    answer = await visitor.client.post(f"{visitor.base}/messages", data=body, headers=headers)
    assert answer.status == 400
    assert house.accepted == []


async def test_a_form_is_no_message(visitor: Visitor) -> None:
    answer = await visitor.client.post(
        f"{visitor.base}/messages", data={"client_id": "a", "text": "x"}, headers=visitor.headers
    )
    assert answer.status == 400


async def test_a_wall_is_taken_and_more_is_refused_clearly(visitor: Visitor) -> None:
    await visitor.said("w1", text="ы" * 4096)
    answer = await visitor.post("w2", text="ы" * 4097)
    assert answer.status == 400
    body = await answer.json()
    assert (body["error"], body["limit"], body["length"]) == ("too_long", 4096, 4097)


async def test_markup_and_tricks_come_back_as_the_same_text(visitor: Visitor) -> None:
    for number, text in enumerate(XSS[:15]):
        await visitor.said(f"x{number}", text=text)
    texts = await visitor.texts()
    for text in XSS[:15]:
        plainly = "".join(letter for letter in text if letter not in "\x0b\u202e\ufeff\u200b").strip()
        assert plainly in texts


async def test_history_in_parts_is_the_history(visitor: Visitor, house: House) -> None:
    for number in range(8):
        await visitor.said(f"m{number}", text=str(number))
    whole = (await visitor.history("?after=0"))["items"]
    parts, after = [], 0
    while (page := await visitor.history(f"?after={after}&limit=3"))["items"]:
        parts += page["items"]
        after = page["last"]
    assert parts == whole
    assert [item["seq"] for item in whole] == list(range(1, 17))
    assert (await visitor.history("?after=99"))["items"] == []
    answer = await visitor.client.get(f"{visitor.base}/history?after=x", headers=visitor.headers)
    assert answer.status == 400


async def test_what_has_not_left_yet_holds_the_cursor(visitor: Visitor, house: House) -> None:
    house.holding = True
    await visitor.said("m1", text="one")
    await visitor.said("m2", text="two")
    page = await visitor.history()
    assert [item["text"] for item in page["items"]] == ["one", "two"]
    assert page["cursor"] == 1
    await house.release()
    page = await visitor.history("?after=1")
    assert [item["text"] for item in page["items"]] == ["Echo: one", "two", "Echo: two"]
    assert page["cursor"] == 4


async def test_messages_that_wait_for_the_worker_are_acknowledged(visitor: Visitor, house: House) -> None:
    house.asleep = True
    assert (await visitor.said("m1", text="later"))["seq"] == 0
    assert await visitor.texts() == []
    house.asleep = False
    await house.wake()
    assert await visitor.texts() == ["later", "Echo: later"]


async def test_answers_are_never_cached_and_never_run(visitor: Visitor) -> None:
    answer = await visitor.client.get(f"{visitor.base}/history", headers=visitor.headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_fresh_page_gets_the_newest(visitor: Visitor, house: House) -> None:
    await visitor.said("m", text="first")
    await house.say(house.accepted[0].chat, *[Outgoing(plain(str(n))) for n in range(120)])
    texts = await visitor.texts("")
    assert len(texts) == 100
    assert texts[-1] == "119"
    assert len(await visitor.texts("?after=0")) == 122
