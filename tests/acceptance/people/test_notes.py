"""A6: a note never leaves the house. Whatever people and clients do, its words are in no outgoing call, on any channel."""

from __future__ import annotations

import asyncio
import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.accounts import Deed
from storage.work.schema import feed
from tests.acceptance.people.desk import Desk, open_desk
from tests.gateway.api.house import Answer

FEED = select(feed)
# Words that a bot, a line or a renderer could take for their own.
WICKED = (
    "человек",
    "/start",
    "//",
    "{{ client.name }}",
    "да",
    "заявка",
    "q.1.y",
    "<b>",
    "@boris",
    "стоп",
    "&amp;",
    "```",
)
ALPHABET = string.ascii_letters + string.digits + "абвгдеёжзийклмн .,!?/@{}<>*_`\n"
words = st.one_of(st.sampled_from(WICKED), st.text(ALPHABET, min_size=1, max_size=40))
DEEDS = (
    "note",
    "note",
    "note",
    "reply",
    "client",
    "return",
    "take",
    "hold",
    "transfer",
    "close",
    "draft",
    "edit",
    "to_bot",
)
deeds = st.lists(st.tuples(st.sampled_from(DEEDS), words), min_size=3, max_size=10)


def secret(n: int) -> str:
    """What makes a note known again, whatever is done to its words."""
    return f"тайна{n:04d}xq"


async def play(desk: Desk, plan: list[tuple[str, str]]) -> list[str]:
    """Do what the plan says, as far as it may be done; the secrets of the notes that were written."""
    told = []
    for n, (deed, text) in enumerate(plan):
        row = await desk.house.gateway.floor.session(desk.anna.who, desk.home)
        epoch = row["epoch"] if row is not None else 0
        if deed in ("note", "draft"):
            told.append(secret(n))
            await _write(desk, deed, f"{text} {secret(n)} {text}")
        elif deed == "client":
            await desk.house.client(text)
        else:
            body: dict[str, Any] = {"epoch": epoch, "text": text}
            if deed == "transfer":
                told.append(secret(n))  # why it is transferred is for the colleagues
                body |= {"line": "support", "text": f"{text} {secret(n)}"}
            if deed == "edit":
                body = {"seq": 1, "text": text}
            await desk.do(deed, body)
    await desk.house.quiet()
    return told


async def _write(desk: Desk, deed: str, text: str) -> Answer:
    if deed == "note":
        return await desk.do("note", {"text": text})
    return await desk.browser.ask("PUT", f"/conversations/{desk.home}/draft", {"kind": "note", "text": text})


def outgoing(desk: Desk) -> Iterator[str]:
    """Everything that went out, or waits for it: what the channel was given, every row of the outbox as it is
    stored, and the feed, of which outgoing webhooks are made."""
    yield from (repr(row) for row in desk.house.channel.rows)
    path = desk.house.gateway.config.storage.url.partition(":///")[2]
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in sorted({"outbox", "messages", "message_marks", "feed", "hooks"} & tables):
            for row in connection.execute(f"SELECT * FROM {table}"):
                yield " ".join(
                    cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in row
                )


@given(deeds)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_note_in_any_outgoing_call(plan: list[tuple[str, str]]) -> None:
    async def run() -> None:
        async for desk in open_desk():
            told = await play(desk, [("note", "первая"), *plan])
            out = list(outgoing(desk))
            assert any("Здравствуйте" in it for it in out), "the search finds what does go out"
            assert [(word, it) for word in told for it in out if word in it] == []

    asyncio.run(run())


async def test_the_scan_would_find_one() -> None:
    """The same words as a reply are found: the test can fail."""
    async for desk in open_desk():
        await desk.reply(f"ответ {secret(1)}")
        assert any(secret(1) in it for it in outgoing(desk))


# --- mentions ----------------------------------------------------------------------------------------------------------


async def mentions(browser: Any, query: str = "") -> Any:
    answer = await browser.ask("GET", f"/me/mentions{query}")
    assert answer.status == 200, answer.body
    return answer.body


