"""Who is who: a client's identities, joins of two clients into one, and what a store can do about them."""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

How = Literal["code", "phone", "hand"]  # a one-time code, a phone that the messenger proved, an operator's word
CodeAnswer = Literal["ok", "unknown", "used", "expired", "same", "too_many"]


class Identity(msgspec.Struct, frozen=True):
    """A client in a channel: `sender` is the messenger's id of them. `created_at` in seconds since the epoch (UTC)."""

    channel: str
    account: str
    sender: str
    client: int
    proof: str
    created_at: float


class Join(msgspec.Struct, frozen=True):
    """Two clients that became one: `gone` became part of `kept`, the older one.

    `kept_card` and `gone_card` are the cards as they were; `conversations` and `identities` (channel, account, sender) are
    those that changed hands. `state` `suggested` is a join that nobody has made: `proof` says why it may be one.
    """

    id: int
    at: float
    how: str
    by: str
    proof: str
    state: Literal["done", "undone", "suggested"]
    kept: int
    gone: int
    kept_card: dict[str, Any] = {}
    gone_card: dict[str, Any] = {}
    conversations: tuple[int, ...] = ()
    identities: tuple[tuple[str, str, str], ...] = ()
    undone_at: float = 0.0
    undone_by: str = ""


class Suggestion(msgspec.Struct, frozen=True):
    """Clients that may be one person. `why`: `several` and `names` kept an automatic join from happening, `undone` is a
    join that people took back, `typed` is a phone that somebody typed. `join` is the recorded row, 0 for a typed phone."""

    clients: tuple[int, ...]
    phone: str
    why: str
    join: int = 0


class Code(msgspec.Struct, frozen=True):
    """A one-time code of a conversation; only its hash is known. `key` is that of the call that makes it, whose answer comes
    as the event `done:<key>`."""

    conversation: int
    digest: str
    seconds: float
    key: str


class JoinRefused(ValueError):
    """A join or its undoing cannot be: `unknown`, `same`, `part` (of client `detail`), `undone`, `suggested`,
    `later` (join `detail` must be undone first)."""

    def __init__(self, why: str, detail: int = 0) -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


class Joins(Protocol):
    """The part of a store that knows who is who. What writes returns after the commit, and raises `StorageFull`."""

    async def offer_code(self, code: Code) -> bool:
        """Keep a code in place of the conversation's earlier ones. False when the call was answered with another before."""
        ...

    async def use_code(self, conversation: int, digest: str, key: str) -> CodeAnswer:
        """A code came into a conversation: the two clients are one, and the run of the conversation that asked for the code
        moves here. The same `key` has the same answer."""
        ...

    async def match_phone(self, client: int, phone: str) -> str:
        """A messenger proved the phone of a client: join the one other client with the same proved phone. `joined`,
        `nobody`, or why it is only suggested."""
        ...

    async def join(self, one: int, other: int, by: str, reason: str = "") -> int:
        """Join by a person's word, with their reason as proof; the number of the join. Raises `JoinRefused`."""
        ...

    async def unjoin(self, join: int, by: str) -> None:
        """Undo a join: both clients are what they were, each with what their own conversations wrote since. Raises
        `JoinRefused`."""
        ...

    async def joins(self, client: int | None = None, limit: int = 50) -> list[Join]:
        """The newest first."""
        ...

    async def suggestions(self, limit: int = 50) -> list[Suggestion]: ...
    async def clients(self, limit: int = 50) -> list[dict[str, Any]]:
        """Cards of the newest clients, without those that became part of another."""
        ...

    async def identities(self, client: int) -> list[Identity]: ...
    async def conversations_of(self, client: int) -> list[int]: ...


@runtime_checkable
class Linked(Protocol):
    """A channel whose chat can be opened by an address."""

    async def link(self, payload: str) -> str:
        """The address that opens our chat there with `Opened(payload)`; empty while it is not known. Never raises."""
        ...
