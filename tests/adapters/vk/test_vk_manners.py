"""As people know VK: “typing…”, answers that point at messages both ways, marks, albums, edits, denied and allowed."""

from __future__ import annotations

import pytest

from adapters.vk.channel import Vk
from core.events import Edited, Event, Message, Reachability, Reacted
from core.messages import Quote
from tests.adapters.telegram.gate import FakeGate
from tests.adapters.vk.conftest import Build, row
from tests.emulators.vk import VkEmulator


def events(gate: FakeGate) -> list[Event]:
    return [inbound.event for inbound in gate.inbounds]


async def test_typing_is_shown(polling: Vk, vk: VkEmulator) -> None:
    await polling.typing("7")
    assert vk.world.typing == [7]


@pytest.mark.parametrize("kind", ["5", "6", "9", "10", "901", "html", "cut"])
async def test_typing_never_raises(polling: Vk, vk: VkEmulator, kind: str) -> None:
    vk.fail(kind=kind, method="messages.setActivity", times=3)
    await polling.typing("7")
    await polling.typing("404")
    await polling.typing("not a peer")
    assert vk.world.typing == []


async def test_flood_control_for_typing_is_kept_by_messages(polling: Vk, vk: VkEmulator) -> None:
    vk.fail(kind="9", method="messages.setActivity", seconds=3.0)
    await polling.typing("7")
    await polling.typing("7")
    late = await polling.pace(row())
    assert late is not None
    assert late.verdict == "retry"
    assert vk.world.intruders == []


async def test_no_typing_where_messages_have_been_closed_out(polling: Vk, vk: VkEmulator) -> None:
    vk.fail(kind="9", method="messages.send", seconds=3.0)
    assert (await polling.send(row())).verdict == "retry"
    await polling.typing("7")
    assert (vk.world.typing, vk.world.intruders) == ([], [])


async def test_answers_point_at_messages_both_ways(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    asked = vk.say(7, "Где заказ?")["object"]["message"]["conversation_message_id"]
    await gate.until(lambda: bool(gate.inbounds))
    (shown,) = (await polling.send(row("Едет", quote=Quote(str(asked), "Где заказ?")))).platform_ids
    ours = vk.world.shown(7)[-1]
    assert ours["reply_message"]["text"] == "Где заказ?"
    assert shown == str(ours["conversation_message_id"])
    vk.reply(7, int(shown), "спасибо")
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert events(gate)[-1] == Message("спасибо", quote=Quote(shown, "Едет"))


async def test_an_answer_to_what_is_gone_says_what_it_was(polling: Vk, vk: VkEmulator) -> None:
    sent = await polling.send(row("Едет", quote=Quote("999", "Где заказ?")))
    assert sent.verdict == "sent"
    assert vk.texts(7) == ["«Где заказ?»\nЕдет"]


async def test_a_mark_on_our_message_names_it_as_we_do(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    (shown,) = (await polling.send(row("Готово"))).platform_ids
    vk.react(7, int(shown), 4)
    vk.react(7, int(shown))
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert events(gate) == [Reacted(shown, ("👍",)), Reacted(shown)]


async def test_what_was_shown_is_changed_and_taken_away_by_its_number(polling: Vk, vk: VkEmulator) -> None:
    vk.say(7, "привет")
    shown = (await polling.send(row("Вы третий"))).platform_ids
    assert (await polling.send(row("Вы второй", kind="edit", target_ids=shown))).platform_ids == shown
    assert vk.texts(7) == ["Вы второй"]
    assert (await polling.send(row(kind="delete", target_ids=shown))).verdict == "sent"
    assert vk.texts(7) == []


async def test_a_refusal_of_the_peer_is_its_verdict(polling: Vk, vk: VkEmulator) -> None:
    vk.deny(7)
    sent = await polling.send(row())
    assert (sent.verdict, sent.reason[:3]) == ("unreachable", "901")


async def test_an_album_and_a_voice_message(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    vk.album(7, 3, "чек")
    vk.voice(7, 9)
    await gate.until(lambda: len(gate.inbounds) == 2)
    album, voice = [event for event in events(gate) if isinstance(event, Message)]
    assert (album.text, len(album.attachments)) == ("чек", 3)
    assert voice.attachments[0].duration == 9.0


async def test_edits_denials_and_returns(build: Build, polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    number = vk.say(7, "раз")["object"]["message"]["conversation_message_id"]
    vk.edit(7, number, "два")
    vk.deny(7)
    vk.allow(7)
    await gate.until(lambda: len(gate.inbounds) == 4)
    assert events(gate)[1:] == [Edited(str(number), "два", ()), Reachability(False), Reachability(True)]
