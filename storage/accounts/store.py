"""The accounts of every store (`core.accounts.Accounts`), over its way to read and to write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from core.access import Sight
from core.accounts import Answered, Audited, AuditState, Deed, Login, Slowing, Token, User
from storage.accounts import chain, rules
from storage.accounts.once import under_way
from storage.accounts.tables import AccountRows

T = TypeVar("T")
NEWEST = 2**62  # beyond the id of any row


class Unit(Protocol):
    """Runs something over the rows and gives its result: committed data, or one unit of writing at a time."""

    def __call__(self, work: Callable[[AccountRows], T], /) -> Awaitable[T]: ...


class AccountsOfStore:
    """`core.accounts.Accounts`. `look` reads committed data; `write` is a unit of which there is only one at a time."""

    def __init__(self, look: Unit, write: Unit) -> None:
        self._look, self._write = look, write

    async def _do(self, work: Callable[[AccountRows], T]) -> T:
        """A deed: with it the request that asks for it is marked as done, in the same unit."""
        once = under_way()
        if once is None:
            return await self._write(work)

        def both(rows: AccountRows) -> T:
            made = work(rows)
            rules.mark_request(rows, once.owner, once.key, once.status)
            return made

        made = await self._write(both)
        once.done = True
        return made

    async def user(self, id: int) -> User | None:
        return await self._look(lambda rows: rules.find_user(rows, id))

    async def user_named(self, name: str) -> User | None:
        return await self._look(lambda rows: rules.find_named(rows, name))

    async def users(self, sight: Sight, after: int = 0, limit: int = 50) -> list[User]:
        return await self._look(lambda rows: rules.see_users(rows, sight, after, limit))

    async def add_user(self, user: User, deed: Deed, now: float) -> User:
        return await self._do(lambda rows: rules.add_user(rows, user, deed, now))

    async def change_user(self, id: int, changes: Mapping[str, Any], deed: Deed, now: float, keep: str = "*") -> User:
        return await self._do(lambda rows: rules.change_user(rows, id, changes, deed, now, keep))

    async def use_totp(self, id: int, step: int) -> bool:
        return await self._write(lambda rows: rules.use_totp(rows, id, step))

    async def use_recovery(self, id: int, digest: str, deed: Deed, now: float) -> bool:
        return await self._write(lambda rows: rules.use_recovery(rows, id, digest, deed, now))

    # --- sign-ins and tokens ---

    async def add_login(self, login: Login, deed: Deed, replaces: str = "") -> None:
        await self._write(lambda rows: rules.add_login(rows, login, deed, replaces))

    async def login(self, digest: str, now: float) -> tuple[Login, User] | None:
        return await self._look(lambda rows: rules.find_login(rows, digest, now))

    async def touch_login(self, digest: str, seen_at: float, idle_at: float, address: str) -> None:
        await self._write(lambda rows: rules.touch_login(rows, digest, seen_at, idle_at, address))

    async def logins(self, user: int, now: float) -> list[Login]:
        return await self._look(lambda rows: rules.see_logins(rows, user, now))

    async def end_logins(self, user: int, deed: Deed, now: float, id: str = "", keep: str = "") -> int:
        return await self._do(lambda rows: rules.end_logins(rows, user, deed, now, id, keep))

    async def add_token(self, token: Token, deed: Deed, now: float) -> Token:
        return await self._do(lambda rows: rules.add_token(rows, token, deed, now))

    async def token(self, digest: str, now: float) -> tuple[Token, User] | None:
        return await self._look(lambda rows: rules.find_token(rows, digest, now))

    async def touch_token(self, id: int, used_at: float) -> None:
        await self._write(lambda rows: rules.touch_token(rows, id, used_at))

    async def tokens(self, sight: Sight, after: int = 0, limit: int = 50) -> list[Token]:
        return await self._look(lambda rows: rules.see_tokens(rows, sight, after, limit))

    async def drop_token(self, sight: Sight, id: int, deed: Deed, now: float) -> bool:
        return await self._do(lambda rows: rules.drop_token(rows, sight, id, deed, now))

    # --- guesses, the audit, writes under a key ---

    async def try_guess(self, scopes: Mapping[str, Slowing], now: float) -> float:
        # Who has to wait is told so by a reader: a storm of guesses writes nothing.
        wait = await self._look(lambda rows: rules.waiting(rows, scopes, now))
        return wait or await self._write(lambda rows: rules.try_guess(rows, scopes, now))

    async def forgive(self, scopes: Sequence[str], uncount: Mapping[str, Slowing]) -> None:
        await self._write(lambda rows: rules.forgive(rows, scopes, uncount))

    async def note(self, deed: Deed, now: float) -> None:
        await self._write(lambda rows: chain.append(rows, deed, now))

    async def audit(self, sight: Sight, before: int = 0, limit: int = 50) -> list[Audited]:
        if not sight.everything:
            return []
        found = await self._look(lambda rows: rows.audit_before(before or NEWEST, limit))
        return [chain.audited(row) for row in found]

    async def check_audit(self, head: str = "") -> AuditState:
        return await self._look(lambda rows: chain.check(rows, head))

    async def begin_request(self, owner: str, key: str, digest: str, now: float) -> Answered | None:
        return await self._write(lambda rows: rules.begin_request(rows, owner, key, digest, now))

    async def end_request(self, owner: str, key: str, status: int, body: bytes) -> None:
        await self._write(lambda rows: rules.end_request(rows, owner, key, status, body))
