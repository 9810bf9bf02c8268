"""Sending over an emulated VK: keys against repeats, verdicts, order under trouble, packs, uploads."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.pacing import Rate
from adapters.vk.api import Api, Closed, unpack
from adapters.vk.channel import Vk
from adapters.vk.methods import Methods, Refusal, Trouble
from core.outbox import OutboxRow, Sent
from core.ports import StoredFile
from core.rich import Mark, Rich
from tests.adapters.telegram.gate import FakeGate
from tests.adapters.vk.conftest import Build, buttons, row
from tests.emulators.vk import TOKEN, VkEmulator


@pytest.fixture
async def api(vk: VkEmulator) -> AsyncIterator[Api]:
    """The way to VK by itself, without limits of ours."""
    made = Api(Methods(TOKEN, vk.url), None)
    yield made
    await made.close(1.0)


async def persist(channel: Vk, row: OutboxRow, seconds: float = 20.0) -> Sent:
    """What the sender does with a row: paced, sent, tried again after the time that the verdict asks for."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        sent = await channel.pace(row) or await channel.send(row)
        if sent.verdict != "retry":
            return sent
        row.attempts += 1
        await asyncio.sleep(sent.after)
    raise TimeoutError


# --- keys against repeats --------------------------------------------------------------------------------------------


async def test_a_row_sent_twice_is_shown_once(polling: Vk, vk: VkEmulator) -> None:
    """A killed sender does not know whether its message is out; the next one sends it again, under the same key."""
    first, again = await polling.send(row()), await polling.send(row())
    assert first == again
    assert first.verdict == "sent"
    assert vk.texts(7) == ["Здравствуйте"]


async def test_a_lost_answer_is_asked_for_again(polling: Vk, vk: VkEmulator) -> None:
    vk.fail(kind="lost", method="messages.send")
    sent = await polling.send(row())
    assert (sent.verdict, sent.reason[:11]) == ("retry", "unconfirmed")
    assert (await polling.send(row())).verdict == "sent"
    assert vk.texts(7) == ["Здравствуйте"]


async def test_parts_have_keys_of_their_own(polling: Vk, vk: VkEmulator, gate: FakeGate) -> None:
    sent = await polling.send(row("слово " * 1500))
    assert len(sent.platform_ids) == 3
    assert "".join(vk.texts(7)) == "слово " * 1500
    assert [len(parts) for parts in gate.fake_store.progressed] == [1, 2]


async def test_parts_that_are_out_stay_out(polling: Vk, vk: VkEmulator) -> None:
    long = row("слово " * 1500)
    vk.say(7, "здесь")
    vk.fail(kind="10", method="messages.send", times=1)
    assert (await polling.send(long)).verdict == "retry"
    assert (await polling.send(long)).verdict == "sent"
    assert len(vk.texts(7)) == 3


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cut", "html"])
async def test_trouble_on_the_way_is_tried_again(polling: Vk, vk: VkEmulator, kind: str) -> None:
    vk.fail(kind=kind, method="messages.send")
    sent = await polling.send(row())
    assert sent.verdict == "retry"
    assert "127.0.0.1" not in sent.reason
    assert (await polling.send(row())).verdict == "sent"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("901", "unreachable"), ("100", "rejected"), ("10", "retry"), ("936", "unreachable"), ("7", "rejected")],
)
async def test_what_vk_says_is_a_verdict(polling: Vk, vk: VkEmulator, code: str, verdict: str) -> None:
    vk.fail(kind=code, method="messages.send")
    sent = await polling.send(row())
    assert (sent.verdict, sent.reason.split()[0]) == (verdict, code)


async def test_a_captcha_is_not_solved_and_not_asked_again(polling: Vk, vk: VkEmulator) -> None:
    """The library would call a handler; here it is an alarm, and nothing is asked for a minute."""
    vk.fail(kind="14", method="messages.send")
    sent = await polling.send(row())
    assert (sent.verdict, sent.scope, sent.after) == ("retry", "account", 60.0)
    calls = len(vk.world.calls)
    waiting = await polling.pace(row())
    assert waiting is not None
    assert waiting.after > 50
    assert len(vk.world.calls) == calls


