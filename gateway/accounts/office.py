"""What commands ask about accounts, JSON in and out: the same inside `run` and over a store opened by the command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from core.access import Role, Sight
from core.accounts import Deed, LastAdmin, NameTaken, User
from gateway.accounts.passwords import generate
from gateway.accounts.people import NO_TOTP, People
from gateway.accounts.refused import BadAccount
from gateway.control import Refused

Ask = Callable[..., Awaitable[Any]]
EVERYTHING = Sight(everything=True)
PAGE = 500


class AccountsOffice:
    """A part of the office. Refusals are JSON: `{why, …values}`, for the command to say in the reader's language."""

    def __init__(self, people: People) -> None:
        self._people = people

    def answers(self) -> dict[str, Ask]:
        """The commands by name."""
        return {
            "users": self.users,
            "user_add": self.add,
            "user_change": self.change,
            "user_password": self.password,
            "audit_check": self.check_audit,
        }

    async def users(self) -> list[Any]:
        """All accounts, without secrets."""
        found: list[User] = []
        while page := await self._people.accounts.users(EVERYTHING, found[-1].id if found else 0, PAGE):
            found.extend(page)
        return [_shown(user) for user in found]

    async def add(
        self, name: str, role: Role, by: str, title: str = "", lines: dict[str, Role] | None = None, password: str = ""
    ) -> Any:
        """The new account, with its password where that was made up. Raises Refused."""
        user = User(0, name, title or name, role, lines or {})
        try:
            made, given = await self._people.add(user, password, Deed(by, "user_added"))
        except NameTaken:
            raise _refused("taken", name=name) from None
        except BadAccount as bad:
            raise _refused(bad.why, **bad.values) from None
        return _shown(made) | ({} if password else {"password": given})

    async def change(self, name: str, by: str, changes: dict[str, Any] | None = None, totp_off: bool = False) -> Any:
        """New values of `title`, `role`, `lines`, `active`; `totp_off` takes the second factor away. Raises Refused."""
        values = {**(changes or {}), **(NO_TOTP if totp_off else {})}
        return _shown(await self._change(name, by, values))

    async def password(self, name: str, by: str, password: str = "") -> Any:
        """A new password, made up where none is given. Raises Refused."""
        given = password or generate()
        user = await self._change(name, by, {}, given)
        return _shown(user) | ({} if password else {"password": given})

    async def _change(self, name: str, by: str, changes: dict[str, Any], password: str = "") -> User:
        user = await self._people.accounts.user_named(name)
        if user is None:
            raise _refused("unknown", name=name)
        try:
            return await self._people.change(user.id, changes, Deed(by, "user_changed"), password)
        except LastAdmin:
            raise _refused("last_admin", name=name) from None
        except BadAccount as bad:
            raise _refused(bad.why, **bad.values) from None

    async def check_audit(self, head: str = "") -> Any:
        """What a walk along the chain found. Raises Refused for a head that is none."""
        try:
            return msgspec.to_builtins(await self._people.accounts.check_audit(head))
        except ValueError:
            raise _refused("head", head=head) from None


def _shown(user: User) -> dict[str, Any]:
    """An account without its secrets."""
    names = ("id", "name", "title", "role", "lines", "active", "language", "created_at", "changed_at")
    return {name: getattr(user, name) for name in names} | {"totp": bool(user.totp)}


def _refused(why: str, **values: object) -> Refused:
    return Refused(msgspec.json.encode({"why": why, **values}).decode())
