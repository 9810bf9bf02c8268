"""Lists of sessions and the page of a talk, through the API."""

from __future__ import annotations

import asyncio
from typing import Any

from core.accounts import operator_id
from core.events import Edited
from tests.gateway.api.house import Answer, Browser, House
from tests.gateway.api.test_deeds import queued


async def listed(browser: Browser, query: str = "") -> Any:
    answer = await browser.ask("GET", f"/conversations?{query}")
    assert answer.status == 200, answer.body
    return answer.body


async def ids(browser: Browser, query: str = "") -> list[int]:
    return [row["conversation"] for row in (await listed(browser, query))["items"]]


async def deed(browser: Browser, home: int, name: str, **body: Any) -> Answer:
    answer = await browser.ask("POST", f"/conversations/{home}/{name}", body)
    assert answer.status == 200, answer.body
    return answer


# --- lists -----------------------------------------------------------------------------------------------------------


async def test_a_row_says_all_that_a_list_shows(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    (row,) = (await listed(browser, "view=queue"))["items"]
    assert row["conversation"] == home
    assert (row["session"], row["status"], row["owner"], row["epoch"]) == (1, "queued", "queue", 1)
    assert (row["channel"], row["kind"], row["line"], row["line_title"]) == (
        "telegram",
        "telegram",
        "support",
        "Поддержка",
    )
    assert (row["client"]["name"], row["unread"], row["operator"]) == ("Клиент", 2, None)
    assert row["last"]["author"] == "notice"
    assert row["due"]["kind"] == "first_reply"
    assert row["due"]["at"] is not None
    async with asyncio.timeout(5):  # nobody is online: routing says so in a moment
        while not row["cause"]:
            await asyncio.sleep(0.02)
            (row,) = (await listed(browser, "view=queue"))["items"]
    assert row["cause"] == "no_one_online"


async def test_views_hold_what_they_say(house: House) -> None:
    anna = await house.add("anna", support="operator")
    browser = await house.browser("anna")
    for chat in ("1", "2", "3", "4"):
        await house.client("привет", chat)
    homes = [(await house.client("человек", chat)).conversation for chat in ("1", "2", "3")]
    form = (await house.client("заявка", "4")).conversation
    await deed(browser, homes[0], "take", epoch=1)
    await deed(browser, homes[1], "take", epoch=1)
    await deed(browser, homes[1], "reply", epoch=2, text="Слушаю")
    assert await ids(browser, "view=queue") == [homes[2]]
    assert sorted(await ids(browser, "view=mine")) == sorted(homes[:2])
    assert await ids(browser, "view=waiting") == [homes[1]]
    assert await ids(browser, "view=assigned") == [homes[0]]
    assert await ids(browser, "view=bot") == [form]
    assert sorted(await ids(browser, "view=all")) == sorted([*homes, form])
    assert await ids(browser, f"view=all&operator={operator_id(anna.id)}&status=assigned") == [homes[0]]
    assert await ids(browser, "view=all&operator=me&status=waiting") == [homes[1]]
    assert await ids(browser, "view=all&line=billing") == []
    answer = await browser.ask("GET", "/conversations/counts")
    assert answer.body == {"mine": 2, "queue": 1, "waiting": 1, "held": 0, "bot": 1, "all": 4}


async def test_what_was_said_last_is_first(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    homes = []
    for chat in ("1", "2", "3"):
        house.clock.at += 10
        await house.client("привет", chat)
        homes.append((await house.client("человек", chat)).conversation)
    assert await ids(browser, "view=queue&sort=last") == homes[::-1]
    house.clock.at += 10
    await house.client("ау", "2")
    assert await ids(browser, "view=queue&sort=last") == [homes[1], homes[2], homes[0]]
    assert await ids(browser, "view=queue&sort=due") == homes


async def test_a_client_is_found_by_a_part_of_the_name(house: House) -> None:
    await house.add("anna", support="operator")
    await house.add("carl", billing="operator")
    home = await queued(house)
    for name, found in (("anna", [home]), ("carl", [])):
        browser = await house.browser(name)
        assert await ids(browser, "view=all&q=%D0%9B%D0%98%D0%95%D0%BD") == found
        assert await ids(browser, "view=all&q=%25") == []


async def test_another_line_is_in_no_list(house: House) -> None:
    await house.add("carl", billing="operator")
    browser = await house.browser("carl")
    home = await queued(house)
    assert [await ids(browser, f"view={view}") for view in ("queue", "all", "bot", "mine")] == [[], [], [], []]
    assert set((await browser.ask("GET", "/conversations/counts")).body.values()) == {0}
    for path in ("", "/messages", "/history"):
        assert (await browser.ask("GET", f"/conversations/{home}{path}")).status == 404
    assert (await browser.ask("POST", f"/conversations/{home}/read", {"seq": 1})).status == 404


async def test_pages_meet_without_a_gap(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    homes = []
    for chat in range(7):
        await house.client("привет", str(chat))
        homes.append((await house.client("человек", str(chat))).conversation)
    for sort in ("last", "due"):
        seen: list[int] = []
        cursor = ""
        while cursor is not None:
            page = await listed(browser, f"view=queue&sort={sort}&limit=2&cursor={cursor}")
            seen += [row["conversation"] for row in page["items"]]
            cursor = page["next"]
        assert sorted(seen) == homes


async def test_a_cursor_is_good_for_its_list_alone(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    for chat in ("1", "2"):
        await house.client("привет", chat)
        await house.client("человек", chat)
    cursor = (await listed(browser, "view=queue&limit=1"))["next"]
    for query in (f"view=all&cursor={cursor}", f"view=queue&sort=due&cursor={cursor}", "cursor=abc", "cursor=%D1%8F"):
        answer = await browser.ask("GET", f"/conversations?{query}")
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "cursor")


async def test_what_was_read_is_not_new(house: House) -> None:
    await house.add("anna", support="operator")
    await house.add("boris", support="operator")
    browser, other = await house.browser("anna"), await house.browser("boris")
    home = await queued(house)
    page = (await browser.ask("GET", f"/conversations/{home}")).body
    assert (page["read"], page["seq"]) == (0, 4)
    assert (await browser.ask("POST", f"/conversations/{home}/read", {"seq": 99})).body["seq"] == page["seq"]
    assert (await browser.ask("POST", f"/conversations/{home}/read", {"seq": 1})).body["seq"] == page["seq"]
    assert [row["unread"] for row in (await listed(browser))["items"]] == [0]
    assert [row["unread"] for row in (await listed(other))["items"]] == [2]
    await house.client("ау")
    assert [row["unread"] for row in (await listed(browser))["items"]] == [1]


# --- one talk --------------------------------------------------------------------------------------------------------


async def test_the_page_shows_the_acts_that_are_possible(house: House) -> None:
    anna = await house.add("anna", support="operator")
    await house.add("boris", support="operator")
    browser, other = await house.browser("anna"), await house.browser("boris")
    home = await queued(house)
    assert "take" in (await browser.ask("GET", f"/conversations/{home}")).body["acts"]
    await deed(browser, home, "take", epoch=1)
    mine = (await browser.ask("GET", f"/conversations/{home}")).body
    assert {"reply", "return", "transfer", "close", "note", "to_bot"} <= set(mine["acts"])
    assert "take" not in mine["acts"]
    assert mine["operator"] == {"id": operator_id(anna.id), "title": "Anna"}
    theirs = (await other.ask("GET", f"/conversations/{home}")).body["acts"]
    assert "note" in theirs
    assert not {"reply", "return", "transfer", "close"} & set(theirs)


async def test_the_page_shows_where_the_flow_stands_and_what_it_collected(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    await house.client("привет")
    await house.client("заявка")
    home = (await house.client("+7 912 345-67-89")).conversation
    page = (await browser.ask("GET", f"/conversations/{home}")).body
    assert (page["flow"]["title"], page["status"], page["owner"]) == ("Заявка", "bot", "bot")
    assert "фото" in page["flow"]["question"]
    (field,) = page["fields"]
    assert (field["label"], field["type"], field["by"]) == ("Телефон", "phone", None)
    assert "912" in field["text"]
    assert page["client"]["name"] == "Клиент"


async def test_messages_notes_and_sessions_are_one_stream(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await deed(browser, home, "take", epoch=1)
    house.clock.at += 5
    await deed(browser, home, "note", text="любит звонки")
    house.clock.at += 5
    await deed(browser, home, "reply", epoch=2, text="Слушаю вас")
    await house.quiet()
    house.clock.at += 5
    await house.client(Edited("u:none", "нет", was="да"))
    await deed(browser, home, "close", epoch=2)
    house.clock.at += 5
    await house.client("снова я")
    items = (await browser.ask("GET", f"/conversations/{home}/messages")).body["items"]
    kinds = [(it["type"], it.get("author") if it["type"] == "message" else "") for it in items]
    assert kinds[:2] == [("session", ""), ("message", "client")]
    said = next(n for n, it in enumerate(items) if it.get("text") == "Слушаю вас")
    assert [it["type"] for it in items[said - 1 : said + 1]] == ["note", "message"]
    reply = items[said]
    assert (reply["author"], reply["operator"]["title"], reply["state"], reply["reason"]) == (
        "operator",
        "Anna",
        "sent",
        "",
    )
    again = next(n for n, it in enumerate(items) if it.get("text") == "снова я")
    assert (items[again - 1]["type"], items[again - 1]["session"]["number"]) == ("session", 2)
    assert next(it["text"] for it in items if it["type"] == "note") == "любит звонки"


async def test_every_thing_is_on_exactly_one_page(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await deed(browser, home, "take", epoch=1)
    for n in range(9):
        house.clock.at += 1
        await house.client(f"m{n}")
        house.clock.at += 1
        await deed(browser, home, "note", text=f"n{n}")
    whole = (await browser.ask("GET", f"/conversations/{home}/messages?limit=200")).body
    assert (whole["before"], whole["after"]) == (None, None)
    back: list[Any] = []
    before: int | None = 0
    while before is not None:
        page = (await browser.ask("GET", f"/conversations/{home}/messages?limit=3&before={before}")).body
        back = page["items"] + back
        before = page["before"]
    assert back == whole["items"]
    first = (await browser.ask("GET", f"/conversations/{home}/messages?limit=3&before=4")).body
    forth, after = first["items"], first["after"]
    while after is not None:
        page = (await browser.ask("GET", f"/conversations/{home}/messages?limit=4&after={after}")).body
        forth, after = forth + page["items"], page["after"]
    assert forth == whole["items"]


async def test_history_says_who_moved_the_session_and_why(house: House) -> None:
    await house.add("anna", support="operator")
    browser = await house.browser("anna")
    home = await queued(house)
    await deed(browser, home, "take", epoch=1)
    await deed(browser, home, "return", epoch=2, text="не моё")
    found = (await browser.ask("GET", f"/conversations/{home}/history?limit=2")).body
    assert [(it["move"], it["was"], it["now"], it["who"]["title"], it["why"]) for it in found["items"]] == [
        ("return", "assigned", "queued", "Anna", "не моё"),
        ("take", "queued", "assigned", "Anna", "take"),
    ]
    rest = (await browser.ask("GET", f"/conversations/{home}/history?cursor={found['next']}")).body
    assert [it["move"] for it in rest["items"]] == ["queue"]
    assert rest["next"] is None
