"""The house of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.api.house import House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house():
        yield made


@pytest.fixture
async def secure() -> AsyncIterator[House]:
    """Behind https."""
    async for made in open_house("https://desk.example.org"):
        yield made
