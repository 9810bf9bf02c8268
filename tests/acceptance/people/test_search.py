"""Search: what was said is found in any form of its words, as far as one may see it, soon after it was said; on both stores."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from core.accounts import Deed
from core.events import Edited, Message, Removed
from gateway import indexer as module
from gateway.indexer import Indexer
from storage.ledger import Ledger
from storage.tables import tickets as TICKETS
from tests.acceptance.people.desk import Desk
from tests.gateway.api.house import Browser
from tests.gateway.house import PLAIN, inbound

DEED = Deed("console", "user_changed")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes need not come together here: each question waits for the index."""
    monkeypatch.setattr(module, "GATHER", 0.0)


async def indexed(desk: Desk) -> None:
    """Returns when everything that was committed can be found."""
    await desk.house.quiet()
    indexer = desk.house.gateway.indexer
    async with asyncio.timeout(20):
        while not indexer.idle:
            await asyncio.sleep(0.02)


async def ask(desk: Desk, q: str, browser: Browser | None = None, **more: Any) -> list[Any]:
    await indexed(desk)
    query = "&".join(f"{name.rstrip('_')}={value}" for name, value in {"q": q, **more}.items())
    answer = await (browser or desk.browser).ask("GET", f"/search?{query}".replace("+", "%2B").replace("#", "%23"))
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


def texts(found: list[Any]) -> list[str]:
    return [it["text"] for it in found]


async def test_words_in_any_form(desk: Desk) -> None:
    await desk.house.client("Мои заказы до сих пор не приехали")
    for q in ("заказ", "ЗАКАЗОВ", "приехал", "заказы приехали", "прие"):
        found = await ask(desk, q)
        assert texts(found) == ["Мои заказы до сих пор не приехали"], q
    (hit,) = await ask(desk, "заказа")
    assert [hit["text"][begin:end] for begin, end in hit["marks"]] == ["заказы"]
    assert (hit["kind"], hit["name"], hit["conversation"], hit["line"], hit["channel"]) == (
        "message",
        "Клиент",
        desk.home,
        "support",
        "telegram",
    )
    assert await ask(desk, "заказ возврат") == [], "all words must be there"


async def test_io_is_found_as_it_is_written_either_way(desk: Desk) -> None:
    await desk.house.client("Курьер всё ещё в пути, ёлка у него")
    for q in ("елка", "ёлка", "ещё", "еще"):
        assert len(await ask(desk, q)) == 1, q


async def test_numbers_however_they_are_written(desk: Desk) -> None:
    await desk.house.client("Заказ АБ-123/45, телефон +7 (999) 123-45-67")
    for q in ("АБ-123/45", "аб12345", "8 999 123 45 67", "89991234567", "9991234567", "+79991234567", "123-45-67"):
        assert len(await ask(desk, q)) == 1, q
    assert await ask(desk, "9991234568") == []


async def test_what_an_operator_said_and_noted(desk: Desk) -> None:
    await desk.reply("Курьер перезвонит")
    await desk.do("note", {"text": "клиент ждёт курьера"})
    found = await ask(desk, "курьер")
    assert {it["kind"] for it in found} == {"message", "note"}
    assert texts(await ask(desk, "курьер", kind="note")) == ["клиент ждёт курьера"]


async def test_the_bot_s_own_words_hide_nothing(desk: Desk) -> None:
    assert await ask(desk, "здравствуйте") == []


async def test_clients_tickets_and_fields(desk: Desk) -> None:
    await desk.house.client("заявка", chat="7")
    await desk.house.client("+7 999 765-43-21", chat="7")
    found = await ask(desk, "9997654321")
    assert {"message", "client"} <= {it["kind"] for it in found}
    assert {it["kind"] for it in await ask(desk, "клиент", kind="client")} == {"client"}
    await desk.house.client(Message("фото", ()), chat="7")

    def ticket(ledger: Ledger) -> None:
        row = dict.fromkeys(("key", "desk", "title", "text", "priority", "status", "outer_number", "outer_link"), "")
        times = dict.fromkeys(("created_at", "updated_at"), ledger.clock())
        blobs = {"fields": msgspec.json.encode({"Адрес": "Тверская, 7"}), "files": b"[]", "private": b"[]"}
        more = {"number": 4711, "key": "t", "title": "Разбита чашка", "done": 0, "client": 1, "conversation": desk.home}
        defaults = {it.name: _default(it) for it in TICKETS.columns if it.server_default is not None}
        ledger.rows.insert("tickets", {**defaults, **row, **times, **blobs, **more})

    await desk.house.gateway.floor.units.write(ticket)
    desk.house.gateway.indexer.touched((), [1])
    for q in ("чашки", "4711", "№4711", "тверской"):
        (hit,) = await ask(desk, q, kind="ticket")
        assert (hit["number"], hit["conversation"]) == (4711, desk.home), q


def _default(column: Any) -> Any:
    return {"TEXT": "", "BIGINT": 0}.get(str(column.type), 0.0)


async def test_nobody_finds_what_they_do_not_see(desk: Desk) -> None:
    await desk.house.client("Мой паспорт 4500 123456")
    await desk.house.add("carl", billing="operator")
    await desk.house.add("root", "admin")
    browser, root = await desk.house.browser("carl"), await desk.house.browser("root")
    for q in ("паспорт", "4500 123456", "клиент"):
        assert await ask(desk, q, browser) == [], q
        assert await ask(desk, q, root), q
    assert len(await ask(desk, "паспорт")) == 1


