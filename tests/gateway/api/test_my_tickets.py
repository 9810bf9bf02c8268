"""«Мои заявки» and the news of tickets as a client meets them, against what people do through the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.outbox import Sent
from storage.codec import decode_dict
from storage.tables import outbox
from storage.work.schema import feed
from tests.gateway.api.house import CONFIG, FLOWS, Browser, House, open_house
from tests.gateway.house import inbound

SHIPPED = Path(__file__).resolve().parents[3] / "flows"
FAILED = """\
  failed:
    - say: Что-то пошло не так.
    - end: не вышло
"""
OPERATOR = """\
              - call: to_operator
                with: {вопрос: Вопрос по прежней заявке.}
"""


def shipped() -> str:
    """The flow as it is shipped, in a house that calls people by another flow."""
    text = (SHIPPED / "my_tickets.yaml").read_text("utf-8")
    assert OPERATOR in text
    return text.replace(OPERATOR, "              - handoff: support\n")


@pytest.fixture
async def shop() -> AsyncIterator[House]:
    flows = {**FLOWS, "_bot.yaml": FLOWS["_bot.yaml"] + FAILED, "my_tickets.yaml": shipped()}
    async for made in open_house(config=CONFIG, flows=flows):
        await made.add("anna", support="operator")
        yield made


async def say(house: House, said: str, chat: str = "1", sender: str = "") -> list[str]:
    """What a client is told after a message; `sender` is the same in all chats of one client."""
    before = len(house.channel.texts)
    house.said += 1
    house.clock.at += 1
    message = inbound(house.said, said, chat, house.clock.moment())
    await house.gateway.intake.accept([msgspec.structs.replace(message, sender_id=sender or chat)])
    await house.quiet()
    return list(house.channel.texts[before:])


async def ticket(house: House, browser: Browser, chat: str = "1", sender: str = "", title: str = "Чайник") -> int:
    await say(house, "привет", chat, sender)
    home = await house.store.find_conversation("telegram", "42", chat)
    assert home is not None
    body = {"desk": "general", "title": title, "tell": False}
    answer = await browser.ask("POST", f"/conversations/{home.id}/tickets", body)
    assert answer.status == 201, answer.body
    await house.quiet()
    return int(answer.body["number"])


async def edit(house: House, browser: Browser, number: int, **changes: Any) -> list[str]:
    """What clients are told of a change."""
    before = len(house.channel.texts)
    version = (await browser.ask("GET", f"/tickets/{number}")).body["version"]
    answer = await browser.ask("PATCH", f"/tickets/{number}", {"version": version, **changes})
    assert answer.status == 200, answer.body
    await house.quiet()
    return list(house.channel.texts[before:])


async def test_a_client_answers_what_they_were_asked(shop: House) -> None:
    anna = await shop.browser("anna")
    me = (await anna.ask("GET", "/me")).body["id"]
    number = await ticket(shop, anna)
    assert len(await edit(shop, anna, number, status="waiting", assignee=me, comment="Пришлите чек.")) == 1
    said = "\n".join(await say(shop, "мои заявки"))
    assert f"№ {number} · Чайник — ждёт вашего ответа" in said
    assert "Последнее сообщение: Пришлите чек." in said
    assert "Открыть снова" not in said
    await say(shop, "Дополнить")
    assert await say(shop, "Чек 55, сумма 900") == ["Передал. Ответ придёт сюда."]
    found = (await anna.ask("GET", f"/tickets/{number}")).body
    assert (found["means"], found["comments"][-1]["by"], found["comments"][-1]["text"]) == (
        *("open", "client"),
        "Чек 55, сумма 900",
    )
    lines = await shop.gateway.floor.units.ask(lambda reads: reads.all(feed.select()))
    last = [it for it in lines if it["kind"] == "ticket"][-1]
    assert (last["operator"], last["line"], "comment" in decode_dict.decode(last["data"])["what"]) == (
        *(f"user:{me}", "support"),
        True,
    )
    assert "Чек 55" not in str([it["data"] for it in lines])


async def test_a_client_rates_and_opens_again(shop: House) -> None:
    anna = await shop.browser("anna")
    number = await ticket(shop, anna)
    await edit(shop, anna, number, status="done")
    await say(shop, "мои заявки")
    await say(shop, "Оценить")
    assert await say(shop, "4") == ["Спасибо за оценку!"]
    assert (await anna.ask("GET", f"/tickets/{number}")).body["rating"] == 4
    await say(shop, "мои заявки")
    told = await say(shop, "Открыть снова")
    assert f"Заявка {number} снова открыта" in told[0]
    await say(shop, "Не работает кнопка")
    found = (await anna.ask("GET", f"/tickets/{number}")).body
    assert (found["means"], found["comments"][-1]["text"]) == ("open", "Не работает кнопка")
    assert [it["by"] for it in found["history"]][-2:] == ["client", "client"]


async def test_nobody_reaches_a_ticket_of_somebody_else(shop: House) -> None:
    anna = await shop.browser("anna")
    foreign = await ticket(shop, anna, "1", title="Секретный чайник")
    await edit(shop, anna, foreign, status="done", comment="Секрет")
    for _ in range(2):
        await ticket(shop, anna, "2", title="Свой чайник")
    before = (await anna.ask("GET", f"/tickets/{foreign}")).body
    said = "\n".join(await say(shop, "мои заявки", "2"))
    assert "Секрет" not in said
    await say(shop, "Открыть заявку", "2")
    answers = await say(shop, str(foreign), "2")
    assert f"Заявки {foreign} среди ваших нет" in answers[0]
    assert "Секрет" not in "\n".join(answers)
    assert (await anna.ask("GET", f"/tickets/{foreign}")).body == before


async def test_tickets_of_all_channels_and_news_where_the_client_wrote_last(shop: House) -> None:
    anna = await shop.browser("anna")
    number = await ticket(shop, anna, "1", "s")
    assert f"№ {number} · Чайник" in "\n".join(await say(shop, "мои заявки", "2", "s"))
    await say(shop, "Ничего, спасибо", "2", "s")
    await edit(shop, anna, number, status="done")
    assert shop.channel.rows[-1].chat == "2"


async def test_news_go_out_at_once_and_break_no_form(shop: House) -> None:
    anna = await shop.browser("anna")
    number = await ticket(shop, anna)
    assert await say(shop, "заявка") == ["Ваш телефон?"]
    assert len(await edit(shop, anna, number, status="open", comment="Взяли")) == 1
    assert (await say(shop, "+7 912 345-67-89"))[-1] == "Пришлите фото."


async def test_news_go_out_while_a_person_has_the_talk(shop: House) -> None:
    anna = await shop.browser("anna")
    number = await ticket(shop, anna)
    await say(shop, "человек")
    home = await shop.store.find_conversation("telegram", "42", "1")
    assert home is not None
    epoch = home.session.epoch
    assert (await anna.ask("POST", f"/conversations/{home.id}/take", {"epoch": epoch})).status == 200
    await shop.quiet()
    assert len(await edit(shop, anna, number, status="done", comment="Готово")) == 1
    after = await shop.store.conversation(home.id)
    assert after is not None
    assert after.session.owner == "operator"
    assert after.talk.run is not None
    assert after.talk.run.frames[0].flow == "people", "where the client was handed over"


async def test_a_client_who_blocked_one_chat_hears_in_the_other(shop: House) -> None:
    """A14's spirit: the notice is marked undeliverable with the reason, and goes where the client can be reached."""
    anna = await shop.browser("anna")
    number = await ticket(shop, anna, "1", "s")
    await say(shop, "привет", "2", "s")
    shop.channel.answers.append(Sent("unreachable", reason="bot was blocked"))
    told = await edit(shop, anna, number, status="done")
    assert [row.chat for row in shop.channel.rows[-len(told) :]] == ["2", "1"]
    found = (await anna.ask("GET", f"/tickets/{number}")).body
    untold = [it for it in found["history"] if it["what"] == "untold"]
    assert [(it["data"]["why"], it["data"]["instead"]) for it in untold] == [("bot was blocked", "telegram")]


