"""The port of hints: wake-ups and other things that may be lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Hints(Protocol):
    """Wake-ups and other things that may be lost: in process, or through Redis. Nothing personal, no truth.

    Topics: `events` (an inbox has pending events), `rows:<channel>` (an outbox has free rows of a channel, `rows:` for calls,
    tickets and files), `flows` (another bundle is current), `history:<channel>` (data: the chat's conversation id; a
    message was written or settled: live pages read it again), `typing:<channel>` (data: a chat whose pages show that an
    answer is being written), `signs:<channel>` (data: the id of a conversation whose client is writing, or has seen all up
    to the place that follows), `feed` (what changed for people was written), `live` (data: ids of who looks at a conversation
    or answers in it), `accounts` (data: the id of a user whose rights have changed or ended), `routing` (somebody came, went,
    or can take another number of sessions).
    """

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    def tell(self, topic: str, data: str = "") -> None:
        """Tells every process, this one too. Never waits, never raises; what cannot be told is dropped."""
        ...

    def listen(self, topic: str, heard: Callable[[str], None]) -> Callable[[], None]:
        """Calls `heard(data)` on the loop for everything told from now on; the answer takes it back.

        `heard("")` also comes after an interruption: something may have been missed.
        """
        ...

    async def count(self, key: str, seconds: float) -> int | None:
        """How many times `key` was counted within the window, this time included; None when nobody can say."""
        ...

    async def present(self, key: str, seconds: float) -> None:
        """Says that `key` is here for the next `seconds`; seen by `who`."""
        ...

    async def who(self, prefix: str) -> frozenset[str]:
        """Keys with that prefix that are here now."""
        ...
