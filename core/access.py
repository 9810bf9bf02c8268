"""Who may see what, as values: the roles of people, and the filter that goes into the SQL."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["operator", "supervisor", "analyst", "admin"]
ROLES: tuple[Role, ...] = ("operator", "supervisor", "analyst", "admin")
OF_LINES: tuple[Role, ...] = ("operator", "supervisor")  # roles that mean something only together with a line


class Who(msgspec.Struct, frozen=True):
    """Somebody who asks. `lines` is the role in each line. `active` is false for one who has been deactivated."""

    user: int
    role: Role
    lines: dict[str, Role] = {}
    active: bool = True


class Sight(msgspec.Struct, frozen=True):
    """What somebody may see: everything, or what belongs to one of `lines` or to `user` in person (0: nobody).

    `channels` are those whose default line is among `lines`: what the bot has is on no line yet. `Sight()` is nothing at all.
    """

    everything: bool = False
    lines: tuple[str, ...] = ()
    user: int = 0
    channels: tuple[str, ...] = ()