async def test_no_note_is_in_anything_that_leaves(shop: House) -> None:
    anna = await shop.browser("anna")
    number = await ticket(shop, anna)
    for word in ("ТАЙНА-1", "ТАЙНА-2"):
        assert (await anna.ask("POST", f"/tickets/{number}/note", {"text": word})).status == 200
        await edit(shop, anna, number, status="open" if word.endswith("1") else "done", comment="Ход дела")
    await say(shop, "мои заявки")
    await say(shop, "Дополнить")
    await say(shop, "ещё")
    rows = await shop.gateway.floor.units.ask(lambda reads: reads.all(outbox.select()))
    assert len(rows) > 5
    assert "ТАЙНА" not in str([(it["message"] or b"").decode() + it["payload"].decode() for it in rows])
    assert "ТАЙНА" not in str(shop.channel.rows)


BILLING = "flow: Счета\ntriggers: [{exact: [счета]}]\nsteps: [{handoff: billing}, {end: передано}]\n"


async def test_a_ticket_of_a_closed_line_is_that_lines() -> None:
    """Nobody of the channel's line works on it; those whom the client wanted do."""
    flows = {**FLOWS, "_bot.yaml": FLOWS["_bot.yaml"] + FAILED, "money.yaml": BILLING}
    async for shop in open_house(config=CONFIG, flows=flows):
        await shop.add("anna", support="operator")
        await shop.add("carl", billing="operator")
        shop.clock.at += 2 * 86_400  # a Sunday
        said = await say(shop, "счета")
        assert "1" in said[-1], said
        carl, anna = await shop.browser("carl"), await shop.browser("anna")
        (found,) = (await carl.ask("GET", "/tickets")).body["items"]
        assert (found["line"], found["desk"]) == ("billing", "general")
        assert (await anna.ask("GET", f"/tickets/{found['number']}")).status == 200, "their channel's session"
        assert (await anna.ask("GET", "/tickets?line=support")).body["items"] == []
