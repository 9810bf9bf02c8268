"""Several workers over one database: nothing twice, nothing lost, everything in order, nobody waits for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.effects import StartTimer, StopTimer
from core.events import CallDone, Message
from core.outbox import OutboxRow, Verdict
from core.ports import Bundle, Cursor, LeaseLost, Receipt
from storage.postgres.flushing import compose
from storage.postgres.store import PostgresStore
from tests.postgres import USER, Cluster
from tests.storage.making import (
    ECHO,
    FakeClock,
    Seen,
    accept_one,
    always,
    deciding,
    drain,
    inbound,
    say,
    settled,
    texts,
)
from tests.storage.postgres.conftest import Make

# --- a conversation that another has -----------------------------------------------------------------------------------


async def test_a_locked_conversation_keeps_the_event_and_wakes_the_worker(one: PostgresStore, link: Any) -> None:
    home = (await accept_one(one, inbound(1))).conversation
    woken = asyncio.Event()
    one.on_events = woken.set
    async with link.transaction():
        await link.execute("SELECT 1 FROM conversations WHERE id = $1 FOR NO KEY UPDATE", home)
        receipt = await accept_one(one, inbound(2))
        assert (receipt.processed, receipt.duplicate) == (False, False)
        assert await one.work(ECHO) == []
        await asyncio.wait_for(woken.wait(), 5)
        woken.clear()
    await asyncio.wait_for(woken.wait(), 5)  # looked at again without anybody's asking
    (worked,) = await one.work(ECHO)
    assert worked.processed


async def test_the_same_event_at_two_processes_is_stored_once(one: PostgresStore, two: PostgresStore) -> None:
    for number in range(20):
        receipts = await asyncio.gather(*(accept_one(it, inbound(number, "x")) for it in (one, two) for _ in range(3)))
        assert len({it.conversation for it in receipts}) == 1
        await one.work(ECHO)
    done = await one.events(receipts[0].conversation)
    assert [it.pending.event for it in done] == [Message(f"m{number}") for number in range(20)]


async def test_first_contacts_at_two_processes_are_one_conversation(one: PostgresStore, two: PostgresStore) -> None:
    first = [inbound(number, f"chat {number}") for number in range(30)]
    second = [inbound(100 + number, f"chat {number}") for number in reversed(range(30))]
    receipts = await asyncio.gather(*(accept_one(one, it) for it in first), *(accept_one(two, it) for it in second))
    assert len({it.conversation for it in receipts}) == 30
    while await one.work(ECHO):
        pass
    for home in {it.conversation for it in receipts}:
        assert len(await one.events(home)) == 2


async def test_workers_share_what_is_pending(one: PostgresStore, two: PostgresStore) -> None:
    await one.accept([inbound(number, str(number % 40)) for number in range(200)])
    seen = {store: Seen() for store in (one, two)}

    async def work(store: PostgresStore) -> None:
        while await store.work(seen[store], limit=3):
            pass

    await asyncio.gather(*map(work, (one, two)))
    while await one.work(seen[one]):
        pass
    events = seen[one].events + seen[two].events
    assert len(events) == 200
    assert len({it.text for it in events if isinstance(it, Message)}) == 200


async def test_many_events_of_a_locked_conversation_hide_nothing_behind_them(one: PostgresStore, link: Any) -> None:
    await one.accept([inbound(n, "a") for n in range(1, 26)])
    await accept_one(one, inbound(99, "b"), None)
    async with link.transaction():
        await link.execute("SELECT FROM conversations WHERE chat = 'a' FOR UPDATE")
        (worked,) = await one.work(ECHO, limit=1)
    assert texts(worked.outbox) == ["re m99"]


async def test_the_turns_of_a_claim_are_written_together(one: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.postgres import collecting

    for chat in "abcde":
        await one.accept([inbound(100 * ord(chat) + n, chat) for n in (1, 2)])
    written: list[list[str]] = []

    def spy(changes: Any) -> tuple[str, list[Any]]:
        written.append(list(changes))
        return compose(changes)

    monkeypatch.setattr(collecting, "compose", spy)
    assert len(await one.work(ECHO)) == 5
    assert len(written) == 1


async def test_an_event_that_was_put_off_meanwhile_is_left_alone(one: PostgresStore, two: PostgresStore) -> None:
    from storage.postgres import loading, questions
    from tests.storage.making import failing

    await accept_one(one, inbound(1), None)
    assert len(await one.work(failing)) == 1
    assert await two.work(ECHO) == []
    assert questions.CLAIM_ONLY  # what was claimed before is looked at once more by each for itself
    async with two._groups._links.one() as link, two._groups.rows(link, 1) as rows, two._groups.transaction(link):
        home = (await one.find_conversation("telegram", "bot", "1")).id  # type: ignore[union-attr]
        assert await loading.claim(link, rows, None, 1, 10, [home]) == []
        await link.execute("ROLLBACK")


# --- leases ------------------------------------------------------------------------------------------------------------


async def test_a_row_of_a_dead_sender_is_taken_over(one: PostgresStore, two: PostgresStore, clock: FakeClock) -> None:
    (row,) = (await accept_one(one, inbound(1))).outbox
    assert await two.lease() == []
    clock.now += 29.9
    assert await two.lease() == []
    clock.now += 0.2
    (again,) = await two.lease()
    assert again.key == row.key
    assert await one.lease() == []
    await two.mark([settled(again)])
    assert await one.mark([settled(row, "rejected")]) == []  # the late verdict of the first changes nothing
    assert [it.state for it in await one.history(row.conversation)] == ["received", "sent"]


async def test_rows_of_others_are_left_free_and_told(one: PostgresStore, two: PostgresStore) -> None:
    told: list[frozenset[str]] = []
    one.hands, one.on_rows = (lambda channel: False), told.append
    two.hands = lambda channel: channel == "telegram"
    receipt = await accept_one(one, inbound(1))
    assert receipt.outbox == []
    await asyncio.sleep(0)
    assert told == [frozenset({"telegram"})]
    assert await one.lease() == []
    assert texts(await two.lease()) == ["re m1"]


async def test_calls_are_for_who_does_calls(one: PostgresStore, two: PostgresStore) -> None:
    from core.effects import Call

    told: list[frozenset[str]] = []
    one.hands, one.on_rows = (lambda channel: channel == "telegram"), told.append
    two.hands = lambda channel: channel == ""
    receipt = await accept_one(one, inbound(1), always(say("a"), Call("k", "s", "c")))
    assert texts(receipt.outbox) == ["a"]
    await asyncio.sleep(0)
    assert told == [frozenset({""})]
    assert texts(await two.lease()) == ["call"]


async def test_the_next_row_of_a_lane_stays_free_when_the_channel_is_another_s_now(one: PostgresStore) -> None:
    (row,) = (await accept_one(one, inbound(1), always(say("a"), say("b")))).outbox
    one.hands = lambda channel: False
    assert await one.mark([settled(row)]) == []
    one.hands = None
    assert texts(await one.lease()) == ["b"]


async def test_two_senders_never_get_the_same_row(one: PostgresStore, two: PostgresStore) -> None:
    one.hands = two.hands = lambda channel: False
    await one.accept([inbound(number, str(number)) for number in range(100)], ECHO)
    one.hands = two.hands = None
    found = await asyncio.gather(*(store.lease(9) for _ in range(8) for store in (one, two)))
    keys = [row.key for rows in found for row in rows]
    assert len(keys) == len(set(keys)) == 100


async def test_what_nobody_took_is_free_again(one: PostgresStore) -> None:
    task = asyncio.create_task(accept_one(one, inbound(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    while one._groups._running:
        await asyncio.sleep(0.005)
    stats = await one.stats()
    assert len(await one.lease()) == stats["outbox"]


async def test_a_lease_has_one_owner_and_an_epoch(one: PostgresStore, two: PostgresStore, clock: FakeClock) -> None:
    assert await one.hold("poll:a", "A", 12) == 1
    assert await two.hold("poll:a", "B", 12) is None
    clock.now += 11
    assert await one.hold("poll:a", "A", 12) == 1
    clock.now += 11.9
    assert await two.hold("poll:a", "B", 12) is None
    clock.now += 0.2
    assert await two.hold("poll:a", "B", 12) == 2
    assert await one.hold("poll:a", "A", 12) is None
    await one.release("poll:a", "A")  # not its own any more
    assert await one.hold("poll:a", "A", 12) is None
    await two.release("poll:a", "B")
    assert await one.hold("poll:a", "A", 12) == 3
    assert await one.hold("poll:b", "A", 12) == 1


async def test_a_race_for_a_lease_has_one_winner(one: PostgresStore, two: PostgresStore) -> None:
    for number in range(10):
        won = await asyncio.gather(
            *(it.hold(f"poll:{number}", f"{place}", 12) for place, it in enumerate((one, two) * 4))
        )
        assert len([it for it in won if it is not None]) == 1


async def test_a_poller_that_was_replaced_is_fenced_off(
    one: PostgresStore, two: PostgresStore, clock: FakeClock
) -> None:
    first = await one.hold("poll:telegram", "A", 12)
    assert first is not None
    await one.accept([inbound(1)], ECHO, Cursor("telegram", "2", first))
    clock.now += 13
    second = await two.hold("poll:telegram", "B", 12)
    assert second == first + 1
    await two.accept([inbound(2)], ECHO, Cursor("telegram", "3", second))
    with pytest.raises(LeaseLost):
        await one.accept([inbound(1), inbound(9)], ECHO, Cursor("telegram", "2", first))
    assert await one.cursor("telegram") == "3"
    assert (await accept_one(one, inbound(9))).duplicate is False  # and with the cursor its messages were refused


async def test_a_cursor_without_a_lease_is_not_compared(one: PostgresStore) -> None:
    await one.accept([], None, Cursor("telegram", "7"))
    assert await one.cursor("telegram") == "7"


async def test_a_fenced_poller_harms_nobody_in_its_group(one: PostgresStore) -> None:
    await one.hold("poll:telegram", "A", 12)
    results = await asyncio.gather(
        one.accept([inbound(1, "a")], ECHO, Cursor("telegram", "2", 9)),
        *(accept_one(one, inbound(number, str(number))) for number in range(2, 10)),
        return_exceptions=True,
    )
    assert isinstance(results[0], LeaseLost)
    assert all(isinstance(it, Receipt) and it.processed for it in results[1:])


# --- company ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def groups(one: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many units each group had, the last one last."""
    sizes: list[int] = []
    run = one._groups._transact

    async def counted(group: list[Any]) -> None:
        sizes.append(len(group))
        await run(group)

    monkeypatch.setattr(one._groups, "_transact", counted)
    return sizes


