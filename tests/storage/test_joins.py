"""Who is who: joins that lose nothing and can be undone exactly, codes that are used once, phones that prove."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.codes import digest_code
from core.conversation import Conversation
from core.effects import CreateTicket, UpdateClient
from core.events import CallDone, MoveAsked, TicketChanged
from core.joins import Code, JoinRefused
from core.tickets import TicketChange, TicketStatus
from tests.storage.making import AnyStore, FakeClock, Seen, accept_one, always, inbound

TYPED = UpdateClient({"phone": "+79990000001", "city": "Тверь"})
PROVED = UpdateClient({"phone": "+79991234567"}, ("phone",))
CODE = digest_code("7KMPXQ2WTF")


async def meet(store: AnyStore, chat: str, *effects: Any, channel: str = "telegram", number: int = 0) -> Conversation:
    """A client writes, and the turn has these effects."""
    it = inbound(number or int(chat), chat, channel=channel)
    receipt = await accept_one(store, it, always(*effects))
    found = await store.conversation(receipt.conversation)
    assert found is not None
    return found


async def card(store: AnyStore, client: int) -> dict[str, Any]:
    found = await store.client(client)
    assert found is not None
    return found


async def client_of(store: AnyStore, conversation: int) -> int:
    found = await store.conversation(conversation)
    assert found is not None
    return found.client


async def snapshot(store: AnyStore) -> Any:
    """All that a join may change, as people and channels see it."""
    homes = [await store.conversation(id) for id in (1, 2, 3)]
    clients = sorted({home.client for home in homes if home is not None})
    return {
        "clients": [(home.client if home else None) for home in homes],
        "talks": [home.talk if home else None for home in homes],
        "cards": [await store.client(id) for id in (1, 2, 3)],
        "phones": [await store.find_clients(phone) for phone in ("+79990000001", "+79991234567")],
        "identities": [await store.identities(id) for id in clients],
        "last": [getattr(await store.last_conversation(id), "id", None) for id in clients],
        "tickets": [[ticket.number for ticket in await store.tickets(client=id)] for id in clients],
    }


# --- joining and undoing ---------------------------------------------------------------------------------------------


async def test_two_clients_become_one(store: AnyStore, clock: FakeClock) -> None:
    first = await meet(store, "1", TYPED, CreateTicket("a", 1, "general", "A"))
    clock.now += 10
    second = await meet(store, "2", PROVED, CreateTicket("b", 2, "general", "B"), channel="vk")
    join = await store.join(first.client, second.client, "anna")
    joined = await card(store, 1)
    assert (joined["phone"], joined["city"], joined["verified"]) == ("+79991234567", "Тверь", ["phone"])
    assert joined["name"] == "Client 2"  # the newer of two typed ones
    assert [ticket.number for ticket in await store.tickets(client=1)] == [2, 1]
    assert [it.channel for it in await store.identities(1)] == ["telegram", "vk"]
    assert await store.find_clients("+79991234567") == [1]
    last = await store.last_conversation(1)
    assert last is not None
    assert last.id == second.id
    (row,) = await store.joins()
    assert (row.id, row.how, row.by, row.state, row.kept, row.gone) == (join, "hand", "anna", "done", 1, 2)
    assert (row.kept_card["phone"], row.gone_card["phone"]) == ("+79990000001", "+79991234567")
    assert [it["id"] for it in await store.clients()] == [1]


async def test_undone_both_are_as_before(store: AnyStore, clock: FakeClock) -> None:
    await meet(store, "1", TYPED, CreateTicket("a", 1, "general", "A"))
    clock.now += 10
    await meet(store, "2", PROVED, CreateTicket("b", 2, "general", "B"), channel="vk")
    before = await snapshot(store)
    await store.unjoin(await store.join(2, 1, "anna"), "boris")
    assert await snapshot(store) == before
    (row,) = await store.joins()
    assert (row.state, row.undone_by, row.undone_at) == ("undone", "boris", clock.now)


async def test_what_was_written_since_stays_with_who_wrote_it(store: AnyStore) -> None:
    await meet(store, "1", TYPED)
    await meet(store, "2", PROVED, channel="vk")
    join = await store.join(1, 2, "")
    await meet(store, "1", UpdateClient({"tier": "gold", "phone": "+7"}), number=3)
    await meet(
        store, "2", UpdateClient({"tier": "silver"}), CreateTicket("c", 9, "general", "C"), channel="vk", number=4
    )
    both = await card(store, 1)
    assert (both["tier"], both["phone"]) == ("silver", "+79991234567")
    await store.unjoin(join, "")
    one, other = await card(store, 1), await card(store, 2)
    assert (one["tier"], one["phone"], one["city"]) == ("gold", "+7", "Тверь")
    assert (other["tier"], other["phone"], other.get("city")) == ("silver", "+79991234567", None)
    assert [ticket.number for ticket in await store.tickets(client=2)] == [9]
    assert await store.tickets(client=1) == []


async def test_joins_are_undone_the_newest_first(store: AnyStore) -> None:
    for n, city in ((1, "А"), (2, "Б"), (3, "В")):
        await meet(store, str(n), UpdateClient({"city": city}))
    before = await snapshot(store)
    inner, outer = await store.join(2, 3, ""), await store.join(1, 2, "")
    assert {await client_of(store, home) for home in (1, 2, 3)} == {1}
    with pytest.raises(JoinRefused) as refused:
        await store.unjoin(inner, "")
    assert (refused.value.why, refused.value.detail) == ("later", outer)
    await meet(store, "3", UpdateClient({"tier": "gold"}), number=7)
    await store.unjoin(outer, "")
    assert (await card(store, 2))["tier"] == "gold"  # of the two who still are one
    await store.unjoin(inner, "")
    after = await snapshot(store)
    assert after["cards"][2].pop("tier") == "gold"
    assert after["cards"] == before["cards"]
    assert after["clients"] == before["clients"]


async def test_a_chat_that_began_since_goes_with_its_identity(store: AnyStore) -> None:
    await meet(store, "1")
    await accept_one(store, inbound(2, "-77", sender_id="2"))
    join = await store.join(1, 2, "")
    fresh = await meet(store, "2", UpdateClient({"tier": "gold"}), number=3)
    assert (fresh.id, fresh.client) == (3, 1)
    await store.unjoin(join, "")
    assert [await client_of(store, home) for home in (1, 2, 3)] == [1, 2, 2]
    assert "tier" not in await card(store, 1)
    assert (await card(store, 2))["tier"] == "gold"


async def test_a_join_that_cannot_be_is_refused(store: AnyStore) -> None:
    await meet(store, "1")
    await meet(store, "2")
    await meet(store, "3")
    join = await store.join(1, 2, "")
    for one, other, why, detail in ((1, 1, "same", 1), (1, 99, "unknown", 99), (3, 2, "part", 1)):
        with pytest.raises(JoinRefused) as refused:
            await store.join(one, other, "")
        assert (refused.value.why, refused.value.detail) == (why, detail)
    await store.unjoin(join, "")
    for id, why in ((join, "undone"), (77, "unknown")):
        with pytest.raises(JoinRefused) as refused:
            await store.unjoin(id, "")
        assert refused.value.why == why


async def test_a_joined_client_hears_of_tickets_where_they_wrote_last(store: AnyStore, clock: FakeClock) -> None:
    await meet(store, "1", CreateTicket("a", 1, "general", "A"))
    clock.now += 10
    second = await meet(store, "2", channel="vk")
    await store.join(1, 2, "")
    await store.change_ticket(TicketChange(1, "desk", status=TicketStatus("done", "решена", "done")))
    seen = Seen()
    (receipt,) = await store.work(seen)
    assert receipt.conversation == second.id
    assert isinstance(seen.events[0], TicketChanged)
    assert seen.works[0].client["id"] == 1


async def test_two_joins_at_once_in_both_directions(store: AnyStore) -> None:
    await meet(store, "1", TYPED)
    await meet(store, "2", PROVED)
    before = await snapshot(store)
    done = await asyncio.gather(store.join(1, 2, "a"), store.join(2, 1, "b"), return_exceptions=True)
    made = [it for it in done if isinstance(it, int)]
    assert len(made) == 1
    assert [it.why for it in done if isinstance(it, JoinRefused)] == ["part"]
    await store.unjoin(made[0], "")
    assert await snapshot(store) == before


async def test_messages_beside_joins_are_all_kept(store: AnyStore) -> None:
    await meet(store, "1")
    await meet(store, "2")
    for n in range(6):
        said = [accept_one(store, inbound(100 + 10 * n + i, str(1 + i % 2)), always(TYPED)) for i in range(4)]
        receipts, join = await asyncio.gather(asyncio.gather(*said), store.join(1, 2, ""))
        while await store.work(always(TYPED)):
            pass
        assert all(not receipt.duplicate for receipt in receipts)
        await store.unjoin(join, "")
    assert [len(await store.events(home)) for home in (1, 2)] == [13, 13]


# --- phones ----------------------------------------------------------------------------------------------------------


async def test_a_proved_phone_joins_its_only_other_owner(store: AnyStore) -> None:
    await meet(store, "1", PROVED)
    await meet(store, "2", PROVED, channel="vk")
    assert await store.match_phone(2, "+79991234567") == "joined"
    assert await client_of(store, 2) == 1
    assert await store.match_phone(1, "+79991234567") == "nobody"
    (row,) = await store.joins(client=2)
    assert (row.how, row.proof) == ("phone", "+79991234567")


async def test_a_typed_phone_only_suggests(store: AnyStore) -> None:
    await meet(store, "1", UpdateClient({"phone": "+79991234567"}))
    await meet(store, "2", PROVED)
    assert await store.match_phone(2, "+79991234567") == "nobody"
    assert await store.joins() == []
    (found,) = await store.suggestions()
    assert (found.clients, found.phone, found.why) == ((1, 2), "+79991234567", "typed")


async def test_several_owners_of_a_phone_are_suggested(store: AnyStore) -> None:
    for n in (1, 2, 3):
        await meet(store, str(n), PROVED)
    assert await store.match_phone(3, "+79991234567") == "several"
    assert await store.match_phone(3, "+79991234567") == "several"
    pairs = [it.clients for it in await store.suggestions() if it.why == "several"]
    assert sorted(pairs) == [(1, 3), (2, 3)]
    with pytest.raises(JoinRefused, match="suggested"):
        await store.unjoin((await store.joins())[0].id, "")


async def test_two_proved_names_are_suggested(store: AnyStore) -> None:
    for n, name in ((1, "Анна"), (2, "Борис")):
        await meet(store, str(n), UpdateClient({"phone": "+79991234567", "name": name}, ("phone", "name")))
    assert await store.match_phone(2, "+79991234567") == "names"


async def test_a_phone_does_not_join_who_was_taken_apart(store: AnyStore) -> None:
    await meet(store, "1", PROVED)
    await meet(store, "2", PROVED)
    await store.match_phone(2, "+79991234567")
    await store.unjoin((await store.joins())[0].id, "anna")
    assert await store.match_phone(1, "+79991234567") == "undone"
    assert await client_of(store, 2) == 2


# --- codes -----------------------------------------------------------------------------------------------------------


async def offer(store: AnyStore, home: int, digest: str = CODE, key: str = "k") -> bool:
    return await store.offer_code(Code(home, digest, 600.0, key))


async def test_a_code_joins_and_asks_for_the_run(store: AnyStore) -> None:
    first = await meet(store, "1")
    second = await meet(store, "2", channel="vk")
    assert await offer(store, first.id)
    await store.push(first.id, CallDone("wish", "ok"), "done:k")
    assert not await offer(store, first.id, digest_code("the same wish once more"))
    await store.work(always())
    assert await store.use_code(second.id, CODE, "use") == "ok"
    assert await client_of(store, second.id) == first.client
    seen = Seen()
    await store.work(seen)
    assert seen.events == [MoveAsked(second.id, "vk")]
    assert await store.use_code(second.id, CODE, "use") == "ok"  # the same attempt, after a crash
    assert await store.work(seen) == []
    assert len(await store.joins()) == 1


async def test_a_code_is_used_once(store: AnyStore) -> None:
    for n in (1, 2, 3):
        await meet(store, str(n))
    await offer(store, 1)
    assert await store.use_code(2, CODE, "a") == "ok"
    assert await store.use_code(3, CODE, "b") == "used"
    assert await client_of(store, 3) == 3


async def test_two_who_use_a_code_at_once(store: AnyStore) -> None:
    for n in (1, 2, 3):
        await meet(store, str(n))
    await offer(store, 1)
    answers = await asyncio.gather(store.use_code(2, CODE, "a"), store.use_code(3, CODE, "b"))
    assert sorted(answers) == ["ok", "used"]
    assert len(await store.joins()) == 1


async def test_a_code_expires(store: AnyStore, clock: FakeClock) -> None:
    await meet(store, "1")
    await meet(store, "2")
    await offer(store, 1)
    clock.now += 600
    assert await store.use_code(2, CODE, "a") == "expired"
    assert await client_of(store, 2) == 2


async def test_a_newer_code_takes_the_older_ones_place(store: AnyStore) -> None:
    await meet(store, "1")
    await meet(store, "2")
    await offer(store, 1)
    newer = digest_code("another")
    await offer(store, 1, newer, "k2")
    assert await store.use_code(2, CODE, "a") == "unknown"
    assert await store.use_code(2, newer, "b") == "ok"


async def test_a_code_of_the_same_conversation_stays_good(store: AnyStore) -> None:
    await meet(store, "1")
    await meet(store, "2")
    await offer(store, 1)
    assert [await store.use_code(1, CODE, f"a{n}") for n in range(9)] == ["same"] * 9
    assert await store.use_code(2, CODE, "b") == "ok"


async def test_guesses_are_bounded(store: AnyStore, clock: FakeClock) -> None:
    await meet(store, "1")
    await meet(store, "2")
    await meet(store, "3")
    await offer(store, 1)
    guesses = [await store.use_code(2, digest_code(f"guess {n}"), f"g{n}") for n in range(7)]
    assert guesses == ["unknown"] * 5 + ["too_many"] * 2
    assert await store.use_code(2, CODE, "right") == "too_many"
    assert await store.use_code(3, CODE, "right") == "ok"  # another conversation has guesses of its own
    clock.now += 601
    assert await store.use_code(2, CODE, "later") == "used"


async def test_guesses_of_many_are_bounded_by_account(store: AnyStore) -> None:
    from storage.joining import codes

    await meet(store, "1", channel="web")
    for n in range(codes.TRIES_OF_ACCOUNT // codes.TRIES):
        home = (await meet(store, str(n + 2), channel="web")).id
        for m in range(codes.TRIES):
            assert await store.use_code(home, digest_code(f"{n} {m}"), f"{n}.{m}") == "unknown"
    fresh = (await meet(store, "9000", channel="web")).id
    elsewhere = (await meet(store, "9001", channel="vk")).id
    await offer(store, 1)
    assert await store.use_code(fresh, CODE, "x") == "too_many"
    assert await store.use_code(elsewhere, CODE, "y") == "ok"


async def test_a_code_of_another_installation_is_none(store: AnyStore) -> None:
    await meet(store, "1")
    assert await store.use_code(1, CODE, "a") == "unknown"
