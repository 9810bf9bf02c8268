"""People of the deployment: users, their sign-ins and API tokens, guesses, the audit; and what a store does about them.

Every time is in seconds since the epoch (UTC). Secrets are here as hashes only, but for the shared secret of a TOTP device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from core.access import Role, Sight, Who


class User(msgspec.Struct, frozen=True):
    """A person who signs in. `password` is an argon2id hash, empty for one who cannot sign in by password.

    `totp` is the shared secret of the second factor, empty without one; `totp_new` one that waits for its first code;
    `totp_at` the 30 s step of the last code that was used; `recovery` the SHA-256 of recovery codes that are left.
    """

    id: int
    name: str
    title: str
    role: Role
    lines: dict[str, Role] = {}
    active: bool = True
    language: str = ""
    theme: str = ""
    password: str = ""
    totp: str = ""
    totp_new: str = ""
    totp_at: int = 0
    recovery: tuple[str, ...] = ()
    created_at: float = 0.0
    changed_at: float = 0.0

    @property
    def who(self) -> Who:
        return Who(self.id, self.role, self.lines, self.active)


def operator_id(user: int) -> str:
    """The name of an account among the operators of sessions, the authors of notes and the like."""
    return f"user:{user}"


class Login(msgspec.Struct, frozen=True):
    """A device that is signed in. `digest` is the SHA-256 of its opaque token, `id` names it to people.

    It ends at `idle_at` unless it is used before, at `ends_at` in any case. `address` is a network, not a machine.
    """

    digest: str
    id: str
    user: int
    created_at: float
    seen_at: float
    idle_at: float
    ends_at: float
    device: str = ""
    address: str = ""


class Token(msgspec.Struct, frozen=True):
    """A machine's key to the API: the rights of its owner, cut down to `scopes`. `ends_at` 0: without end."""

    id: int
    digest: str
    user: int
    name: str
    scopes: tuple[str, ...]
    created_at: float
    used_at: float = 0.0
    ends_at: float = 0.0


class Deed(msgspec.Struct, frozen=True):
    """What is to be written into the audit: who did what to whom, from where. Never a secret."""

    by: str
    action: str
    object: str = ""
    detail: dict[str, Any] = {}
    address: str = ""


class Audited(msgspec.Struct, frozen=True):
    """A row of the audit. `hash` is the SHA-256 of the row with `before`, the hash of the row before it."""

    id: int
    at: float
    by: str
    action: str
    object: str
    detail: dict[str, Any]
    address: str
    before: str
    hash: str


class AuditState(msgspec.Struct, frozen=True):
    """What a check of the audit found: how many rows, the hash of the last one, the first broken row (0: none) and why:
    `changed`, `missing`, `cut` (rows at the end are gone), `head` (the row noted elsewhere is not what it was)."""

    rows: int
    head: str
    broken: int = 0
    why: str = ""


class Slowing(msgspec.Struct, frozen=True):
    """How guesses of one scope are slowed: `free` tries, then a wait that doubles with each up to `longest` (seconds)."""

    free: int
    longest: float


class Answered(msgspec.Struct, frozen=True):
    """A write of the API under its idempotency key. `status` 0: it is under way, or its process ended in the middle."""

    digest: str
    status: int
    body: bytes
    at: float


class NameTaken(Exception):
    """Somebody has this name."""


class LastAdmin(Exception):
    """Nobody could administer any more."""


class Accounts(Protocol):
    """The part of a store that knows its people. What writes returns after the commit, and raises `StorageFull`; with a
    `Deed` the audit is written in the same transaction."""

    async def user(self, id: int) -> User | None: ...
    async def user_named(self, name: str) -> User | None: ...
    async def users(self, sight: Sight, after: int = 0, limit: int = 50) -> list[User]:
        """Those who may be seen, in the order of their ids, behind `after`."""
        ...

    async def add_user(self, user: User, deed: Deed, now: float) -> User:
        """A new account; its id is given here. Raises `NameTaken`."""
        ...

    async def change_user(self, id: int, changes: Mapping[str, Any], deed: Deed, now: float, keep: str = "*") -> User:
        """Fields of `User` with new values. Unless `keep` is `*`, all sign-ins end but the one with this digest; those of
        one who is not active any more end with their tokens. Raises LookupError, `LastAdmin`."""
        ...

    async def use_totp(self, id: int, step: int) -> bool:
        """Mark a code as used. False when it, or a later one, was used before."""
        ...

    async def use_recovery(self, id: int, digest: str, deed: Deed, now: float) -> bool:
        """Use up a recovery code. False when it is none."""
        ...

    # --- sign-ins and tokens ---

    async def add_login(self, login: Login, deed: Deed, replaces: str = "") -> None:
        """A device is signed in; the one with the digest `replaces` ends."""
        ...

    async def login(self, digest: str, now: float) -> tuple[Login, User] | None:
        """Who a token belongs to; None when there is none, its time is over, or the user is not active."""
        ...

    async def touch_login(self, digest: str, seen_at: float, idle_at: float, address: str) -> None: ...
    async def logins(self, user: int, now: float) -> list[Login]:
        """The devices of a user that are signed in, the newest first."""
        ...

    async def end_logins(self, user: int, deed: Deed, now: float, id: str = "", keep: str = "") -> int:
        """Sign out one device, or all but the one with the digest `keep`; how many."""
        ...

    async def add_token(self, token: Token, deed: Deed, now: float) -> Token: ...
    async def token(self, digest: str, now: float) -> tuple[Token, User] | None:
        """As `login`."""
        ...

    async def touch_token(self, id: int, used_at: float) -> None: ...
    async def tokens(self, sight: Sight, after: int = 0, limit: int = 50) -> list[Token]: ...
    async def drop_token(self, sight: Sight, id: int, deed: Deed, now: float) -> bool:
        """False when there is none that may be seen."""
        ...

    # --- guesses ---

    async def try_guess(self, scopes: Mapping[str, Slowing], now: float) -> float:
        """Count an attempt before it is looked at: 0, or how many seconds to wait, and then it is not counted."""
        ...

    async def forgive(self, scopes: Sequence[str], uncount: Mapping[str, Slowing]) -> None:
        """The attempt was right: these scopes begin anew, and it counts no more in those others."""
        ...

    # --- the audit, and writes under a key ---

    async def note(self, deed: Deed, now: float) -> None: ...
    async def audit(self, sight: Sight, before: int = 0, limit: int = 50) -> list[Audited]:
        """The newest first, before the row `before` (0: from the end)."""
        ...

    async def check_audit(self, head: str = "") -> AuditState:
        """Walk the chain; `head` is `<id>:<hash>` as noted elsewhere."""
        ...

    async def begin_request(self, owner: str, key: str, digest: str, now: float) -> Answered | None:
        """Take an idempotency key: None when it is ours now, else what is known of it."""
        ...

    async def end_request(self, owner: str, key: str, status: int, body: bytes) -> None:
        """Keep the answer; a status of 0 gives the key back."""
        ...
