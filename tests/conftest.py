"""What all tests share: logging as it was before."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.logs import Libraries


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """A command that a test runs configures logging for the whole process; the next test starts anew."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, Libraries)]:
        root.removeHandler(handler)  # unconfigured, it would print a library's late warning into a command's output
