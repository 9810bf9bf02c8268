"""The life of a session through the API: taken over, transferred, put aside, lent to the bot, closed, rated, gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from core.access import Role
from core.conversation import Session
from core.effects import Record
from core.events import Message, Press
from core.messages import Attachment
from tests.gateway.api.house import FLOWS, Answer, Browser, House, open_house

CONFIG = """\
http: {port: 0}
storage: {url: "sqlite:///house.db", files: files, cache: cache, upload_size: 64KB}
flood: off
channels: {telegram: {kind: telegram, token: "42:x", line: support}}
lines:
  support:
    title: Поддержка
    hours: {mon-sun: "00:00-24:00"}
    max_wait: 0
    route: pull
    closed: {ticket: general}
    busy: {ticket: general}
    categories: [Возврат, Доставка]
    rating: true
    idle_close: {warn: 20m, close: 30m}
    returning: line
  billing:
    title: Расчёты
    hours: {mon-sun: "00:00-24:00"}
    max_wait: 0
    route: pull
    packet: [Телефон, Номер заказа]
    closed: {ticket: general}
    busy: {ticket: general}
  night:
    title: Ночная
    hours: {sun: "03:00-03:01"}
    closed: {ticket: general}
    busy: {ticket: general}
desks: {general: {title: Обращения}}
"""
ORDER = """
flow: Номер заказа
fields:
  заказ: {label: Номер заказа, type: number, ask: Какой номер заказа?}
steps:
  - ask: заказ
  - say: Спасибо, передаю.
  - end: спросил
