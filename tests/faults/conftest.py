"""One zygote for all runs of a session of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.faults.fleet import Zygote
from tests.faults.ground import Ground


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def zygote() -> AsyncIterator[Zygote]:
    it = await Zygote.start()
    yield it
    await it.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def ground(zygote: Zygote, tmp_path: Path) -> Ground:
    return Ground(zygote, tmp_path)
