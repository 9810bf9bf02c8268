"""A file that its platform does not give out: a row with the reason, in the history and for the ticket, and nothing to fetch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.events import Message
from core.messages import Attachment
from storage.memory import MemoryStore
from tests.gateway.house import Clock, Pipeline

FILM = Attachment("video", ref="BAAC", name="кино.mp4", mime="video/mp4", size=50 << 20, note="больше 20 MB")
PHOTO = Attachment("photo", ref="AgAC", mime="image/jpeg")


@pytest.fixture
async def pipe() -> AsyncIterator[Pipeline]:
    store = MemoryStore(Clock(), frozenset())
    await store.open()
    yield Pipeline(store, Clock())
    await store.close()


async def test_a_file_that_cannot_be_had_is_seen_and_not_asked_for(pipe: Pipeline) -> None:
    await pipe.say(Message("смотрите", attachments=(FILM, PHOTO)))
    await pipe.settle()
    (said,) = [item.event for item in await pipe.store.history(1) if item.author == "client"]
    assert isinstance(said, Message)
    film, photo = said.attachments
    assert film.note == "больше 20 MB"
    row = await pipe.store.file(film.file)
    assert row is not None
    assert (row.name, row.error, row.sha256) == ("кино.mp4", "больше 20 MB", "")
    wanted = [row.payload["file"] for row in await pipe.store.lease() if row.kind == "fetch"]
    wanted += [row.payload["file"] for row in pipe.rows if row.kind == "fetch"]
    assert set(wanted) == {photo.file}