"""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house(config=CONFIG, flows={**FLOWS, "ask_order.yaml": ORDER}):
        yield made


async def queued(house: House) -> int:
    await house.client("привет")
    return (await house.client("человек")).conversation


async def session(house: House, home: int) -> Session:
    found = await house.store.conversation(home)
    assert found is not None
    return found.session


async def facts(house: House, home: int, kind: str) -> list[dict[str, Any]]:
    """What was recorded for reports, in order."""
    effects = [effect for done in await house.store.events(home) for effect in done.effects]
    return [effect.data for effect in effects if isinstance(effect, Record) and effect.kind == kind]


class Person:
    """Somebody at work, who always has seen the latest epoch."""

    def __init__(self, house: House, browser: Browser, id: int) -> None:
        self.house, self.browser, self.id = house, browser, id

    async def do(self, name: str, home: int, **body: Any) -> Answer:
        if name != "note":
            body.setdefault("epoch", (await session(self.house, home)).epoch)
        answer = await self.browser.ask("POST", f"/conversations/{home}/{name}", body)
        await self.house.quiet()
        return answer


async def person(house: House, name: str, **lines: Role) -> Person:
    user = await house.add(name, "supervisor" if "supervisor" in lines.values() else "operator", **lines)
    return Person(house, await house.browser(name), user.id)


async def with_session(house: House) -> tuple[Person, int]:
    """Anna has a session."""
    anna, home = await person(house, "anna", support="operator"), await queued(house)
    assert (await anna.do("take", home)).status == 200
    return anna, home


async def later(house: House, seconds: float) -> None:
    house.clock.at += seconds
    await house.store.due(house.clock.moment())
    await house.quiet()


# --- taking over ------------------------------------------------------------------------------------------------------


async def test_a_bot_reply_decided_before_a_takeover_is_refused_after_it(house: House) -> None:
    """A2: the messenger is slow; what the bot had decided meanwhile never goes out."""
    anna = await person(house, "anna", support="operator")
    home = (await house.client("привет")).conversation
    house.channel.hold = asyncio.Event()
    waits = asyncio.create_task(house.client("заявка"))
    await house.until(lambda: len(house.channel.rows) > 1)
    await house.gateway.intake.accept([])
    second = asyncio.create_task(house.client("не то"))
    async with asyncio.timeout(5):
        while (await house.store.stats())["outbox"] < 2:
            await asyncio.sleep(0.01)
    took = asyncio.create_task(anna.browser.ask("POST", f"/conversations/{home}/take", {"epoch": 0}))
    assert (await took).status == 200
    house.channel.hold.set()
    await asyncio.gather(waits, second)
    await house.quiet()
    states = {item.seq: item.state for item in await house.store.history(home) if item.author == "bot"}
    assert "refused" in states.values()
    assert len(house.channel.rows) == len([state for state in states.values() if state == "sent"])


async def test_a_supervisor_takes_a_colleagues_session_and_an_operator_may_not(house: House) -> None:
    anna, home = await with_session(house)
    boris, vera = await person(house, "boris", support="operator"), await person(house, "vera", support="supervisor")
    assert (await boris.do("take", home)).kind == "not-yours"
    assert (await vera.do("take", home)).status == 200
    assert (await session(house, home)).operator == f"user:{vera.id}"
    assert (await anna.do("reply", home, text="я ещё здесь")).kind == "not-yours"
    assert (await anna.do("reply", home, text="я ещё здесь", epoch=2)).kind == "stale"
    assert "я ещё здесь" not in house.channel.texts


async def test_a_supervisor_elsewhere_leads_nobody_here(house: House) -> None:
    _, home = await with_session(house)
    vera = await person(house, "vera", support="operator", billing="supervisor")
    assert (await vera.do("take", home)).kind == "not-yours"
    assert (await vera.do("release", home)).kind == "not-allowed"
    assert (await vera.do("assign", home, person=vera.id)).kind == "not-allowed"


async def test_two_supervisors_take_over_at_once(house: House) -> None:
    _, home = await with_session(house)
    both = [await person(house, name, support="supervisor") for name in ("vera", "gleb")]
    epoch = (await session(house, home)).epoch
    asked = (one.browser.ask("POST", f"/conversations/{home}/take", {"epoch": epoch}) for one in both)
    answers = await asyncio.gather(*asked)
    assert sorted((answer.status, answer.kind if answer.status > 200 else "") for answer in answers) == [
        (200, ""),
        (409, "stale"),
    ]


async def test_a_supervisor_assigns_to_who_is_there(house: House) -> None:
    boris, vera = await person(house, "boris", support="operator"), await person(house, "vera", support="supervisor")
    carl, home = await person(house, "carl", billing="operator"), await queued(house)
    assert (await vera.do("assign", home, person=carl.id)).kind == "unknown-person"
    assert (await vera.do("assign", home, person=99)).kind == "unknown-person"
    assert (await vera.do("assign", home, person=boris.id)).kind == "person-absent"
    await be_there(house, boris)
    assert (await vera.do("assign", home, person=boris.id, text="знает клиента")).status == 200
    assert (await session(house, home)).operator == f"user:{boris.id}"


async def be_there(house: House, one: Person) -> None:
    answer = await one.browser.ask("PUT", "/me/presence", {"state": "online"})
    assert answer.status == 200, answer.body


# --- transfers --------------------------------------------------------------------------------------------------------


async def test_a_transfer_needs_the_packet_of_the_line(house: House) -> None:
    """A7."""
    await house.client("заявка")
    await house.client("+7 916 123-45-67")
    anna, home = await with_session(house)
    form = await anna.browser.ask("GET", f"/conversations/{home}/transfer?to=billing")
    assert form.body["fields"] == [{"label": "Телефон", "text": "+79161234567"}, {"label": "Номер заказа", "text": ""}]
    assert (form.body["missing"], form.body["open"]) == (["Номер заказа"], True)
    answer = await anna.do("transfer", home, line="billing")
    assert (answer.status, answer.kind) == (422, "packet-incomplete")
    assert answer.body["errors"] == [{"pointer": "/packet/Номер заказа", "detail": "This is missing."}]
    answer = await anna.do("transfer", home, line="billing", packet={"Номер заказа": "123456"}, text="двойное списание")
    assert answer.status == 200
    now = await session(house, home)
    assert (now.status, now.line, now.packet["Телефон"], now.note) == (
        "queued",
        "billing",
        "+79161234567",
        "двойное списание",
    )
    assert "двойное списание" not in house.channel.texts


async def test_an_urgent_transfer_is_sent_back_and_counted(house: House) -> None:
    anna, home = await with_session(house)
    assert (await anna.do("transfer", home, line="billing", urgent=True)).status == 200
    carl = await person(house, "carl", billing="operator")
    await carl.do("take", home)
    assert (await session(house, home)).memory["transfer"]["missing"] == ["Телефон", "Номер заказа"]
    assert (await carl.do("send_back", home)).kind == "reason-needed"
    assert (await carl.do("send_back", home, text="без номера не найти")).status == 200
    now = await session(house, home)
    assert (now.status, now.line, now.note) == ("queued", "support", "без номера не найти")
    (fact,) = await facts(house, home, "transfer_returned")
    assert (fact["from_line"], fact["line"]) == ("support", "billing")


async def test_transfers_that_cannot_be(house: House) -> None:
    anna, home = await with_session(house)
    carl = await person(house, "carl", billing="operator")
    assert (await anna.do("transfer", home, line="night")).kind == "line-closed"
    assert (await anna.do("transfer", home, line="nowhere")).kind == "unknown-line"
    packet = {"Телефон": "+79161234567", "Номер заказа": "1"}
    assert (await anna.do("transfer", home, line="billing", person=carl.id, packet=packet)).kind == "person-absent"
    assert (await anna.do("transfer", home, line="support", person=carl.id)).kind == "unknown-person"
    await be_there(house, carl)
    assert (await anna.do("transfer", home, line="billing", person=carl.id, packet=packet)).status == 200
    assert (await session(house, home)).operator == f"user:{carl.id}"
    assert (await carl.do("accept", home)).status == 200
    assert (await carl.do("accept", home)).kind == "not-now"


# --- time -------------------------------------------------------------------------------------------------------------


async def test_what_is_put_aside_comes_back_at_its_time(house: House) -> None:
    anna, home = await with_session(house)
    past, soon = (datetime.fromtimestamp(house.clock.at + n, UTC).isoformat() for n in (-60, 1800))
    assert (await anna.do("hold", home, until=past)).kind == "invalid"
    assert (await anna.do("hold", home, until="2099-01-01T00:00:00Z")).kind == "invalid"
    assert (await anna.do("hold", home, until=soon)).status == 200
    assert (await session(house, home)).status == "held"
    await later(house, 1801)
    assert (await session(house, home)).status == "assigned"
    assert (await anna.do("unhold", home)).kind == "not-now"


async def test_a_silent_client_is_asked_and_given_up(house: House) -> None:
    anna, home = await with_session(house)
    await anna.do("reply", home, text="Ваш номер?")
    await later(house, 1201)
    assert house.channel.texts[-1].startswith("Вы ещё здесь?")
    await later(house, 601)
    now = await session(house, home)
    assert (now.status, now.operator) == ("closed", "")
    moved = await facts(house, home, "session_moved")
    assert (moved[-1]["move"], moved[-1]["why"]) == ("close", "idle")


# --- the bot on loan --------------------------------------------------------------------------------------------------


async def test_the_bot_asks_for_the_operator_and_the_answers_land_in_the_fields(house: House) -> None:
    anna, home = await with_session(house)
    assert (await anna.do("loan", home, flow="nothing")).kind == "unknown-flow"
    before = (await session(house, home)).epoch
    assert (await anna.do("loan", home, flow="ask_order")).status == 200
    assert house.channel.texts[-1] == "Какой номер заказа?"
    await house.client("не помню")
    assert "Какой номер заказа?" in house.channel.texts[-1]
    await house.client("123456")
    now = await session(house, home)
    assert (now.status, now.operator, now.epoch) == ("assigned", f"user:{anna.id}", before)
    assert house.channel.texts[-1] == "Спасибо, передаю."
    form = (await anna.browser.ask("GET", f"/conversations/{home}/transfer?to=billing")).body
    assert form["fields"][1] == {"label": "Номер заказа", "text": "123456"}
    silent = len(house.channel.rows)
    await house.client("ещё вопрос")
    assert len(house.channel.rows) == silent, "the word is Anna's again"


async def test_the_operator_takes_the_word_back(house: House) -> None:
    anna, home = await with_session(house)
    await anna.do("loan", home, flow="ask_order")
    assert (await anna.do("end_loan", home)).status == 200
    assert (await anna.do("end_loan", home)).kind == "not-now"
    said = len(house.channel.rows)
    await house.client("123456")
    assert len(house.channel.rows) == said
    await anna.do("loan", home, flow="ask_order")
    await house.client("оператор")
    assert (await session(house, home)).status in {"assigned", "waiting"}


async def test_a_run_that_was_under_way_goes_on_after_the_loan(house: House) -> None:
    await house.client("заявка")
    home = (await house.client("+7 916 123-45-67")).conversation
    anna = await person(house, "anna", support="operator")
    await anna.do("take", home)
    await anna.do("loan", home, flow="ask_order")
    await house.client("42")
    await anna.do("to_bot", home)
    assert "Пришлите фото" in house.channel.texts[-1]


# --- fields, priority, notes --------------------------------------------------------------------------------------------


async def test_a_collected_field_is_put_right_by_its_type(house: House) -> None:
    await house.client("заявка")
    await house.client("+7 916 123-45-67")
    anna, home = await with_session(house)
    assert (await anna.do("set_field", home, label="Телефон", text="не телефон")).kind == "wrong-value"
    assert (await anna.do("set_field", home, label="Погода", text="дождь")).kind == "unknown-field"
    assert (await anna.do("set_field", home, label="Телефон", text="8 (916) 765-43-21")).status == 200
    form = (await anna.browser.ask("GET", f"/conversations/{home}/transfer?to=billing")).body
    assert form["fields"][0]["text"] == "+79167654321"


async def test_priority_orders_and_notes_stay_inside(house: House) -> None:
    boris, home = await person(house, "boris", support="operator"), await queued(house)
    assert (await boris.do("priority", home, priority="critical")).status == 200
    assert (await house.store.queue("support"))[0]["priority"] == 3
    assert (await boris.do("note", home, text="А6: только своим", mention=[boris.id])).status == 200
    body = {"text": "это не заметка", "epoch": 1}
    assert (await boris.browser.ask("POST", f"/conversations/{home}/note", body)).kind == "invalid"
    assert not any("только своим" in text or "не заметка" in text for text in house.channel.texts)


# --- files ------------------------------------------------------------------------------------------------------------


async def upload(one: Person, name: str, data: bytes) -> Answer:
    form = aiohttp.FormData()
    form.add_field("file", data, filename=name)
    headers = dict(one.browser.headers)
    answer = await one.browser.client.request("POST", "/api/v1/files", data=form, headers=headers)
    return Answer(answer.status, answer.headers, msgspec.json.decode(await answer.read()))


async def test_a_file_is_uploaded_and_sent(house: House) -> None:
    anna, home = await with_session(house)
    made = await upload(anna, "счёт.pdf", b"%PDF-1.7\n")
    assert (made.status, made.body["mime"], made.body["size"]) == (201, "application/pdf", 9)
    assert (await anna.do("reply", home, files=[made.body["id"]])).status == 200
    (sent,) = [row.message for row in house.channel.rows if row.message and row.message.files]
    assert sent.files == (made.body["id"],)
    assert (await anna.do("reply", home)).kind == "nothing-said"
    assert (await anna.do("reply", home, files=["u0"])).kind == "unknown-file"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.exe", b"MZ\x90\x00", "wrong-type"),
        ("a.html", b"<script>alert(1)</script>", "wrong-type"),
        ("photo.png", b"<svg/>", "wrong-type"),
        ("a.pdf", b"%PDF-" + bytes(70_000), "too-large"),
        ("a.pdf", b"", "invalid"),
    ],
)
async def test_files_that_are_not_taken(house: House, name: str, data: bytes, kind: str) -> None:
    anna = await person(house, "anna", support="operator")
    assert (await upload(anna, name, data)).kind == kind


async def test_a_file_of_another_conversation_is_not_there(house: House) -> None:
    anna, home = await with_session(house)
    house.channel.files["r1"] = b"%PDF-1.7\n"
    await house.client(Message(attachments=(Attachment("file", ref="r1", name="a.pdf"),)), chat="2")
    other = await house.store.find_conversation("telegram", "42", "2")
    assert other is not None
    (id,) = [
        attachment.file
        for item in await house.store.history(other.id)
        if isinstance(item.event, Message)
        for attachment in item.event.attachments
    ]
    assert (await anna.do("reply", home, files=[id])).kind == "unknown-file"


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_a_close_asks_for_a_category_and_the_client_for_a_rating(house: House) -> None:
    anna, home = await with_session(house)
    answer = await anna.do("close", home)
    assert (answer.status, answer.kind) == (422, "category-needed")
    assert answer.body["errors"] == [{"pointer": "/category", "detail": "Возврат, Доставка"}]
    assert (await anna.do("close", home, category="Доставка")).status == 200
    assert "мы продолжим" in house.channel.texts[-2]
    question = house.channel.rows[-1].message
    assert question is not None
    assert [button.token for button in question.rows[0]][-1] == "q.rate.1.5"
    await house.client(Press("q.rate.1.5"))
    now = await session(house, home)
    assert (now.number, now.status, now.rating, now.category) == (1, "closed", 5, "Доставка")
    user = await house.accounts.user(anna.id)
    assert user is not None
    row = await house.gateway.floor.session(user.who, home)
    assert row is not None
    assert row["rating"] == 5


async def test_who_comes_back_goes_on_with_the_line(house: House) -> None:
    anna, home = await with_session(house)
    await anna.do("close", home, category="Возврат")
    await house.client("ещё одно")
    now = await session(house, home)
    assert (now.number, now.continues, now.status, now.line) == (2, 1, "queued", "support")
    assert "Поддержка" in house.channel.texts[-1]


async def test_acts_on_a_closed_session(house: House) -> None:
    anna, home = await with_session(house)
    await anna.do("close", home, category="Возврат")
    assert (await anna.do("reply", home, text="и ещё")).kind == "not-yours"
    assert (await anna.do("take", home)).kind == "not-now"
    assert "и ещё" not in house.channel.texts