async def test_buttons_that_vk_refuses_become_lines(polling: Vk, vk: VkEmulator) -> None:
    vk.settings(buttons=False)
    assert (await polling.send(row("Что?", rows=buttons("Да", "Нет")))).verdict == "sent"
    assert vk.texts(7) == ["Что?\n1. Да\n2. Нет"]


async def test_an_error_9_storm_keeps_order_and_loses_nothing(polling: Vk, vk: VkEmulator) -> None:
    """Flood control for one client, then for many: no call into a closed window, all in order in the end."""
    chats = [str(chat) for chat in range(20, 25)]
    for chat in chats:
        vk.person(int(chat))
        vk.fail(kind="9", method="messages.send", chat=int(chat), times=1)
    lanes = [[row(f"{number}", chat=chat, key=f"{chat}-{number}") for number in range(1, 4)] for chat in chats]

    async def lane(rows: list[OutboxRow]) -> list[str]:
        return [(await persist(polling, one, 60)).verdict for one in rows]

    assert await asyncio.gather(*map(lane, lanes)) == [["sent"] * 3] * len(chats)
    for chat in chats:
        assert vk.texts(int(chat)) == ["1", "2", "3"]
    check_windows(vk)


def check_windows(vk: VkEmulator) -> None:
    """After a 9 nobody writes to that client for five seconds, and after three clients in a row to nobody."""
    calls = vk.sent()
    storms = [call for call in calls if call.error == "9"]
    for storm in storms:
        inside = [one for one in calls if one.chat == storm.chat and storm.at < one.at < storm.at + 4.9]
        assert inside == [], f"{len(inside)} calls into the closed window of {storm.chat}"
    third = sorted(call.at for call in storms)[2]
    assert [one for one in calls if third + 0.5 < one.at < third + 4.9] == []


async def test_error_6_closes_the_community_for_a_moment(polling: Vk, vk: VkEmulator) -> None:
    vk.fail(kind="6", method="messages.send")
    sent = await polling.send(row())
    assert (sent.verdict, sent.scope) == ("retry", "account")
    assert await polling.pace(row(chat="8")) is not None
    assert (await persist(polling, row())).verdict == "sent"


async def test_the_pace_of_vk_is_kept(build: Build, gate: FakeGate, vk: VkEmulator) -> None:
    """Three seconds' worth of messages for many clients: never an error 6, although VK counts."""
    vk.settings(rates=True)
    channel = build(limits="20/s")
    await channel.start(gate)
    await channel.caught_up()
    rows = [row(chat=str(chat), key=f"k-{chat}") for chat in range(100, 160)]
    for one in rows:
        vk.person(int(one.chat))
    sent = await asyncio.gather(*(persist(channel, one) for one in rows))
    assert {one.verdict for one in sent} == {"sent"}
    assert [call for call in vk.world.calls if call.error] == []
    assert any(call.packed for call in vk.sent()), "a backlog is packed"
    assert len(vk.world.requests) < len(rows)


async def test_no_second_of_vk_holds_more_than_its_rate(vk: VkEmulator) -> None:
    """Sixty requests at once, none packed: a burst, and then as many as fit, wherever VK's second begins."""
    vk.settings(rates=True)
    api = Api(Methods(TOKEN, vk.url), Rate(20, 1), backlog=10_000)
    answers = await asyncio.gather(*(api.call("users.get", {"user_ids": "1"}) for _ in range(60)))
    await api.close(1.0)
    assert answers == [[]] * 60
    assert 2.0 < vk.world.requests[-1] - vk.world.requests[0] < 4.0


async def test_whoever_stops_sends_nothing_more(build: Build, gate: FakeGate, vk: VkEmulator) -> None:
    vk.person(7)
    channel = build()
    await channel.start(gate)
    vk.fail(kind="hang", method="messages.send", seconds=30)
    task = asyncio.create_task(channel.send(row()))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await channel.stop()
    assert time.monotonic() - began < 4
    assert (await task).verdict == "retry"


# --- packs -----------------------------------------------------------------------------------------------------------


