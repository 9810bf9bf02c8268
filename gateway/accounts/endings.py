"""Endings: whoever holds something open for a user, such as a socket, hears when their rights have changed or ended."""

from __future__ import annotations

from collections.abc import Callable

from core.ports import Hints

TOPIC = "accounts"


class Endings:
    """A subscription that reaches every process of the deployment by hints. A hint may be lost: whoever keeps something
    open asks the store again before it gives anything away."""

    def __init__(self, hints: Hints | None) -> None:
        self._hints = hints

    def subscribe(self, heard: Callable[[int], None]) -> Callable[[], None]:
        """Calls `heard(user)` on the loop; 0 means that something may have been missed. The answer takes it back."""
        if self._hints is None:
            return lambda: None
        return self._hints.listen(TOPIC, lambda data: heard(int(data) if data.isdecimal() else 0))

    def tell(self, user: int) -> None:
        """The rights of a user are not what they were."""
        if self._hints is not None:
            self._hints.tell(TOPIC, str(user))