async def test_a_patient_mark_goes_with_the_next_message(
    one: PostgresStore, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.groups.PATIENCE", 60.0)
    first = await accept_one(one, inbound(1))
    marking = asyncio.ensure_future(one.mark([settled(first.outbox[0])], patient=True))
    await asyncio.sleep(0)
    second = await accept_one(one, inbound(2))
    assert await marking == []
    assert groups == [1, 2]
    assert texts(second.outbox) == ["re m2"]  # its lane was free in the same transaction


async def test_a_mark_and_a_message_of_one_chat_are_written_together(
    one: PostgresStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark arms what waited for its delivery; the turn sets one of these timers anew, and stops another."""
    written: list[tuple[str, ...]] = []

    def counted(changes: Mapping[str, Sequence[tuple[Any, ...]]]) -> tuple[str, list[Any]]:
        written.append(tuple(changes))
        return compose(changes)

    monkeypatch.setattr("storage.postgres.collecting.compose", counted)
    monkeypatch.setattr("storage.postgres.groups.PATIENCE", 60.0)
    waiting = (StartTimer(key, 60.0, from_delivery=True) for key in ("kept", "anew", "stopped"))
    first = await accept_one(one, inbound(1), always(*waiting, say("a")))
    written.clear()
    marking = asyncio.ensure_future(one.mark([settled(first.outbox[0])], patient=True))
    await asyncio.sleep(0)
    await accept_one(one, inbound(2), always(StartTimer("anew", 100.0), StopTimer("stopped")))
    await marking
    assert len(written) == 1
    assert await one.due(clock.at() + timedelta(seconds=59)) == 0
    assert await one.due(clock.at() + timedelta(seconds=61)) == 1
    assert await one.next_due() == clock.now + 100


async def test_a_mark_somebody_waits_for_begins_at_once(
    one: PostgresStore, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.groups.PATIENCE", 60.0)
    receipt = await accept_one(one, inbound(1), always(say("a"), say("b")))
    (after,) = await one.mark([settled(receipt.outbox[0])])
    assert (texts(after.outbox), groups) == (["b"], [1, 1])


async def test_a_store_that_closes_waits_for_the_patient(one: PostgresStore, two: PostgresStore) -> None:
    receipt = await accept_one(one, inbound(1))
    marking = asyncio.ensure_future(one.mark([settled(receipt.outbox[0])], patient=True))
    await asyncio.sleep(0)
    await one.close()
    assert await marking == []
    assert [it.state for it in await two.history(receipt.conversation)] == ["received", "sent"]


# --- timers ------------------------------------------------------------------------------------------------------------


async def test_a_timer_fires_at_one_of_many_clocks(one: PostgresStore, two: PostgresStore, clock: FakeClock) -> None:
    await one.accept([inbound(number, str(number)) for number in range(30)], always(StartTimer("t", 10.0)))
    clock.now += 11
    fired = await asyncio.gather(*(store.due(clock.at()) for store in (one, two) for _ in range(3)))
    assert sum(fired) == 30
    assert (await one.stats())["inbox"] == 30


# --- everything at once ------------------------------------------------------------------------------------------------

FAILURES: list[Verdict] = ["rejected", "unknown", "unreachable", "refused", "retry"]


class Traffic:
    """Two processes with clients, senders and workers, each at random."""

    def __init__(self, stores: tuple[PostgresStore, ...], seed: int, sure: bool) -> None:
        self.stores = stores
        self.random = random.Random(seed)
        self.sure = sure  # every send succeeds
        self.sent: dict[int, list[int]] = {}  # conversation → ids of rows in the order of sending
        self.tasks: set[asyncio.Task[None]] = set()

    def store(self) -> PostgresStore:
        return self.random.choice(self.stores)

    def spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def take(self, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            for row in receipt.outbox:
                self.spawn(self.send(row))

    async def send(self, row: OutboxRow) -> None:
        await asyncio.sleep(self.random.random() * 0.004)
        store = self.store()
        await store.epoch(row.conversation)
        fails = not self.sure and self.random.random() < 0.3
        verdict: Verdict = self.random.choice(FAILURES) if fails else "sent"
        if verdict != "retry":
            self.sent.setdefault(row.conversation, []).append(row.id)
        self.take(await store.mark([settled(row, verdict)]))

    async def client(self, chat: str, messages: int) -> None:
        for number in range(messages):
            name = f"{chat}:{number}"
            event = inbound(number, chat, Message(name), external_id=name)
            self.take(await self.store().accept([event], deciding(self.turn)))
            await asyncio.sleep(self.random.random() * 0.01)

    def turn(self, pending: Any) -> Any:
        event = pending.event
        if not isinstance(event, Message):
            return (say("and then"),)
        more = (StartTimer("silence", 0.01, {}, from_delivery=True),) if self.random.random() < 0.3 else ()
        return (say(event.text), say("more"), *more)

    async def work(self, until: Callable[[], bool]) -> None:
        while not until():
            store = self.store()
            self.take(await store.work(deciding(self.turn), limit=self.random.randint(1, 6)))
            await asyncio.sleep(self.random.random() * 0.01)

    async def push(self, homes: list[int], messages: int) -> None:
        for number in range(messages):
            home = self.random.choice(homes)
            await self.store().push(home, CallDone(f"k{number}", "ok"), f"k{number}")
            await asyncio.sleep(self.random.random() * 0.01)

    async def left(self) -> float:
        """What nobody has in hand: events, and rows that are to be sent again, for which only a look may find a sender."""
        stats = await self.stores[0].stats()
        return stats["inbox"] + (0 if self.sure else stats["outbox"])

    async def run(self, chats: int, messages: int) -> None:
        """Until every client has said everything and nothing is on its way."""
        homes = [
            (await accept_one(self.stores[0], inbound(0, f"c{n}", external_id=f"first {n}"), None))
            for n in range(chats)
        ]
        done = False
        workers = [asyncio.ensure_future(self.work(lambda: done)) for _ in range(2)]
        clients = [self.client(f"c{number}", messages) for number in range(chats)]
        await asyncio.gather(*clients, self.push([it.conversation for it in homes], messages))
        while self.tasks or await self.left():
            await asyncio.sleep(0.01)
            if not self.sure:
                self.take([Receipt(row.conversation, outbox=[row]) for row in await self.stores[0].lease()])
        done = True
        await asyncio.gather(*workers)


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_doubled_or_overtaken(
    one: PostgresStore, two: PostgresStore, link: Any, server: Cluster, seed: int
) -> None:
    before = len(server.said())
    traffic = Traffic((one, two), seed, sure=True)
    await traffic.run(chats=12, messages=8)
    # Every row reached a sender without anybody's looking for it: no hand-over between two processes was missed.
    assert await link.fetchval("SELECT count(*) FROM outbox WHERE state = 0") == 0
    assert all(ids == sorted(ids) and len(ids) == len(set(ids)) for ids in traffic.sent.values())
    for number in range(12):
        conversation = await one.find_conversation("telegram", "bot", f"c{number}")
        assert conversation is not None
        texts = [it.event.text for it in await one.history(conversation.id) if isinstance(it.event, Message)]
        assert texts == ["m0", *(f"c{number}:{place}" for place in range(8))]
        seqs = [it.seq for it in await one.history(conversation.id)]
        assert seqs == list(range(1, len(seqs) + 1))
    assert "deadlock" not in server.said(before)


@pytest.mark.parametrize("seed", range(2))
async def test_random_verdicts_and_moves_never_block_each_other(
    one: PostgresStore, two: PostgresStore, server: Cluster, seed: int
) -> None:
    before = len(server.said())
    traffic = Traffic((one, two), seed, sure=False)
    await traffic.run(chats=6, messages=8)
    assert all(ids == sorted(ids) for ids in traffic.sent.values())
    assert "deadlock" not in server.said(before)
    assert await drain(one) == []


# --- ids and numbers ---------------------------------------------------------------------------------------------------


async def test_ticket_numbers_of_two_processes_differ(one: PostgresStore, two: PostgresStore) -> None:
    from core.effects import CreateTicket
    from core.ports import Result, Work

    def open_tickets(work: Work) -> Result:
        effects = [
            CreateTicket(f"k{work.conversation.id}-{n}", work.ticket_number + n, "general", "t") for n in range(3)
        ]
        return deciding(lambda _: tuple(effects))(work)

    await asyncio.gather(
        *(accept_one(store, inbound(n, f"{n}"), open_tickets) for n, store in enumerate((one, two) * 12))
    )
    numbers = [it.number for it in await one.tickets(limit=100)]
    assert len(numbers) == len(set(numbers)) == 72


async def test_numbers_that_were_not_used_are_given_back(new: Make, database: str) -> None:
    from core.effects import CreateTicket

    for key in range(1, 4):
        store = new()
        await store.open()
        seen = Seen(lambda _: ())
        await accept_one(store, inbound(key), seen)
        number = seen.works[0].ticket_number
        await accept_one(store, inbound(key + 10), always(CreateTicket(f"k{key}", number, "general", "t")))
        assert number == key
        await store.close()


async def test_epochs_are_asked_for_together(one: PostgresStore) -> None:
    home = (await accept_one(one, inbound(1))).conversation
    asked: list[list[int]] = []
    ask = one._epochs._ask

    async def spy(sql: str, *values: Any) -> list[Any]:
        asked.append(values[0])
        return await ask(sql, *values)

    one._epochs._ask = spy
    assert await asyncio.gather(*(one.epoch(it) for it in (home, 999, home))) == [0, 0, 0]
    assert asked == [[home, 999]]


async def test_texts_that_postgresql_cannot_store_are_mended(one: PostgresStore) -> None:
    first = inbound(1, "a\0b", Message("x\0y"), sender_id="s\0", sender_name="n\0", external_id="e\0")
    receipts = await asyncio.gather(accept_one(one, first), accept_one(one, inbound(2, "other")))
    assert all(it.processed for it in receipts)
    again = await accept_one(one, first)
    assert (again.duplicate, again.conversation) == (True, receipts[0].conversation)
    (item, _) = await one.history(receipts[0].conversation)
    assert item.event == Message("x\0y")  # JSON escapes it


async def test_a_unit_that_raises_harms_nobody_in_its_group(one: PostgresStore) -> None:
    def mistaken(work: Any) -> Any:
        raise KeyError("mistake of the step")

    results = await asyncio.gather(
        *(accept_one(one, inbound(number, str(number)), mistaken if number == 5 else ECHO) for number in range(10)),
        return_exceptions=True,
    )
    assert [type(it) for it in results] == [*([Receipt] * 5), KeyError, *([Receipt] * 4)]
    assert await one.find_conversation("telegram", "bot", "5") is None


async def test_what_is_tried_again_is_not_overtaken(one: PostgresStore) -> None:
    """The first message waits for its second attempt; the one after it in the same chat waits too."""
    first, second = inbound(1, "a", external_id="e\0"), inbound(2, "a")
    receipts = await asyncio.gather(*(accept_one(one, it) for it in (first, second, inbound(3, "b"))))
    assert all(it.processed for it in receipts)
    done = await one.events(receipts[0].conversation)
    assert [it.pending.event for it in done] == [Message("m1"), Message("m2")]


async def test_a_chat_that_floods_waits_for_itself_only(one: PostgresStore) -> None:
    flood = [accept_one(one, inbound(number, "flood")) for number in range(200)]
    others = [accept_one(one, inbound(1000 + number, str(number))) for number in range(20)]
    receipts = await asyncio.gather(*flood, *others)
    assert all(it.processed for it in receipts)
    done = await one.events(receipts[0].conversation)
    assert [it.pending.event for it in done] == [Message(f"m{number}") for number in range(200)]


# --- flows -------------------------------------------------------------------------------------------------------------


async def test_two_who_publish_at_once_leave_one_current_bundle(one: PostgresStore, two: PostgresStore) -> None:
    names = [f"{n:016x}" for n in range(24)]
    await asyncio.gather(
        *(store.publish(Bundle(name, {}, {}, float(n))) for n, name in enumerate(names) for store in (one, two))
    )
    assert len([it for it in await one.bundles() if it.current]) == 1


# --- what a group needs: asked for at once, or one by one ----------------------------------------------------------------


@pytest.fixture
async def bare(server: Cluster, database: str, link: Any, new: Make) -> AsyncIterator[PostgresStore]:
    """The store as a role that may make nothing temporary, so no functions of its own either."""
    role = f"bare_{database}"
    await link.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC; CREATE ROLE {role} LOGIN")
    await link.execute(
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
    )
    made = new(server.url(database).replace(f"//{USER}@", f"//{role}@"))
    await made.open()
    yield made
    await made.close()
    await link.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def _dialogue(store: PostgresStore, chat: str) -> list[list[str]]:
    """A new chat, a repeated delivery, a lane with something behind, a chat that is known."""
    went = []
    for number in range(ord(chat) * 10, ord(chat) * 10 + 3):
        receipt = await accept_one(store, inbound(number, chat), always(say("one"), say("two")))
        again = await accept_one(store, inbound(number, chat), always(say("one"), say("two")))
        (after,) = await store.mark([settled(receipt.outbox[0])])
        assert await store.mark([settled(after.outbox[0])]) == []
        went.append([str(again.duplicate), *texts(receipt.outbox), *texts(after.outbox)])
    return went


async def test_a_role_that_may_make_no_functions_gets_the_same(one: PostgresStore, bare: PostgresStore) -> None:
    usual, plain = await _dialogue(one, "a"), await _dialogue(bare, "b")
    assert plain == usual == [["True", "one", "two"]] * 3
    assert (one._writers.prepared, bare._writers.prepared) == (True, False)


IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name = 'frontline'
AND datname = current_database()"""


async def test_a_transaction_begun_in_advance_is_ended_when_nobody_comes(one: PostgresStore, link: Any) -> None:
    await accept_one(one, inbound(1))
    assert await link.fetchval(IN_TRANSACTION) == 1
    async with asyncio.timeout(10):
        while await link.fetchval(IN_TRANSACTION):
            await asyncio.sleep(0.05)
    assert (await accept_one(one, inbound(2))).processed