def send(chat: int, number: int) -> dict[str, str | int]:
    return {"peer_id": chat, "message": f'«{number}» "кавычки" \\ \n', "random_id": chat * 1000 + number}


async def test_a_backlog_goes_in_packs_and_each_call_has_its_own_answer(vk: VkEmulator, api: Api) -> None:
    for chat in range(1, 31):
        vk.person(chat)
    vk.deny(13)
    calls = [api.call("messages.send", send(chat, 0)) for chat in range(1, 31)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [number for number, one in enumerate(found, 1) if isinstance(one, Refusal)] == [13]
    assert {vk.world.by_id[one]["peer_id"] for one in found if isinstance(one, int)} == {*range(1, 31)} - {13}
    assert vk.texts(1) == ['«0» "кавычки" \\ \n']
    assert len(vk.world.requests) <= 7, "thirty calls, a few requests"


async def test_a_pack_that_vk_cannot_run_goes_one_by_one(vk: VkEmulator, api: Api) -> None:
    for chat in range(1, 13):
        vk.person(chat)
    vk.methods.broken = 1
    found = await asyncio.gather(*(api.call("messages.send", send(chat, 0)) for chat in range(1, 13)))
    assert len(set(found)) == 12


async def test_a_pack_that_was_lost_fails_each_call(vk: VkEmulator, api: Api) -> None:
    for chat in range(1, 13):
        vk.person(chat)
    vk.fail(kind="lost", method="execute")
    found = await asyncio.gather(
        *(api.call("messages.send", send(chat, 0)) for chat in range(1, 13)), return_exceptions=True
    )
    assert any(isinstance(one, Trouble) for one in found)
    again = await asyncio.gather(*(api.call("messages.send", send(chat, 0)) for chat in range(1, 13)))
    assert len(set(again)) == 12
    assert [len(vk.texts(chat)) for chat in range(1, 13)] == [1] * 12


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ({"response": [1, False, 2], "execute_errors": [{"error_code": 901, "error_msg": "x"}]}, [int, Refusal, int]),
        ({"response": [1, False, False], "execute_errors": [{"error_code": 901}]}, [int, Trouble, Trouble]),
        ({"response": [1, 2]}, [Trouble] * 3),
        ({"response": None}, [Trouble] * 3),
        ({"response": [1, False, 2]}, [int, Trouble, int]),
    ],
)
def test_errors_of_a_pack_find_their_calls(answer: dict[str, object], kinds: list[type]) -> None:
    assert [type(one) for one in unpack(answer, 3)] == kinds


async def test_what_waits_for_a_closed_window_comes_back(vk: VkEmulator, api: Api) -> None:
    api.windows.close_all(60)
    with pytest.raises(Closed):
        await api.call("users.get", {"user_ids": "1"})
    assert vk.world.requests == []


async def test_a_dead_peer_does_not_hold_a_thread_for_ever(vk: VkEmulator) -> None:
    api = Api(Methods(TOKEN, vk.url, threads=1, seconds=0.5), Rate(20, 1))
    vk.fail(kind="hang", method="users.get", seconds=20)
    began = time.monotonic()
    with pytest.raises(Trouble, match="ReadTimeout"):
        await api.call("users.get", {"user_ids": "1"})
    assert time.monotonic() - began < 5
    assert await api.call("users.get", {"user_ids": "1"}) == []
    await api.close(1.0)


async def test_a_wrong_token_is_an_error_of_vk(vk: VkEmulator) -> None:
    api = Api(Methods("wrong", vk.url), None)
    with pytest.raises(Refusal) as refusal:
        await api.call("users.get", {"user_ids": "1"})
    assert refusal.value.refused.code == 5
    await api.close(1.0)


# --- files -----------------------------------------------------------------------------------------------------------


def stored(gate: FakeGate, folder: Path, id: str, kind: str, data: bytes, name: str) -> str:
    sha256 = f"{id:0>64}"
    place = folder / sha256[:2] / sha256
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    gate.fake_store.files[id] = StoredFile(id, 1, name, "", len(data), kind, "web", "", sha256)
    return id


