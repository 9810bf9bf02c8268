"""The way in over real HTTP: signatures, repeats, batches with bad events, sizes, a full store, files."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from msgspec.structs import replace
from openapi_spec_validator import validate

from adapters.api.channel import Api
from adapters.api.openapi import components
from adapters.api.signing import Signer, parse_secret
from core.events import ColleagueReply, Edited, Event, Message, Opened, Press, Reachability, Reacted
from core.messages import Contact, Location
from tests.adapters.api.conftest import Build, House
from tests.emulators.api import ApiMessenger
from tests.emulators.api_secrets import OTHER, SECRET

MESSAGE = {"type": "message", "chat": "7", "id": "e1", "text": "Привет"}
SHAPES = components("#/$defs/{name}")


def fits(name: str, said: dict[str, Any]) -> None:
    """What we answer is what we publish."""
    Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SHAPES}).validate(said)


def signed(api: ApiMessenger, body: Any, id: str = "d1") -> tuple[bytes, dict[str, str]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw, api.delivery.sign_bytes(id, raw)


async def events(house: House, count: int) -> list[Event]:
    await house.gate.until(lambda: len(house.gate.inbounds) >= count)
    return [one.event for one in house.gate.inbounds]


async def test_everything_a_client_can_do(house: House, api: ApiMessenger) -> None:
    api.world.show("7", True, text="?", buttons=[[{"label": "Да", "token": "1.2"}]])
    api.open(7, "vozvrat-qr")
    said = api.say(7, "Здравствуйте")
    api.press(7, "Да")
    api.contact(7, "+79161234567")
    api.location(7)
    api.edit(7, said["message_id"], "Добрый день")
    api.react(7, "m1", "👍")
    api.colleague(7, "Я помогу")
    api.block(7)
    api.seen(7, "m1")
    assert await events(house, 9) == [
        Opened("vozvrat-qr"), Message("Здравствуйте"), Press("1.2", "Да"), Message(contact=Contact("+79161234567", "Анна", True)),
        Message(location=Location(55.75, 37.61)), Edited(said["message_id"], "Добрый день"), Reacted("m1", ("👍",)),
        ColleagueReply("api:77", "Я помогу"), Reachability(False),
    ]  # fmt: skip
    inbound = house.gate.inbounds[1]
    assert (inbound.chat, inbound.sender_name, inbound.sender_language) == ("7", "Анна Иванова", "ru")
    await api.wait_delivered()
    assert house.gate.counted == {("shop", "seen"): 1}
    assert api.delivery.statuses == [200] * 10


async def test_the_answer_counts_and_a_repeat_changes_nothing(house: House, api: ApiMessenger) -> None:
    for id, answer in (("d1", (1, 0)), ("d1", (0, 1)), ("d2", (0, 1))):
        status, said, _ = await house.post(*signed(api, MESSAGE, id))
        assert (status, said["accepted"], said["duplicates"]) == (200, *answer)
        fits("Accepted", said)
    assert len(house.gate.inbounds) == 1


async def test_without_an_event_id_the_webhook_id_tells_repeats(house: House, api: ApiMessenger) -> None:
    body = {"type": "message", "chat": "7", "text": "x"}
    answers = [(await house.post(*signed(api, body, id)))[1]["accepted"] for id in ("d1", "d1", "d2")]
    assert answers == [1, 0, 1]


async def test_good_events_of_a_batch_are_kept_and_bad_ones_named(house: House, api: ApiMessenger) -> None:
    batch = {
        "events": [MESSAGE, {"type": "poll", "chat": "7"}, {**MESSAGE, "id": "e2", "text": 5}, {**MESSAGE, "id": "e3"}]
    }
    status, said, headers = await house.post(*signed(api, batch))
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert (said["accepted"], [one["pointer"] for one in said["errors"]]) == (2, ["/events/1/type", "/events/2/text"])
    fits("Problem", said)
    assert [json.loads(raw) for _, raw, _ in house.gate.quarantined] == batch["events"][1:3]
    assert "Привет" not in "".join(reason for _, _, reason in house.gate.quarantined)
    again = await house.post(*signed(api, batch))
    assert (again[0], again[1]["duplicates"], len(house.gate.quarantined)) == (422, 2, 2)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xff", b'{"events": 5}', b'{"events": []}'])
async def test_what_cannot_be_read_is_set_aside_once(house: House, api: ApiMessenger, raw: bytes) -> None:
    for _ in range(2):
        status, said, _ = await house.post(*signed(api, raw))
        assert status == 400
        fits("Problem", said)
    assert [one[1] for one in house.gate.quarantined] == [raw]


@pytest.mark.parametrize(
    ("changed", "counted"),
    [
        ({"webhook-signature": None}, "wrong_secret"),
        ({"webhook-signature": "v1,AAAA"}, "wrong_secret"),
        ({"webhook-id": "d2"}, "wrong_secret"),
        ({"webhook-timestamp": "1700000000"}, "wrong_secret"),
    ],
)
async def test_a_stranger_leaves_nothing_but_a_number(
    house: House, api: ApiMessenger, changed: dict[str, str | None], counted: str
) -> None:
    raw, headers = signed(api, MESSAGE)
    merged = {**headers, **changed}
    status, said, _ = await house.post(raw, {name: value for name, value in merged.items() if value is not None})
    assert status == 401
    fits("Problem", said)
    assert house.gate.counted == {("shop", counted): 1}
    assert (house.gate.inbounds, house.gate.quarantined) == ([], [])


async def test_an_old_request_is_refused_however_well_signed(house: House, api: ApiMessenger) -> None:
    raw = json.dumps(MESSAGE).encode()
    for away in (-301, 400):
        status, said, _ = await house.post(raw, Signer([parse_secret(SECRET)]).headers("d1", time.time() + away, raw))
        assert (status, said["status"]) == (401, 401)
    assert house.gate.counted == {("shop", "replay"): 2}


async def test_a_changed_secret_and_the_one_before(build: Build, api: ApiMessenger) -> None:
    house = await build(secret=OTHER, previous_secret=SECRET)
    for secret, id in ((SECRET, "d1"), (OTHER, "d2")):
        api.delivery.secret = secret
        assert (await house.post(*signed(api, MESSAGE, id)))[0] == 200
    only = await build(secret=OTHER)
    api.delivery.secret = SECRET
    assert (await only.post(*signed(api, MESSAGE)))[0] == 401


async def test_bodies_that_are_too_large(house: House, api: ApiMessenger) -> None:
    raw, headers = signed(api, b"{" + b" " * 1024**2 + b"}")
    status, said, _ = await house.post(raw, headers)
    assert (status, said["status"]) == (413, 413)

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 2**16

    async with house.http.post(house.hook, data=chunks(), headers=headers) as answer:
        assert answer.status == 413
    assert house.gate.counted["shop", "too_large"] == 2


async def test_compressed_bodies_are_not_unpacked(house: House, api: ApiMessenger) -> None:
    raw, headers = signed(api, gzip.compress(json.dumps(MESSAGE).encode()))
    assert (await house.post(raw, {**headers, "Content-Encoding": "gzip"}))[0] == 415


async def test_nothing_is_acknowledged_before_the_commit(house: House, api: ApiMessenger) -> None:
    house.gate.full, house.gate.after = 3, 0.4
    status, said, headers = await house.post(*signed(api, MESSAGE))
    assert (status, headers["Retry-After"]) == (503, "1")
    fits("Problem", said)
    house.gate.full = 1
    api.say(7, "позже")
    (event,) = await events(house, 1)
    assert event == Message("позже")
    assert api.delivery.statuses[0] == 503


async def test_a_door_that_is_not_open_yet(house: House, api: ApiMessenger) -> None:
    closed = Api("shop", {"secret": SECRET, "url": api.url, "public_url": house.url})
    (_, _, hook), *_ = closed.routes()
    answer = await hook(None)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


# --- files -----------------------------------------------------------------------------------------------------------


PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def test_an_uploaded_picture_hangs_on_a_message(house: House, api: ApiMessenger) -> None:
    await api.photo(7, base64.b64encode(PICTURE).decode())
    (event,) = await events(house, 1)
    assert isinstance(event, Message)
    (attachment,) = event.attachments
    assert (attachment.kind, attachment.mime, attachment.size, attachment.ref) == (
        "photo",
        "image/png",
        len(PICTURE),
        "",
    )
    stored = house.files[attachment.file]
    assert (stored.channel, stored.kind, await house.gate.files.read(stored.sha256)) == ("shop", "photo", PICTURE)


def form(data: bytes, name: str = "a.png", field: str = "file") -> tuple[bytes, str]:
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
    return head + data + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


async def upload(house: House, api: ApiMessenger, raw: bytes, kind: str, id: str = "f1") -> tuple[int, dict[str, Any]]:
    status, said, _ = await house.post(raw, {**api.delivery.sign_bytes(id, raw), "Content-Type": kind}, "/files")
    return status, said


async def test_a_pretender_is_bytes_and_counted(house: House, api: ApiMessenger) -> None:
    status, said = await upload(house, api, *form(b"<svg onload='alert(1)'/>", "logo.png"))
    assert (status, said["mime"]) == (201, "application/octet-stream")
    assert house.gate.counted["shop", "inert_file"] == 1


async def test_the_same_upload_again_is_the_same_file(house: House, api: ApiMessenger) -> None:
    answers = [await upload(house, api, *form(PICTURE)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    fits("Kept", answers[0][1])
    assert len(house.files) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(PICTURE, field="other"), 400),
        (form(b""), 400),
        ((form(PICTURE)[0][:-8], "multipart/form-data; boundary=b"), 400),
        ((b"nothing", "multipart/form-data; boundary=b"), 400),
        ((form(PICTURE)[0], "multipart/form-data"), 400),
        ((PICTURE, "image/png"), 400),
        (form(b"x" * 2001), 413),
        (form(b"x" * 20_000), 413),
    ],
)
async def test_forms_that_are_none(build: Build, api: ApiMessenger, body: tuple[bytes, str], status: int) -> None:
    house = await build(file_size=2000)
    found, said = await upload(house, api, *body)
    assert found == status
    fits("Problem", said)
    assert house.files == {}


async def test_an_upload_nobody_signed(house: House, api: ApiMessenger) -> None:
    raw, kind = form(PICTURE)
    headers = {**api.delivery.sign_bytes("f1", raw + b" "), "Content-Type": kind}
    assert (await house.post(raw, headers, "/files"))[0] == 401
    assert house.files == {}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("a\u202egnp.exe", "agnp.exe"), ("x" * 500 + ".png", None), ("", "file")],
)
async def test_names_of_files_are_only_names(house: House, api: ApiMessenger, name: str, kept: str | None) -> None:
    status, said = await upload(house, api, *form(b"MZ\x90 no picture", name))
    assert status == 201
    assert said["name"] == kept if kept else len(said["name"]) < 200
    assert said["mime"] == "application/octet-stream"


async def test_a_file_that_is_not_the_integrators(house: House, api: ApiMessenger) -> None:
    """Unknown ones, those of other channels, and those that stand in a conversation already."""
    await upload(house, api, *form(PICTURE))
    (mine,) = house.files.values()
    house.files["other"] = replace(mine, id="other", channel="telegram")
    house.files["f5-0"] = replace(mine, id="f5-0", conversation=5)
    wrong = [{**MESSAGE, "id": id, "attachments": [{"file": id}]} for id in ("nothing", "other", "f5-0")]
    right = {**MESSAGE, "id": "right", "attachments": [{"file": mine.id}]}
    status, said, _ = await house.post(*signed(api, {"events": [*wrong, right]}))
    assert (status, said["accepted"]) == (422, 1)
    assert [one["pointer"] for one in said["errors"]] == [f"/events/{n}/attachments/0/file" for n in range(3)]


async def test_files_by_address(house: House, api: ApiMessenger) -> None:
    """From the host of `url` they are fetched; others are warned of."""
    await api.document(7, "счёт.pdf", base64.b64encode(b"%PDF-1.4").decode(), way="url")
    (event,) = await events(house, 1)
    assert isinstance(event, Message)
    assert (await house.channel.fetch(event.attachments[0].ref, 100))[0] == b"%PDF-1.4"
    api.world.files["f/bill.pdf"] = b"%PDF-1.7"
    assert await house.channel.fetch(f"{api.url}/files/f/bill.pdf", 100) == (b"%PDF-1.7", "application/pdf")
    foreign = {**MESSAGE, "attachments": [{"url": "https://elsewhere.example/x"}]}
    status, said, _ = await house.post(*signed(api, foreign))
    assert (status, said["warnings"][0]["pointer"]) == (200, "/attachments/0/url")
    fits("Accepted", said)
    with pytest.raises(ValueError, match=r"elsewhere\.example"):
        await house.channel.fetch("https://elsewhere.example/x", 100)


async def test_what_must_not_be_fetched(build: Build, api: ApiMessenger, aiohttp_server: Any) -> None:
    app = web.Application()

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{api.url}/files/secret")

    app.router.add_get("/away", away)

    async def some(request: web.Request) -> web.Response:
        status = int(request.match_info["status"])
        return web.Response(status=status, body=b"x" * 1000 if status == 200 else b"")

    app.router.add_get("/{status}", some)
    server = await aiohttp_server(app)
    base = f"http://127.0.0.1:{server.port}"
    house = await build(file_hosts=[f"127.0.0.1:{server.port}", "localhost", "[::1]"])
    for path in ("away", "200", "404"):
        with pytest.raises(ValueError):
            await house.channel.fetch(f"{base}/{path}", 500)
    with pytest.raises(ConnectionError):
        await house.channel.fetch(f"{base}/503", 500)
    guarded = await build(file_hosts=["*"], file_private=False)
    for address in (
        base + "/large",
        f"http://localhost:{server.port}/large",
        "http://169.254.169.254/latest",
        "http://[::1]/x",
    ):
        with pytest.raises(ValueError, match="private"):
            await guarded.channel.fetch(address, 5000)
    for address in ("file:///etc/passwd", "ftp://127.0.0.1/x", "", "http://", "//x/y"):
        with pytest.raises(ValueError, match="not fetched"):
            await guarded.channel.fetch(address, 500)


# --- the published protocol ------------------------------------------------------------------------------------------


async def test_the_document_is_published_and_valid(house: House) -> None:
    async with house.http.get(f"{house.hook}/openapi.json") as answer:
        document = await answer.json()
    validate(document)
    assert document["servers"] == [{"url": house.url}]
    assert set(document["paths"]) == {"/hooks/shop", "/hooks/shop/files", "/hooks/shop/openapi.json"}
    assert SECRET not in json.dumps(document)


async def test_every_event_of_the_emulator_fits_the_schema(house: House, api: ApiMessenger) -> None:
    judge = Draft202012Validator({"$ref": "#/$defs/Batch", "$defs": SHAPES})
    said = api.say(7, "x")
    found = [
        said, api.open(7, "x"), api.contact(7, "+79161234567"), api.location(7), api.edit(7, said["message_id"], "y"),
        api.react(7, "m1", "👍"), api.colleague(7, "x"), api.block(7), api.seen(7, "m1"), await api.photo(7),
    ]  # fmt: skip
    judge.validate({"events": found})
    await events(house, 9)
