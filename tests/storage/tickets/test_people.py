"""What people do with tickets beside changing them, and what they see of them, on both engines."""

from __future__ import annotations

from typing import Any

import msgspec

from core.access import Sight
from core.conversation import Session
from core.ports import Done, Result, Work
from core.tickets import CLIENT, Desk, Refused, TicketStatus
from core.turn import Trace
from storage.tickets import deeds
from storage.tickets.following import follow_desks
from storage.tickets.reading import TicketQuery, list_tickets, seen_ticket, ticket_page
from storage.work.units import Units
from tests.storage.making import FakeClock, accept_one, inbound, settled
from tests.storage.tickets.conftest import Based
from tests.storage.tickets.test_changing import ASK, DESK, DONE, NEW, WORK, change, get, news, open_ticket, order

ALL = Sight(everything=True)


def on_line(line: str, *tickets: Any) -> Any:
    """A turn in a session that is on a line."""

    def decide(work: Work) -> Result:
        session = Session(number=work.conversation.session.number + 1, line=line, opened_at=1.0)
        home = msgspec.structs.replace(work.conversation, session=session)
        return Result(home, [Done(it, tickets, (Trace("test"),), b"{}", 0) for it in work.events])

    return decide


async def do(store: Based, deed: Any, *asked: Any, homes: tuple[int, ...] = ()) -> Refused:
    found: Refused = await Units(store).write(lambda ledger: deed(ledger, *asked), homes)
    return found


async def numbers(store: Based, sight: Sight = ALL, **asked: Any) -> list[int]:
    rows = await Units(store).ask(lambda reads: list_tickets(reads, sight, TicketQuery(**asked)))
    return [row["number"] for row in rows]


async def test_notes_stand_in_their_own_table_alone(based: Based) -> None:
    await open_ticket(based)
    assert await do(based, deeds.add_note, 1, "user:7", "только нам") == ""
    assert await do(based, deeds.add_note, 9, "user:7", "никому") == "missing"
    page = await Units(based).ask(lambda reads: ticket_page(reads, ALL, 1, 0.0))
    assert page is not None
    assert [(it["author"], it["text"]) for it in page.notes] == [("user:7", "только нам")]
    assert "только нам" not in str(page.entries)
    assert page.entries[-1]["what"] == "note"
    assert await news(based) == []


async def test_tickets_and_sessions_are_many_to_many(based: Based) -> None:
    home = (await accept_one(based, inbound(1, "a"), on_line("support", order("k1", 1), order("k2", 2)))).conversation
    other = (await accept_one(based, inbound(2, "b"), on_line("billing"))).conversation
    assert await numbers(based, session=(home, 1)) == [1, 2]
    assert await do(based, deeds.link_session, 1, other, 1, "user:7") == ""
    assert await do(based, deeds.link_session, 1, other, 1, "user:7") == "", "linked is linked"
    assert await numbers(based, session=(other, 1)) == [1]
    assert await do(based, deeds.link_session, 1, other, 5, "user:7") == "missing"
    assert await do(based, deeds.unlink_session, 1, home, 1, "user:7") == ""
    assert await do(based, deeds.unlink_session, 1, home, 1, "user:7") == "missing"
    assert await numbers(based, session=(home, 1)) == [2]
    assert [entry["what"] for entry in (await get(based)).history] == ["created", "linked", "unlinked"]


async def test_tickets_are_seen_by_line_session_and_assignee(based: Based) -> None:
    await accept_one(based, inbound(1, "a"), on_line("support", order("k1", 1)))
    other = (await accept_one(based, inbound(2, "b"), on_line("billing", order("k2", 2)))).conversation
    support, billing = Sight(lines=("support",), user=3), Sight(lines=("billing",), user=4)
    assert await numbers(based, support) == [1]
    assert await numbers(based, billing) == [2]
    assert await numbers(based, Sight(lines=("supp", "port"), user=5)) == []
    assert await numbers(based, Sight()) == []
    assert await do(based, deeds.link_session, 1, other, 1, "user:7") == ""
    assert await numbers(based, billing) == [1, 2]
    await change(based, number=2, assignee="user:3")
    assert await numbers(based, support) == [1, 2]
    assert await Units(based).ask(lambda reads: seen_ticket(reads, Sight(user=9), 1)) is None


