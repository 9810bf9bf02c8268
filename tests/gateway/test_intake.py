"""The intake: durable before anything is sent, nothing twice, careful after a fall."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from core.events import Inbound
from core.ports import Cursor, Decide, Receipt, StorageFull
from storage.memory import MemoryStore
from tests.gateway.house import Clock, Pipeline, count, inbound


class Fillable(MemoryStore):
    """A store whose disk can be full."""

    full = False

    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        if self.full:
            raise StorageFull
        return await super().accept(inbounds, decide, cursor)


@pytest.fixture
async def store() -> AsyncIterator[Fillable]:
    it = Fillable(Clock())
    await it.open()
    yield it
    await it.close()


@pytest.fixture
def pipe(store: Fillable) -> Pipeline:
    return Pipeline(store, Clock())


async def test_the_turn_is_done_with_the_intake_and_its_answer_offered(pipe: Pipeline) -> None:
    receipt = await pipe.say("привет")
    assert receipt.processed
    assert [row.message.body.text for row in pipe.rows if row.message] == ["Здравствуйте"]
    assert pipe.woken == 0, "nothing waits"
    assert count(pipe.metrics.messages, "telegram", "message") == 1


async def test_a_careful_intake_leaves_the_turn_to_the_worker(pipe: Pipeline) -> None:
    """An event that kills the process must be in the inbox, with its attempts, before it is tried."""
    pipe.intake.careful = True
    receipt = await pipe.say("привет")
    assert not receipt.processed
    assert (await pipe.store.stats())["inbox"] == 1
    assert (pipe.rows, pipe.woken) == ([], 1)
    pipe.intake.careful = False
    assert not (await pipe.say("ещё")).processed, "no overtaking: the first message is still to come"
    await pipe.settle()
    assert await pipe.said() == ["Здравствуйте", "Здравствуйте"]
    assert (await pipe.say("и ещё")).processed


async def test_a_repeated_delivery_changes_nothing(pipe: Pipeline) -> None:
    first = inbound(1, "привет")
    await pipe.intake.accept([first])
    offered = len(pipe.rows)
    (again,) = await pipe.intake.accept([first])
    assert again.duplicate
    assert (len(pipe.rows), pipe.woken) == (offered, 0)
    assert count(pipe.metrics.duplicates, "telegram") == 1
    assert count(pipe.metrics.messages, "telegram", "message") == 1


async def test_a_full_disk_acknowledges_nothing(pipe: Pipeline, store: Fillable) -> None:
    store.full = True
    with pytest.raises(StorageFull):
        await pipe.intake.accept([inbound(1, "раз"), inbound(2, "два")])
    assert count(pipe.metrics.refused, "telegram") == 2
    assert count(pipe.metrics.messages, "telegram", "message") == 0
    assert pipe.rows == []
    store.full = False
    (receipt,) = await pipe.intake.accept([inbound(1, "раз")])
    assert not receipt.duplicate, "the platform delivers it again, and it is new"


async def test_the_cursor_moves_with_the_messages(pipe: Pipeline, store: Fillable) -> None:
    await pipe.intake.accept([inbound(1, "раз")], Cursor("telegram", "7"))
    assert await pipe.intake.cursor("telegram") == "7"
    store.full = True
    with pytest.raises(StorageFull):
        await pipe.intake.accept([inbound(2, "два")], Cursor("telegram", "8"))
    assert await pipe.intake.cursor("telegram") == "7"


async def test_what_cannot_be_read_is_kept_apart(pipe: Pipeline, store: Fillable) -> None:
    await pipe.intake.quarantine("telegram", b"{", "ValueError")
    assert count(pipe.metrics.quarantined, "telegram") == 1
    assert (await store.stats())["quarantine"] == 1
