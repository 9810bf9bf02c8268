"""One zygote and one set of servers for all runs of a session of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.fleet import Zygote
from tests.faults.ground import Ground
from tests.faults.servers import Servers


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def zygote() -> AsyncIterator[Zygote]:
    it = await Zygote.start()
    yield it
    await it.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    it = Servers()
    yield it
    it.close()


@pytest.fixture
def ground(zygote: Zygote, servers: Servers, tmp_path: Path) -> Ground:
    return Ground(zygote, servers, tmp_path)


@pytest.fixture
def shared_ground(zygote: Zygote, servers: Servers, tmp_path: Path) -> Ground:
    return Ground(zygote, servers, tmp_path, store="postgresql")
