"""What all tests share: logging as it was before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """A command that a test runs configures logging for the whole process; the next test starts anew."""
    yield
    structlog.reset_defaults()
