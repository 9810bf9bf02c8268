"""Codes over the whole pipeline: two channels, the real engine, the real service; and what it costs who uses no code."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.book import Book, load
from core.codes import read_code
from core.deployment import ChannelInfo, Deployment, DeskInfo
from core.events import CallDone, Event, Inbound, Message, Opened
from core.messages import Attachment, Contact
from core.outbox import OutboxRow, Sent, Settled
from core.ports import Outcome
from gateway.identity import Identity
from gateway.metrics import Metrics
from gateway.worker import FloodGuard, Worker
from storage.memory import MemoryStore
from storage.sqlite import SQLiteStore
from tests.gateway.house import FLOWS, LINES, NOON, Clock, Recorder, count
from tests.storage.test_model import migrated

Store = MemoryStore | SQLiteStore


class Linked(Recorder):
    """A channel whose chat has an address."""

    async def link(self, payload: str) -> str:
        return f"https://{self.name}.example/{payload}"


def book() -> Book:
    deployment = Deployment(
        language="ru",
        lines={id: line.info() for id, line in LINES.lines.items()},
        desks={"general": DeskInfo("Обращения", ())},
        channels={name: ChannelInfo(name, "support", title=name) for name in ("telegram", "vk", "web")},
    )
    made, findings = load(FLOWS, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


BOOK = book()


class House:
    """Channels, engine, service and store; everything is sent and called at once."""

    def __init__(self, store: Store, clock: Clock, seed: int = 1) -> None:
        self.store, self.clock, self.metrics = store, clock, Metrics()
        self.channels = {name: Linked(name, name) for name in ("telegram", "vk")} | {"web": Recorder("web", "web")}
        self.identity = Identity(store, self.channels, self.metrics, random.Random(seed).choice)
        lines = dict.fromkeys(self.channels, "support")
        self.worker = Worker(lambda: LINES, lambda: BOOK, lines, "Europe/Moscow", self.metrics, FloodGuard(0, 1.0))
        self.updates = 0
        self.said: dict[int, list[str]] = {}

    async def say(self, channel: str, event: Event | str, chat: str = "1") -> list[str]:
        """A client writes; what the bot says to them until all is quiet."""
        self.updates += 1
        happened = Message(event, command=event if event.startswith("/") else "") if isinstance(event, str) else event
        it = Inbound(channel, "42", f"u:{self.updates}", chat, happened, self.clock.at, sender_id=chat)
        (receipt,) = await self.store.accept([it], self.worker.decide)
        before = len(self.said.get(receipt.conversation, ()))
        await self.settle(receipt.outbox)
        return self.said.get(receipt.conversation, [])[before:]

    async def settle(self, rows: list[OutboxRow]) -> None:
        """Works, calls and sends until nothing is left to do."""
        while True:
            receipts = await self.store.work(self.worker.decide)
            rows = rows + [row for receipt in receipts for row in receipt.outbox] + await self.store.lease()
            if not rows and not receipts:
                return
            settled = [await self.carry_out(row) for row in rows]
            rows = [row for receipt in await self.store.mark(settled) for row in receipt.outbox]

    async def carry_out(self, row: OutboxRow) -> Settled:
        if row.kind == "call":
            await self.call(row)
        elif row.message is not None:
            self.said.setdefault(row.conversation, []).append(row.message.body.text)
        return Settled(row, Sent("sent", (f"p{row.id}",)))

    async def call(self, row: OutboxRow) -> None:
        home = await self.store.conversation(row.conversation)
        assert home is not None
        it = row.payload
        outcome: Outcome = await self.identity.call(it["call"], it["params"], row.key, home.client)
        if it["key"]:
            status: Any = outcome.status
            await self.store.push(home.id, CallDone(it["key"], status, outcome.take), f"done:{row.key}")

    async def code(self, channel: str, chat: str = "1") -> str:
        """The code that a client is given."""
        said = (await self.say(channel, "/continue", chat))[-1]
        return next(code for word in said.split() if (code := read_code(word)))


@pytest.fixture
def house() -> House:
    clock = Clock()
    return House(MemoryStore(clock), clock)


PHOTO = Message("", attachments=(Attachment("photo", "f1", mime="image/jpeg"),))
OWN = Message("", contact=Contact("+79991234567", own=True))


async def test_a_form_goes_on_after_the_code(house: House) -> None:
    assert await house.say("telegram", "заявка") == ["Ваш телефон?"]
    assert await house.say("telegram", OWN) == ["Пришлите фото."]
    code = await house.code("telegram")
    assert await house.say("vk", code) == ["Продолжаем здесь: «Заявка»", "Пришлите фото."]
    assert house.said[1][-1].startswith("Продолжаем в vk")
    assert await house.say("vk", PHOTO) == ["Заявка 1"]
    assert [ticket.client for ticket in await house.store.tickets()] == [1]
    assert count(house.metrics.codes, "offered") == count(house.metrics.codes, "ok") == 1


async def test_the_links_lead_to_the_other_channels(house: House) -> None:
    outcome = await house.identity.call("offer", {"conversation": await meet(house, "telegram")}, "k", 1)
    assert [name for name, _ in outcome.take["links"]] == ["vk"]
    assert outcome.take["links"][0][1] == f"https://vk.example/go-{outcome.take['code']}"
    outcome = await house.identity.call("offer", {"conversation": await meet(house, "web")}, "k", 1)
    assert [name for name, _ in outcome.take["links"]] == ["telegram", "vk"]


async def meet(house: House, channel: str) -> int:
    await house.say(channel, "привет")
    found = await house.store.find_conversation(channel, "42", "1")
    assert found is not None
    return found.id


async def test_a_lonely_channel_leads_to_itself_on_another_device(house: House) -> None:
    home = await meet(house, "vk")
    alone = Identity(house.store, {"vk": house.channels["vk"]}, house.metrics)
    outcome = await alone.call("offer", {"conversation": home}, "k", 1)
    assert [name for name, _ in outcome.take["links"]] == ["vk"]


async def test_a_channel_that_is_slow_to_say_its_address_keeps_nobody_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Linked):
        async def link(self, payload: str) -> str:
            await asyncio.Event().wait()
            return payload

    monkeypatch.setattr("gateway.identity.LINK_SECONDS", 0.01)
    home = await meet(house, "web")
    slow = Identity(house.store, {"slow": Slow("slow"), "vk": house.channels["vk"]}, house.metrics)
    outcome = await slow.call("offer", {"conversation": home}, "k", 1)
    assert [name for name, _ in outcome.take["links"]] == ["vk"]


async def test_undone_in_the_middle_the_form_goes_home(house: House) -> None:
    await house.say("telegram", "заявка")
    await house.say("vk", await house.code("telegram"))
    before = len(house.said[1])
    await house.store.unjoin((await house.store.joins())[0].id, "anna")
    await house.settle([])
    assert house.said[1][before:] == ["Продолжаем здесь: «Заявка»", "Ваш телефон?"]
    homes = [await house.store.conversation(id) for id in (1, 2)]
    assert [home is not None and home.client for home in homes] == [1, 2]
    assert [home is not None and home.talk.run is not None for home in homes] == [True, False]


async def test_a_session_with_people_stays_there(house: House) -> None:
    await house.say("telegram", "человек")
    code = await house.code("telegram")
    (said,) = await house.say("vk", Opened(f"go-{code}"))
    assert "отвечают в telegram" in said
    assert [note["text"] for note in await house.store.notes(1)]
    assert [entry["conversation"] for entry in await house.store.queue()] == [1]
    home = await house.store.conversation(1)
    assert home is not None
    assert (home.session.owner, home.client) == ("queue", 1)


async def test_a_code_is_refused_politely_and_counted(house: House) -> None:
    code = await house.code("telegram")
    assert "для другого мессенджера" in (await house.say("telegram", code))[0]
    house.clock.move(601)
    assert "старше десяти минут" in (await house.say("vk", code))[0]
    assert "Такого кода нет" in (await house.say("web", "7KMPX-Q2WT5"))[0]
    assert [count(house.metrics.codes, why) for why in ("same", "expired", "unknown")] == [1, 1, 1]


async def test_the_code_is_in_no_row_but_the_clients_own_messages(tmp_path: Path) -> None:
    """What is stored of a code beside what the client was told and has typed is its hash."""
    clock = Clock()
    store = SQLiteStore(shutil.copy(migrated(), tmp_path / "a.db"), clock)
    await store.open()
    house = House(store, clock)
    await house.say("telegram", "заявка")
    code = await house.code("telegram")
    await house.say("vk", code)
    await store.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        for table in ("codes", "code_tries", "joins", "records", "clients"):
            assert code not in repr(connection.execute(f"SELECT * FROM {table}").fetchall())
        rows = connection.execute("SELECT payload FROM outbox WHERE kind = 'call'").fetchall()
        assert code not in repr(rows)
    connection.close()


# --- any order -------------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["telegram", "vk", "web"]),
        st.sampled_from(["заявка", "отмена", "назад", "фото", "телефон", "человек", "code", "use", "unjoin", "wait"]),
    ),
    max_size=25,
)


async def live(house: House, deeds: list[tuple[str, str]]) -> None:
    """A life of one person in three channels. After each deed: everything was processed, and no form is in two places."""
    codes: list[str] = []
    for channel, deed in deeds:
        if deed == "code":
            said = await house.say(channel, "/continue")
            codes += [code for word in (said[-1] if said else "").split() if (code := read_code(word))][:1]
        elif deed == "use":
            await house.say(channel, codes[-1] if codes else "7KMPX-Q2WT5")
        elif deed == "unjoin":
            done = [join.id for join in await house.store.joins() if join.state == "done"]
            if done:
                await house.store.unjoin(done[0], "")
                await house.settle([])
        elif deed == "wait":
            house.clock.move(400)
            await house.store.due(house.clock.now())
            await house.settle([])
        else:
            await house.say(channel, {"фото": PHOTO, "телефон": OWN}.get(deed, deed))
        await check(house)


async def check(house: House) -> None:
    stats = await house.store.stats()
    assert (stats["inbox"], stats["outbox"], stats["dead"]) == (0, 0, 0)
    homes = [home for id in (1, 2, 3) if (home := await house.store.conversation(id)) is not None]
    forms = [id(run) for home in homes for run in (home.talk.run, home.talk.suspended) if run is not None]
    assert len(forms) == len(set(forms))
    for home in homes:
        card = await house.store.client(home.client)
        assert card is not None
        assert "_into" not in card
        identities = await house.store.identities(home.client)
        assert (home.channel, home.chat) in {(it.channel, it.sender) for it in identities}


@settings(max_examples=120, deadline=None)
@given(DEEDS)
def test_any_order_of_codes_forms_and_people(deeds: list[tuple[str, str]]) -> None:
    clock = Clock(NOON)
    house = House(MemoryStore(clock), clock)
    asyncio.run(live(house, deeds))
    assert count(house.metrics.poisoned) == 0


# --- what it costs ---------------------------------------------------------------------------------------------------


async def test_who_uses_no_code_pays_nothing(tmp_path: Path) -> None:
    """An ordinary message asks nothing of the tables of joins, and as many statements as ever."""
    clock = Clock()
    store = SQLiteStore(shutil.copy(migrated(), tmp_path / "a.db"), clock)
    await store.open()
    house = House(store, clock)
    await house.say("telegram", "заявка")
    asked: list[str] = []
    store._writing.set_trace_callback(asked.append)
    await house.say("telegram", "+7 999 123-45-67")
    store._writing.set_trace_callback(None)
    words = " ".join(asked)
    assert not any(table in words for table in ("joins", "codes", "code_tries", "identities"))
    assert "UPDATE clients" in words  # the phone was kept on the card, all the same
    await store.close()
