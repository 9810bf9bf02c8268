"""Whatever people and clients do with tickets: the group follows the desk's map, and every public change is told once."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import TicketChanged
from core.tickets import CLIENT, TicketChange
from storage.memory import MemoryStore
from storage.tickets.similar import likeness
from tests.storage.making import FakeClock, Seen
from tests.storage.tickets.test_changing import DESK, get, open_ticket

words = st.text(st.sampled_from("абвгд 123ёЁ"), max_size=30)
deeds = st.lists(
    st.fixed_dictionaries(
        {"by": st.sampled_from(["user:7", "user:8", "desk", CLIENT])},
        optional={
            "status": st.sampled_from(DESK.statuses),
            "comment": st.sampled_from(["", "слова"]),
            "rating": st.integers(1, 5),
            "category": st.sampled_from(["А", "Б"]),
            "assignee": st.sampled_from(["", "user:7"]),
            "version": st.integers(0, 5),
            "tell": st.booleans(),
            "key": st.sampled_from(["", "k"]),
        },
    ),
    max_size=12,
)


async def play(steps: list[dict[str, Any]]) -> None:
    store = MemoryStore(FakeClock())
    await store.open()
    await open_ticket(store)
    client = (await get(store)).client
    public, seen = 0, Seen(lambda _: ())
    for step in steps:
        before = await get(store)
        who: dict[str, Any] = {"client": client} if step["by"] == CLIENT else {}
        against = await store.change_ticket(TicketChange(1, desk=DESK, **who, **step))
        after = await get(store)
        status = DESK.known(after.status)
        assert status is not None
        assert after.means == status.means
        assert after.version == before.version + (len(after.history) > len(before.history))
        if against:
            assert after == before
        last = after.history[-1] if len(after.history) > len(before.history) else {}
        if step.get("tell", True) and step["by"] != CLIENT:
            public += "status" in last or "comment" in last
    await store.work(seen)
    told = [it.place for it in seen.events if isinstance(it, TicketChanged)]
    assert len(told) == public
    assert len(set(told)) == public, "each place of the history at most once"


@settings(max_examples=150, deadline=None)
@given(deeds)
def test_groups_follow_the_map_and_news_are_told_once(steps: list[dict[str, Any]]) -> None:
    asyncio.run(play(steps))


@given(words, words)
def test_likeness_is_a_share_and_knows_no_order(one: str, other: str) -> None:
    found = likeness(one, other)
    assert 0.0 <= found <= 1.0
    assert found == likeness(other, one)


def test_what_reads_alike() -> None:
    assert likeness("Деньги списали дважды", "Дважды списались деньги") > 0.6
    assert likeness("Не пришёл заказ ORD-77001", "Где ORD-77001?") >= 0.9
    assert likeness("Как вернуть чайник", "Когда вы открываетесь") < 0.34
    assert likeness("", "") == 0.0
    assert likeness("в 5 раз", "на 5 дней") == 0.0, "small words and bare figures mean nothing"
