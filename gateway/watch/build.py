"""The watch of a gateway, with what tells it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gateway import version
from gateway.roles import ROLES
from gateway.watch.beat import Watch

if TYPE_CHECKING:
    from gateway.app import Gateway


def build_watch(house: Gateway, roles: Collection[str]) -> Watch:
    """Hears what channels bring and what becomes of what they send."""
    made = Watch(
        house.floor.units,
        house.channels,
        house.leases.owner,
        [name for name in ROLES if name in roles],
        version(),
        lambda: house.publisher.book.id,
        lambda: house.now().timestamp(),
    )
    house.intake.heard, house.sender.tried = made.heard, made.settled
    return made
