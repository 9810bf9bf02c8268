"""Whether a person is there: what they say themselves, and what is left of it when nothing is heard of them."""

from __future__ import annotations

from typing import Literal

import msgspec

Said = Literal["online", "busy", "break", "offline"]
SAID: tuple[Said, ...] = ("online", "busy", "break", "offline")
State = Literal["online", "busy", "break", "offline", "away"]


class Presence(msgspec.Struct, frozen=True):
    """What is known of a person's presence. Times in seconds since the epoch (UTC).

    `state` is what the person set at `since`; `seen_at` the last sign of life; `capacity` their own limit of weighted
    sessions, 0 for none; it holds until `capacity_until`, 0 for always. Nobody who has never set it is there.
    """

    user: int
    state: Said = "offline"
    since: float = 0.0
    seen_at: float = 0.0
    capacity: int = 0
    capacity_until: float = 0.0

    def now(self, at: float, grace: float) -> State:
        """The state that counts: one who is silent for longer than the grace is away, whatever they set."""
        if self.state == "offline":
            return "offline"
        return "away" if at - self.seen_at > grace else self.state

    def limit(self, at: float) -> int:
        """Their own limit as it holds at a time, 0 for none."""
        return 0 if 0 < self.capacity_until <= at else self.capacity

    def lets_go(self, assigned_at: float, at: float, grace: float) -> bool:
        """Whether a session that they got at `assigned_at` goes back to the queue: they are silent for longer than the
        grace, or said for so long that they are offline; what they got after that is theirs. One who has never said
        anything about their presence is left alone."""
        if not self.since:
            return False
        if at - self.seen_at > grace:
            return True
        return self.state == "offline" and at - self.since > grace and assigned_at <= self.since
