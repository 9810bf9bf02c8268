"""A circuit breaker: a service that fails again and again is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Breaker:
    """Opens after `failures` in a row; after `rest` seconds one call at a time may try again."""

    def __init__(self, failures: int = 5, rest: float = 30.0, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._rest, self._clock = failures, rest, clock
        self._failures = 0
        self._until = 0.0

    def allows(self) -> bool:
        """Whether a call may go out now. While the circuit is open this lets one trial through per rest."""
        if self._failures < self._most:
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + self._rest
        return True

    def count(self, worked: bool) -> None:
        """Tell how a call went."""
        self._failures = 0 if worked else self._failures + 1
        if self._failures >= self._most:
            self._until = self._clock() + self._rest
