"""A14, and all else that may become of an operator's words: how they fared is told with the reason, and nothing is repeated
in secret. Through the API, on both stores."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from core.events import Reachability
from core.outbox import Sent
from tests.acceptance.people.desk import Desk
from tests.gateway.house import PLAIN

LATER = 600.0  # seconds


def kinds(desk: Desk) -> list[str]:
    return [row.kind for row in desk.house.channel.rows]


def keys(desk: Desk, text: str) -> list[str]:
    """Under which keys a text was given to the channel."""
    return [row.key for row in desk.house.channel.rows if row.message and row.message.body.text == text]


# --- A14 ---------------------------------------------------------------------------------------------------------------


async def test_a_client_blocks_the_bot_while_an_operator_types(desk: Desk) -> None:
    """A14: the reply is marked undeliverable with the reason; other reachable channels are offered."""
    other = (await desk.house.client("привет", chat="2")).conversation
    mine, theirs = [await desk.house.store.conversation(id) for id in (desk.home, other)]
    assert mine is not None
    assert theirs is not None
    await desk.house.store.join(mine.client, theirs.client, "root")
    desk.house.channel.answers = [Sent("unreachable", reason="403 bot was blocked by the user")]
    seq = await desk.reply("Ваш заказ в пути")
    told = await desk.look(f"delivery/{seq}")
    assert (told["state"], told["reason"]) == ("failed", "403 bot was blocked by the user")
    ways = await desk.look("ways")
    assert ways["reachable"] is False
    assert [(it["conversation"], it["channel"], it["reachable"]) for it in ways["items"]] == [(other, "telegram", True)]


async def test_a_blocked_client_who_writes_again_is_reachable(desk: Desk) -> None:
    await desk.house.client(Reachability(False))
    assert (await desk.look("ways"))["reachable"] is False
    await desk.house.client("я снова тут")
    assert (await desk.look("ways"))["reachable"] is True


# --- what became of a reply --------------------------------------------------------------------------------------------


async def test_a_reply_that_went_out(desk: Desk) -> None:
    seq = await desk.reply("Слушаю вас")
    told = await desk.look(f"delivery/{seq}")
    assert (told["state"], told["reason"], told["author"], told["attempts"]) == ("sent", "", "operator", 0)
    assert told["edit"] == {"can": False, "why_not": "cannot"}, "the recording channel cannot"
    assert told["retry"] == {"can": False, "why_not": "not_failed"}


async def test_the_client_s_words_have_no_delivery(desk: Desk) -> None:
    for seq in ("1", "999", "x", "0"):
        answer = await desk.browser.ask("GET", f"/conversations/{desk.home}/delivery/{seq}")
        assert answer.status == 404, seq


async def test_another_line_s_message_is_not_there(desk: Desk) -> None:
    await desk.house.add("carl", billing="operator")
    seq = await desk.reply("Слушаю вас")
    carl = await desk.house.browser("carl")
    for method, path, body in (
        ("GET", f"delivery/{seq}", None),
        ("GET", "ways", None),
        ("POST", "edit", {"seq": seq, "text": "нет"}),
        ("POST", "recall", {"seq": seq}),
        ("POST", "retry", {"seq": seq}),
    ):
        assert (await carl.ask(method, f"/conversations/{desk.home}/{path}", body)).status == 404, path


# --- once more ---------------------------------------------------------------------------------------------------------


async def test_a_failed_reply_is_sent_once_more_under_a_new_key(desk: Desk) -> None:
    desk.house.channel.answers = [Sent("rejected", reason="400 too long")]
    seq = await desk.reply("Слушаю вас")
    assert (await desk.do("retry", {"seq": seq})).status == 200
    await desk.house.quiet()
    told = await desk.look(f"delivery/{seq}")
    assert (told["state"], told["reason"]) == ("sent", "")
    first, second = keys(desk, "Слушаю вас")
    assert first != second
    assert (await desk.shown(seq)).state == "sent", "it has kept its place"


async def test_a_failure_is_answered_once_however_often_it_is_asked(desk: Desk) -> None:
    desk.house.channel.answers = [Sent("rejected", reason="400 too long")]
    seq = await desk.reply("Слушаю вас")
    asked = await asyncio.gather(*(desk.do("retry", {"seq": seq}) for _ in range(5)))
    assert asked[0].status == 200
    assert {it.status for it in asked} <= {200, 409}
    await desk.house.quiet()
    assert len(keys(desk, "Слушаю вас")) == 2
    again = await desk.do("retry", {"seq": seq})
    assert (again.status, again.kind) == (409, "not-failed")


async def test_a_second_failure_may_be_answered_again(desk: Desk) -> None:
    desk.house.channel.answers = [Sent("rejected", reason="one"), Sent("rejected", reason="two")]
    seq = await desk.reply("Слушаю вас")
    for _ in range(2):
        assert (await desk.do("retry", {"seq": seq})).status == 200
        await desk.house.quiet()
    assert len(set(keys(desk, "Слушаю вас"))) == 3


async def test_what_may_have_arrived_is_repeated_only_knowingly(desk: Desk) -> None:
    desk.house.channel.answers = [Sent("unknown", reason="no answer twice")]
    seq = await desk.reply("Слушаю вас")
    assert (await desk.look(f"delivery/{seq}"))["state"] == "unknown"
    refused = await desk.do("retry", {"seq": seq})
    assert (refused.status, refused.kind) == (409, "unconfirmed")
    await desk.house.quiet()
    assert len(keys(desk, "Слушаю вас")) == 1
    assert (await desk.do("retry", {"seq": seq, "even_if_twice": True})).status == 200
    await desk.house.quiet()
    assert len(keys(desk, "Слушаю вас")) == 2


async def test_parts_that_are_out_are_not_sent_again(desk: Desk) -> None:
    hold = desk.house.channel.hold = asyncio.Event()
    desk.house.channel.answers = [Sent("rejected", reason="gone")]
    assert (await desk.do("reply", {"epoch": 2, "text": "Длинный ответ"})).status == 200
    await desk.house.until(lambda: len(keys(desk, "Длинный ответ")) == 1)
    row = desk.house.channel.rows[-1]
    row.sent_parts = ("m1",)
    await desk.house.store.progress(row)
    hold.set()
    await desk.house.quiet()
    seq = row.seq
    assert (await desk.do("retry", {"seq": seq})).status == 200
    await desk.house.quiet()
    assert desk.house.channel.rows[-1].sent_parts == ("m1",)


async def test_only_the_owner_sends_again(desk: Desk) -> None:
    await desk.house.add("boris", support="operator")
    desk.house.channel.answers = [Sent("rejected", reason="400")]
    seq = await desk.reply("Слушаю вас")
    boris = await desk.house.browser("boris")
    answer = await boris.ask("POST", f"/conversations/{desk.home}/retry", {"seq": seq})
    assert (answer.status, answer.kind) == (409, "not-yours")


async def test_the_bot_s_message_is_nobody_s_to_send_again(desk: Desk) -> None:
    answer = await desk.do("retry", {"seq": 2})
    assert (answer.status, answer.kind) == (409, "not-own")


# --- another text, and away --------------------------------------------------------------------------------------------


def able(desk: Desk, **more: Any) -> None:
    """From now on the channel can edit and delete."""
    desk.house.channel.capabilities = msgspec.structs.replace(PLAIN, edit=True, delete=True, **more)


async def test_a_slip_is_put_right(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Заказ 41")
    assert (await desk.look(f"delivery/{seq}"))["edit"] == {"can": True, "why_not": ""}
    assert (await desk.do("edit", {"seq": seq, "text": "Заказ 42"})).status == 200
    await desk.house.quiet()
    edit = desk.house.channel.rows[-1]
    assert (edit.kind, edit.target_ids, edit.message and edit.message.body.text) == (
        "edit",
        (f"m{edit.target}",),
        "Заказ 42",
    )
    item = await desk.shown(seq)
    assert (item.message.body.text, item.edited, [it.text for it in item.earlier]) == ("Заказ 42", 1, ["Заказ 41"])


async def test_a_refused_edit_says_why_and_the_history_what_the_client_sees(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Заказ 41")
    desk.house.channel.answers = [Sent("rejected", reason="400 too old")]
    await desk.do("edit", {"seq": seq, "text": "Заказ 42"})
    await desk.house.quiet()
    item = await desk.shown(seq)
    assert (item.message.body.text, item.state, item.reason, item.earlier) == ("Заказ 41", "sent", "400 too old", ())


async def test_a_slip_is_taken_back(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Не туда")
    assert (await desk.do("recall", {"seq": seq})).status == 200
    await desk.house.quiet()
    assert (kinds(desk)[-1], desk.house.channel.rows[-1].target_ids) == (
        "delete",
        (f"m{desk.house.channel.rows[-1].target}",),
    )
    told = await desk.look(f"delivery/{seq}")
    assert (told["removed"], told["recall"]) == (True, {"can": False, "why_not": "gone"})
    again = await desk.do("recall", {"seq": seq})
    assert (again.status, again.kind) == (409, "not-changeable")


async def test_a_refused_recall_says_why(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Не туда")
    desk.house.channel.answers = [Sent("rejected", reason="400 message can't be deleted")]
    await desk.do("recall", {"seq": seq})
    await desk.house.quiet()
    told = await desk.look(f"delivery/{seq}")
    assert (told["removed"], told["reason"]) == (False, "400 message can't be deleted")


async def test_a_channel_that_cannot(desk: Desk) -> None:
    seq = await desk.reply("Заказ 41")
    for act, body in (("edit", {"seq": seq, "text": "Заказ 42"}), ("recall", {"seq": seq})):
        answer = await desk.do(act, body)
        assert (answer.status, answer.kind, answer.body["detail"]) == (
            409,
            "not-changeable",
            "The channel cannot do that.",
        )
    assert set(kinds(desk)) == {"send"}


async def test_a_message_too_old(desk: Desk) -> None:
    able(desk, edit_seconds=300.0, delete_seconds=48 * 3600.0)
    seq = await desk.reply("Заказ 41")
    settled = datetime.fromisoformat((await desk.look(f"delivery/{seq}"))["settled_at"])  # by the store's clock
    desk.house.clock.at = settled.timestamp() + LATER
    answer = await desk.do("edit", {"seq": seq, "text": "Заказ 42"})
    assert (answer.kind, "so old" in answer.body["detail"]) == ("not-changeable", True)
    assert (await desk.do("recall", {"seq": seq})).status == 200


async def test_somebody_else_s_message(desk: Desk) -> None:
    able(desk)
    await desk.house.add("boris", support="operator")
    seq = await desk.reply("Заказ 41")
    boris = await desk.house.browser("boris")
    for act, body, kind in (("edit", {"text": "x"}, "not-yours"), ("recall", {}, "not-own")):
        answer = await boris.ask("POST", f"/conversations/{desk.home}/{act}", {"seq": seq, **body})
        assert (answer.status, answer.kind) == (409, kind)


async def test_a_slip_is_taken_back_after_the_session_is_closed(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Не туда")
    assert (await desk.do("close", {"epoch": 2})).status == 200
    assert (await desk.do("recall", {"seq": seq})).status == 200


async def test_nothing_is_no_text(desk: Desk) -> None:
    able(desk)
    seq = await desk.reply("Заказ 41")
    answer = await desk.do("edit", {"seq": seq, "text": "  \n"})
    assert (answer.status, answer.kind) == (422, "nothing-said")