async def test_a_ticket_of_before_is_seen_with_its_conversation(based: Based) -> None:
    await open_ticket(based)
    await accept_one(based, inbound(2, "a", sender_id="a"), on_line("support"))
    assert await numbers(based, Sight(lines=("support",))) == [1]
    assert await numbers(based, Sight(lines=("billing",))) == []


async def test_pages_hold_everything_once(based: Based, clock: FakeClock) -> None:
    """Equal deadlines and equal times are told apart by the number."""
    for number in range(1, 8):
        await open_ticket(based, number, f"c{number}", deadline=[0.0, 50.5, 50.5][number % 3])
    for sort, key in (("deadline", "deadline"), ("updated", "updated_at")):
        seen: list[int] = []
        after: tuple[float, int] | None = None
        while True:
            query = TicketQuery(sort=sort, limit=2, after=after)  # type: ignore[arg-type]
            rows = await Units(based).ask(lambda reads, query=query: list_tickets(reads, ALL, query))  # type: ignore[misc]
            seen += [row["number"] for row in rows[:2]]
            if len(rows) < 3:
                break
            after = rows[1]["sort_key"], rows[1]["number"]
        assert sorted(seen) == list(range(1, 8)), key
        assert len(seen) == 7
    assert await numbers(based) == [1, 2, 4, 5, 7, 3, 6]


async def test_words_are_found_whatever_their_case(based: Based) -> None:
    await open_ticket(
        based, 1, "a", text="Списали ДВАЖДЫ", fields={"Карта": "2200 7001", "Заказ": "ORD-9"}, private=("Карта",)
    )
    assert await numbers(based, q="дважды") == [1]
    assert await numbers(based, q="ord-9") == [1]
    assert await numbers(based, q="2200") == [], "nobody finds a card by its number"
    assert await numbers(based, q="№ 1") == [1]
    assert await numbers(based, q="100%_") == []


# --- duplicates ------------------------------------------------------------------------------------------------------


async def test_duplicates_are_those_of_the_client_in_any_channel(based: Based, clock: FakeClock) -> None:
    await open_ticket(based, 1, "a", sender="s", text="Деньги списали дважды")
    await open_ticket(based, 2, "b", sender="s", text="Дважды списались деньги, верните")
    await open_ticket(based, 3, "c", sender="s", text="Когда вы открываетесь?")
    await open_ticket(based, 4, "d", sender="t", text="Деньги списали дважды")

    async def likely(number: int) -> list[int]:
        page = await Units(based).ask(lambda reads: ticket_page(reads, ALL, number, clock.now))
        assert page is not None
        return [row["number"] for row, _ in page.likely]

    assert await likely(1) == [2]
    assert await likely(3) == []
    assert await likely(4) == [], "another client's"
    clock.now += 31 * 86_400
    assert await likely(1) == [], "too long ago"


async def test_every_client_of_joined_tickets_hears_of_the_master_once(based: Based) -> None:
    homes = [await open_ticket(based, number, f"c{number}") for number in (1, 2, 3)]
    for number in (2, 3):
        assert await do(based, deeds.join_tickets, 1, number, "user:7") == ""
    await change(based, status=DONE, comment="Починили")
    told = await news(based)
    assert sorted((home, it.number, it.source, it.status, it.comment) for home, it in told) == [
        (homes[0], 1, 0, "решена", "Починили"),
        (homes[1], 2, 1, "решена", "Починили"),
        (homes[2], 3, 1, "решена", "Починили"),
    ]
    assert await change(based, number=2, status=WORK) == "joined"
    assert await change(based, number=2, comment="не туда") == "joined"
    assert await change(based, number=2, category="К") == ""


async def test_what_one_client_says_stays_from_the_others(based: Based, clock: FakeClock) -> None:
    for number in (1, 2):
        await open_ticket(based, number, f"c{number}")
    await do(based, deeds.join_tickets, 1, 2, "user:7")
    await change(based, status=ASK)
    await news(based)
    second, first = (await get(based, 2)).client, (await get(based, 1)).client
    assert await change(based, CLIENT, number=2, client=second, comment="мой пароль") == ""
    clock.now += 1
    assert await change(based, CLIENT, number=1, client=first, comment="мой адрес", status=WORK) == ""
    told = await news(based)
    assert [(it.number, it.status, it.comment) for _, it in told] == [(2, "в работе", "")]
    page = await Units(based).ask(lambda reads: ticket_page(reads, ALL, 1, 0.0))
    assert page is not None
    assert [(it.get("of", 1), it["comment"]) for it in page.entries if it.get("comment")] == [
        (2, "мой пароль"),
        (1, "мой адрес"),
    ]


