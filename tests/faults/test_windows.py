"""kill -9 at each window of the path, twenty times and more, under load: nothing lost, nothing doubled, order kept."""

from __future__ import annotations

import pytest

from tests.faults.ground import Ground
from tests.faults.kills import WINDOWS, kill_in_window

KILLS = 20

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("window", WINDOWS)
async def test_kill_in_window(window: str, ground: Ground) -> None:
    outcome = await kill_in_window(ground, window, KILLS)
    assert outcome.violations == []


async def test_many_under_way(ground: Ground) -> None:
    """As shipped, many messages are under way: each may come twice after a kill, no client sees two of them."""
    outcome = await kill_in_window(ground, "W7 sent, not marked", KILLS, at_once=30, chats=24)
    assert outcome.violations == []
