"""Ports: what the gateway asks of a store, a channel, a desk; what a channel may ask of the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from core.accounts import Accounts
from core.conversation import Conversation
from core.effects import Effect
from core.events import Event, Inbound
from core.files import FileLink as FileLink  # noqa: PLC0414  (known from here)
from core.files import Files as Files  # noqa: PLC0414
from core.files import StoredFile as StoredFile  # noqa: PLC0414
from core.hints import Hints as Hints  # noqa: PLC0414  (known from here)
from core.hold import Hold
from core.joins import Joins
from core.messages import Attachment, Outgoing
from core.outbox import OutboxRow, Sent, Settled
from core.tickets import Refused, TicketChange
from core.tickets import Ticket as Ticket  # noqa: PLC0414  (known from here)
from core.turn import Trace

# --- the store -------------------------------------------------------------------------------------------------------


class Pending(msgspec.Struct):
    """An event in a conversation's inbox, not yet processed. `at` is when it was accepted (UTC)."""

    id: int
    event: Event
    at: datetime
    sent_at: datetime
    attempts: int = 0
    message_id: str = ""


class Work(msgspec.Struct):
    """A claimed conversation with its pending events in order and what the step needs to know of the world in the store."""

    conversation: Conversation
    client: dict[str, Any]  # the card; `id`, `verified` among the names
    events: list[Pending]
    ticket_number: int  # the next free number


class Done(msgspec.Struct):
    """One processed event: its effects in order and why. `facts` is what the step was told, for replay."""

    pending: Pending
    effects: tuple[Effect, ...] = ()
    trace: tuple[Trace, ...] = ()
    facts: bytes = b""
    epoch: int = 0  # the conversation's epoch after this event


class Result(msgspec.Struct):
    """What the worker made of a `Work`. `failed` is the event whose step raised: it stays, with one attempt more."""

    conversation: Conversation
    done: list[Done]
    failed: Pending | None = None
    error: str = ""


Decide = Callable[[Work], Result]  # pure; a store may call it inside its transaction


class Cursor(msgspec.Struct, frozen=True):
    """How far a poller has read, stored with the messages it read.

    `epoch` is the one of the poller's lease `poll:<channel>`, 0 where no lease is held: a cursor of an older epoch is
    refused with `LeaseLost`, and with it the messages.
    """

    channel: str
    value: str
    epoch: int = 0


class Receipt(msgspec.Struct):
    """The answer to one inbound: committed. `outbox` are the new rows, already leased to this process.

    `duplicate`: it was known, or is an edit that changes nothing that people see; nothing was stored.
    """

    conversation: int
    duplicate: bool = False
    processed: bool = False
    outbox: list[OutboxRow] = []
    seq: int = 0  # place of the client's message in the history, when processed


