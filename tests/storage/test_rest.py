"""Timers, tickets, queue, files, flows and secrets."""

from __future__ import annotations

import pytest

from core.conversation import Frame, Run
from core.effects import CreateTicket, FetchFile, Queue, StartTimer, StopTimer, Unqueue
from core.events import Message, TicketChanged, TimerFired
from core.messages import Attachment
from core.ports import Bundle, Done, Result, StoredFile, Work
from core.tickets import TicketChange, TicketStatus
from storage import open_store
from tests.storage.making import ECHO, START, AnyStore, FakeClock, Seen, accept_one, always, inbound

SOLVED = TicketStatus("solved", "решена", "done")
OPEN = TicketStatus("open", "в работе", "open")

# --- timers ----------------------------------------------------------------------------------------------------------


async def test_a_due_timer_becomes_an_event_once(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), always(StartTimer("t", 10.0, {"n": 1})))
    assert await store.due(clock.at(9.9)) == 0
    assert await store.due(clock.at(10)) == 1
    assert await store.due(clock.at(10)) == 0
    assert await store.next_due() is None
    seen = Seen()
    await store.work(seen)
    assert seen.events == [TimerFired("t", {"n": 1})]


async def test_setting_a_timer_again_moves_it(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), always(StartTimer("t", 10.0, {"n": 1})))
    await accept_one(store, inbound(2), always(StartTimer("t", 30.0, {"n": 2})))
    assert await store.due(clock.at(29)) == 0
    assert await store.due(clock.at(30)) == 1
    seen = Seen()
    await store.work(seen)
    assert seen.events == [TimerFired("t", {"n": 2})]


async def test_the_same_timer_fires_each_time_it_is_set(store: AnyStore, clock: FakeClock) -> None:
    for number in (1, 2):
        await accept_one(store, inbound(number), always(StartTimer("t", 1.0)))
        clock.now += 2
        assert await store.due(clock.at()) == 1
        assert len(await store.work(ECHO)) == 1


async def test_a_stopped_timer_is_forgotten(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1, "a"), always(StartTimer("t", 1.0)))
    await accept_one(store, inbound(2, "b"), always(StartTimer("t", 1.0)))
    await accept_one(store, inbound(3, "a"), always(StopTimer("t"), StopTimer("never set")))
    assert await store.due(clock.at(5)) == 1
    assert (await store.stats())["timers"] == 0


async def test_stop_and_start_in_one_turn_keep_their_order(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), always(StopTimer("t"), StartTimer("t", 5.0)))
    assert await store.next_due() == clock.now + 5
    await accept_one(store, inbound(2), always(StartTimer("t", 5.0), StopTimer("t")))
    assert await store.next_due() is None


async def test_timers_fire_in_the_order_they_come_due(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), always(StartTimer("late", 20.0), StartTimer("early", 10.0)))
    assert await store.next_due() == clock.now + 10
    assert await store.due(clock.at(30)) == 2
    seen = Seen()
    await store.work(seen)
    assert seen.events == [TimerFired("early"), TimerFired("late")]


async def test_after_a_standstill_every_timer_of_a_conversation_fires(store: AnyStore, clock: FakeClock) -> None:
    timers = (StartTimer("busy", 10.0), StartTimer("silence", 20.0), StartTimer("far", 1000.0))
    await accept_one(store, inbound(1, "a"), always(*timers))
    await accept_one(store, inbound(2, "b"), always(StartTimer("busy", 10.0)))
    assert await store.due(clock.at(100)) == 3
    seen = Seen()
    await store.work(seen)
    assert {work.conversation.chat: [one.event for one in work.events] for work in seen.works} == {
        "a": [TimerFired("busy"), TimerFired("silence")],
        "b": [TimerFired("busy")],
    }
    assert (await store.stats())["timers"] == 1


# --- tickets ---------------------------------------------------------------------------------------------------------


def ticket(key: str, number: int, **more: object) -> CreateTicket:
    values = {"desk": "general", "title": "T", "text": "body", "fields": {"Вопрос": "где?", "А": "б"}}
    return CreateTicket(key, number, **(values | more))  # type: ignore[arg-type]


async def test_a_ticket_is_kept_whole(store: AnyStore) -> None:
    it = ticket("k", 7, files=("f1",), priority="high", private=("А",))
    receipt = await accept_one(store, inbound(1), always(it))
    assert receipt.outbox == []
    stored = await store.ticket(7)
    assert stored is not None
    assert (stored.desk, stored.title, stored.text, stored.priority) == ("general", "T", "body", "high")
    assert list(stored.fields.items()) == [("Вопрос", "где?"), ("А", "б")]
    assert (stored.files, stored.private, stored.status, stored.done) == (("f1",), ("А",), "new", False)
    assert stored.conversation == receipt.conversation
    assert stored.created_at == START
    assert [entry["what"] for entry in stored.history] == ["created"]
    assert await store.ticket(8) is None


