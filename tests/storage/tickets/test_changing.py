"""Changes of tickets over every store: compared, kept, told once to those concerned, wherever they can be reached."""

from __future__ import annotations

from typing import Any

import pytest

from core.effects import CreateTicket, Effect, Send
from core.events import TicketChanged
from core.outbox import OutboxRow
from core.ports import Pending
from core.tickets import CLIENT, Desk, Refused, Ticket, TicketChange, TicketStatus, news_slot
from tests.storage.making import (
    AnyStore,
    FakeClock,
    Seen,
    accept_one,
    always,
    deciding,
    inbound,
    outgoing,
    settled,
)

NEW, WORK = TicketStatus("new", "новая"), TicketStatus("work", "в работе")
ASK, DONE = TicketStatus("ask", "ждём вас", "waiting"), TicketStatus("done", "решена", "done")
DESK = Desk("general", "Обращения", statuses=(NEW, WORK, ASK, DONE))


def order(key: str, number: int, **more: Any) -> CreateTicket:
    return CreateTicket(key, number, "general", f"Ticket {number}", **more)


async def open_ticket(store: AnyStore, number: int = 1, chat: str = "a", **more: Any) -> int:
    """A client with a ticket; the conversation."""
    it = inbound(number, chat, sender_id=more.pop("sender", chat), channel=more.pop("channel", "telegram"))
    return (await accept_one(store, it, always(order(f"k{number}", number, **more)))).conversation


async def get(store: AnyStore, number: int = 1) -> Ticket:
    found = await store.ticket(number)
    assert found is not None
    return found


async def change(store: AnyStore, by: str = "user:7", number: int = 1, **wanted: Any) -> Refused:
    return await store.change_ticket(TicketChange(number, by, desk=DESK, **wanted))


def saying(pending: Pending) -> tuple[Effect, ...]:
    """What the bot does with news: a notice that names them."""
    event = pending.event
    if not isinstance(event, TicketChanged):
        return ()
    slot = news_slot(event.source or event.number, event.place, event.number)
    return (Send(outgoing(f"{event.number}: {event.status} {event.comment}".strip()), "notice", slot=slot),)


async def news(store: AnyStore) -> list[tuple[int, TicketChanged]]:
    """What waits for clients: (conversation, event)."""
    seen = Seen(saying)
    await store.work(seen)
    return [
        (work.conversation.id, it.event)
        for work in seen.works
        for it in work.events
        if isinstance(it.event, TicketChanged)
    ]


async def test_a_change_is_compared_with_what_was_seen(store: AnyStore) -> None:
    await open_ticket(store)
    assert await change(store, version=1, status=WORK) == ""
    assert await change(store, version=1, status=DONE) == "stale"
    ticket = await get(store)
    assert (ticket.status, ticket.means, ticket.version) == ("work", "open", 2)


async def test_every_change_is_in_the_history_with_who(store: AnyStore, clock: FakeClock) -> None:
    await open_ticket(store, fields={"Вопрос": "где?", "Паспорт": "45 00"}, private=("Паспорт",))
    clock.now += 5
    await change(store, category="Доставка", assignee="user:9", deadline=99.0, priority="высокая", files=("f1", "f1"))
    await change(store, "user:8", status=DONE, fields={"Вопрос": "когда?", "Паспорт": "45 11"})
    ticket = await get(store)
    assert (ticket.category, ticket.assignee, ticket.deadline, ticket.solved_at) == (
        "Доставка",
        "user:9",
        99.0,
        clock.now,
    )
    assert ticket.fields == {"Вопрос": "когда?", "Паспорт": "45 11"}
    assert [(entry["what"], entry["by"]) for entry in ticket.history] == [
        ("created", "bot"),
        ("changed", "user:7"),
        ("changed", "user:8"),
    ]
    assert ticket.history[2]["fields"] == {"Вопрос": "когда?", "Паспорт": "…"}, "a private field is told once"
    await change(store, status=WORK)
    assert (await get(store)).solved_at == 0.0


async def test_a_change_happens_once_per_key(store: AnyStore) -> None:
    home = await open_ticket(store)
    for _ in range(3):
        assert await change(store, key="k", comment="Скоро.") == ""
    assert len((await get(store)).comments) == 1
    assert [it for it, _ in await news(store)] == [home]


# --- clients ---------------------------------------------------------------------------------------------------------


async def test_a_client_changes_only_their_own(store: AnyStore) -> None:
    await open_ticket(store, 1, "a")
    await open_ticket(store, 2, "b")
    other = (await get(store, 2)).client
    for wanted in ({"comment": "моё?"}, {"status": WORK}, {"rating": 5}):
        assert await change(store, CLIENT, client=other, **wanted) == "missing"
    assert len((await get(store)).history) == 1


