"""What comes to a message later, in every store: edits with the old text, reactions, removals, albums as one message."""

from __future__ import annotations

from itertools import permutations

import pytest

from core.events import Edited, Event, Message, Reacted, Readdressed, Removed
from core.messages import Attachment
from core.outbox import Sent, Settled
from core.ports import Earlier, HistoryItem
from tests.storage.making import START, AnyStore, FakeClock, Seen, accept_one, always, inbound, say


async def history(store: AnyStore, home: int = 1) -> list[HistoryItem]:
    return await store.history(home)


async def only(store: AnyStore) -> HistoryItem:
    (item,) = await history(store)
    return item


QUIET = always()


# --- edits -----------------------------------------------------------------------------------------------------------


async def test_an_edit_keeps_every_earlier_text_with_its_time(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("Хочу вернуть чайник")), QUIET)
    await accept_one(store, inbound(2, event=Edited("1", "Хочу вернуть утюг"), message_id="1"), QUIET)
    await accept_one(store, inbound(3, event=Edited("1", "Хочу вернуть всё"), message_id="1"), QUIET)
    item = await only(store)
    assert isinstance(item.event, Message)
    assert item.event.text == "Хочу вернуть всё"
    assert item.earlier == (Earlier(START + 2, "Хочу вернуть чайник"), Earlier(START + 3, "Хочу вернуть утюг"))
    assert item.edited == 2


async def test_whoever_decides_on_an_edit_knows_the_old_text(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("старое")), QUIET)
    seen = Seen(lambda pending: ())
    await accept_one(store, inbound(2, event=Edited("1", "новое")), seen)
    assert seen.events == [Edited("1", "новое", was="старое")]
    (_, done) = await store.events(1)
    assert done.pending.event == Edited("1", "новое", was="старое"), "a replay knows it, too"


@pytest.mark.parametrize("edit", [Edited("1", "то же"), Edited("1", "то же", (Attachment("photo", ref="r", size=9),))])
async def test_an_edit_that_changes_nothing_visible_is_nothing(store: AnyStore, edit: Edited) -> None:
    photo = Attachment("photo", "f1", "r") if edit.attachments else None
    await accept_one(store, inbound(1, event=Message("то же", (photo,) if photo else ())), QUIET)
    seen = Seen(lambda pending: ())
    receipt = await accept_one(store, inbound(2, event=edit), seen)
    assert receipt.duplicate
    assert not seen.events
    assert (await only(store)).earlier == ()
    assert len(await store.events(1)) == 1


async def test_another_picture_is_kept_with_the_old_one(store: AnyStore) -> None:
    old, new = Attachment("photo", "f1", "old"), Attachment("photo", "f2", "new")
    await accept_one(store, inbound(1, event=Message("чек", (old,))), QUIET)
    await accept_one(store, inbound(2, event=Edited("1", "чек", (new,))), QUIET)
    item = await only(store)
    assert isinstance(item.event, Message)
    assert item.event.attachments == (new,)
    assert item.earlier == (Earlier(START + 2, "чек", (old,)),)


async def test_an_edit_of_a_message_that_waits_is_written_in_order(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("раз")), None)
    await accept_one(store, inbound(2, event=Edited("1", "два")), None)
    await accept_one(store, inbound(3, event=Edited("1", "два")), None)
    while await store.work(QUIET):
        pass
    item = await only(store)
    assert isinstance(item.event, Message)
    assert (item.event.text, item.earlier) == ("два", (Earlier(START + 2, "раз"),))


async def test_an_edit_of_an_unknown_message_is_a_message_of_its_own(store: AnyStore) -> None:
    await accept_one(store, inbound(2, event=Edited("1", "важное"), message_id="1"), QUIET)
    await accept_one(store, inbound(3, event=Edited("1", "важнее"), message_id="1"), QUIET)
    item = await only(store)
    assert item.event == Edited("1", "важнее", ())
    assert [one.text for one in item.earlier] == ["важное"]


async def test_an_edit_sent_twice_is_one(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("раз")), QUIET)
    for _ in range(2):
        await accept_one(store, inbound(2, event=Edited("1", "два")), QUIET)
    assert len((await only(store)).earlier) == 1


async def test_endless_edits_keep_the_first_text_and_the_newest(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("начало")), QUIET)
    for number in range(2, 60):
        await accept_one(store, inbound(number, event=Edited("1", f"{number}")), QUIET)
    texts = [one.text for one in (await only(store)).earlier]
    assert (len(texts), texts[0], texts[-1]) == (50, "начало", "58")


