"""kill -9 at each window of the path, twenty times and more, under load: nothing lost, nothing doubled, order kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.checker import check_story
from tests.crash.harness import Zygote, torment

KILLS = 20
# The windows of the reliability notes. With `careful` the turn is kept out of the intake's transaction, so that a message
# waits in the inbox between acknowledgement and claim: that is the only way to be killed in windows 3 and 4 alone.
WINDOWS = {
    "W1 received, not committed": ("intake.before_commit", 0.0),
    "W2 committed, not acknowledged": ("intake.after_commit", 0.0),
    "W3 acknowledged, not claimed": ("worker.claimed", 600.0),
    "W4 claimed, not committed": ("worker.decided", 600.0),
    "W4 in the intake's own transaction": ("worker.decided", 0.0),
    "W5 committed, nobody woken": ("outbox.offered", 0.0),
    "W6 leased, not sent": ("outbox.before_send", 0.0),
    "W7 sent, not marked": ("outbox.after_send", 0.0),
    "W7 marked, lane not freed": ("outbox.after_mark", 0.0),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zygote() -> AsyncIterator[Zygote]:
    it = await Zygote.start()
    yield it
    await it.stop()


@pytest.mark.crash
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("window", WINDOWS)
async def test_kill_in_window(window: str, zygote: Zygote, tmp_path: Path) -> None:
    name, careful = WINDOWS[window]
    story = await torment(zygote, tmp_path, f"{name}:kill@p=0.03", kills=KILLS, careful=careful)
    assert story.kills >= KILLS, f"died only {story.kills} times"
    check_story(story)


@pytest.mark.crash
@pytest.mark.asyncio(loop_scope="module")
async def test_many_under_way(zygote: Zygote, tmp_path: Path) -> None:
    """As shipped, many messages are under way: each may come twice after a kill, no client sees two of them."""
    story = await torment(
        zygote, tmp_path, "outbox.after_send:kill@p=0.02", kills=KILLS, careful=0.0, at_once=30, chats=24
    )
    assert story.kills >= KILLS
    check_story(story)