async def test_what_a_client_says_is_not_told_to_them(store: AnyStore) -> None:
    await open_ticket(store)
    mine = (await get(store)).client
    await change(store, status=ASK)
    assert len(await news(store)) == 1
    assert await change(store, CLIENT, client=mine, comment="Вот чек", status=WORK) == ""
    assert await news(store) == []
    ticket = await get(store)
    assert (ticket.means, ticket.comments[-1]["by"], ticket.comments[-1]["told"]) == ("open", CLIENT, False)


async def test_a_client_opens_again_and_rates_what_is_done_alone(store: AnyStore) -> None:
    await open_ticket(store)
    mine = (await get(store)).client
    assert await change(store, CLIENT, client=mine, status=WORK) == "not_done"
    assert await change(store, CLIENT, client=mine, rating=5) == "not_done"
    await change(store, status=DONE)
    assert await change(store, CLIENT, client=mine, rating=4) == ""
    assert await change(store, CLIENT, client=mine, status=WORK, key="r") == ""
    assert await change(store, CLIENT, client=mine, status=WORK, key="r") == "", "the same press"
    ticket = await get(store)
    assert (ticket.means, ticket.rating) == ("open", 4)


# --- where a client hears of it --------------------------------------------------------------------------------------


async def test_a_client_is_told_where_they_can_be_reached(store: AnyStore, clock: FakeClock) -> None:
    """The channel they used last does not take messages: the one before it does, and the history says so."""
    first = await open_ticket(store, sender="s", chat="a")
    clock.now += 1
    blocked = (await accept_one(store, inbound(2, "b", sender_id="s"))).conversation
    await block(store, clock, blocked)
    await change(store, comment="Готово")
    assert [home for home, _ in await news(store)] == [first]
    assert (await get(store)).history[-1] | {"at": 0, "client": 0} == {
        **{"at": 0, "what": "untold", "place": 2, "client": 0, "conversation": blocked},
        **{"channel": "telegram", "instead": "telegram", "why": "unreachable"},
    }


async def waiting(store: AnyStore, clock: FakeClock) -> list[OutboxRow]:
    """Messages that nobody has sent yet; whoever got them before is gone."""
    clock.now += 31
    return await store.lease()


async def block(store: AnyStore, clock: FakeClock, home: int) -> None:
    """What waits for a client does not reach them."""
    rows = [row for row in await waiting(store, clock) if row.conversation == home]
    assert rows
    await store.mark([settled(rows[0], "unreachable", reason="blocked")])
    found = await store.conversation(home)
    assert found is not None
    assert not found.reachable


async def test_what_did_not_reach_the_client_is_told_elsewhere_once(store: AnyStore, clock: FakeClock) -> None:
    first = await open_ticket(store, sender="s", chat="a")
    clock.now += 1
    last = (await accept_one(store, inbound(2, "b", sender_id="s"), deciding(saying))).conversation
    await change(store, status=DONE, comment="Вернули")
    assert [home for home, _ in await news(store)] == [last]
    await block(store, clock, last)
    assert [(home, it.status, it.comment) for home, it in await news(store)] == [(first, "решена", "Вернули")]
    await block(store, clock, first)
    assert await news(store) == [], "there is nowhere else"
    untold = [entry for entry in (await get(store)).history if entry["what"] == "untold"]
    assert [(it["conversation"], it["instead"], it["why"]) for it in untold] == [
        (last, "telegram", "blocked"),
        (first, "", "blocked"),
    ]


async def test_what_a_takeover_refused_is_told_again(store: AnyStore, clock: FakeClock) -> None:
    home = await open_ticket(store)
    await change(store, status=WORK)
    await news(store)
    (row,) = await waiting(store, clock)
    await store.mark([settled(row, "refused")])
    assert [it for it, _ in await news(store)] == [home]
    (row,) = await waiting(store, clock)
    await store.mark([settled(row, "refused")])
    assert await news(store) == [], "once more, not for ever"


@pytest.mark.parametrize("slot", ["", "queue", "ticket:1", "ticket:x:1:1", "ticket:9:9:9", "ticket:1:99:1"])
async def test_slots_of_others_are_no_news(store: AnyStore, clock: FakeClock, slot: str) -> None:
    await open_ticket(store)
    await accept_one(store, inbound(5, "a", sender_id="a"), always(Send(outgoing("x"), "notice", slot=slot)))
    (row,) = await waiting(store, clock)
    await store.mark([settled(row, "unreachable", reason="blocked")])
    assert await news(store) == []