class Earlier(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client's message was before an edit. `until` is when it was edited, seconds since the epoch (UTC)."""

    until: float
    text: str = ""
    attachments: tuple[Attachment, ...] = ()


class HistoryItem(msgspec.Struct, omit_defaults=True):
    """One message of a conversation's history, an album as one. `state`: received, pending, sent, failed, refused.

    `event` is as the client's last edit left it; `earlier` is what it was before, the oldest first. `removed` is when the
    client took it away (seconds since the epoch). `reactions` are the client's marks on it now.
    """

    seq: int
    author: Literal["client", "bot", "operator", "notice"]
    at: float
    event: Event | None = None
    message: Outgoing | None = None
    state: str = "received"
    reason: str = ""
    message_id: str = ""
    edited: int = 0  # grows with every edit
    earlier: tuple[Earlier, ...] = ()
    reactions: tuple[str, ...] = ()
    removed: float = 0.0


class Bundle(msgspec.Struct, omit_defaults=True):
    """Published flows: file name → YAML source, and the version (hash) of each flow in it."""

    id: str
    sources: dict[str, str]
    versions: dict[str, str]
    published_at: float
    current: bool = False


class StorageFull(Exception):
    """The store cannot take more now (disk full, database away): answer 503, acknowledge nothing."""

    after: float = 5.0  # seconds until one may ask again


class Busy(StorageFull):
    """There is more to do than can be done in time: what is refused now stays with its platform and comes again."""


class LeaseLost(Exception):
    """Another process has taken over since: what this one wanted to write is refused (fencing)."""


class Store(Joins, Protocol):
    """The truth. Every coroutine that writes returns after the commit; SQLite, PostgreSQL and the in-memory twin alike.

    All raise `StorageFull` when nothing can be written.
    """

    on_events: Callable[[], None] | None
    """Called after a commit that left events pending: wakes the worker."""

    on_rows: Callable[[frozenset[str]], None] | None
    """Called after a commit that left outbox rows to others, with their channels ("" for calls, tickets and files)."""

    on_feed: Callable[[], None] | None
    """Called after a commit that wrote down what changed for people."""

    on_touched: Callable[[Collection[int], Collection[int]], None] | None
    """Called after a commit with the conversations whose state was written, and the clients whose card was."""

    @property
    def accounts(self) -> Accounts:
        """People who sign in, and what they did."""
        ...

    hands: Callable[[str], bool] | None
    """Whether this process sends for a channel ("" asks for calls, tickets and files); None: for all of them. Rows of
    other channels are stored free, for the process that holds their sender's lease."""

    relaxed: Callable[[], bool] | None
    """Whether answers wait for their turn anyway: then a commit may wait a few milliseconds, so that more messages share
    it. None: never. A store that gathers by itself need not ask."""

    @property
    def shared(self) -> bool:
        """Several processes may use it at once (PostgreSQL)."""
        ...

    @property
    def unclean(self) -> bool:
        """After `open`: the last process did not close the store (it was killed)."""
        ...

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    # inbox and worker
    async def accept(
        self, inbounds: Sequence[Inbound], decide: Decide | None = None, cursor: Cursor | None = None
    ) -> list[Receipt]:
        """Commit to the inbox; with `decide`, also the turn of each conversation that is idle, in the same transaction."""
        ...

    async def push(self, conversation: int, event: Event, key: str) -> bool:
        """Put an internal event into a conversation's inbox, once per key. False when the key was known."""
        ...

    async def work(self, decide: Decide, limit: int = 20) -> list[Receipt]:
        """Claim up to `limit` conversations with pending events, decide, commit. One receipt per conversation."""
        ...

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None: ...
    async def cursor(self, channel: str) -> str: ...

    # leases of roles: one poller and one sender per account (names `poll:<channel>`, `send:<channel>`)
    async def hold(self, name: str, owner: str, seconds: float) -> int | None:
        """Take or renew a lease on the store's own clock. Its epoch, which grows with every change of owner; None while
        another holds it."""
        ...

    async def release(self, name: str, owner: str) -> None:
        """Give a lease back, so that the next one need not wait for its end. No harm when it is another's."""
        ...

    # outbox
    async def lease(self, limit: int = 100) -> list[OutboxRow]:
        """The lowest unsent send of each conversation and all other due rows, leased for 30 s to this process.

        Only rows of channels that `hands` names as ours."""
        ...

    async def epoch(self, conversation: int) -> int: ...
    def note(self, row: OutboxRow, sent: Sent) -> bool:
        """Whether it is noted that the row was sent, at once and without a commit, so that a kill of this process cannot
        make it come twice. `mark` must follow; where this says False, only `mark` keeps it from coming twice."""
        ...

    async def mark(self, settled: Sequence[Settled], patient: bool = False) -> list[Receipt]:
        """Write verdicts down: arm `from_delivery` timers, free the lane, turn a final failure into `DeliveryFailed`.

        `patient`: nothing waits for it, so it may stay a few milliseconds to share its commit with others.
        """
        ...

    async def progress(self, row: OutboxRow) -> None:
        """Write down `sent_parts` of a row of several parts that is still under way."""
        ...

    # timers
    async def due(self, now: datetime) -> int:
        """Turn due timers into inbox events, in the order in which they came due; how many."""
        ...

    async def next_due(self) -> float | None: ...

    # what people and channels read
    async def conversation(self, id: int) -> Conversation | None: ...
    async def find_conversation(self, channel: str, account: str, chat: str) -> Conversation | None: ...
    async def versions(self, conversations: Sequence[int]) -> dict[int, int]:
        """The versions of those that exist, in one question: whether something was written into them."""
        ...

    async def history(self, conversation: int, after: int = 0, limit: int = 200) -> list[HistoryItem]: ...
    async def events(self, conversation: int) -> list[Done]:
        """All processed events in order, with facts and trace: what `frontline replay` reads."""
        ...

    async def client(self, id: int) -> dict[str, Any] | None: ...
    async def find_clients(self, phone: str) -> list[int]: ...
    async def last_conversation(self, client: int) -> Conversation | None: ...
    async def ticket(self, number: int) -> Ticket | None: ...
    async def tickets(
        self, client: int | None = None, desk: str | None = None, status: str | None = None, limit: int = 50
    ) -> list[Ticket]: ...
    async def change_ticket(self, change: TicketChange) -> Refused:
        """Write the change into the ticket and its history, put it on the feed, and tell the clients concerned, as
        `TicketChanged` into the conversation each used last. Why it was refused, or empty."""
        ...

    async def queue(self, line: str | None = None) -> list[dict[str, Any]]: ...
    async def uncaught(self, limit: int = 100) -> list[tuple[str, int, float]]:
        """Texts nobody caught: (normalised text, times, last time), most frequent first."""
        ...

    # files
    async def add_file(self, file: StoredFile) -> None: ...
    async def file(self, id: str) -> StoredFile | None: ...
    async def store_file(self, id: str, sha256: str, size: int, mime: str, error: str = "") -> None: ...

    async def named_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Those of the hashes that a file has."""
        ...

    # flows
    async def publish(self, bundle: Bundle) -> None: ...
    async def bundles(self) -> list[Bundle]: ...
    async def current_bundle(self) -> tuple[str, float]:
        """Id of the current bundle and when it was published; ("", 0) before the first. Cheap: asked once a second."""
        ...

    async def live_versions(self) -> dict[str, dict[str, int]]:
        """flow → version → number of live runs (suspended ones count)."""
        ...

    async def drop_bundle(self, id: str) -> None: ...

    # secrets of web chat clients: token hash → chat
    async def web_client(self, channel: str, token_hash: str) -> str | None: ...
    async def add_web_client(self, channel: str, token_hash: str, chat: str) -> None: ...

    async def stats(self) -> dict[str, float]:
        """`inbox`, `outbox`, `inbox_age`, `outbox_age` (seconds), `timers`, `queued`, `quarantine`, `dead`."""
        ...

    async def backlog(self) -> tuple[int, float]:
        """Pending events and the age of the oldest (seconds): cheap enough to be asked every second."""
        ...

    async def healthy(self) -> bool: ...


# --- channels --------------------------------------------------------------------------------------------------------


class Capabilities(msgspec.Struct, frozen=True):
    """What a channel can do, as data. Lengths are in code points unless the name says otherwise."""

    text_limit: int
    caption_limit: int
    buttons: Literal["inline", "keyboard", "none"]
    buttons_per_row: int
    button_rows: int
    button_label: int
    token_bytes: int
    formatting: tuple[str, ...]
    files: bool
    file_bytes: int
    contact_button: bool = False
    location_button: bool = False
    edit: bool = False
    delete: bool = False
    edit_seconds: float = 0.0  # how long a message may be edited, and deleted; 0: without end
    delete_seconds: float = 0.0
    typing: bool = False
    quotes: bool = False  # our message can point at the one it answers
    reactions: bool = False  # we learn of the marks that clients put on messages
    idempotent: bool = False  # a repeated send with the same key is not shown twice


class Gate(Protocol):
    """What the gateway offers to a channel."""

    @property
    def hears(self) -> bool:
        """Whether this process takes messages: then webhooks are registered. Others only send."""
        ...

    async def turn(self, channel: str) -> Hold:
        """Waits until this process is the one that asks the platform for the channel's messages."""
        ...

    async def accept(self, inbounds: Sequence[Inbound], cursor: Cursor | None = None) -> list[Receipt]:
        """Durable when it returns. Raises `StorageFull`, then the channel must not acknowledge, and `LeaseLost` for the
        cursor of a poller that has been replaced."""
        ...

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None: ...
    def count(self, channel: str, what: str) -> None:
        """Counts what happened at the channel's door and left nothing in the store: `wrong_secret`, `foreign_account`,
        `foreign_origin`, `flood`, `replay`, `too_large`, `unreadable`; or `redelivery`, a delivery that the platform says it
        repeats."""
        ...

    async def cursor(self, channel: str) -> str: ...
    @property
    def store(self) -> Store: ...
    @property
    def files(self) -> Files: ...
    @property
    def hints(self) -> Hints | None:
        """The way to the other processes of the deployment; None where one serves alone."""
        ...


class Channel(Protocol):
    """A configured account of a messenger. `routes` are (method, path, aiohttp handler)."""

    name: str
    kind: str
    account: str
    capabilities: Capabilities

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]: ...
    async def start(self, gate: Gate) -> None:
        """Register the webhook, or start the poller as a task of its own. Raises ValueError with a clear text when the
        configuration cannot work."""
        ...

    async def stop(self) -> None: ...
    async def caught_up(self) -> None:
        """Returns when what came while we were away has been read; at once for channels that are pushed to."""
        ...

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Waits until the platform's limits let the row go; a `retry` instead when that takes long. None: go."""
        ...

    async def send(self, row: OutboxRow) -> Sent:
        """Send, edit or delete. Never raises for what the platform says: that is a verdict."""
        ...

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """The bytes and the mime type of a file of the channel; raises ValueError with the reason."""
        ...

    async def typing(self, chat: str) -> None:
        """Shows once that somebody is writing, where the platform has it. Nothing depends on it: never raises."""
        ...

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Tells the messenger which commands there are: (name without the slash, what it does). Never raises."""
        ...


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a service call or an outer desk answered. `retry` asks to come again after so many seconds."""

    status: Literal["ok", "missing", "failed", "retry"]
    take: dict[str, Any] = {}
    error: str = ""
    after: float = 0.0


class Service(Protocol):
    """A configured service: http, table, tickets."""

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome: ...
    async def close(self) -> None: ...


class OuterDesk(Protocol):
    """A desk in another system. `push` must be safe to repeat with the same key."""

    async def push(self, ticket: Ticket, key: str, files: Sequence[FileLink] = ()) -> Outcome:
        """`take` holds `number` and `link`. `files` are the ticket's files, each with where its bytes may be fetched."""
        ...

    async def close(self) -> None: ...
