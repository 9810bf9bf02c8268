"""Rows towards MAX: what is shown, every verdict, files in three steps, lost answers, the pace and its windows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import structlog

from adapters.max.channel import Max
from adapters.max.sending import Sending
from adapters.max.verdicts import NOT_READY_ATTEMPTS, Refused, judge
from core.messages import Quote
from core.outbox import Sent
from core.ports import StoredFile
from core.rich import Mark, Rich
from tests.adapters.max.conftest import Build, buttons, row
from tests.adapters.telegram.gate import FakeGate
from tests.emulators.max import MaxEmulator

PICTURE = b"\xff\xd8\xff\xe0 a picture"


async def stored(gate: FakeGate, id: str = "f1", kind: str = "photo", mime: str = "image/jpeg") -> StoredFile:
    """A file whose bytes are here."""
    sha256 = await gate.files.keep(PICTURE)
    gate.fake_store.files[id] = file = StoredFile(id, 1, "крышка.jpg", mime, len(PICTURE), kind=kind, sha256=sha256)
    return file


# --- what is shown ---------------------------------------------------------------------------------------------------


async def test_a_message(polling: Max, max_: MaxEmulator) -> None:
    marked = Rich("Заказ <12>", (Mark("bold", 0, 5),))
    sent = await polling.send(row(marked, rows=buttons("Да", "Нет")))
    assert max_.texts(7) == ["Заказ <12>"]
    assert sent == Sent("sent", platform_ids=(max_.sent(7)[0].mid,))
    assert max_.press(7, "Нет")["callback"]["payload"] == "1.2.1"


async def test_a_quote_points_at_the_message(polling: Max, max_: MaxEmulator) -> None:
    asked = max_.say(7, "Где заказ?")["message"]["body"]["mid"]
    await polling.send(row("В пути", quote=Quote(asked, "Где заказ?")))
    (answer,) = [one for one in max_.world.shown(7) if one["sender"]["is_bot"]]
    assert (answer["link"]["type"], answer["link"]["message"]["mid"]) == ("reply", asked)


async def test_a_quoted_message_that_is_gone(polling: Max, max_: MaxEmulator) -> None:
    asked = max_.say(7, "Где заказ?")["message"]["body"]["mid"]
    max_.remove(7, asked)
    assert (await polling.send(row("В пути", quote=Quote(asked, "Где заказ?")))).verdict == "sent"
    assert max_.texts(7) == ["В пути"]


async def test_what_may_not_be_deleted_says_nothing_of_the_client(polling: Max, max_: MaxEmulator) -> None:
    max_.fail(method="DELETE /messages", kind="403")
    kept = await polling.send(row(kind="delete", target_ids=("mid.1",)))
    assert (kept.verdict, kept.reason[:3]) == ("rejected", "403"), "it stays in the chat, and we say so"


async def test_edits_and_deletions(polling: Max, max_: MaxEmulator) -> None:
    sent = await polling.send(row("Вы третий", rows=buttons("Выйти")))
    edited = await polling.send(row("Вы второй", kind="edit", target_ids=sent.platform_ids))
    assert (max_.texts(7), edited.platform_ids) == (["Вы второй"], sent.platform_ids)
    assert max_.world.shown(7)[-1]["body"]["attachments"] == []
    gone = await polling.send(row(kind="delete", target_ids=sent.platform_ids))
    assert (max_.texts(7), gone.verdict) == ([], "sent")
    assert (await polling.send(row(kind="delete", target_ids=sent.platform_ids))).verdict == "sent", "gone already"
    anew = await polling.send(row("Вы первый", kind="edit", target_ids=sent.platform_ids, key="s-9"))
    assert (max_.texts(7), anew.verdict) == (["Вы первый"], "sent")
    assert anew.platform_ids != sent.platform_ids


@pytest.mark.parametrize(
    ("kind", "mime", "shown"),
    [
        ("photo", "image/jpeg", "image"),
        ("video", "video/mp4", "video"),
        ("voice", "audio/ogg", "audio"),
        ("file", "application/pdf", "file"),
    ],
)
async def test_files_in_three_steps(
    polling: Max, max_: MaxEmulator, gate: FakeGate, kind: str, mime: str, shown: str
) -> None:
    await stored(gate, kind=kind, mime=mime)
    assert (await polling.send(row("вот", files=("f1",)))).verdict == "sent"
    (attachment,) = max_.world.shown(7)[-1]["body"]["attachments"]
    assert attachment["type"] == shown
    assert max_.world.uploads[attachment["payload"]["token"]] == ("крышка.jpg", PICTURE)
    assert max_.texts(7) == ["вот"]


async def test_a_file_that_max_works_on_is_waited_for(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    """The message comes again with the same upload until MAX is done."""
    await stored(gate, kind="video", mime="video/mp4")
    max_.settings(processing=0.4)
    first = await polling.send(row("вот", files=("f1",)))
    assert (first.verdict, first.after) == ("retry", 1.0)
    assert "attachment.not.ready" in first.reason
    await asyncio.sleep(first.after)
    assert (await polling.send(row("вот", files=("f1",), attempts=1))).verdict == "sent"
    assert len(max_.sent(method="POST /uploads")) == len(max_.world.uploads) == 1


async def test_an_upload_that_failed_shows_nothing(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    await stored(gate)
    max_.fail(method="upload", kind="500")
    max_.fail(method="POST /uploads", kind="lost")
    verdicts = [(await polling.send(row("вот", files=("f1",)))).verdict for _ in range(3)]
    assert verdicts == ["retry", "retry", "sent"]
    assert max_.texts(7) == ["вот"]
    max_.fail(method="upload", kind="413")
    await stored(gate, "f2")
    assert (await polling.send(row("вот", files=("f2",)))).verdict == "rejected"


async def test_files_that_cannot_go(polling: Max, gate: FakeGate) -> None:
    assert (await polling.send(row("вот", files=("f0",)))).verdict == "rejected"
    gate.fake_store.files["f1"] = StoredFile("f1", 1, "a", "a/b", 1)
    assert (await polling.send(row("вот", files=("f1",)))).verdict == "retry"


@pytest.mark.parametrize(
    "bad",
    [
        row("  "),
        row(chat="-5"),
        row(message=None),
    ],
)
async def test_rows_that_cannot_be_sent(polling: Max, bad: object) -> None:
    assert (await polling.send(bad)).verdict == "rejected"  # type: ignore[arg-type]


async def test_parts_go_out_once(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    long = row("слово " * 1000)
    max_.fail(method="POST /messages", kind="slow", seconds=0.0)
    max_.fail(method="POST /messages", kind="503")
    assert (await polling.send(long)).verdict == "retry"
    assert len(long.sent_parts) == 1
    sent = await polling.send(long)
    assert (sent.verdict, len(sent.platform_ids), len(max_.texts(7))) == ("sent", 2, 2)
    assert gate.fake_store.progressed == [long.sent_parts]


# --- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (Refused(400, "proto.payload", "too long"), Sent("rejected", reason="400 proto.payload too long")),
        (Refused(400, "attachment.not.ready"), Sent("retry", reason="400 attachment.not.ready", after=4.0)),
        (
            Refused(400, "x", "errors.process.attachment.video.not.processed"),
            Sent("retry", reason="400 x errors.process.attachment.video.not.processed", after=4.0),
        ),
        (
            Refused(401, "verify.token", "Invalid access_token"),
            Sent("retry", reason="401 verify.token Invalid access_token", after=60.0, scope="account"),
        ),
        (Refused(403, "chat.denied"), Sent("unreachable", reason="403 chat.denied")),
        (Refused(404, "chat.not.found"), Sent("unreachable", reason="404 chat.not.found")),
        (Refused(404, "not.found"), Sent("retry", reason="404 not.found", after=60.0, scope="account")),
        (Refused(405), Sent("retry", reason="405", after=60.0, scope="account")),
        (Refused(413), Sent("rejected", reason="413")),
        (Refused(429, "too.many.requests", "", 7.0), Sent("retry", reason="429 too.many.requests", after=7.0)),
        (Refused(429), Sent("retry", reason="429", after=1.0)),
        (Refused(500), Sent("retry", reason="500", after=4.0)),
        (Refused(503, after=9.0), Sent("retry", reason="503", after=9.0)),
    ],
)
def test_verdicts(refused: Refused, expected: Sent) -> None:
    assert judge(refused, 2) == expected


def test_a_file_is_not_waited_for_for_ever() -> None:
    assert judge(Refused(400, "attachment.not.ready"), NOT_READY_ATTEMPTS).verdict == "rejected"


async def test_a_client_who_stopped_the_bot(polling: Max, max_: MaxEmulator) -> None:
    max_.world.person(7).stopped = True
    sent = await polling.send(row())
    assert sent.verdict == "unreachable"
    assert sent.reason == "403 chat.denied Key: error.dialog.suspended, args: [50000007,]."
    assert (await polling.send(row(chat="8"))).verdict == "unreachable", "nobody"


async def test_a_bad_token_is_told_once(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.person(7)
    channel = build(token="another")
    with structlog.testing.capture_logs() as logs:
        await channel.start(gate)
        sent = [await channel.send(row()) for _ in range(2)]
    assert [(one.verdict, one.scope, one.after) for one in sent] == [("retry", "account", 60.0)] * 2
    assert [line["event"] for line in logs].count("max_configuration") == 1


@pytest.mark.parametrize("kind", ["html", "500", "503"])
async def test_trouble_of_the_platform(polling: Max, max_: MaxEmulator, kind: str) -> None:
    max_.fail(method="POST /messages", kind=kind)
    assert (await polling.send(row())).verdict == "retry"
    assert (await polling.send(row())).verdict == "sent"
    assert max_.texts(7) == ["Здравствуйте"]


@pytest.mark.parametrize("kind", ["cut", "lost"])
async def test_a_lost_answer_is_repeated_once(polling: Max, max_: MaxEmulator, kind: str) -> None:
    """MAX has no key against repeats: the client may see the message twice, but never misses it."""
    max_.fail(method="POST /messages", kind=kind, times=2)
    assert [(await polling.send(row())).verdict for _ in range(2)] == ["retry", "unknown"]
    max_.fail(method="POST /messages", kind=kind)
    assert [(await polling.send(row(key="s-2"))).verdict for _ in range(2)] == ["retry", "sent"]
    max_.fail(method="PUT /messages", kind=kind, times=3)
    mid = max_.sent(7)[-1].mid
    edit = row("иначе", kind="edit", target_ids=(mid,), key="s-3")
    verdicts = [(await polling.send(edit)).verdict for _ in range(4)]
    assert (verdicts[0], verdicts[-1], "unknown" in verdicts) == ("retry", "sent", False), "an edit harms nobody"


async def test_an_answer_that_takes_too_long(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    max_.person(7)
    channel = build(timeout=0.2)
    await channel.start(gate)
    await channel.caught_up()
    max_.fail(method="POST /messages", kind="hang")
    sent = await channel.send(row())
    assert (sent.verdict, sent.reason) == ("retry", "unconfirmed: TimeoutError")


async def test_nobody_listens(build: Build, gate: FakeGate) -> None:
    channel = build(api_url="http://127.0.0.1:9")
    await channel.start(gate)
    sent = [await channel.send(row(attempts=number)) for number in range(3)]
    assert [one.verdict for one in sent] == ["retry"] * 3, "it never left: as often as it takes"
    assert "127.0.0.1" not in sent[0].reason


# --- pace ------------------------------------------------------------------------------------------------------------


async def send_all(channel: Max, rows: list[tuple[str, str]]) -> None:
    """A lane for each client, as the gateway has them: in order, again after `after`."""

    async def lane(chat: str, texts: list[str]) -> None:
        for number, text in enumerate(texts):
            for attempts in range(50):
                one = row(text, chat=chat, key=f"{chat}-{number}", attempts=attempts)
                sent = await channel.pace(one) or await channel.send(one)
                if sent.verdict != "retry":
                    break
                await asyncio.sleep(sent.after)
            assert sent.verdict == "sent", sent

    lanes: dict[str, list[str]] = {}
    for chat, text in rows:
        lanes.setdefault(chat, []).append(text)
    await asyncio.gather(*(lane(chat, texts) for chat, texts in lanes.items()))


async def test_the_pace_keeps_the_platforms_limits(build: Build, max_: MaxEmulator, gate: FakeGate) -> None:
    """30 calls in any second, two into one dialog: MAX never has to say 429."""
    for chat in range(100, 140):
        max_.person(chat)
    channel = build(limits=None)
    await channel.start(gate)
    await channel.caught_up()
    max_.settings(rates=True)
    rows = [(str(chat), "a") for chat in range(100, 140)] + [("100", "b"), ("100", "c"), ("100", "d")]
    began = time.monotonic()
    await send_all(channel, rows)
    assert time.monotonic() - began >= 1.3
    assert [call.error for call in max_.sent()] == [""] * 43
    assert max_.texts(100) == ["a", "b", "c", "d"]


async def test_a_storm_of_429_keeps_the_order(polling: Max, max_: MaxEmulator) -> None:
    """MAX refuses again and again, a dialog or the whole bot: nothing is lost, nothing overtakes, and no call goes out while
    one forbids it (the emulator counts that as a violation)."""
    for chat in range(7, 12):
        max_.person(chat)
    for chat in (7, 7, 8, 9, 9):
        max_.fail(method="POST /messages", kind="429", chat=chat, retry_after=1)
    max_.fail(method="POST /messages", kind="429", chat=10, retry_after=1)
    await send_all(polling, [(str(chat), str(number)) for number in range(4) for chat in range(7, 12)])
    assert [max_.texts(chat) for chat in range(7, 12)] == [["0", "1", "2", "3"]] * 5
    assert sum(call.error == "429" for call in max_.sent()) == 6


async def test_many_dialogs_refused_close_the_bot(polling: Max, max_: MaxEmulator) -> None:
    for chat in (7, 8, 9, 10):
        max_.person(chat)
    for chat in (7, 8, 9):
        max_.fail(method="POST /messages", kind="429", chat=chat, retry_after=2)
    scopes = [(await polling.send(row(chat=str(chat)))).scope for chat in (7, 8, 9)]
    assert scopes == ["chat", "chat", "account"]
    waits = await polling.pace(row(chat="10"))
    assert waits is not None
    assert 1.5 < waits.after <= 2.0


# --- beside messages -------------------------------------------------------------------------------------------------


async def test_typing_in_a_dialog_that_is_known(polling: Max, max_: MaxEmulator, gate: FakeGate) -> None:
    await polling.typing("7")
    assert max_.world.actions == [], "MAX has not told yet how it calls the dialog"
    max_.say(7, "привет")
    await gate.until(lambda: len(gate.inbounds) == 1)
    await polling.typing("7")
    assert max_.world.actions == [(7, "typing_on")]
    max_.fail(method="POST /chats/actions", kind="500")
    await polling.typing("7")


async def test_an_answer_tells_the_dialog_too(polling: Max, max_: MaxEmulator) -> None:
    await polling.send(row())
    await polling.typing("7")
    assert max_.world.actions == [(7, "typing_on")]


async def test_the_menu(polling: Max, max_: MaxEmulator) -> None:
    await polling.menu((("status", "Где мой заказ"), ("operator", "Позвать человека")))
    assert [one["name"] for one in max_.world.commands] == ["status", "operator"]
    max_.fail(method="PATCH /me/commands", kind="404")
    await polling.menu(())
    await polling.menu(())
    assert max_.world.commands == []


async def test_fetching(polling: Max, max_: MaxEmulator) -> None:
    photo = max_.photo(7)["message"]["body"]["attachments"][0]["payload"]["url"]
    assert await polling.fetch(photo, 100) == (b"\xff\xd8\xff\xe0 a picture", "image/jpeg")
    with pytest.raises(ValueError, match="larger than 3"):
        await polling.fetch(photo, 3)
    with pytest.raises(ValueError, match="404"):
        await polling.fetch(f"{max_.url}/files/0/none", 100)
    video = max_.video(7)["message"]["body"]["attachments"][0]["payload"]["token"]
    assert (await polling.fetch(f"video:{video}", 100))[1] == "video/mp4"
    with pytest.raises(ValueError, match="does not give the video out"):
        await polling.fetch("video:none", 100)
    max_.fail(method=f"GET /videos/{video}", kind="500")
    with pytest.raises(ConnectionError):
        await polling.fetch(f"video:{video}", 100)


async def test_files_never_come_from_private_addresses(build: Build, max_: MaxEmulator) -> None:
    channel = build(api_url="https://platform-api2.max.ru")
    with pytest.raises(ValueError, match="not an address of the platform"):
        await channel.fetch(f"{max_.url}/files/1/photo", 100)
    with pytest.raises(ValueError, match="private"):
        await channel.fetch("https://127.0.0.1:1/x", 100)


def test_a_sender_takes_no_file_as_a_bundle_of_certificates(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate", "utf-8")
    for place in (wrong, tmp_path / "none.pem"):
        with pytest.raises(ValueError, match=r"ca\.pem|none\.pem"):
            Max("max", {"token": "t", "ca": str(place)})


def test_settings_of_the_pace() -> None:
    assert isinstance(Max("max", {"token": "t", "limits": {"total": "5/s", "chat": "off"}})._sending, Sending)
    with pytest.raises(ValueError, match="not a rate"):
        Max("max", {"token": "t", "limits": {"total": "fast"}})
