"""The inbox: accepted once, processed in order, tried again, set aside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.effects import CreateTicket, Record, UpdateClient
from core.events import CallDone, ColleagueReply, Message, Poisoned, Press, TimerFired
from core.ports import Cursor, Result, Work
from tests.storage.making import ECHO, AnyStore, FakeClock, Seen, accept_one, always, deciding, failing, inbound, texts


async def test_a_first_contact_makes_a_conversation_and_a_card(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1, "77", sender_username="anna", sender_language="ru"))
    conversation = await store.conversation(receipt.conversation)
    assert conversation is not None
    assert (conversation.channel, conversation.account, conversation.chat) == ("telegram", "bot", "77")
    assert await store.client(conversation.client) == {
        "id": conversation.client,
        "name": "Client 77",
        "username": "anna",
        "language": "ru",
        "channel": "telegram",
        "verified": [],
    }


async def test_one_sender_in_two_chats_is_one_client(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1, "a", sender_id="s"))
    second = await accept_one(store, inbound(2, "b", sender_id="s"))
    homes = [await store.conversation(it.conversation) for it in (first, second)]
    assert first.conversation != second.conversation
    assert len({it.client for it in homes if it}) == 1


async def test_the_same_update_is_processed_once(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1))
    again = await accept_one(store, inbound(1))
    assert (first.duplicate, first.processed) == (False, True)
    assert (again.duplicate, again.processed, again.outbox) == (True, False, [])
    assert again.conversation == first.conversation
    assert len(await store.events(first.conversation)) == 1


async def test_a_duplicate_within_one_call_is_processed_once(store: AnyStore) -> None:
    receipts = await store.accept([inbound(1), inbound(1)], ECHO)
    assert [it.duplicate for it in receipts] == [False, True]


async def test_the_same_id_in_another_account_is_another_update(store: AnyStore) -> None:
    await accept_one(store, inbound(1))
    assert not (await accept_one(store, inbound(1, account="second"))).duplicate


async def test_the_fast_path_writes_the_whole_turn(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1))
    assert receipt.processed
    assert receipt.seq == 1
    assert texts(receipt.outbox) == ["re m1"]
    (done,) = await store.events(receipt.conversation)
    assert done.pending.event == Message("m1")
    assert done.facts == b'{"f":1}'
    assert done.trace[0].kind == "test"
    assert len(done.effects) == 1


async def test_without_a_decider_the_event_waits(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), None)
    assert not receipt.processed
    assert (await store.stats())["inbox"] == 1
    (worked,) = await store.work(ECHO)
    assert worked.processed
    assert texts(worked.outbox) == ["re m1"]
    assert (await store.stats())["inbox"] == 0


async def test_the_fast_path_never_overtakes_what_waits(store: AnyStore) -> None:
    await accept_one(store, inbound(1), None)
    receipt = await accept_one(store, inbound(2))
    assert not receipt.processed
    seen = Seen()
    await store.work(seen)
    assert seen.events == [Message("m1"), Message("m2")]


async def test_another_conversation_is_not_held_up(store: AnyStore) -> None:
    await accept_one(store, inbound(1, "a"), None)
    assert (await accept_one(store, inbound(2, "b"))).processed


async def test_reordered_deliveries_are_processed_in_the_order_of_sending(store: AnyStore) -> None:
    same = inbound(0).sent_at
    late = [inbound(3, sent_at=same), inbound(10, sent_at=same), inbound(2, sent_at=same)]
    await store.accept([*late, inbound(1, sent_at=same - timedelta(seconds=1))])
    seen = Seen()
    await store.work(seen)
    assert seen.events == [Message("m1"), Message("m2"), Message("m3"), Message("m10")]


async def test_replay_reads_events_in_the_order_of_processing(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(2), None)
    await accept_one(store, inbound(1), None)
    await store.work(ECHO)
    done = await store.events(receipt.conversation)
    assert [it.pending.event for it in done] == [Message("m1"), Message("m2")]


async def test_an_internal_event_enters_once_per_key(store: AnyStore) -> None:
    home = (await accept_one(store, inbound(1))).conversation
    assert await store.push(home, CallDone("k", "ok"), "call:k")
    assert not await store.push(home, CallDone("k", "ok"), "call:k")
    seen = Seen()
    await store.work(seen)
    assert seen.events == [CallDone("k", "ok")]
    assert not await store.push(home, CallDone("k", "ok"), "call:k")


async def test_a_key_of_one_conversation_is_free_in_another(store: AnyStore) -> None:
    homes = [(await accept_one(store, inbound(n, str(n)))).conversation for n in (1, 2)]
    assert [await store.push(home, CallDone("k", "ok"), "k") for home in homes] == [True, True]


async def test_work_takes_at_most_so_many_conversations(store: AnyStore) -> None:
    await store.accept([inbound(n, str(n)) for n in range(5)])
    assert len(await store.work(ECHO, limit=2)) == 2
    assert (await store.stats())["inbox"] == 3


async def test_a_batch_is_bounded_and_the_rest_follows(store: AnyStore) -> None:
    await store.accept([inbound(n) for n in range(1, 31)])
    seen = Seen()
    await store.work(seen)
    await store.work(seen)
    assert [len(work.events) for work in seen.works] == [20, 10]
    assert seen.events == [Message(f"m{n}") for n in range(1, 31)]


async def test_what_a_colleague_said_is_an_operators_message_that_is_sent(store: AnyStore) -> None:
    home = (await accept_one(store, inbound(1))).conversation
    said = ColleagueReply("vk:77", "Здравствуйте")
    await accept_one(store, inbound(2, event=said))
    last = (await store.history(home))[-1]
    assert (last.author, last.state, last.event) == ("operator", "sent", said)


async def test_history_is_gapless_and_in_order(store: AnyStore) -> None:
    home = (await accept_one(store, inbound(1))).conversation
    await store.accept([inbound(2), inbound(3, event=Press("t", "Да"))])
    await store.work(ECHO)
    history = await store.history(home)
    assert [it.seq for it in history] == [1, 2, 3, 4, 5]
    assert [it.author for it in history] == ["client", "bot", "client", "bot", "client"]
    assert history[4].event == Press("t", "Да")
    assert [it.seq for it in await store.history(home, after=2, limit=2)] == [3, 4]


async def test_the_state_is_the_store_s_own(store: AnyStore) -> None:
    home = (await accept_one(store, inbound(1))).conversation
    mine = await store.conversation(home)
    assert mine is not None
    mine.talk.messages = 99
    other = await store.conversation(home)
    assert other is not None
    assert other.talk.messages == 0


async def test_version_and_place_grow_with_each_turn(store: AnyStore) -> None:
    home = (await accept_one(store, inbound(1))).conversation
    await accept_one(store, inbound(2))
    conversation = await store.conversation(home)
    assert conversation is not None
    assert (conversation.version, conversation.seq) == (2, 4)


async def test_the_cursor_is_stored_with_the_messages(store: AnyStore) -> None:
    assert await store.cursor("telegram") == ""
    await store.accept([inbound(1)], ECHO, Cursor("telegram", "2"))
    assert await store.cursor("telegram") == "2"
    await store.accept([], None, Cursor("telegram", "3"))
    assert await store.cursor("telegram") == "3"


def _raising(work: Work) -> Result:
    raise KeyError("mistake of the step")


async def test_a_unit_that_raises_leaves_nothing(store: AnyStore) -> None:
    with pytest.raises(KeyError):
        await store.accept([inbound(1)], _raising, Cursor("telegram", "2"))
    assert await store.cursor("telegram") == ""
    assert await store.find_conversation("telegram", "bot", "1") is None
    receipt = await accept_one(store, inbound(1))
    assert not receipt.duplicate


async def test_a_raising_unit_undoes_the_whole_call_and_its_leases(store: AnyStore) -> None:
    def second_fails(work: Work) -> Result:
        if work.events[0].event == Message("m2"):
            raise KeyError
        return ECHO(work)

    with pytest.raises(KeyError):
        await store.accept([inbound(1, "a"), inbound(2, "b")], second_fails)
    assert await store.lease() == []
    assert (await store.stats())["outbox"] == 0
    assert texts((await accept_one(store, inbound(1, "a"))).outbox) == ["re m1"]


# --- failures --------------------------------------------------------------------------------------------------------


async def test_a_failed_step_is_tried_again_after_a_pause(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1), failing)
    assert not receipt.processed
    assert await store.work(ECHO) == []
    clock.now += 0.21
    (worked,) = await store.work(ECHO)
    assert texts(worked.outbox) == ["re m1"]


async def test_many_events_that_are_put_off_hide_nothing_behind_them(store: AnyStore) -> None:
    """A claim looks at the oldest events first; here these are all of a conversation that waits."""
    await store.accept([inbound(n, "a") for n in range(1, 26)])
    await store.work(failing)
    await accept_one(store, inbound(99, "b"), None)
    (worked,) = await store.work(ECHO, limit=1)
    assert texts(worked.outbox) == ["re m99"]
    assert await store.work(ECHO, limit=1) == []


async def test_the_pause_doubles(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), None)
    for pause in (0.2, 0.4, 0.8, 1.6):
        assert await store.work(failing) != []
        clock.now += pause - 0.01
        assert await store.work(failing) == []
        clock.now += 0.02
    seen = Seen()
    await store.work(seen)
    assert seen.works[0].events[0].attempts == 4


async def test_after_five_attempts_the_event_is_dead_and_people_are_told(store: AnyStore, clock: FakeClock) -> None:
    home = (await accept_one(store, inbound(1), failing)).conversation
    for _ in range(4):
        clock.now += 5
        await store.work(failing)
    assert (await store.stats())["dead"] == 1
    seen = Seen()
    await store.work(seen)
    (event,) = seen.events
    assert isinstance(event, Poisoned)
    assert event.error == "boom"
    assert [it.event for it in await store.history(home)] == [Message("m1")]


async def test_a_poisoned_event_makes_no_second_one(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), failing)
    for _ in range(20):
        clock.now += 10
        await store.work(failing)
    assert (await store.stats())["dead"] == 2
    assert (await store.stats())["inbox"] == 0


async def test_a_failed_event_blocks_its_conversation_only(store: AnyStore) -> None:
    await accept_one(store, inbound(1, "a"), failing)
    await accept_one(store, inbound(2, "a"))
    await accept_one(store, inbound(3, "b"), None)
    seen = Seen()
    await store.work(seen)
    assert seen.events == [Message("m3")]


async def test_what_went_well_before_the_failure_stays(store: AnyStore, clock: FakeClock) -> None:
    def second_fails(work: Work) -> Result:
        ok = ECHO(work)
        ok.done, ok.failed = ok.done[:1], work.events[1]
        return ok

    await store.accept([inbound(1), inbound(2)])
    (receipt,) = await store.work(second_fails)
    assert texts(receipt.outbox) == ["re m1"]
    clock.now += 1
    seen = Seen()
    await store.work(seen)
    assert seen.events == [Message("m2")]


# --- the card, tickets, hooks ----------------------------------------------------------------------------------------


async def test_a_typed_value_never_replaces_a_proved_one(store: AnyStore) -> None:
    home = await accept_one(store, inbound(1), always(UpdateClient({"phone": "+7900", "city": "A"}, ("phone",))))
    await accept_one(store, inbound(2), always(UpdateClient({"phone": "+7111", "city": "B"})))
    conversation = await store.conversation(home.conversation)
    assert conversation is not None
    card = await store.client(conversation.client)
    assert card is not None
    assert (card["phone"], card["city"], card["verified"]) == ("+7900", "B", ["phone"])
    assert await store.find_clients("+7900") == [conversation.client]
    assert await store.find_clients("+7111") == []
    assert await store.find_clients("") == []


async def test_the_step_sees_the_card_it_wrote(store: AnyStore) -> None:
    await accept_one(store, inbound(1), always(UpdateClient({"city": "A"})))
    seen = Seen()
    await accept_one(store, inbound(2), seen)
    assert seen.works[0].client["city"] == "A"


async def test_ticket_numbers_of_one_group_do_not_collide(store: AnyStore) -> None:
    def open_ticket(work: Work) -> Result:
        ticket = CreateTicket(f"k{work.conversation.id}", work.ticket_number, "general", "t")
        return deciding(lambda _: (ticket,))(work)

    await store.accept([inbound(n, str(n)) for n in range(3)], open_ticket)
    await store.accept([inbound(n, str(n)) for n in range(10, 13)])
    await store.work(open_ticket)
    assert [it.number for it in await store.tickets()] == [6, 5, 4, 3, 2, 1]


async def test_those_who_wait_for_events_are_called(store: AnyStore) -> None:
    calls: list[int] = []
    store.on_events = lambda: calls.append(1)
    await accept_one(store, inbound(1))
    assert calls == []
    await accept_one(store, inbound(2), None)
    assert calls == [1]


async def test_uncaught_texts_are_counted(store: AnyStore, clock: FakeClock) -> None:
    for number, text in enumerate(["Где заказ?", "где  заказ", "ёж"]):
        clock.now += 1
        await accept_one(store, inbound(number), always(Record("uncaught", {"text": text})))
    assert await store.uncaught() == [("где заказ", 2, clock.now - 1), ("еж", 1, clock.now)]
    assert len(await store.uncaught(1)) == 1


async def test_a_broken_payload_is_kept_aside(store: AnyStore) -> None:
    await store.quarantine("telegram", b"\xff{", "not JSON")
    assert (await store.stats())["quarantine"] == 1


async def test_conversations_are_found(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1, "a", sender_id="s"))
    clock.now += 1
    await accept_one(store, inbound(2, "b", sender_id="s"))
    found = await store.find_conversation("telegram", "bot", "a")
    assert found is not None
    last = await store.last_conversation(found.client)
    assert last is not None
    assert last.chat == "b"
    before = await store.versions([found.id, last.id, 999])
    assert before == {found.id: found.version, last.id: last.version}
    clock.now += 1
    await accept_one(store, inbound(3, "a", sender_id="s"))
    assert await store.versions([found.id, last.id]) == {found.id: found.version + 1, last.id: last.version}
    assert await store.versions([]) == {}
    last = await store.last_conversation(found.client)
    assert last is not None
    assert last.chat == "a"
    assert await store.last_conversation(999) is None
    assert await store.find_conversation("telegram", "bot", "zz") is None
    assert await store.conversation(999) is None
    assert await store.client(999) is None


async def test_ages_are_those_of_the_oldest(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1, "a"))
    await accept_one(store, inbound(2, "b"), None)
    clock.now += 7
    stats = await store.stats()
    assert (stats["inbox"], stats["outbox"]) == (1, 1)
    assert (stats["inbox_age"], stats["outbox_age"]) == (7.0, 7.0)


async def test_an_event_keeps_its_form(store: AnyStore) -> None:
    event = TimerFired("silence", {"run": 1, "deep": {"a": [1, "б"]}})
    home = (await accept_one(store, inbound(1))).conversation
    await store.push(home, event, "k")
    seen = Seen()
    await store.work(seen)
    assert seen.events == [event]


async def test_the_backlog_is_what_waits_and_how_long(store: AnyStore, clock: FakeClock) -> None:
    assert await store.backlog() == (0, 0.0)
    await accept_one(store, inbound(1), None)
    clock.now += 30
    await accept_one(store, inbound(2, "2"), None)
    assert await store.backlog() == (2, 30.0)
    await store.work(ECHO)
    assert await store.backlog() == (0, 0.0)
