"""Remote work beside the lanes: one result in the inbox per row, whatever is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.effects import Call, CreateTicket, FetchFile
from core.events import CallDone
from core.messages import Attachment
from core.outbox import OutboxRow, Settled
from core.ports import Channel, FileLink, Outcome, Result, StoredFile, Ticket, Work
from gateway.calls import MOST_ATTEMPTS, PATIENT_ATTEMPTS, Calls
from gateway.metrics import Metrics
from storage.files.local import LocalFiles
from storage.memory import MemoryStore
from tests.adapters.web.pictures import png
from tests.gateway.house import Clock, Recorder, count, echo, inbound


@dataclass
class Answering:
    """A service and an outer desk that answer as told and remember what they were asked."""

    outcome: Outcome | Exception
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    files: list[FileLink] = field(default_factory=list)

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        self.asked.append((call, params, key, client))
        return self._answer()

    async def push(self, ticket: Ticket, key: str, files: Sequence[FileLink] = ()) -> Outcome:
        self.asked.append((ticket.number, key))
        self.files = list(files)
        return self._answer()

    def _answer(self) -> Outcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def close(self) -> None:
        return


PICTURE = png(3, 2)
CALL = Call("k1", "shop", "find", {"number": "7"})
TICKET = CreateTicket("t1", 1, "outer", "Заявка", "текст", {"Вопрос": "?"}, wait=True)


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    it = MemoryStore(Clock(), frozenset({"outer"}))
    await it.open()
    yield it
    await it.close()


async def row_of(store: MemoryStore, effect: Any, kind: str) -> OutboxRow:
    receipts = await store.accept([inbound(1, "начали")], echo(effect))
    return next(row for row in receipts[0].outbox if row.kind == kind)


async def results(store: MemoryStore) -> list[CallDone]:
    seen: list[CallDone] = []

    def look(work: Work) -> Result:
        seen.extend(pending.event for pending in work.events if isinstance(pending.event, CallDone))
        return echo()(work)

    await store.work(look)
    return seen


def calls(store: MemoryStore, answering: Answering, folder: Path, channel: Recorder | None = None) -> Calls:
    channels: dict[str, Channel] = {"telegram": channel or Recorder()}
    return Calls(store, {"shop": answering}, {"outer": answering}, channels, LocalFiles(folder), Metrics())


@pytest.mark.parametrize("status", ["ok", "missing", "failed"])
async def test_a_result_comes_back_once(store: MemoryStore, tmp_path: Path, status: Any) -> None:
    row = await row_of(store, CALL, "call")
    shop = Answering(Outcome(status, {"номер": "7"} if status == "ok" else {}))
    work = calls(store, shop, tmp_path)
    assert (await work.run(row)).verdict == "sent"
    assert (await work.run(row)).verdict == "sent"
    told = await results(store)
    assert [(event.key, event.status) for event in told] == [("k1", status)]
    assert shop.asked[0][:3] == ("find", {"number": "7"}, row.key)
    assert shop.asked[0] == shop.asked[1], "a repeat carries the same idempotency key"


async def test_a_call_that_asks_to_come_again_ends_as_failed(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, CALL, "call")
    work = calls(store, Answering(Outcome("retry", after=7.0)), tmp_path)
    sent = await work.run(row)
    assert (sent.verdict, sent.after) == ("retry", 7.0)
    row.attempts = MOST_ATTEMPTS
    assert (await work.run(row)).verdict == "sent"
    assert [event.status for event in await results(store)] == ["failed"]


async def test_an_error_of_ours_is_retried_then_told_as_failed(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, CALL, "call")
    work = calls(store, Answering(RuntimeError("bug")), tmp_path)
    assert (await work.run(row)).verdict == "retry"
    row.attempts = MOST_ATTEMPTS
    assert (await work.run(row)).verdict == "rejected"
    assert [event.status for event in await results(store)] == ["failed"]


async def test_a_service_that_left_the_config_fails(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, Call("k1", "gone", "find"), "call")
    assert (await calls(store, Answering(Outcome("ok")), tmp_path).run(row)).verdict == "sent"
    assert [event.status for event in await results(store)] == ["failed"]


async def test_an_outer_ticket_gets_its_number(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, TICKET, "ticket")
    desk = Answering(Outcome("ok", {"number": "INC-9", "link": "https://desk.example/9"}))
    assert (await calls(store, desk, tmp_path).run(row)).verdict == "sent"
    ticket = await store.ticket(1)
    assert ticket is not None
    assert (ticket.outer_number, ticket.outer_link) == ("INC-9", "https://desk.example/9")
    assert [event.key for event in await results(store)] == ["t1"]


async def test_a_desk_that_is_away_holds_nobody_up(store: MemoryStore, tmp_path: Path) -> None:
    """The ticket has its number here: the client goes on at once, the push is repeated for about a day."""
    row = await row_of(store, TICKET, "ticket")
    desk = Answering(Outcome("retry", error="503"))
    work = calls(store, desk, tmp_path)
    assert (await work.run(row)).verdict == "retry"
    assert [(event.key, event.status) for event in await results(store)] == [("t1", "ok")]
    row.attempts = PATIENT_ATTEMPTS - 1
    sent = await work.run(row)
    assert (sent.verdict, sent.after) == ("retry", 900.0)
    assert await results(store) == [], "told once"


async def test_a_ticket_that_the_desk_never_took_can_be_seen(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, TICKET, "ticket")
    row.attempts = PATIENT_ATTEMPTS
    sent = await calls(store, Answering(Outcome("retry", error="503")), tmp_path).run(row)
    assert (sent.verdict, sent.reason) == ("rejected", "503")
    await store.mark([Settled(row, sent)])
    assert (await store.stats())["dead"] == 1


async def test_a_ticket_that_the_desk_refuses_is_told(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, TICKET, "ticket")
    sent = await calls(store, Answering(Outcome("failed", error="400")), tmp_path).run(row)
    assert sent.verdict == "rejected"
    assert [(event.key, event.status) for event in await results(store)] == [("t1", "failed")]


async def test_a_file_waits_for_a_platform_that_is_away(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, FetchFile(Attachment("file", file="f3", ref="later")), "fetch")
    work = calls(store, Answering(Outcome("ok")), tmp_path, Away())
    row.attempts = MOST_ATTEMPTS
    assert (await work.run(row)).verdict == "retry"
    row.attempts = PATIENT_ATTEMPTS
    assert (await work.run(row)).verdict == "rejected"
    stored = await store.file("f3")
    assert stored is not None
    assert stored.error == "ConnectionError", "what shows the file must not wait for it for ever"


class Away(Recorder):
    """A platform that cannot be reached."""

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        raise ConnectionError("away")


async def test_a_file_is_kept_by_its_hash(store: MemoryStore, tmp_path: Path) -> None:
    photo = Attachment("photo", file="f1", ref="AgAC", name="фото.png")
    row = await row_of(store, FetchFile(photo), "fetch")
    channel = Recorder(files={"AgAC": PICTURE})
    assert (await calls(store, Answering(Outcome("ok")), tmp_path, channel).run(row)).verdict == "sent"
    stored = await store.file("f1")
    assert stored is not None
    assert (tmp_path / stored.sha256[:2] / stored.sha256).read_bytes() == PICTURE
    assert (stored.size, stored.mime) == (len(PICTURE), "image/png")


PRETENDERS = [
    (b"<html><script>alert(1)</script>", "photo.jpg"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "logo.svg"),
    (png(10_000, 10_000), "hundred-megapixels.png"),
    (b"MZ", "contract.docx"),
]


@pytest.mark.parametrize(("data", "name"), PRETENDERS)
async def test_what_a_messenger_calls_a_picture_need_not_be_one(
    store: MemoryStore, tmp_path: Path, data: bytes, name: str
) -> None:
    """The recorder says that everything is a PNG, as a messenger repeats what its client said."""
    row = await row_of(store, FetchFile(Attachment("photo", file="f1", ref="AgAC", name=name)), "fetch")
    metrics = Metrics()
    channels: dict[str, Channel] = {"telegram": Recorder(files={"AgAC": data})}
    work = Calls(store, {}, {}, channels, LocalFiles(tmp_path), metrics)
    assert (await work.run(row)).verdict == "sent"
    stored = await store.file("f1")
    assert stored is not None
    assert (stored.mime, stored.size) == ("application/octet-stream", len(data))
    assert count(metrics.door, "telegram", "inert_file") == 1


async def test_a_file_the_platform_refuses_keeps_the_reason(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, FetchFile(Attachment("file", file="f2", ref="gone")), "fetch")
    assert (await calls(store, Answering(Outcome("ok")), tmp_path).run(row)).verdict == "rejected"
    stored = await store.file("f2")
    assert stored is not None
    assert stored.error == "the platform does not give the file"


async def test_a_file_waits_for_its_place_however_long_that_is_away(store: MemoryStore, tmp_path: Path) -> None:
    place = tmp_path / "files"
    place.write_bytes(b"a file where the folder should be")
    row = await row_of(store, FetchFile(Attachment("photo", file="f1", ref="AgAC", name="a.png")), "fetch")
    work = calls(store, Answering(Outcome("ok")), place, Recorder(files={"AgAC": PICTURE}))
    for attempts, after in ((0, 5.0), (10, 900.0), (PATIENT_ATTEMPTS + 1, 900.0)):
        row.attempts = attempts
        sent = await work.run(row)
        assert (sent.verdict, sent.after) == ("retry", after)
    waiting = await store.file("f1")
    assert waiting is not None
    assert waiting.error == ""
    place.unlink()
    assert (await work.run(row)).verdict == "sent"


async def test_a_ticket_waits_for_the_links_to_its_files_and_the_client_for_nobody(
    store: MemoryStore, tmp_path: Path
) -> None:
    await store.add_file(StoredFile("f1", 1, "a.png", "image/png", 3))
    effect = msgspec.structs.replace(TICKET, files=("f1",))
    row = await row_of(store, effect, "ticket")
    desk = Answering(Outcome("ok"))
    files = LocalFiles(tmp_path, "https://bot.example")
    work = Calls(store, {}, {"outer": desk}, {}, files, Metrics())
    assert (await work.run(row)).verdict == "retry", "the key of the links has not been read yet"
    assert desk.asked == []
    assert [event.status for event in await results(store)] == ["ok"]
    await files.open()
    assert (await work.run(row)).verdict == "sent"
    assert [(file.name, file.url.partition("?")[0]) for file in desk.files] == [
        ("a.png", "https://bot.example/files/f1")
    ]


async def test_calls_run_side_by_side(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, CALL, "call")
    work = calls(store, Answering(Outcome("ok")), tmp_path)
    assert {sent.verdict for sent in await asyncio.gather(*(work.run(row) for _ in range(40)))} == {"sent"}


async def test_an_error_of_ours_at_a_desk_holds_nobody_up(store: MemoryStore, tmp_path: Path) -> None:
    row = await row_of(store, TICKET, "ticket")
    assert (await calls(store, Answering(RuntimeError("bug")), tmp_path).run(row)).verdict == "retry"
    assert [event.status for event in await results(store)] == ["ok"]
