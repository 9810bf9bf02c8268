"""The worker: one bad event never stops the rest, floods are answered once, a batch knows what came before in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from core.effects import CreateTicket, FetchFile, UpdateClient
from core.events import Message, Press
from core.locale import texts
from core.messages import Attachment, Contact
from core.ports import Pending, Work
from core.turn import Facts
from gateway import worker as worker_module
from gateway.turns import run_turn
from gateway.worker import FloodGuard, with_file_ids
from handoff.hours import parse_hours
from handoff.lines import House, Line
from storage.memory import MemoryStore
from tests.gateway.house import LINES, NOON, Clock, Pipeline, count

PHOTO = Attachment("photo", ref="tg-file")
T = texts("ru")


@pytest.fixture
async def pipe() -> AsyncIterator[Pipeline]:
    clock = Clock()
    store = MemoryStore(clock)
    await store.open()
    yield Pipeline(store, clock)
    await store.close()


def work(pipe: Pipeline, *events: Message | Press) -> Work:
    """Events of one conversation that wait together."""
    pending = [Pending(n, event, NOON + timedelta(seconds=n), NOON) for n, event in enumerate(events, 1)]
    conversation = pipe.store._rows.conversation(1)
    assert conversation is not None
    return Work(conversation, {"id": 1, "verified": []}, pending, 1)


# --- poison ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def explosive(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MutableMapping[str, Any]]]:
    """A message «бум» makes the step raise, each time."""

    def step(*given: object) -> object:
        if isinstance(given[3], Message) and given[3].text == "бум":
            raise ZeroDivisionError
        return run_turn(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(worker_module, "run_turn", step)
    with capture_logs() as logs:
        yield logs


@pytest.mark.usefixtures("explosive")
async def test_an_event_that_raises_is_tried_again_set_aside_and_told_to_people(pipe: Pipeline) -> None:
    await pipe.say("привет")
    receipt = await pipe.say("бум")
    assert not receipt.processed
    assert pipe.woken == 1
    await pipe.say("привет", "сосед")
    assert await pipe.said(2) == ["Здравствуйте"], "the neighbour is served"
    await pipe.say("после")
    for _ in range(10):
        pipe.clock.move(5)
        await pipe.settle()
    assert count(pipe.metrics.poisoned) == 5
    assert (await pipe.store.stats())["dead"] == 1
    conversation = await pipe.store.conversation(1)
    assert conversation is not None
    assert conversation.session.owner == "queue", "people look after the client"
    said = [item.event.text for item in await pipe.store.history(1) if isinstance(item.event, Message)]
    assert said == ["привет", "бум", "после"]


@pytest.mark.usefixtures("explosive")
async def test_what_came_before_the_bad_event_of_a_batch_is_kept(pipe: Pipeline) -> None:
    await pipe.say("привет")
    result = pipe.worker.decide(work(pipe, Message("заявка"), Message("бум"), Message("+79161234567")))
    assert [done.pending.id for done in result.done] == [1]
    assert (result.failed and result.failed.id, result.error) == (2, "ZeroDivisionError")
    assert result.conversation.talk.run is not None


# --- floods ----------------------------------------------------------------------------------------------------------


async def test_a_flood_is_kept_and_answered_once(pipe: Pipeline) -> None:
    pipe.worker.flood = FloodGuard(2, 10.0)
    notice = T("You are writing faster than I can read. Your messages are kept; please wait a few seconds.")
    for n in range(6):
        await pipe.say(f"текст {n}")
    assert await pipe.said() == ["Здравствуйте"] * 2 + [notice]
    assert len([item for item in await pipe.store.history(1) if item.author == "client"]) == 6
    assert count(pipe.metrics.flooded, "telegram") == 4
    await pipe.say("другой", "2")
    assert await pipe.said(2) == ["Здравствуйте"], "another client is not concerned"
    pipe.clock.move(11)
    await pipe.say("снова")
    assert (await pipe.said()).count(notice) == 1
    for _ in range(3):
        await pipe.say("и снова")
    assert (await pipe.said()).count(notice) == 2, "a new burst is told anew"


async def test_a_steady_stream_just_over_the_limit_is_told_once(pipe: Pipeline) -> None:
    pipe.worker.flood = FloodGuard(3, 10.0)
    for _ in range(12):
        await pipe.say("текст")
        pipe.clock.move(3)
    assert len([text for text in await pipe.said() if text != "Здравствуйте"]) == 1


@pytest.mark.usefixtures("explosive")
async def test_attempts_at_one_message_are_not_a_flood(pipe: Pipeline) -> None:
    pipe.worker.flood = FloodGuard(2, 60.0)
    await pipe.say("бум")
    for _ in range(4):
        pipe.clock.move(5)
        await pipe.settle()
    assert count(pipe.metrics.flooded, "telegram") == 0
    assert count(pipe.metrics.poisoned) > 2


# --- files, facts, the card and numbers within a batch ----------------------------------------------------------------


def test_files_get_the_same_ids_at_every_attempt() -> None:
    pending = Pending(7, Message(attachments=(PHOTO, PHOTO)), NOON, NOON)
    event, fetches = with_file_ids(pending)
    assert isinstance(event, Message)
    assert [one.file for one in event.attachments] == ["f7-0", "f7-1"]
    assert fetches == tuple(FetchFile(one) for one in event.attachments)
    assert with_file_ids(msgspec.structs.replace(pending, attempts=3)) == (event, fetches)


def test_a_file_that_is_ours_already_is_not_fetched() -> None:
    ours = msgspec.structs.replace(PHOTO, file="f3")
    event, fetches = with_file_ids(Pending(7, Message(attachments=(ours, PHOTO)), NOON, NOON))
    assert isinstance(event, Message)
    assert [one.file for one in event.attachments] == ["f3", "f7-1"]
    assert [one.attachment.file for one in fetches if isinstance(one, FetchFile)] == ["f7-1"]
    assert with_file_ids(Pending(8, Press("x"), NOON, NOON)) == (Press("x"), ())


async def test_what_the_step_was_told_is_kept_for_replay(pipe: Pipeline) -> None:
    await pipe.say("заявка")
    await pipe.say("+79161234567")
    done = (await pipe.store.events(1))[-1]
    facts = msgspec.json.decode(done.facts, type=Facts)
    assert facts.line == "support"
    assert facts.lines["support"].open
    assert facts.client["name"] == "Клиент"


async def test_a_batch_numbers_its_tickets_one_after_another(pipe: Pipeline) -> None:
    await pipe.say("привет")
    once = (Message("заявка"), Message("+79161234567"), Message(attachments=(PHOTO,)))
    result = pipe.worker.decide(work(pipe, *once, *once))
    made = [effect for done in result.done for effect in done.effects if isinstance(effect, CreateTicket)]
    assert [ticket.number for ticket in made] == [1, 2]
    assert [ticket.files for ticket in made] == [("f3-0",), ("f6-0",)]
    assert count(pipe.metrics.tickets, "general") == 2


async def test_a_phone_that_the_messenger_proved_is_not_typed_over_in_the_same_batch(pipe: Pipeline) -> None:
    await pipe.say("привет")
    proved = Message(contact=Contact("+79161112233", own=True))
    again = Message("заявка"), Message("+79990001122")
    result = pipe.worker.decide(work(pipe, Message("заявка"), proved, Message("отмена"), *again))
    kept = [effect for done in result.done for effect in done.effects if isinstance(effect, UpdateClient)]
    assert kept == [UpdateClient({"phone": "+79161112233"}, ("phone",))]


async def test_the_step_sees_the_lines_of_the_minute_and_of_the_house(pipe: Pipeline) -> None:
    hours = parse_hours({"mon-fri": "09:00-18:00"}, "Europe/Moscow")
    pipe.house = House(lines={"support": Line(id="support", title="Поддержка", hours=hours)})
    first, second = NOON.astimezone(pipe.worker.zone), (NOON + timedelta(hours=9)).astimezone(pipe.worker.zone)
    assert pipe.worker._line_facts(first)["support"].open
    assert not pipe.worker._line_facts(second)["support"].open
    pipe.house = LINES
    assert pipe.worker._line_facts(second)["support"].open, "a new house is seen at once"