async def test_a_ticket_is_created_once_per_key(store: AnyStore) -> None:
    await accept_one(store, inbound(1), always(ticket("k", 1)))
    receipt = await accept_one(store, inbound(2), always(ticket("k", 2, desk="outer")))
    assert receipt.outbox == []
    assert [it.number for it in await store.tickets()] == [1]


async def test_tickets_are_listed_by_what_is_asked(store: AnyStore) -> None:
    await accept_one(store, inbound(1, "a"), always(ticket("1", 1), ticket("2", 2, desk="outer")))
    await accept_one(store, inbound(2, "b"), always(ticket("3", 3)))
    await store.change_ticket(TicketChange(3, "desk", status=SOLVED))
    home = await store.find_conversation("telegram", "bot", "a")
    assert home is not None

    async def numbers(**asked: object) -> list[int]:
        return [it.number for it in await store.tickets(**asked)]  # type: ignore[arg-type]

    assert await numbers() == [3, 2, 1]
    assert await numbers(limit=1) == [3]
    assert await numbers(client=home.client) == [2, 1]
    assert await numbers(client=home.client, desk="outer") == [2]
    assert await numbers(desk="general") == [3, 1]
    assert await numbers(status="solved") == [3]
    assert await numbers(client=home.client, status="solved") == []


async def test_the_next_number_follows_the_highest(store: AnyStore) -> None:
    await accept_one(store, inbound(1), always(ticket("k", 41)))
    seen = Seen()
    await accept_one(store, inbound(2), seen)
    assert seen.works[0].ticket_number == 42


async def test_a_change_is_told_where_the_client_was_last(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1, "a", sender_id="s"), always(ticket("k", 1)))
    clock.now += 1
    last = await accept_one(store, inbound(2, "b", sender_id="s"))
    assert await store.change_ticket(TicketChange(1, "desk", status=SOLVED, comment="sent back")) == ""
    changed = await store.ticket(1)
    assert changed is not None
    assert (changed.status, changed.done, changed.updated_at) == ("solved", True, clock.now)
    assert changed.history[-1]["comment"] == "sent back"
    seen = Seen()
    (receipt,) = await store.work(seen)
    assert receipt.conversation == last.conversation
    assert seen.events == [TicketChanged(1, "решена", True, "T", "sent back", place=2)]


async def test_a_change_may_be_kept_quiet(store: AnyStore) -> None:
    await accept_one(store, inbound(1), always(ticket("k", 1)))
    await store.change_ticket(TicketChange(1, "desk", status=OPEN, tell=False))
    await store.change_ticket(TicketChange(1, "desk", outer_number="SD-9", outer_link="https://example.org/9"))
    assert await store.work(ECHO) == []
    stored = await store.ticket(1)
    assert stored is not None
    assert (stored.status, stored.outer_number, stored.outer_link) == ("open", "SD-9", "https://example.org/9")
    assert len(stored.history) == 3


async def test_a_change_that_changes_nothing_is_no_change(store: AnyStore) -> None:
    await accept_one(store, inbound(1), always(ticket("k", 1)))
    for _ in range(2):
        await store.change_ticket(TicketChange(1, "desk", status=SOLVED))
    stored = await store.ticket(1)
    assert stored is not None
    assert len(stored.history) == 2
    assert (await store.stats())["inbox"] == 1
    await store.change_ticket(TicketChange(1, "desk", status=OPEN))
    reopened = await store.ticket(1)
    assert reopened is not None
    assert not reopened.done
    assert await store.change_ticket(TicketChange(99, "desk", status=OPEN)) == "missing"


# --- queue, files, flows, secrets ------------------------------------------------------------------------------------


async def test_the_queue_is_ordered_by_deadline_then_priority(store: AnyStore) -> None:
    entries = {"a": (0, 200.0), "b": (0, 100.0), "c": (5, 100.0)}
    for number, (chat, (priority, deadline)) in enumerate(entries.items()):
        await accept_one(store, inbound(number, chat), always(Queue("support", priority, deadline, f"note {chat}")))
    await accept_one(store, inbound(9, "d"), always(Queue("billing", 0, 1.0)))
    assert [it["note"] for it in await store.queue("support")] == ["note c", "note b", "note a"]
    assert [it["line"] for it in await store.queue()] == ["billing", "support", "support", "support"]
    assert (await store.stats())["queued"] == 4
    await accept_one(store, inbound(10, "c"), always(Unqueue("taken")))
    await accept_one(store, inbound(11, "b"), always(Queue("support", 0, 300.0, "moved")))
    assert [it["note"] for it in await store.queue("support")] == ["note a", "moved"]


