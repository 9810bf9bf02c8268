"""What the dead held: leases and rows of processes that were killed on this machine."""

from __future__ import annotations

from typing import Any

from storage.owners import is_gone
from storage.postgres.statements import BURY_OLD, RELEASE

HELD = "SELECT name, owner FROM leases WHERE owner <> '' AND name NOT LIKE 'live:%'"
OWNERS = "SELECT DISTINCT lease_owner FROM outbox WHERE state = 0 AND lease_owner <> ''"
FREE = "UPDATE outbox SET lease_owner = '', lease_until = 0 WHERE state = 0 AND lease_owner = ANY($1::text[])"


async def inherit(link: Any, dead: list[str]) -> None:
    """Free it at once: nobody must wait until the leases of the dead end by themselves. `dead` are their rows `live:…`."""
    await link.execute(BURY_OLD, dead)
    for name, owner in await link.fetch(HELD):
        if is_gone(owner):
            await link.execute(RELEASE, name, owner)
    gone = [owner for (owner,) in await link.fetch(OWNERS) if is_gone(owner)]
    if gone:
        await link.execute(FREE, gone)
