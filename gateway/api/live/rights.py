"""Whose socket it is and what they may see now: looked at again whenever the audit says that something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.access import Sight
from core.accounts import Login, Token, User, operator_id
from gateway.accounts.people import People

Key = tuple[str, str]  # what a change is seen by: ("*", ""), ("line", name), ("person", "user:7"), ("channel", name)
EVERYTHING: Key = ("*", "")


class Pass(msgspec.Struct, frozen=True):
    """The rights of an open socket: a person's by their sign-in, or a machine's by its token. `until` is when it ends,
    unless it is put off meanwhile (seconds since the epoch)."""

    user: User
    sight: Sight
    login: Login | None = None
    token: Token | None = None

    @property
    def until(self) -> float:
        if self.login is not None:
            return min(self.login.idle_at, self.login.ends_at)
        return (self.token.ends_at or float("inf")) if self.token is not None else 0.0

    def same(self, other: Pass) -> bool:
        """Whether somebody with the other pass sees and may do the same."""
        return (self.sight, self.user.role) == (other.sight, other.user.role)


class Rights:
    """`sight` is what somebody may see (`Floor.sight`); `scope` what a token needs."""

    def __init__(self, people: Callable[[], People], sight: Callable[[User], Sight], scope: str) -> None:
        self._people, self._sight, self._scope = people, sight, scope

    def now(self) -> float:
        return self._people().now()

    def made(self, user: User, login: Login | None, token: Token | None) -> Pass:
        """The pass of somebody who has just been let in."""
        return Pass(user, self._sight(user), login, token)

    async def again(self, held: Pass) -> Pass | None:
        """What the pass is worth now; None when it is over. Raises `StorageFull`."""
        accounts, now = self._people().accounts, self.now()
        if held.login is not None:
            found = await accounts.login(held.login.digest, now)
            return self.made(found[1], found[0], None) if found is not None else None
        assert held.token is not None
        machine = await accounts.token(held.token.digest, now)
        if machine is None or self._scope not in machine[0].scopes:
            return None
        return self.made(machine[1], None, machine[0])


def keys_of(sight: Sight) -> tuple[Key, ...]:
    """What somebody who sees so much is told by."""
    if sight.everything:
        return (EVERYTHING,)
    own = [("person", operator_id(sight.user))] if sight.user else []
    return (*own, *(("line", it) for it in sight.lines), *(("channel", it) for it in sight.channels))


def keys_for(line: str, operator: str, channel: str) -> Iterable[Key]:
    """Who sees a session: as `storage.work.sessions.SEEN` has it in SQL."""
    yield EVERYTHING
    if line:
        yield ("line", line)
    else:
        yield ("channel", channel)
    if operator:
        yield ("person", operator)
