"""Settings of the live feed."""

from __future__ import annotations

from pydantic import Field

from gateway.config.settings import Settings
from gateway.config.values import Duration


class Live(Settings):
    """What people at work hear of at once, and how long it is kept for those who were away."""

    keep: Duration = Field(default=604_800.0, ge=3600)
    """How long a change can be asked for again, by a page that lost its connection or by an outgoing webhook that failed.
    Whoever was away for longer reads the lists anew."""
    sockets: int = Field(default=20, ge=1, le=1000)
    """Open sockets of one person; of more, the oldest gives way."""
