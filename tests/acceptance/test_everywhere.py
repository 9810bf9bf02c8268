"""The shipped return, word for word the same in every messenger, in each way that messages come: the same ticket, and no
call that the messenger's own schema would not have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.hands import ALL, Stage, Way
from tests.acceptance.house import number_in
from tests.acceptance.talk import SAID, check_ticket, dialogue, unnumbered

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=ALL, ids=lambda way: way.name)
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A way, opened. At the end every call ever made must have been valid and taken."""
    way: Way = request.param
    async with way.open(tmp_path_factory.mktemp(way.name)) as opened:
        yield opened
        await opened.end()


async def test_a_return_with_a_photo_ends_with_the_same_ticket(stage: Stage) -> None:
    hand = await stage.hand()
    assert await dialogue(hand) == SAID
    await stage.quiet()
    said = await hand.texts()
    assert unnumbered(said) == SAID, "and nothing after that"
    await check_ticket(stage.gateway, number_in(said))


async def test_people_at_once_have_a_ticket_each(stage: Stage) -> None:
    """Nobody hears a word of another's talk."""
    hands = [await stage.hand() for _ in range(3)]
    assert await asyncio.gather(*(dialogue(hand) for hand in hands)) == [SAID] * len(hands)
    assert len({number_in(await hand.texts()) for hand in hands}) == len(hands)
