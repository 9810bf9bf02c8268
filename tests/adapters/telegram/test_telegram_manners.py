"""Beside the messages: “typing…”, the menu, groups that are left politely, marks and albums as they come in."""

from __future__ import annotations

import pytest
import structlog

from adapters.telegram.channel import Telegram
from core.events import Edited, Event, Message, Reachability, Reacted, Readdressed
from core.messages import Quote
from tests.adapters.telegram.conftest import Build, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.telegram import TelegramEmulator


def events(gate: FakeGate) -> list[Event]:
    return [inbound.event for inbound in gate.inbounds]


async def test_typing_is_shown(polling: Telegram, telegram: TelegramEmulator) -> None:
    await polling.typing("7")
    (call,) = telegram.sent(method="sendChatAction")
    assert call.params == {"chat_id": 7, "action": "typing"}


async def test_typing_gives_way_to_messages(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> None:
    for chat in range(7, 12):
        telegram.person(chat)
    channel = build(limits={"total": "4/min", "chat": "off", "group": "off"})
    await channel.start(gate)
    for chat in (7, 8, 9):
        assert await channel.pace(row(chat=str(chat))) is None
    await channel.typing("7")
    assert telegram.sent(method="sendChatAction") == [], "what is left of the limit is for messages"


async def test_no_typing_inside_a_window_that_a_429_has_closed(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="429", method="sendMessage", retry_after=30)
    await polling.send(row())
    await polling.typing("7")
    assert telegram.sent(method="sendChatAction") == []
    assert telegram.world.intruders == []


async def test_a_429_for_typing_closes_the_chat_for_messages_too(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="429", method="sendChatAction", retry_after=30)
    await polling.typing("7")
    late = await polling.pace(row())
    assert late is not None
    assert late.verdict == "retry"


@pytest.mark.parametrize("kind", ["403", "500", "html", "cut"])
async def test_typing_and_the_menu_never_raise(polling: Telegram, telegram: TelegramEmulator, kind: str) -> None:
    telegram.fail(kind=kind, method="sendChatAction")
    telegram.fail(kind=kind, method="setMyCommands")
    await polling.typing("7")
    await polling.typing("not a chat")
    await polling.menu([("status", "Где заказ")])
    assert telegram.world.commands == []
    await telegram.wait_call("setMyCommands", 2)
    assert telegram.world.commands == [{"command": "status", "description": "Где заказ"}], "it is tried again"


async def test_a_menu_that_is_refused_or_replaced_is_not_tried_again(
    polling: Telegram, telegram: TelegramEmulator
) -> None:
    telegram.fail(kind="400", method="setMyCommands", words="Bad Request: BOT_COMMAND_INVALID")
    await polling.menu([("old", "Старое")])
    telegram.fail(kind="500", method="setMyCommands")
    await polling.menu([("middle", "Прежнее")])
    await polling.menu([("new", "Новое")])
    await polling._background.stop()
    assert [one["command"] for one in telegram.world.commands] == ["new"]
    assert len(telegram.sent(method="setMyCommands")) == 3


async def test_the_menu_is_for_private_chats(polling: Telegram, telegram: TelegramEmulator) -> None:
    await polling.menu([("return", "Вернуть товар"), ("status", "Где заказ")])
    (call,) = telegram.sent(method="setMyCommands")
    assert call.params["scope"] == {"type": "all_private_chats"}
    assert [one["command"] for one in telegram.world.commands] == ["return", "status"]
    await polling.menu([])
    assert telegram.world.commands == []


async def test_a_group_hears_once_why_and_is_left(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    for _ in range(3):
        telegram.speak_in_group(-1005, "/start@frontline_bot")
    telegram.say(7, "привет")
    await telegram.wait_call("leaveChat")
    await gate.until(lambda: bool(gate.inbounds))
    assert telegram.world.left == [-1005]
    assert len(telegram.sent(-1005, method="sendMessage")) == 1
    telegram.speak_in_group(-1005, "снова здесь")
    telegram.say(7, "ещё")
    await gate.until(lambda: len(gate.inbounds) == 2)
    assert len(telegram.sent(-1005, method="sendMessage")) == 1, "a group that insists is not answered again today"
    assert [inbound.chat for inbound in gate.inbounds] == ["7", "7"], "nothing said in a group is kept"


async def test_many_groups_at_once_do_not_use_up_the_limits(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    for group in range(20):
        telegram.speak_in_group(-2000 - group, "привет")
    telegram.say(7, "привет")
    await gate.until(lambda: bool(gate.inbounds))
    await telegram.wait_call("leaveChat", 5)
    assert len(telegram.world.left) == 5


async def test_a_group_that_moves_keeps_its_conversation(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    telegram.migrate(-5, -1005)
    await gate.until(lambda: bool(gate.inbounds))
    assert [(inbound.chat, inbound.event) for inbound in gate.inbounds] == [("-5", Readdressed("-1005"))]


async def test_marks_are_heard_and_taken_away(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    telegram.say(7, "привет")
    await gate.until(lambda: bool(gate.inbounds))  # the bot has named the kinds it wants
    (shown,) = (await polling.send(row("Готово"))).platform_ids
    telegram.react(7, int(shown), "👍", "🔥")
    telegram.react(7, int(shown), before="👍🔥")
    await gate.until(lambda: len(gate.inbounds) == 3)
    assert events(gate)[1:] == [Reacted(shown, ("👍", "🔥")), Reacted(shown, ())]


async def test_an_album_comes_as_parts_that_know_their_places(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    telegram.album(7, 3, "чек")
    await gate.until(lambda: len(gate.inbounds) == 3)
    parts = [event for event in events(gate) if isinstance(event, Message)]
    assert len({part.album for part in parts}) == 1
    assert [part.part for part in parts] == sorted(part.part for part in parts) != [0, 0, 0]
    assert [part.text for part in parts] == ["чек", "", ""]


async def test_quotes_forwards_and_large_files_are_named(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    (shown,) = (await polling.send(row("Ваш заказ готов, адрес: Ленина, 1"))).platform_ids
    telegram.reply(7, int(shown), "куда?", part="адрес: Ленина, 1")
    telegram.forward(7, "приходите", who="Магазин")
    telegram.video(7, size=(20 << 20) + 1)
    telegram.voice(7, seconds=9)
    await gate.until(lambda: len(gate.inbounds) == 4)
    reply, forward, video, voice = [event for event in events(gate) if isinstance(event, Message)]
    assert reply.quote == Quote(shown, "адрес: Ленина, 1")
    assert forward.text == "[forwarded from Магазин]\nприходите"
    assert video.attachments[0].note == "Telegram gives out no files of more than 20 MB"
    assert (voice.attachments[0].duration, voice.attachments[0].note) == (9.0, "")


async def test_edits_blocks_and_returns(polling: Telegram, telegram: TelegramEmulator, gate: FakeGate) -> None:
    number = telegram.say(7, "раз")["message"]["message_id"]
    telegram.edit(7, number, "два")
    telegram.block(7)
    telegram.unblock(7)
    await gate.until(lambda: len(gate.inbounds) == 4)
    assert events(gate)[1:] == [Edited(str(number), "два", ()), Reachability(False), Reachability(True)]


async def test_what_is_logged_of_a_group_names_nobody(polling: Telegram, telegram: TelegramEmulator) -> None:
    with structlog.testing.capture_logs() as logs:
        telegram.speak_in_group(-1005, "секрет")
        await telegram.wait_call("leaveChat")
    assert "секрет" not in repr(logs)
    assert "Соседи" not in repr(logs)