async def test_who_gets_the_session_finds_it_with_no_new_index(desk: Desk) -> None:
    """Rights are asked of the session as it is now."""
    await desk.house.client("Мой паспорт 4500 123456")
    await indexed(desk)
    carl = await desk.house.add("carl", billing="operator")
    browser = await desk.house.browser("carl")
    assert await ask(desk, "паспорт", browser) == []
    await desk.house.people.change(carl.id, {"lines": {"support": "operator"}}, DEED, "", "")
    assert len(await ask(desk, "паспорт", await desk.house.browser("carl"))) == 1


async def test_edits_and_deletions_are_followed(desk: Desk) -> None:
    desk.house.channel.capabilities = msgspec.structs.replace(PLAIN, edit=True, delete=True)
    seq = await desk.reply("Ваш промокод АПЕЛЬСИН")
    assert len(await ask(desk, "апельсин")) == 1
    await desk.do("edit", {"seq": seq, "text": "Ваш промокод ЛИМОН"})
    assert (await ask(desk, "апельсин"), len(await ask(desk, "лимон"))) == ([], 1)
    await desk.do("recall", {"seq": seq})
    assert await ask(desk, "лимон") == []


async def test_what_a_client_changes_and_takes_away(desk: Desk) -> None:
    gate, at = desk.house.gateway.intake, desk.house.clock.moment()
    said = msgspec.structs.replace(inbound(900, "старое слово", "1", at), message_id="900")
    await gate.accept([said])
    assert len(await ask(desk, "старое")) == 1
    await gate.accept([inbound(901, Edited("900", "новое слово"), "1", at)])
    assert (await ask(desk, "старое", kind="message"), len(await ask(desk, "новое", kind="message"))) == ([], 1)
    await gate.accept([inbound(902, Removed("900"), "1", at)])
    assert await ask(desk, "новое", kind="message") == []


async def test_filters_and_pages(desk: Desk) -> None:
    other = (await desk.house.client("привет", chat="2")).conversation
    for n in range(5):
        desk.house.clock.at += 60
        await desk.house.client(f"посылка номер {n}", chat="2" if n % 2 else "1")
    whole = texts(await ask(desk, "посылка"))
    assert sorted(whole) == [f"посылка номер {n}" for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        answer = await desk.browser.ask("GET", f"/search?q=посылка&limit=2&cursor={cursor}")
        seen += texts(answer.body["items"])
        cursor = answer.body["next"]
    assert seen == whole
    assert await ask(desk, "посылка", channel="vk") == []
    assert len(await ask(desk, "посылка", channel="telegram")) == 5
    assert {it["conversation"] for it in await ask(desk, "посылка")} == {desk.home, other}
    assert len(await ask(desk, "посылка", line="support")) == 3, "the other one is on no line yet"
    found = await ask(desk, "посылка")
    middle = found[2]["at"].replace("+00:00", "Z")
    assert len(await ask(desk, "посылка", from_=middle)) == 3
    assert len(await ask(desk, "посылка", to=middle)) == 2


async def test_bad_questions(desk: Desk) -> None:
    for query in (
        "",
        "?q=",
        "?q=x&cursor=zzz",
        "?q=x&kind=secret",
        "?q=x&from=yesterday",
        "?q=x&limit=0",
        f"?q={'я' * 201}",
    ):
        answer = await desk.browser.ask("GET", f"/search{query}")
        assert (answer.status, answer.kind) == (422, "invalid"), query
    for q in (
        '"',
        "*",
        "a OR",
        "NEAR(",
        "text:",
        "'; DROP TABLE words; --",
        "( ) & | !",
        "\\",
        "a" * 200,
        "-",
        "%27:*",
    ):
        answer = await desk.browser.ask("GET", f"/search?q={q.replace('&', '%26').replace('%27', '%2527')}")
        assert answer.status == 200, q


async def test_two_clients_who_became_one(desk: Desk) -> None:
    await desk.house.client("заявка", chat="7")
    await desk.house.client("+7 999 765-43-21", chat="7")
    assert len(await ask(desk, "9997654321", kind="client")) == 1
    homes = [desk.home, 2]
    mine, theirs = [await desk.house.store.conversation(id) for id in homes]
    assert mine is not None
    assert theirs is not None
    await desk.house.store.join(mine.client, theirs.client, "root")
    (hit,) = await ask(desk, "9997654321", kind="client")
    assert hit["client"] == min(mine.client, theirs.client)
    (join,) = await desk.house.store.joins()
    await desk.house.store.unjoin(join.id, "root")
    (hit,) = await ask(desk, "9997654321", kind="client")
    assert hit["client"] == theirs.client


async def test_what_was_committed_before_a_start_is_found(desk: Desk) -> None:
    """A process that was killed has told nobody what it wrote: the next one compares, and finds it."""
    gateway = desk.house.gateway
    await indexed(desk)
    gateway.store.on_touched = None
    await desk.house.client("Забытые слова")
    assert await ask(desk, "забытые") == []
    again = Indexer(gateway.store, lambda: desk.house.clock.at)
    again.search = gateway.indexer.search
    run = asyncio.create_task(again.run())
    async with asyncio.timeout(20):
        while not again.idle:
            await asyncio.sleep(0.02)
    run.cancel()
    assert len(await ask(desk, "забытые")) == 1
