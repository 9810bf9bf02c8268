"""Sending: what goes out, what each answer of the platform means, what is repeated and what never is."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import unused_port

from adapters.telegram.channel import Telegram
from core.messages import Button, Quote
from core.outbox import OutboxRow, Sent
from core.ports import StoredFile
from core.rich import Mark, Rich
from tests.adapters.telegram.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator


async def deliver(channel: Telegram, row: OutboxRow) -> Sent:
    """What the sender does: first the limits, then the call."""
    return await channel.pace(row) or await channel.send(row)


async def test_a_text_with_buttons_and_marks(polling: Telegram, telegram: TelegramEmulator) -> None:
    text = Rich("😀 важно", (Mark("bold", 2, 7),))
    sent = await polling.send(row(text, rows=buttons("Да", "Нет")))
    assert sent.verdict == "sent"
    (message,) = telegram.world.shown(7)
    assert sent.platform_ids == (str(message["message_id"]),)
    assert message["entities"] == [{"type": "bold", "offset": 3, "length": 5}]
    assert [r[0]["text"] for r in message["reply_markup"]["inline_keyboard"]] == ["Да", "Нет"]


async def test_markup_of_a_client_stays_text(polling: Telegram, telegram: TelegramEmulator) -> None:
    hostile = "<b>x</b> *y* [z](http://evil) &amp;"
    assert (await polling.send(row(hostile))).verdict == "sent"
    (call,) = telegram.sent(7)
    assert call.params == {"chat_id": 7, "text": hostile}


async def test_a_long_text_goes_in_parts_with_the_buttons_last(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    text = "слово " * 1500
    sent = await polling.send(row(text, rows=buttons("Дальше")))
    first, second, third = telegram.world.shown(7)
    assert first["text"] + second["text"] + third["text"] == text
    assert "reply_markup" not in first
    assert "reply_markup" not in second
    assert third["reply_markup"]["inline_keyboard"]
    ids = [str(message["message_id"]) for message in (first, second, third)]
    assert list(sent.platform_ids) == ids
    assert gate.fake_store.progressed == [(ids[0],), (ids[0], ids[1])]


async def test_parts_that_are_out_are_not_repeated(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="500", method="sendMessage")
    text = "слово " * 1500
    again = row(text, sent_parts=("41",))
    assert (await polling.send(again)).verdict == "retry"
    sent = await polling.send(again)
    assert sent.verdict == "sent"
    assert sent.platform_ids[0] == "41"
    assert len(telegram.world.shown(7)) == 2


VERDICTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "429", "retry_after": 7}, {"verdict": "retry", "after": 7.0, "scope": "chat"}),
    ({"kind": "403"}, {"verdict": "unreachable", "reason": "403 Forbidden: bot was blocked by the user"}),
    ({"kind": "403", "words": "Forbidden: user is deactivated"}, {"verdict": "unreachable"}),
    ({"kind": "400", "words": "Bad Request: chat not found"}, {"verdict": "unreachable"}),
    ({"kind": "400", "words": "Bad Request: BUTTON_URL_INVALID"},
     {"verdict": "rejected", "reason": "400 Bad Request: BUTTON_URL_INVALID"}),
    ({"kind": "401"}, {"verdict": "retry", "after": 60.0, "scope": "account"}),
    ({"kind": "404"}, {"verdict": "retry", "after": 60.0, "scope": "account"}),
    ({"kind": "500"}, {"verdict": "retry", "after": 1.0}),
    ({"kind": "html"}, {"verdict": "retry", "after": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "expected"), VERDICTS)
async def test_verdicts(
    polling: Telegram, telegram: TelegramEmulator, fault: dict[str, Any], expected: dict[str, Any]
) -> None:
    telegram.fail(method="sendMessage", **fault)
    sent = await polling.send(row())
    assert {name: getattr(sent, name) for name in expected} == expected
    assert TOKEN not in repr(sent)


async def test_a_group_that_moved(polling: Telegram, telegram: TelegramEmulator) -> None:
    async def moved(request: web.Request) -> web.Response:
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        answer = {"ok": False, "error_code": 400, "description": words, "parameters": {"migrate_to_chat_id": -100123}}
        return web.json_response(answer, status=400)

    app = web.Application()
    app.router.add_post("/{any:.*}", moved)
    runner = web.AppRunner(app)
    await runner.setup()
    port = unused_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    channel = Telegram("telegram", {"token": TOKEN, "api_url": f"http://127.0.0.1:{port}", "mode": "webhook"})
    channel._gate = polling._gate
    sent = await channel.send(row(chat="-5"))
    assert (sent.verdict, sent.migrate_to) == ("retry", "-100123")
    await channel.stop()
    await runner.cleanup()


async def test_blocked_for_real(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.block(7)
    assert (await polling.send(row())).verdict == "unreachable"
    telegram.unblock(7)
    assert (await polling.send(row())).verdict == "sent"


async def test_a_lost_answer_is_repeated_once_then_unknown(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="lost", method="sendMessage", times=2)
    one = row()
    first = await polling.send(one)
    assert first.verdict == "retry"
    assert first.reason.startswith("unconfirmed")
    assert (await polling.send(one)).verdict == "unknown"
    assert len(telegram.world.shown(7)) == 2, "at most one duplicate"


async def test_a_lost_answer_then_an_answer(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="lost", method="sendMessage")
    one = row()
    assert (await polling.send(one)).verdict == "retry"
    assert (await polling.send(one)).verdict == "sent"
    assert (await polling.send(row(key="k2"))).verdict == "sent"


async def test_a_call_that_never_left_is_repeated_for_ever(build: Build, gate: FakeGate) -> None:
    channel = build(api_url=f"http://127.0.0.1:{unused_port()}")
    await channel.start(gate)
    for _ in range(3):
        sent = await channel.send(row())
        assert (sent.verdict, sent.reason[:8]) == ("retry", "not sent")


async def test_a_429_closes_the_chat_until_its_time(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.person(8)
    telegram.fail(kind="429", method="sendMessage", retry_after=30)
    await deliver(polling, row())
    calls = len(telegram.sent())
    again = await deliver(polling, row())
    assert again.verdict == "retry"
    assert 20 < again.after <= 30
    assert len(telegram.sent()) == calls, "no call inside the window"
    assert (await deliver(polling, row(chat="8"))).verdict == "sent"


async def test_429_of_many_chats_is_the_account(polling: Telegram, telegram: TelegramEmulator) -> None:
    telegram.fail(kind="429", method="sendMessage", retry_after=30, times=3)
    scopes = [(await deliver(polling, row(chat=str(chat)))).scope for chat in (7, 8, 9)]
    assert scopes == ["chat", "chat", "account"]
    assert (await deliver(polling, row(chat="10"))).verdict == "retry"


async def test_pacing_waits_and_gives_back_what_is_too_far(
    build: Build, gate: FakeGate, telegram: TelegramEmulator
) -> None:
    telegram.person(7)
    channel = build(limits={"total": "off", "chat": "1/min", "group": "off"})
    await channel.start(gate)
    verdicts = [await deliver(channel, row(key=str(number))) for number in range(4)]
    assert [sent.verdict for sent in verdicts] == ["sent", "sent", "sent", "retry"]
    assert 50 < verdicts[-1].after <= 60


async def test_an_edit(polling: Telegram, telegram: TelegramEmulator) -> None:
    sent = await polling.send(row("Вы третий", rows=buttons("Уйти")))
    edited = await polling.send(row("Вы второй", kind="edit", target_ids=sent.platform_ids, rows=buttons("Уйти")))
    assert (edited.verdict, edited.platform_ids) == ("sent", sent.platform_ids)
    again = await polling.send(row("Вы второй", kind="edit", target_ids=sent.platform_ids, rows=buttons("Уйти")))
    assert (again.verdict, again.platform_ids) == ("sent", sent.platform_ids), "not modified is done"
    assert telegram.texts(7) == ["Вы второй"]
    assert "message is not modified" in telegram.sent(method="editMessageText")[-1].error


async def test_an_edit_of_a_message_that_is_gone_is_sent_anew(polling: Telegram, telegram: TelegramEmulator) -> None:
    sent = await polling.send(row("Вы второй", kind="edit", target_ids=("999",)))
    assert sent.verdict == "sent"
    assert sent.platform_ids == (str(telegram.world.shown(7)[0]["message_id"]),)


async def test_an_edit_with_more_and_fewer_parts(polling: Telegram, telegram: TelegramEmulator) -> None:
    short = await polling.send(row("коротко"))
    long = await polling.send(row("слово " * 1000, kind="edit", target_ids=short.platform_ids))
    assert len(long.platform_ids) == 2
    back = await polling.send(row("снова коротко", kind="edit", target_ids=long.platform_ids))
    assert back.platform_ids == short.platform_ids
    assert telegram.texts(7) == ["снова коротко"]


async def test_a_delete_is_done_once_and_for_all(polling: Telegram, telegram: TelegramEmulator) -> None:
    sent = await polling.send(row())
    for _ in range(2):
        assert (await polling.send(row(kind="delete", target_ids=sent.platform_ids))).verdict == "sent"
    assert telegram.texts(7) == []


async def test_what_is_too_old_to_be_deleted_stays_and_we_say_so(polling: Telegram, telegram: TelegramEmulator) -> None:
    sent = await polling.send(row("ошибка"))
    telegram.fail(method="deleteMessage", kind="400", words="Bad Request: message can't be deleted for everyone")
    kept = await polling.send(row(kind="delete", target_ids=sent.platform_ids))
    assert (kept.verdict, "can't be deleted" in kept.reason) == ("rejected", True)
    assert telegram.texts(7) == ["ошибка"]


async def test_a_contact_keyboard_comes_and_goes(polling: Telegram, telegram: TelegramEmulator) -> None:
    ask = ((Button("Отправить телефон", ask="contact"),), (Button("Отмена", token="1.2.3"),))
    await polling.send(row("Ваш телефон?", rows=ask))
    keyboard = telegram.world.person(7).keyboard
    assert keyboard is not None
    assert keyboard["keyboard"] == [[{"text": "Отправить телефон", "request_contact": True}], [{"text": "Отмена"}]]
    await polling.send(row("С кнопками", rows=buttons("Да")))
    assert telegram.world.person(7).keyboard is not None, "two markups do not go into one message"
    await polling.send(row("Спасибо"))
    assert telegram.world.person(7).keyboard is None
    await polling.send(row("Ещё"))
    assert "reply_markup" not in telegram.sent(7)[-1].params


async def test_nothing_to_show_is_rejected(polling: Telegram) -> None:
    assert (await polling.send(row(" \n "))).verdict == "rejected"


def put_file(root: Path, data: bytes, **values: Any) -> StoredFile:
    """Bytes on the disk and their row."""
    sha256 = hashlib.sha256(data).hexdigest()
    (root / sha256[:2]).mkdir(exist_ok=True)
    (root / sha256[:2] / sha256).write_bytes(data)
    fields = {"id": "f1", "conversation": 1, "name": "чек.pdf", "mime": "application/pdf", "size": len(data)}
    return StoredFile(**{**fields, "sha256": sha256, **values})


async def test_a_document_with_a_caption(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"%PDF")
    text = Rich("Ваш чек", (Mark("bold", 4, 7),))
    assert (await polling.send(row(text, files=("f1",), rows=buttons("Спасибо")))).verdict == "sent"
    (message,) = telegram.world.shown(7)
    assert message["document"]["file_name"] == "чек.pdf"
    assert message["caption"] == "Ваш чек"
    assert message["reply_markup"]["inline_keyboard"]
    assert telegram.sent(7)[0].files == {"document": 4}


async def test_a_large_file_and_its_odd_name(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"x" * 3_000_000, name='отчёт "за\r\nмай".pdf')
    assert (await polling.send(row("", files=("f1",)))).verdict == "sent"
    assert telegram.sent(7)[0].files == {"document": 3_000_000}
    assert "отчёт" in telegram.world.shown(7)[0]["document"]["file_name"]


async def test_files_go_before_a_long_text(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"picture", kind="photo", name="a.jpg")
    gate.fake_store.files["f2"] = StoredFile("f2", 1, "b.pdf", "", 3, channel="telegram", ref="unknown-file")
    telegram.world.files["unknown-file"] = ("files/1_b.pdf", b"abc")
    assert (await polling.send(row("слово " * 300, files=("f1", "f2")))).verdict == "sent"
    assert [call.method for call in telegram.sent(7)] == ["sendPhoto", "sendDocument", "sendMessage"]


async def test_a_picture_that_is_none_goes_as_a_document(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"odd", kind="photo", name="a.jpg")
    telegram.fail(method="sendPhoto", kind="400", words="Bad Request: PHOTO_INVALID_DIMENSIONS")
    assert (await polling.send(row("", files=("f1",)))).verdict == "sent"
    assert telegram.sent(7)[-1].method == "sendDocument"


async def test_a_file_that_is_missing(polling: Telegram, gate: FakeGate, tmp_path: Path) -> None:
    assert (await polling.send(row(files=("nowhere",)))).verdict == "rejected"
    gate.fake_store.files["f1"] = StoredFile("f1", 1, "a", "", 1)
    assert (await polling.send(row(files=("f1",)))).verdict == "retry", "its bytes are still on the way"
    gate.fake_store.files["f1"] = StoredFile("f1", 1, "a", "", 1, sha256="ab" * 32)
    assert (await polling.send(row(files=("f1",)))).verdict == "rejected"


async def test_a_file_above_the_limit_is_not_even_carried_there(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate
) -> None:
    huge = StoredFile("f1", 1, "a.zip", "", (50 << 20) + 1, sha256="ab" * 32)
    gate.fake_store.files["f1"] = huge
    sent = await polling.send(row(files=("f1",)))
    assert (sent.verdict, sent.reason) == ("rejected", "the file f1 is larger than the 50 MB that Telegram takes")
    assert telegram.sent(7) == []


async def test_the_token_is_in_no_log_and_no_error(build: Build, gate: FakeGate, telegram: TelegramEmulator) -> None:
    channel = build()
    with structlog.testing.capture_logs() as logs:
        await channel.start(gate)
        telegram.fail(kind="401")
        telegram.fail(kind="cut")
        telegram.say(7, "привет")
        await gate.until(lambda: bool(gate.inbounds))
        await channel.send(row())
        with pytest.raises((ValueError, ConnectionError)) as caught:
            await channel.fetch("no such file", 100)
        await asyncio.wait_for(channel.stop(), 5)
    assert TOKEN not in repr(logs)
    assert TOKEN not in repr(caught.value) + str(caught.value)


async def put_pictures(gate: FakeGate, root: Path, count: int) -> tuple[str, ...]:
    """So many pictures in the store; their ids."""
    names = tuple(f"p{number}" for number in range(count))
    for number, name in enumerate(names):
        picture = put_file(root, b"\xff\xd8" + bytes([number]), id=name, kind="photo", name="a.jpg", mime="image/jpeg")
        gate.fake_store.files[name] = picture
    return names


async def test_pictures_go_as_one_album_and_a_kill_between_repeats_nothing(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    files = await put_pictures(gate, tmp_path, 3)
    telegram.fail(kind="500", method="sendMessage")
    one = row("слово " * 300, files=files, rows=buttons("Верно"))
    assert (await polling.send(one)).verdict == "retry"
    (album,) = gate.fake_store.progressed
    shown = [str(message["message_id"]) for message in telegram.world.shown(7)]
    assert album == ("+".join(shown),), "an album is one part of the row"
    sent = await polling.send(one)
    assert (sent.verdict, sent.platform_ids[:3]) == ("sent", tuple(shown))
    assert [call.method for call in telegram.sent(7)] == ["sendMediaGroup", "sendMessage", "sendMessage"]
    assert len({message["media_group_id"] for message in telegram.world.shown(7)[:3]}) == 1
    assert telegram.world.violations == []


async def test_an_album_of_what_are_no_pictures_goes_as_documents(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    files = await put_pictures(gate, tmp_path, 2)
    telegram.fail(kind="400", method="sendMediaGroup", words="Bad Request: PHOTO_INVALID_DIMENSIONS")
    assert (await polling.send(row("Чеки", files=files))).verdict == "sent"
    assert ["document" in message for message in telegram.world.shown(7)] == [True, True]
    assert sorted(telegram.texts(7)) == ["", "Чеки"]


async def test_a_file_that_telegram_has_forgotten_is_sent_by_its_bytes(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"%PDF", ref="forgotten", channel="telegram")
    assert (await polling.send(row("Чек", files=("f1",)))).verdict == "sent"
    assert telegram.sent(7)[-1].files == {"document": 4}


async def test_an_answer_points_at_the_message_and_survives_its_end(
    polling: Telegram, telegram: TelegramEmulator
) -> None:
    asked = telegram.say(7, "Где заказ?")["message"]["message_id"]
    assert (await polling.send(row("Едет", quote=Quote(str(asked), "Где заказ?")))).verdict == "sent"
    assert telegram.world.shown(7)[-1]["reply_to_message"]["text"] == "Где заказ?"
    assert (await polling.send(row("Приехал", quote=Quote("99999")))).verdict == "sent"
    assert "reply_to_message" not in telegram.world.shown(7)[-1]


async def test_the_text_beside_a_file_is_changed(
    polling: Telegram, telegram: TelegramEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    gate.fake_store.files["f1"] = put_file(tmp_path, b"%PDF")
    sent = await polling.send(row("Готовим", files=("f1",)))
    for _ in range(2):
        edited = await polling.send(row("Готово", kind="edit", files=("f1",), target_ids=sent.platform_ids))
        assert (edited.verdict, edited.platform_ids) == ("sent", sent.platform_ids)
    assert telegram.texts(7) == ["Готово"]