async def test_reopening_a_joined_ticket(based: Based) -> None:
    """One's own master is opened again; from a stranger's one goes apart, and nobody else is bothered."""
    await open_ticket(based, 1, "a", sender="s")
    await open_ticket(based, 2, "b", sender="s")
    await open_ticket(based, 3, "c", sender="t")
    for number in (2, 3):
        await do(based, deeds.join_tickets, 1, number, "user:7")
    await change(based, status=DONE)
    await news(based)
    stranger, own = (await get(based, 3)).client, (await get(based, 2)).client
    assert await change(based, CLIENT, number=3, client=stranger, status=WORK, key="x") == ""
    assert ((await get(based, 3)).master, (await get(based, 3)).means, (await get(based, 1)).means) == (
        0,
        "open",
        "done",
    )
    assert await news(based) == []
    for _ in range(2):
        assert await change(based, CLIENT, number=2, client=own, status=WORK, key="y") in {"", "not_done"}
    assert ((await get(based, 2)).master, (await get(based, 1)).means) == (1, "open")


async def test_a_join_undone_is_as_before(based: Based) -> None:
    await open_ticket(based, 1, "a")
    await open_ticket(based, 2, "b", fields={"Заказ": "1"})
    await change(based, number=2, status=ASK, tell=False)
    before = await get(based, 2)
    await do(based, deeds.join_tickets, 1, 2, "user:7")
    assert await do(based, deeds.join_tickets, 2, 1, "user:7") == "joined"
    assert await do(based, deeds.join_tickets, 1, 1, "user:7") == "joined"
    assert await do(based, deeds.join_tickets, 1, 9, "user:7") == "missing"
    await open_ticket(based, 3, "c")
    assert await do(based, deeds.join_tickets, 3, 1, "user:7") == "has_joined"
    assert await do(based, deeds.take_apart, 2, "user:7") == ""
    assert await do(based, deeds.take_apart, 2, "user:7") == "missing"
    after = await get(based, 2)
    assert [entry["what"] for entry in after.history[-2:]] == ["joined", "unjoined"]
    same = {"version": before.version, "history": before.history, "updated_at": before.updated_at}
    assert msgspec.structs.replace(after, **same) == before
    await change(based, status=DONE)
    assert [it.number for _, it in await news(based)] == [1]


# --- outer desks and settings ----------------------------------------------------------------------------------------


async def test_a_ticket_goes_to_its_outer_desk_again(based: Based, clock: FakeClock) -> None:
    outer = msgspec.structs.replace(order("k1", 1), desk="outer")
    home = (await accept_one(based, inbound(1), on_line("support", outer, order("k2", 2)))).conversation
    clock.now += 31
    (first,) = [row for row in await based.lease() if row.kind == "ticket"]
    await based.mark([settled(first, "rejected", reason="HTTP 400")])
    assert await do(based, deeds.push_again, 1, "user:7", homes=(home,)) == ""
    assert await do(based, deeds.push_again, 2, "user:7", homes=(home,)) == "missing", "a desk of ours"
    (again,) = [row for row in await based.lease() if row.kind == "ticket"]
    assert (again.payload["number"], again.key != first.key) == (1, True)


async def test_stored_tickets_follow_the_map_of_their_desk(based: Based) -> None:
    """`ask` means done from now on, `done` is gone from the map."""
    for number, status in ((1, ASK), (2, DONE), (3, NEW)):
        await open_ticket(based, number, f"c{number}")
        await change(based, number=number, status=status, tell=False)
    desks = {"general": Desk("general", "", statuses=(NEW, WORK, TicketStatus("ask", "закрыта", "done")))}
    assert await Units(based).write(lambda ledger: follow_desks(ledger, desks)) == 1
    assert [(await get(based, number)).means for number in (1, 2, 3)] == ["done", "done", "open"]
    assert await Units(based).write(lambda ledger: follow_desks(ledger, desks)) == 0
    assert await Units(based).write(lambda ledger: follow_desks(ledger, {"general": DESK})) == 1
    assert (await get(based, 1)).means == "waiting"
    assert await news(based) == []
