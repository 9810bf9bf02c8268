"""The outbox: lanes, leases, verdicts, edits, delivery timers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.effects import Call, CreateTicket, FetchFile, Note, Send, StartTimer
from core.events import DeliveryFailed, Message
from core.messages import Attachment
from core.outbox import OutboxRow, Verdict
from tests.storage.making import (
    ECHO,
    AnyStore,
    FakeClock,
    Seen,
    accept_one,
    always,
    deciding,
    drain,
    inbound,
    outgoing,
    say,
    settled,
    shown,
    stored,
    texts,
)

FINAL: list[Verdict] = ["sent", "unreachable", "rejected", "unknown", "refused"]


async def states(store: AnyStore, home: int) -> list[str]:
    return [it.state for it in await store.history(home)]


async def test_a_turn_hands_out_its_first_message_only(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a"), say("b"), say("c")))
    assert texts(receipt.outbox) == ["a"]
    assert await store.lease() == []
    (after,) = await store.mark([settled(receipt.outbox[0])])
    assert texts(after.outbox) == ["b"]
    assert await store.lease() == []
    (after,) = await store.mark([settled(after.outbox[0])])
    assert texts(after.outbox) == ["c"]
    assert await store.mark([settled(after.outbox[0])]) == []


async def test_what_is_handed_out_knows_whether_more_was_written_behind_it(store: AnyStore) -> None:
    alone, first = [
        (await accept_one(store, inbound(number, str(number)), always(*map(say, words)))).outbox[0]
        for number, words in enumerate(("a", "bc"))
    ]
    assert (alone.followed, first.followed) == (False, True)
    (after,) = await store.mark([settled(first)])
    assert (after.outbox[0].fresh, after.outbox[0].followed) == (False, False)


async def test_a_patient_mark_needs_nobody_to_come(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1))
    async with asyncio.timeout(5):
        assert await store.mark([settled(receipt.outbox[0])], patient=True) == []
    assert await states(store, receipt.conversation) == ["received", "sent"]


async def test_a_later_turn_waits_for_the_lane(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1))
    second = await accept_one(store, inbound(2))
    assert second.processed
    assert second.outbox == []
    (after,) = await store.mark([settled(first.outbox[0])])
    assert texts(after.outbox) == ["re m2"]


async def test_lanes_of_conversations_are_their_own(store: AnyStore) -> None:
    receipts = await store.accept([inbound(1, "a"), inbound(2, "b"), inbound(3, "a")], ECHO)
    assert [texts(it.outbox) for it in receipts] == [["re m1"], ["re m2"], []]


async def test_remote_work_goes_side_by_side(store: AnyStore) -> None:
    attachment = Attachment("photo", file="f1", ref="tg1")
    effects = (
        say("a"),
        Call("k", "shop", "order", {"number": 7}),
        FetchFile(attachment),
        CreateTicket("t", 1, "outer", "title", wait=True),
        say("b"),
    )
    receipt = await accept_one(store, inbound(1), always(*effects))
    assert texts(receipt.outbox) == ["a", "call", "fetch", "ticket"]
    assert [row.payload for row in receipt.outbox[1:]] == [
        {"key": "k", "service": "shop", "call": "order", "params": {"number": 7}},
        {"file": "f1", "ref": "tg1"},
        {"number": 1, "key": "t", "wait": True},
    ]
    assert len({row.key for row in receipt.outbox}) == 4


async def test_a_lease_ends_after_thirty_seconds(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1))
    clock.now += 29.9
    assert await store.lease() == []
    clock.now += 0.2
    again = await store.lease()
    assert [row.key for row in again] == [row.key for row in receipt.outbox]
    assert await store.lease() == []


async def test_lease_gives_only_heads_of_lanes(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1, "a"), always(say("a1"), say("a2")))
    await accept_one(store, inbound(2, "b"), always(say("b1"), Call("k", "s", "c")))
    clock.now += 31
    assert sorted(texts(await store.lease())) == ["a1", "b1", "call"]


async def test_lease_is_bounded_and_gives_the_oldest_first(store: AnyStore, clock: FakeClock) -> None:
    for number in range(5):
        await accept_one(store, inbound(number, str(number)))
    clock.now += 31
    assert texts(await store.lease(2)) == ["re m0", "re m1"]
    assert texts(await store.lease(2)) == ["re m2", "re m3"]


async def test_a_row_leaves_as_it_was_written(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1, "77"))
    (row,) = receipt.outbox
    clock.now += 31
    (again,) = await store.lease()
    assert (row.fresh, again.fresh) == (True, False)
    assert again == stored(row)
    assert (row.channel, row.account, row.chat, row.kind, row.seq) == ("telegram", "bot", "77", "send", 2)
    assert row.message == outgoing("re m1")
    assert row.created_at == clock.now - 31


@pytest.mark.parametrize("author", ["bot", "operator", "notice"])
async def test_only_the_bot_s_own_words_are_guarded(store: AnyStore, author: str) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a", author=author)))
    assert receipt.outbox[0].guarded == (author == "bot")
    assert [it.author for it in await store.history(receipt.conversation)] == ["client", author]


async def test_rows_carry_the_epoch_after_their_turn(store: AnyStore) -> None:
    from core.ports import Done, Result, Work

    def take_over(work: Work) -> Result:
        work.conversation.session.epoch = 3
        return Result(work.conversation, [Done(work.events[0], (say("a"),), epoch=2)])

    receipt = await accept_one(store, inbound(1), take_over)
    assert receipt.outbox[0].epoch == 2
    assert await store.epoch(receipt.conversation) == 3
    assert await store.epoch(999) == 0


# --- verdicts --------------------------------------------------------------------------------------------------------


async def test_sent_is_written_into_the_history(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1))
    assert await states(store, receipt.conversation) == ["received", "pending"]
    await store.mark([settled(receipt.outbox[0])])
    (_, item) = await store.history(receipt.conversation)
    assert (item.state, item.message_id) == ("sent", shown(receipt.outbox[0]))


async def test_retry_blocks_the_lane_until_its_time(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a"), say("b")))
    assert await store.mark([settled(receipt.outbox[0], "retry", after=60.0)]) == []
    assert await store.lease() == []
    clock.now += 59
    assert await store.lease() == []
    clock.now += 1
    (row,) = await store.lease()
    assert texts([row]) == ["a"]
    assert row.attempts == 1
    assert row.key == receipt.outbox[0].key
    assert await drain(store) == []
    (after,) = await store.mark([settled(row)])
    assert texts(after.outbox) == ["b"]


async def test_a_blocked_lane_holds_nobody_else_up(store: AnyStore) -> None:
    blocked = await accept_one(store, inbound(1, "a"))
    await store.mark([settled(blocked.outbox[0], "retry", after=60.0)])
    assert texts((await accept_one(store, inbound(2, "b"))).outbox) == ["re m2"]
    assert (await accept_one(store, inbound(3, "a"))).outbox == []


@pytest.mark.parametrize("verdict", FINAL)
async def test_every_final_verdict_frees_the_lane(store: AnyStore, verdict: Verdict) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a"), say("b")))
    (after,) = await store.mark([settled(receipt.outbox[0], verdict)])
    assert texts(after.outbox) == ["b"]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("unreachable", "failed"), ("rejected", "failed"), ("unknown", "failed"), ("refused", "refused")],
)
async def test_a_failure_is_seen_in_the_history(store: AnyStore, verdict: Verdict, state: str) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0], verdict, reason="said so")])
    item = (await store.history(receipt.conversation))[1]
    assert (item.state, item.reason) == (state, "said so")


@pytest.mark.parametrize("verdict", ["unreachable", "rejected", "unknown"])
async def test_giving_up_is_an_event(store: AnyStore, verdict: Verdict) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0], verdict, reason="why")])
    seen = Seen()
    await store.work(seen)
    assert seen.events == [DeliveryFailed(2, verdict, "why")]
    assert (await store.stats())["dead"] == 1


@pytest.mark.parametrize("verdict", ["sent", "refused"])
async def test_what_is_no_failure_makes_no_event(store: AnyStore, verdict: Verdict) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0], verdict)])
    assert (await store.stats())["inbox"] == 0
    assert (await store.stats())["dead"] == 0


async def test_a_failed_call_makes_no_delivery_event(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(Call("k", "s", "c")))
    await store.mark([settled(receipt.outbox[0], "rejected")])
    assert (await store.stats())["inbox"] == 0


async def test_unreachable_is_remembered(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0], "unreachable")])
    conversation = await store.conversation(receipt.conversation)
    assert conversation is not None
    assert not conversation.reachable
    await store.work(ECHO)  # the version went on, the next turn is not refused


@pytest.mark.parametrize("first", FINAL)
@pytest.mark.parametrize("second", FINAL)
async def test_marking_again_changes_nothing(store: AnyStore, first: Verdict, second: Verdict) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0], first)])
    before = await store.history(receipt.conversation), await store.stats()
    assert await store.mark([settled(receipt.outbox[0], second)]) == []
    assert (await store.history(receipt.conversation), await store.stats()) == before


async def test_a_late_retry_does_not_revive_a_sent_row(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1))
    await store.mark([settled(receipt.outbox[0])])
    await store.mark([settled(receipt.outbox[0], "retry", after=1.0)])
    clock.now += 60
    assert await store.lease() == []


async def test_a_repeated_mark_hands_the_next_row_out_once(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a"), say("b")))
    assert len(await store.mark([settled(receipt.outbox[0])])) == 1
    assert await store.mark([settled(receipt.outbox[0])]) == []


async def test_many_verdicts_in_one_call(store: AnyStore) -> None:
    receipts = await store.accept([inbound(n, str(n)) for n in range(4)], always(say("a"), say("b")))
    after = await store.mark([settled(it.outbox[0]) for it in receipts])
    assert [texts(it.outbox) for it in after] == [["b"]] * 4


async def test_parts_that_are_out_are_remembered(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1))
    row = receipt.outbox[0]
    row.sent_parts = ("p1",)
    clock.now += 20
    await store.progress(row)
    clock.now += 20
    assert await store.lease() == []  # a sender that makes progress keeps the row
    clock.now += 11
    (again,) = await store.lease()
    assert again.sent_parts == ("p1",)


async def test_a_chat_that_moved_takes_its_conversation_along(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1, "-1"), always(say("a"), say("b")))
    await store.mark([settled(receipt.outbox[0], "retry", migrate_to="-1001")])
    (row,) = await store.lease()
    assert row.chat == "-1001"
    assert (await accept_one(store, inbound(2, "-1001"))).conversation == receipt.conversation
    moved = await store.find_conversation("telegram", "bot", "-1001")
    assert moved is not None
    assert moved.id == receipt.conversation


async def test_a_chat_that_moved_onto_a_known_one_moves_its_rows(store: AnyStore) -> None:
    await accept_one(store, inbound(1, "-1001"))
    receipt = await accept_one(store, inbound(2, "-1"))
    await store.mark([settled(receipt.outbox[0], "retry", migrate_to="-1001")])
    (row,) = await store.lease()
    assert (row.chat, row.conversation) == ("-1001", receipt.conversation)


# --- edits -----------------------------------------------------------------------------------------------------------


def place(n: int) -> Send:
    return say(f"you are {n}", author="notice", slot="queue", replace=True)


async def test_a_slot_s_first_message_is_sent(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(place(3)))
    assert [(row.kind, row.target) for row in receipt.outbox] == [("send", 0)]


async def test_a_sent_message_of_a_slot_is_edited(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await store.mark([settled(first.outbox[0])])
    second = await accept_one(store, inbound(2), always(place(2)))
    (row,) = second.outbox
    assert (row.kind, row.target, row.target_ids) == ("edit", first.outbox[0].id, (shown(first.outbox[0]),))
    assert row.seq == first.outbox[0].seq
    await store.mark([settled(row)])
    third = await accept_one(store, inbound(3), always(place(1)))
    assert (third.outbox[0].kind, third.outbox[0].target) == ("edit", first.outbox[0].id)
    history = await store.history(first.conversation)
    assert [it.seq for it in history] == [1, 2, 3, 4]
    edited = history[1]
    assert (edited.message, edited.edited, edited.state) == (outgoing("you are 1"), 2, "sent")


async def test_an_unsent_message_of_a_slot_is_replaced_in_place(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(say("before"), place(3)))
    await accept_one(store, inbound(2), always(place(2)))
    (after,) = await store.mark([settled(first.outbox[0])])
    assert texts(after.outbox) == ["you are 2"]
    assert await store.mark([settled(after.outbox[0])]) == []


async def test_a_message_that_is_being_sent_is_edited_after_it(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    second = await accept_one(store, inbound(2), always(place(2)))
    assert second.outbox == []
    (after,) = await store.mark([settled(first.outbox[0])])
    (row,) = after.outbox
    assert (row.kind, row.target_ids) == ("edit", (shown(first.outbox[0]),))


async def test_newer_edits_replace_unsent_ones(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(5)))
    for number in (4, 3, 2):
        await accept_one(store, inbound(10 - number), always(place(number)))
    (after,) = await store.mark([settled(first.outbox[0])])
    assert texts(after.outbox) == ["you are 2"]
    assert await store.mark([settled(after.outbox[0])]) == []


async def test_a_message_that_failed_is_not_edited_but_sent_anew(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await store.mark([settled(first.outbox[0], "rejected")])
    await store.work(ECHO)
    second = await accept_one(store, inbound(2), always(place(2)))
    assert [(row.kind, row.target) for row in second.outbox] == [("send", 0)]


async def test_edits_of_a_failed_message_are_refused(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await accept_one(store, inbound(2), always(place(2), say("then")))
    (after,) = await store.mark([settled(first.outbox[0], "rejected")])
    assert texts(after.outbox) == ["then"]


async def test_a_failed_edit_leaves_the_message_as_sent(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await store.mark([settled(first.outbox[0])])
    second = await accept_one(store, inbound(2), always(place(2)))
    await store.mark([settled(second.outbox[0], "rejected")])
    assert (await states(store, first.conversation))[1] == "sent"


async def test_a_slot_without_replace_is_a_new_message(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await store.mark([settled(first.outbox[0])])
    second = await accept_one(store, inbound(2), always(say("new", slot="queue")))
    assert second.outbox[0].kind == "send"
    await store.mark([settled(second.outbox[0])])
    third = await accept_one(store, inbound(3), always(place(1)))
    assert third.outbox[0].target == second.outbox[0].id


# --- timers that wait for delivery -----------------------------------------------------------------------------------

SILENCE = StartTimer("silence", 60.0, {"run": 1}, from_delivery=True)


@pytest.mark.parametrize("verdict", FINAL)
async def test_a_delivery_timer_counts_from_the_verdict(store: AnyStore, clock: FakeClock, verdict: Verdict) -> None:
    receipt = await accept_one(store, inbound(1), always(SILENCE, say("a")))
    assert await store.next_due() is None
    clock.now += 100
    assert await store.due(clock.at()) == 0
    await store.mark([settled(receipt.outbox[0], verdict)])
    assert await store.next_due() == clock.now + 60


async def test_a_delivery_timer_waits_for_the_turn_s_last_message(store: AnyStore, clock: FakeClock) -> None:
    receipt = await accept_one(store, inbound(1), always(say("a"), SILENCE, say("b")))
    (after,) = await store.mark([settled(receipt.outbox[0])])
    assert await store.next_due() is None
    await store.mark([settled(after.outbox[0])])
    assert await store.next_due() == clock.now + 60


async def test_a_retry_arms_nothing(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(SILENCE, say("a")))
    await store.mark([settled(receipt.outbox[0], "retry", after=1.0)])
    assert await store.next_due() is None


async def test_without_a_message_a_delivery_timer_counts_from_now(store: AnyStore, clock: FakeClock) -> None:
    await accept_one(store, inbound(1), always(SILENCE))
    assert await store.next_due() == clock.now + 60


async def test_each_turn_of_a_batch_has_its_own_last_message(store: AnyStore, clock: FakeClock) -> None:
    await store.accept([inbound(1), inbound(2)])
    turn = deciding(lambda it: (say("a"), SILENCE) if it.event == Message("m1") else (StartTimer("x", 5.0),))
    (receipt,) = await store.work(turn)
    assert await store.next_due() == clock.now + 5
    await store.mark([settled(receipt.outbox[0])])
    assert await store.due(clock.at() + timedelta(seconds=61)) == 2


async def test_edits_refused_with_their_message_arm_their_timers(store: AnyStore) -> None:
    first = await accept_one(store, inbound(1), always(place(3)))
    await accept_one(store, inbound(2), always(place(2), SILENCE))
    await store.mark([settled(first.outbox[0], "rejected")])
    assert await store.next_due() is not None


async def test_a_note_never_becomes_a_message(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1), always(Note("he is angry", "anna")))
    assert receipt.outbox == []
    assert [it.author for it in await store.history(receipt.conversation)] == ["client"]
    (note,) = await store.notes(receipt.conversation)
    assert (note["author"], note["text"]) == ("anna", "he is angry")
    assert await store.notes(999) == []


async def test_keys_survive_and_never_repeat(store: AnyStore) -> None:
    rows: list[OutboxRow] = []
    for number in range(20):
        receipt = await accept_one(store, inbound(number, str(number)))
        rows += receipt.outbox
    assert len({row.key for row in rows}) == 20
