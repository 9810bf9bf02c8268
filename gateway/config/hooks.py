"""Settings of outgoing webhooks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from gateway.config.settings import Settings
from gateway.config.values import Duration, Name, Url

Pattern = Annotated[str, StringConstraints(pattern=r"^([a-z_]+|\*)(\.([a-z_]+|\*))?$")]


class Webhook(Settings):
    """Another system that is told what happens to sessions and tickets: signed, in order, again until it is taken."""

    url: Url = Field(min_length=1)
    """Where the events are posted."""
    secret: SecretStr
    """What they are signed with, by Standard Webhooks: `whsec_` and 24 to 64 random bytes in base64. Empty: the webhook is
    off."""
    events: list[Pattern] = Field(default=["session.*", "ticket.*"], min_length=1, max_length=32)
    """Which events: `session.*`, `ticket.changed`, `message.*`; `*` is every one."""
    lines: list[Name] = Field(default_factory=list)
    """Only of these lines; a session that leaves one is told of, too. Empty: of all, and of what no line has yet."""
    timeout: Duration = Field(default=10.0, gt=0, le=30)
    """How long an answer may take."""
    stop_after: Duration = Field(default=86_400.0, ge=60)
    """A webhook that has failed for so long is stopped, until `frontline hooks resume`."""
    allow_private: bool = False
    """Whether `url` may lead into a private network."""