async def test_a_note_calls_a_colleague(desk: Desk) -> None:
    boris = await desk.house.add("boris", support="operator")
    browser = await desk.house.browser("boris")
    assert (await desk.do("note", {"text": "@boris, глянь. Почта x@boris.ru ни при чём"})).status == 200
    assert (await desk.do("note", {"text": "и ещё раз", "mention": [boris.id]})).status == 200
    found = await mentions(browser)
    anna = {"id": f"user:{desk.anna.id}", "title": desk.anna.title}
    assert [(it["text"], it["conversation"], it["author"]) for it in found["items"]] == [
        ("и ещё раз", desk.home, anna),
        ("@boris, глянь. Почта x@boris.ru ни при чём", desk.home, anna),
    ]
    said = (await browser.ask("GET", f"/conversations/{desk.home}/messages")).body["items"]
    notes = {it["id"]: it["text"] for it in said if it["type"] == "note"}
    assert [notes[it["note"]] for it in found["items"]] == [it["text"] for it in found["items"]]
    assert {it["client"]["name"] for it in found["items"]} == {"Клиент"}
    assert found["unread"] == 2
    older = found["items"][1]["id"]
    assert (await browser.ask("POST", "/me/mentions/read", {"up_to": older})).body == {"read": 1}
    assert (await browser.ask("POST", "/me/mentions/read", {"up_to": older, "only": True})).body == {"read": 0}
    left = await mentions(browser, "?unread=true")
    assert ([it["text"] for it in left["items"]], left["unread"]) == (["и ещё раз"], 1)
    assert (await mentions(desk.browser))["items"] == [], "nobody else was called"


async def test_pages_of_mentions(desk: Desk) -> None:
    await desk.house.add("boris", support="operator")
    browser = await desk.house.browser("boris")
    for n in range(5):
        await desk.do("note", {"text": f"@boris {n}"})
    seen, cursor = [], ""
    while cursor is not None:
        page = await mentions(browser, f"?limit=2&cursor={cursor}")
        seen += [it["text"] for it in page["items"]]
        cursor = page["next"]
    assert seen == [f"@boris {n}" for n in (4, 3, 2, 1, 0)]


async def test_one_mention_alone_is_read(desk: Desk) -> None:
    await desk.house.add("boris", support="operator")
    browser = await desk.house.browser("boris")
    for n in range(3):
        await desk.do("note", {"text": f"@boris {n}"})
    second = (await mentions(browser))["items"][1]["id"]
    assert (await browser.ask("POST", "/me/mentions/read", {"up_to": second, "only": True})).body == {"read": 1}
    assert [it["text"] for it in (await mentions(browser, "?unread=true"))["items"]] == ["@boris 2", "@boris 0"]


async def test_only_who_sees_the_conversation_is_called(desk: Desk) -> None:
    carl = await desk.house.add("carl", billing="operator")
    for body in ({"text": "@carl посмотри"}, {"text": "смотри", "mention": [carl.id]}, {"text": "x", "mention": [999]}):
        answer = await desk.do("note", body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/text")
    assert (await desk.do("note", {"text": "@nobody-here знает"})).status == 200, "a name that is nobody's is a word"
    assert (await mentions(await desk.house.browser("carl")))["items"] == []


async def test_who_sees_it_no_more_is_told_no_more(desk: Desk) -> None:
    """Rights are asked for when a list is read, not when the note was written."""
    boris = await desk.house.add("boris", support="operator")
    browser = await desk.house.browser("boris")
    await desk.do("note", {"text": "@boris глянь"})
    await desk.house.people.change(
        boris.id, {"lines": {"billing": "operator"}}, Deed("console", "user_changed"), "", ""
    )
    browser = await desk.house.browser("boris")
    found = await mentions(browser)
    assert (found["items"], found["unread"]) == ([], 0)


async def test_the_feed_tells_whoever_is_called_and_nobody_else(desk: Desk) -> None:
    boris = await desk.house.add("boris", support="operator")
    await desk.do("note", {"text": "@boris глянь"})
    rows = await desk.house.gateway.floor.units.ask(lambda reads: reads.all(FEED))
    told = [row for row in rows if row["kind"] == "mention"]
    assert [(row["person"], row["conversation"]) for row in told] == [(f"user:{boris.id}", desk.home)]
    assert not any("глянь".encode() in row["data"] for row in rows)
