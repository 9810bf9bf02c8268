"""The way out over real HTTP: every call fits the published schema; each answer has its verdict; nothing comes twice."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from adapters.api.channel import Api
from core.messages import Button, Quote
from core.outbox import Sent
from core.ports import StoredFile
from tests.adapters.api.conftest import Build, House, row
from tests.emulators.api import ApiMessenger
from tests.emulators.api_secrets import OTHER, SECRET


async def send(house: House, *args: Any, **values: Any) -> Sent:
    one = row(*args, **values)
    early = await house.channel.pace(one)
    return early or await house.channel.send(one)


async def test_a_message_is_shown_and_named(house: House, api: ApiMessenger) -> None:
    sent = await send(house, "Верно?", rows=((Button("Да", "1.2"),),), quote=Quote("m0", "что"))
    assert sent == Sent("sent", ("m1",))
    message = api.world.shown["m1"]
    assert (message.text, message.buttons, message.quote) == (
        "Верно?", [[{"label": "Да", "token": "1.2"}]], {"message_id": "m0", "text": "что"},
    )  # fmt: skip
    (call,) = api.sent(7)
    assert call.key == "ab12-1:0"


async def test_a_file_goes_as_a_link_that_opens(house: House, api: ApiMessenger) -> None:
    sha256 = await house.gate.files.keep(b"%PDF-1.4 bill")
    house.files["f1"] = StoredFile("f1", 1, "счёт.pdf", "application/pdf", 13, sha256=sha256)
    assert (await send(house, "Ваш счёт", files=("f1",))).verdict == "sent"
    assert api.world.fetched == {"f1": b"%PDF-1.4 bill"}


async def test_files_that_are_not_here(house: House, api: ApiMessenger) -> None:
    house.files["f1"] = StoredFile("f1", 1, "a", "", 0)
    house.files["f2"] = StoredFile("f2", 1, "a", "", 0, error="too large")
    verdicts = [(await send(house, files=(id,))).verdict for id in ("f1", "f2", "f3")]
    assert verdicts == ["retry", "rejected", "rejected"]
    assert api.world.calls == []


async def test_edit_and_delete(house: House, api: ApiMessenger) -> None:
    await send(house, "место 3")
    edited = await send(house, "место 2", kind="edit", key="ab12-2", target_ids=("m1",))
    assert (edited, api.texts(7)) == (Sent("sent", ("m1",)), ["место 2"])
    gone = await send(house, kind="delete", key="ab12-3", target_ids=("m1",), message=None)
    assert (gone, api.texts(7)) == (Sent("sent"), [])
    assert (await send(house, kind="delete", key="ab12-4", target_ids=("m1",), message=None)).verdict == "sent"
    anew = await send(house, "место 1", kind="edit", key="ab12-5", target_ids=("m1",))
    assert (anew.verdict, api.texts(7)) == ("sent", ["место 1"])
    assert anew.platform_ids != ("m1",)


async def test_a_long_text_goes_in_parts_and_goes_on_where_it_stopped(build: Build, api: ApiMessenger) -> None:
    house = await build(capabilities={"text_limit": 100})
    text = " ".join(f"слово{n}" for n in range(40))
    api.fail(kind="500", skip=2)
    one = row(text)
    assert (await house.channel.send(one)).verdict == "retry"
    assert len(api.texts(7)) == len(one.sent_parts) == 2
    again = await house.channel.send(one)
    assert (again.verdict, "".join(api.texts(7))) == ("sent", text)
    assert len(set(again.platform_ids)) == len(api.texts(7)) == 4
    assert [call.key[-1] for call in api.world.calls] == ["0", "1", "2", "2", "3"]
    assert house.gate.fake_store.progressed[-1] == again.platform_ids[:-1]


@pytest.mark.parametrize("kind", ["lost", "html", "500", "cut", "408"])
async def test_what_got_no_answer_is_repeated_under_its_key_and_shown_once(
    house: House, api: ApiMessenger, kind: str
) -> None:
    api.fail(kind=kind)
    first = await send(house)
    assert (first.verdict, 0 < first.after < 2) == ("retry", True)
    again = await send(house, attempts=1)
    assert again == Sent("sent", ("m1",))
    assert api.texts(7) == ["Здравствуйте"]
    assert len({call.key for call in api.world.calls}) == 1


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (409, {"message_id": "m9"}, Sent("sent", ("m9",))),
        (400, {"code": "already"}, Sent("sent", ("ab12-1:0",))),
        (410, {}, Sent("unreachable", reason="410")),
        (403, {"code": "unreachable", "title": "заблокирован"}, Sent("unreachable", reason="403 заблокирован")),
        (422, {"detail": "слишком длинно"}, Sent("rejected", reason="422 слишком длинно")),
        (401, {}, Sent("retry", reason="401", after=60.0, scope="account")),
        (302, {}, Sent("retry", reason="302", after=60.0, scope="account")),
    ],
)
async def test_answers_and_their_verdicts(
    house: House, api: ApiMessenger, status: int, said: dict[str, Any], expected: Sent
) -> None:
    api.fail(kind=str(status), said=said)
    assert await send(house) == expected


async def test_an_answer_without_an_id_is_sent_and_called_by_our_key(house: House, api: ApiMessenger) -> None:
    api.fail(kind="bare")
    assert await send(house) == Sent("sent", ("ab12-1:0",))


async def test_an_edit_may_give_the_message_another_id(house: House, api: ApiMessenger) -> None:
    await send(house, "место 3")
    api.fail(kind="200", said={"message_id": "m77"})
    assert await send(house, "место 2", kind="edit", key="ab12-2", target_ids=("m1",)) == Sent("sent", ("m77",))


async def test_retry_after_closes_everything_until_its_end(house: House, api: ApiMessenger) -> None:
    api.fail(kind="429", chat=7, seconds=2)
    first = await send(house)
    assert (first.verdict, first.after, first.scope) == ("retry", 2.0, "account")
    calls = len(api.world.calls)
    other = await send(house, chat="8", key="ab12-2")
    assert (other.verdict, 0 < other.after <= 2, len(api.world.calls)) == ("retry", True, calls)


async def test_a_429_about_one_chat_leaves_others_alone(house: House, api: ApiMessenger) -> None:
    api.fail(kind="429", chat=7, seconds=2, said={"scope": "chat"})
    assert (await send(house)).scope == "chat"
    assert (await send(house, chat="8", key="ab12-2")).verdict == "sent"
    assert (await send(house, key="ab12-3")).verdict == "retry"


async def test_the_rate_of_the_settings_is_kept(build: Build, api: ApiMessenger) -> None:
    house = await build(limits="5/s")
    began = time.monotonic()
    sent = await asyncio.gather(*(send(house, chat=str(n), key=f"ab12-{n}") for n in range(10)))
    assert {one.verdict for one in sent} == {"sent"}
    assert time.monotonic() - began > 0.8


async def test_who_is_not_there(build: Build) -> None:
    house = await build(url="http://127.0.0.1:9/calls")
    sent = await send(house)
    assert (sent.verdict, sent.reason) == ("retry", "unconfirmed: no connection")
    await house.channel.typing("7")  # nothing is raised
    await house.channel.menu([("start", "Начать")])


async def test_what_is_signed_with_both_secrets_fits_either(build: Build, api: ApiMessenger) -> None:
    house = await build(secret=OTHER, previous_secret=SECRET)
    for secret in (SECRET, OTHER):
        api.delivery.secret = secret
        assert (await send(house, key=f"k-{secret[-3:]}")).verdict == "sent"
    assert Webhook(SECRET)


async def test_typing_and_menu(build: Build, api: ApiMessenger) -> None:
    house = await build(capabilities={"menu": True})
    await house.channel.typing("7")
    await house.channel.typing("7")
    await house.channel.menu([("status", "Где мой заказ")])
    assert (api.world.typed, api.world.menu) == (["7", "7"], [{"name": "status", "description": "Где мой заказ"}])
    plain = await build(capabilities={"typing": False})
    calls = len(api.world.calls)
    await plain.channel.typing("7")
    await plain.channel.menu([("status", "Где мой заказ")])
    assert len(api.world.calls) == calls


async def test_nothing_to_show(house: House, api: ApiMessenger) -> None:
    assert (await send(house, " ")).verdict == "rejected"
    assert (await send(house, message=None)).verdict == "rejected"
    assert api.world.calls == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://x"}, "url"),
        ({"public_url": ""}, "public_url"),
    ],
)
async def test_settings_that_cannot_work(house: House, settings: dict[str, str], words: str) -> None:
    given = {"secret": SECRET, "url": "https://a.example", "public_url": "https://b.example", **settings}
    with pytest.raises(ValueError, match=words):
        await Api("shop", given).start(house.gate)


def test_a_secret_that_is_none() -> None:
    with pytest.raises(ValueError, match="secret") as error:
        Api("shop", {"secret": "hunter2-of-the-shop", "url": "https://a.example", "language": "en"})
    assert "hunter2" not in str(error.value)


async def test_it_must_be_started(api: ApiMessenger) -> None:
    channel = Api("shop", {"secret": SECRET, "url": api.url})
    with pytest.raises(RuntimeError):
        await channel.send(row())