async def test_what_another_client_calls_the_same_is_left_alone(store: AnyStore) -> None:
    await accept_one(store, inbound(1, chat="a", event=Message("мой"), message_id="7"), QUIET)
    await accept_one(store, inbound(2, chat="b", event=Edited("7", "чужой"), message_id="7"), QUIET)
    item = await only(store)
    assert (item.event, item.earlier) == (Message("мой"), ())


# --- reactions and removals ------------------------------------------------------------------------------------------


async def test_a_reaction_stands_at_our_message_until_it_is_taken_away(store: AnyStore) -> None:
    (row,) = (await accept_one(store, inbound(1), always(say("Готово")))).outbox
    await store.mark([Settled(row, Sent("sent", ("p1", "p2", "p3")))])
    await accept_one(store, inbound(2, event=Reacted("p2", ("👍", "🔥"))), QUIET)
    assert [item.reactions for item in await history(store)] == [(), ("👍", "🔥")]
    await accept_one(store, inbound(3, event=Reacted("p1", ())), QUIET)
    assert [item.reactions for item in await history(store)] == [(), ()]


async def test_a_reaction_to_a_message_nobody_knows_is_no_message(store: AnyStore) -> None:
    await accept_one(store, inbound(1), QUIET)
    await accept_one(store, inbound(2, event=Reacted("999", ("👍",))), QUIET)
    assert (await only(store)).reactions == ()


async def test_a_message_taken_away_keeps_what_it_said(store: AnyStore) -> None:
    await accept_one(store, inbound(1, event=Message("лишнее")), QUIET)
    await accept_one(store, inbound(5, event=Removed("1")), QUIET)
    item = await only(store)
    assert (item.event, item.removed) == (Message("лишнее"), START + 5)


# --- albums ----------------------------------------------------------------------------------------------------------


def part(number: int, text: str = "", album: str = "A") -> Message:
    return Message(text, (Attachment("photo", f"f{number}", f"r{number}"),), album=album, part=number)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
async def test_an_album_is_one_message_in_any_order(store: AnyStore, order: tuple[int, ...]) -> None:
    for number in order:
        await accept_one(store, inbound(number, event=part(number, "чек" if number == 2 else "")), QUIET)
    item = await only(store)
    assert isinstance(item.event, Message)
    assert [one.file for one in item.event.attachments] == ["f1", "f2", "f3"]
    assert item.event.text == "чек"


async def test_a_caption_of_an_album_changes(store: AnyStore) -> None:
    for number, text in ((1, "первая"), (2, ""), (3, "третья")):
        await accept_one(store, inbound(number, event=part(number, text)), QUIET)
    change = Edited("3", "последняя", (Attachment("photo", ref="r3"),))
    await accept_one(store, inbound(4, event=change), QUIET)
    again = await accept_one(store, inbound(5, event=change), QUIET)
    item = await only(store)
    assert isinstance(item.event, Message)
    assert again.duplicate
    assert (item.event.text, len(item.event.attachments)) == ("первая\nпоследняя", 3)
    assert [one.text for one in item.earlier] == ["первая\nтретья"]


async def test_two_albums_are_two_messages(store: AnyStore) -> None:
    for number, album in ((1, "A"), (2, "B"), (3, "A")):
        await accept_one(store, inbound(number, event=part(number, album=album)), QUIET)
    found: list[Event | None] = [item.event for item in await history(store)]
    assert [len(event.attachments) for event in found if isinstance(event, Message)] == [2, 1]


# --- other addresses -------------------------------------------------------------------------------------------------


async def test_a_chat_with_another_number_is_the_same_conversation(store: AnyStore, clock: FakeClock) -> None:
    (row,) = (await accept_one(store, inbound(1, chat="-5"), always(say("раз"), say("два")))).outbox
    await accept_one(store, inbound(2, chat="-5", event=Readdressed("-1005")), QUIET)
    await accept_one(store, inbound(3, chat="-5", event=Readdressed("-1005")), QUIET)
    assert await store.mark([Settled(row, Sent("retry", reason="x"))]) == []
    clock.now += 60
    waiting = await store.lease()
    assert [it.chat for it in waiting] == ["-1005"]
    assert (await accept_one(store, inbound(4, chat="-1005"), QUIET)).conversation == row.conversation


async def test_another_number_of_an_unknown_chat_makes_no_conversation(store: AnyStore) -> None:
    receipt = await accept_one(store, inbound(1, chat="-5", event=Readdressed("-1005")), QUIET)
    assert receipt.duplicate
    assert await store.find_conversation("telegram", "bot", "-5") is None
