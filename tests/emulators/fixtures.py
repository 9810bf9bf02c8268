"""Fixtures for tests of any room: `from tests.emulators.fixtures import telegram`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.emulators.telegram import TelegramEmulator

TOKEN = "123456:test-token-of-nobody"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramEmulator]:
    """A strict Telegram; at the end the test fails when any call broke the official schema or a limit."""
    async with TelegramEmulator(token=TOKEN) as emulator:
        yield emulator
        emulator.check()
