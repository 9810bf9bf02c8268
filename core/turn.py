"""A turn: what the pure rooms take and give. `bot.step` and `handoff.decide` have this one shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from core.conversation import Conversation
from core.effects import Effect


class LineFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line right now. `opens_at` is local time of the deployment, None when it never opens."""

    title: str
    open: bool
    opens_at: datetime | None = None


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a pure step may know besides its state: no clock, no store, no randomness behind it.

    `client` is the card: `name`, `phone`, `verified` (list of names) and what flows keep. The n-th ticket of the turn
    gets `ticket_number + n`. `line` is the channel's default line. `files` counts as `attachment.file` ids already set.
    """

    client: dict[str, Any]
    lines: dict[str, LineFacts]
    line: str = ""
    ticket_number: int = 1
    starting: bool = False  # the process has just started: late timers may be stale


class Trace(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One reason, for `frontline replay`: a kind (`trigger`, `accepted`, `wrong`, `edge`, …) and its details."""

    kind: str
    data: dict[str, Any] = {}


class Turn(msgspec.Struct, frozen=True):
    """The outcome of one step: the next state, what shall happen, and why."""

    conversation: Conversation
    effects: tuple[Effect, ...] = ()
    trace: tuple[Trace, ...] = ()
