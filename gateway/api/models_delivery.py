"""What the API tells of deliveries, and takes to change, take back or repeat them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.api.models import Epoch, Given, Id, Model, Said

Place = Annotated[int, Field(ge=1, le=2**53)]
WhyNot = Literal[
    "", "not_own", "gone", "not_sent", "cannot", "too_old", "not_failed", "unconfirmed", "owner", "unknown_channel"
]


class MayDo(Model):
    """Whether something can be done with a message now."""

    can: bool
    why_not: WhyNot
    """`not_own`: somebody else's · `gone`: taken back · `not_sent`: it did not go out · `cannot`, `too_old`: the channel ·
    `not_failed`: there is nothing to repeat · `unconfirmed`: it may be there, so a repeat may come twice · `owner`:
    somebody else has the session."""


class DeliveryView(Model):
    """How a message fares on its way to the client."""

    conversation: Id
    seq: int
    state: Literal["waiting", "sent", "failed", "unknown", "refused"]
    """`unknown`: nobody knows whether it arrived. `refused`: we did not send it ourselves."""
    reason: str
    """The platform's words, or ours."""
    author: str
    operator: str
    at: datetime
    settled_at: datetime | None
    attempts: int
    edited: int
    removed: bool
    changing: bool
    """An edit or a recall is on its way."""
    edit: MayDo
    recall: MayDo
    retry: MayDo


class Edit(Given):
    """Another text for a message of one's own."""

    seq: Place
    text: Said


class Recall(Given):
    """A message of one's own that the client shall not see any more."""

    seq: Place


class Retry(Given):
    """A message that failed, once more."""

    seq: Place
    even_if_twice: bool = False
    """Needed where nobody knows whether it arrived: the client may get it twice."""


class WayView(Model):
    """Another conversation of the same client."""

    conversation: Id
    channel: str
    kind: str
    title: str
    """Of the channel, for people."""
    status: str
    """Of its session; empty where one may not see it."""
    acts: list[str]
    """What the caller may do there now, as in `GET /conversations/{id}`."""
    reachable: bool
    last_at: datetime | None
    """When the client last wrote there."""
    epoch: Epoch | None
    """Of its session; none where one may not see it."""


class Ways(Model):
    """By which ways the client of a conversation can be reached."""

    reachable: bool
    """Whether this conversation still is one."""
    items: list[WayView]
    """The others, the one used last first."""
