"""Settings of the people who sign in."""

from __future__ import annotations

from pydantic import Field

from gateway.config.settings import Settings
from gateway.config.values import Duration


class Accounts(Settings):
    """How long people stay signed in, and what a password must be."""

    idle: Duration = Field(default=3600.0, gt=0)
    """A session that nobody uses ends after so long."""
    longest: Duration = Field(default=43_200.0, gt=0)
    """Every session ends after so long, however much it is used."""
    password: int = Field(default=12, ge=8, le=128)
    """The least number of characters in a password."""


class Presence(Settings):
    """When people count as being there."""

    grace: Duration = Field(default=60.0, ge=1)
    """Somebody of whom nothing is heard for so long is away: their sessions go back to the queue."""
