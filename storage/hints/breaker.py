"""The circuit breaker: while the server of hints is away or hangs, nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

# refused: the server answers, with errors (memory full, no rights); what it could not do is done without.
State = Literal["closed", "open", "refused"]
Changed = Callable[[State, str], None]
FAILURES = 3  # in a row: with 0.2 s for each, a server that hangs costs well below a second


class Breaker:
    """Closed: the server is asked. Open: it is not, until a probe was answered.

    `changed` hears each new state and the name of the error type behind it, never an address or a password.
    """

    def __init__(self, changed: Changed = lambda state, why: None, failures: int = FAILURES) -> None:
        self._changed, self._limit = changed, failures
        self._failures = 0
        self.opened = asyncio.Event()

    @property
    def closed(self) -> bool:
        return not self.opened.is_set()

    def worked(self) -> None:
        """The server has answered."""
        self._failures = 0
        if self.opened.is_set():
            self.opened.clear()
            self._changed("closed", "")

    def failed(self, why: str) -> None:
        """The server could not be reached, or took too long."""
        self._failures += 1
        if self._failures >= self._limit:
            self.give_up(why)

    def give_up(self, why: str) -> None:
        """Opens at once."""
        if not self.opened.is_set():
            self.opened.set()
            self._changed("open", why)