async def test_a_file_is_known_before_its_bytes(store: AnyStore) -> None:
    attachment = Attachment("photo", file="f1", ref="tg-1", name="a.jpg", mime="image/jpeg", size=5)
    receipt = await accept_one(store, inbound(1), always(FetchFile(attachment)))
    file = await store.file("f1")
    assert file == StoredFile("f1", receipt.conversation, "a.jpg", "image/jpeg", 5, "photo", "telegram", "tg-1")
    await store.store_file("f1", "00ff", 7, "image/png")
    stored = await store.file("f1")
    assert stored is not None
    assert (stored.sha256, stored.size, stored.mime, stored.error) == ("00ff", 7, "image/png", "")
    await store.store_file("f1", "", 0, "", error="too large")
    failed = await store.file("f1")
    assert failed is not None
    assert failed.error == "too large"
    assert await store.file("zz") is None


async def test_an_uploaded_file_is_added_once(store: AnyStore) -> None:
    await store.add_file(StoredFile("u", 1, "a.txt", "text/plain", 3, sha256="aa"))
    assert await store.named_hashes(["aa", "bb", ""]) == {"aa"}
    await store.add_file(StoredFile("u", 1, "b.txt", "text/plain", 3))
    file = await store.file("u")
    assert file is not None
    assert file.name == "a.txt"


def _with_run(work: Work) -> Result:
    main = Frame("orders", "v1", "ask")
    work.conversation.talk.run = Run(1, [main, Frame("address", "v2", "ask"), Frame("orders", "v1", "x")])
    work.conversation.talk.suspended = Run(1, [Frame("orders", "v0", "ask")])
    return Result(work.conversation, [Done(it) for it in work.events])


def _without_run(work: Work) -> Result:
    work.conversation.talk.run = work.conversation.talk.suspended = None
    return Result(work.conversation, [Done(it) for it in work.events])


async def test_live_versions_are_counted(store: AnyStore) -> None:
    await accept_one(store, inbound(1, "a"), _with_run)
    await accept_one(store, inbound(2, "b"), _with_run)
    await accept_one(store, inbound(3, "c"))
    assert await store.live_versions() == {"orders": {"v0": 2, "v1": 2}, "address": {"v2": 2}}
    await accept_one(store, inbound(4, "a"), _without_run)
    assert await store.live_versions() == {"orders": {"v0": 1, "v1": 1}, "address": {"v2": 1}}


async def test_one_bundle_is_current(store: AnyStore) -> None:
    assert await store.current_bundle() == ("", 0.0)
    await store.publish(Bundle("one", {"a.yaml": "x: 1"}, {"a": "v1"}, 1.0))
    await store.publish(Bundle("two", {"a.yaml": "x: 2"}, {"a": "v2"}, 2.0))
    assert [(it.id, it.current) for it in await store.bundles()] == [("two", True), ("one", False)]
    await store.publish(Bundle("one", {"a.yaml": "x: 1"}, {"a": "v1"}, 3.0))
    assert [(it.id, it.current) for it in await store.bundles()] == [("one", True), ("two", False)]
    assert await store.current_bundle() == ("one", 3.0)
    await store.drop_bundle("two")
    (bundle,) = await store.bundles()
    assert (bundle.sources, bundle.versions) == ({"a.yaml": "x: 1"}, {"a": "v1"})


async def test_a_web_client_is_known_by_its_secret(store: AnyStore) -> None:
    assert await store.web_client("site", "hash") is None
    await store.add_web_client("site", "hash", "chat-1")
    assert await store.web_client("site", "hash") == "chat-1"
    assert await store.web_client("other", "hash") is None


async def test_a_healthy_store_says_so(store: AnyStore) -> None:
    assert await store.healthy()
    assert not store.unclean


def test_a_url_names_its_store() -> None:
    clock = FakeClock()
    for url in ("memory:", "memory://"):
        assert type(open_store(url, clock)).__name__ == "FleetingStore"
    sqlite = open_store("sqlite:///var/frontline.db", clock)
    assert str(getattr(sqlite, "path", "")) == "var/frontline.db"
    assert str(getattr(open_store("sqlite:////abs/f.db", clock), "path", "")) == "/abs/f.db"


@pytest.mark.parametrize("url", ["postgres+x://u:secret@h/db", "mysql://u:secret@h/db", "sqlite:///", "memory:x", ""])
def test_an_engine_that_is_not_there_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"available|unknown") as caught:
        open_store(url, FakeClock())
    assert "secret" not in str(caught.value)


async def test_events_of_others_are_not_told(store: AnyStore) -> None:
    one = await accept_one(store, inbound(1, "a"))
    await accept_one(store, inbound(2, "b"))
    assert [it.pending.event for it in await store.events(one.conversation)] == [Message("m1")]
