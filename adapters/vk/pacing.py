"""When VK may be asked: so many requests a second for the whole community, and windows that its errors have closed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from adapters.pacing import Rate

# So many peers refused for flood within so many seconds: it is the community that is too fast.
STORM_PEERS = 3
STORM_SECONDS = 10.0
MOST_PEERS = 10_000
MARGIN = 1.1  # requests do not arrive as evenly as they leave


class Windows:
    """`clock` gives seconds that only grow. `rate` None: no limit of ours; what an error has closed is closed all the same."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float]) -> None:
        self._clock, self._rate = clock, rate
        self._planned: deque[float] = deque(maxlen=rate.most if rate else 1)
        self._peers: dict[str, float] = {}
        self._all = 0.0
        self._refused: deque[tuple[float, str]] = deque(maxlen=STORM_PEERS * 8)

    def closed(self, peer: str = "") -> float:
        """Seconds for which a peer, or the whole community, must not be written to."""
        now = self._clock()
        return max(0.0, self._all - now, self._peers.get(peer, 0.0) - now)

    def take(self) -> float:
        """Takes a request; the answer is how long to wait for it, in seconds. No window of VK's holds more than the rate,
        wherever it begins."""
        now = self._clock()
        if self._rate is None:
            return 0.0
        full = len(self._planned) == self._rate.most
        at = max(now, self._planned[0] + self._rate.seconds * MARGIN) if full else now
        self._planned.append(at)
        return at - now

    def close_all(self, seconds: float) -> None:
        """Closes the community for a while."""
        self._all = max(self._all, self._clock() + seconds)

    def close(self, peer: str, seconds: float) -> Literal["chat", "account"]:
        """Closes a peer for a while, and everything when peers are refused in a row; says which."""
        now = self._clock()
        self._refused.append((now, peer))
        self._peers[peer] = now + seconds
        if len(self._peers) > MOST_PEERS:
            self._peers = {name: until for name, until in self._peers.items() if until > now}
        if len({name for at, name in self._refused if now - at < STORM_SECONDS}) < STORM_PEERS:
            return "chat"
        self.close_all(seconds)
        return "account"
