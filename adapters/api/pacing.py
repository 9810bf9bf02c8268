"""When the integrator may be called: the rate of the settings, and pauses that its answers asked for."""

from __future__ import annotations

from collections.abc import Callable

from adapters.pacing import Bucket, Rate

MOST_CHATS = 10_000


class Pacer:
    """`clock` gives seconds that only grow. `rate` None: no limit of ours; what an answer has closed is closed all the same."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bucket = Bucket(rate, rate.most, clock()) if rate else None
        self._chats: dict[str, float] = {}
        self._all = 0.0

    def closed(self, chat: str) -> float:
        """Seconds for which a chat, or everything, must be left alone."""
        now = self._clock()
        return max(0.0, self._all - now, self._chats.get(chat, 0.0) - now)

    def take(self, patience: float) -> float:
        """Takes a place in the row; the answer is how long to wait for it, in seconds. Longer than `patience`, and no place
        is taken: come again then."""
        if self._bucket is None:
            return 0.0
        wait = self._bucket.take(self._clock())
        if wait > patience:
            self._bucket.give_back()
        return wait

    def close(self, chat: str, seconds: float) -> None:
        """Closes a chat for a while."""
        now = self._clock()
        self._chats[chat] = now + seconds
        if len(self._chats) > MOST_CHATS:
            self._chats = {name: until for name, until in self._chats.items() if until > now}

    def close_all(self, seconds: float) -> None:
        """Closes everything for a while."""
        self._all = max(self._all, self._clock() + seconds)