async def test_photos_and_documents_go_with_the_text(
    polling: Vk, vk: VkEmulator, gate: FakeGate, tmp_path: Path
) -> None:
    files = (
        stored(gate, tmp_path, "a", "photo", b"\xff\xd8 picture", "a.jpg"),
        stored(gate, tmp_path, "b", "file", b"%PDF", "сч\u202eёт.pdf"),
        stored(gate, tmp_path, "c", "photo", b"no picture", "c.jpg"),
    )
    assert (await polling.send(row("Вот", files=files))).verdict == "sent"
    (message,) = [one for one in vk.world.shown(7) if one["out"]]
    assert [one["type"] for one in message["attachments"]] == ["photo", "doc", "doc"]
    assert message["attachments"][1]["doc"]["title"] == "счёт.pdf"
    assert set(vk.world.files.values()) == {b"\xff\xd8 picture", b"%PDF", b"no picture"}


async def test_a_file_that_is_not_here_yet_waits_and_one_that_is_gone_is_said(polling: Vk, gate: FakeGate) -> None:
    gate.fake_store.files["x"] = StoredFile("x", 1, "a", "", 1, "file", "vk", "ref")
    assert (await polling.send(row(files=("x",)))).verdict == "retry"
    assert (await polling.send(row(files=("nobody",)))).verdict == "rejected"
    gate.fake_store.files["d"] = StoredFile("d", 1, "d", "", 1, "file", "web", "", "0" * 64)
    assert (await polling.send(row(files=(id,)))).verdict == "rejected"


async def test_a_clients_file_is_fetched(polling: Vk, vk: VkEmulator) -> None:
    url = vk.world.store("a.jpg", b"x" * 1000)
    assert await polling.fetch(url, 2000) == (b"x" * 1000, "image/jpeg")
    with pytest.raises(ValueError, match="larger than 500"):
        await polling.fetch(url, 500)
    with pytest.raises(ValueError, match="404"):
        await polling.fetch(f"{vk.url}/files/none", 500)
    with pytest.raises(ConnectionError):
        await polling.fetch("http://127.0.0.1:9/x", 500)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "file:///etc/passwd", "https://127.0.0.1/x", "https://[::1]/x"]
)
async def test_no_file_is_fetched_from_inside_the_network(url: str) -> None:
    channel = Vk("vk", {"token": TOKEN, "group_id": 1})
    with pytest.raises(ValueError, match="address"):
        await channel.fetch(url, 500)
    await channel.stop()


# --- edits -----------------------------------------------------------------------------------------------------------


async def test_edits_and_deletes(polling: Vk, vk: VkEmulator) -> None:
    sent = await polling.send(row("раз", rows=buttons("Да")))
    edit = row("два", kind="edit", target_ids=sent.platform_ids, key="s-2")
    assert (await polling.send(edit)).platform_ids == sent.platform_ids
    assert vk.texts(7) == ["два"]
    delete = row(kind="delete", target_ids=sent.platform_ids, key="s-3")
    assert (await polling.send(delete)).verdict == "sent"
    assert vk.texts(7) == []
    assert (await polling.send(delete)).verdict == "sent", "what is gone is gone"


async def test_what_cannot_be_edited_is_sent_anew(polling: Vk, vk: VkEmulator) -> None:
    edit = row("два", kind="edit", target_ids=("999",), key="s-2")
    assert (await polling.send(edit)).verdict == "sent"
    assert vk.texts(7) == ["два"]


async def test_a_keyboard_is_taken_away_by_the_next_message(polling: Vk, vk: VkEmulator) -> None:
    await polling.send(row("Что?", rows=tuple(buttons(*map(str, range(10)))[:10]), key="s-2"))
    assert vk.world.person(7).keyboard is not None
    await polling.send(row("Хорошо", key="s-3"))
    assert vk.world.person(7).keyboard is None


async def test_marks_reach_vk(polling: Vk, vk: VkEmulator) -> None:
    await polling.send(row(Rich("жирно", (Mark("bold", 0, 5),))))
    (call,) = vk.sent(7)
    assert json.loads(call.params["format_data"])["items"] == [{"type": "bold", "offset": 0, "length": 5}]
