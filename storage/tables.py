"""The one set of tables of every SQL engine. Times are seconds since the epoch (UTC), blobs are JSON."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text, UniqueConstraint, text

from storage.accounts.schema import ACCOUNTS as ACCOUNTS  # noqa: PLC0414  (the whole set is known from here)
from storage.cards.schema import CARDS as CARDS  # noqa: PLC0414
from storage.columns import Id
from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata as metadata  # noqa: PLC0414
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time
from storage.feed.schema import FEED as FEED  # noqa: PLC0414
from storage.routing.schema import ROUTING as ROUTING  # noqa: PLC0414
from storage.tickets.schema import TICKETS as TICKETS  # noqa: PLC0414
from storage.tickets.schema import later_number, later_text, later_time
from storage.tools.schema import TOOLS as TOOLS  # noqa: PLC0414
from storage.watch.schema import WATCH as WATCH  # noqa: PLC0414
from storage.work.schema import WORK as WORK  # noqa: PLC0414


def _lease_columns() -> tuple[Column[str], Column[float]]:
    """Who sends a row until when; with defaults, so that a process which knows no leases can write rows."""
    return (
        Column("lease_owner", Text, nullable=False, server_default=text("''")),
        Column("lease_until", Float(53), nullable=False, server_default=text("0")),
    )


def _partial(name: str, *columns: str, where: str) -> Index:
    """A partial index, on both engines."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


# `state` is the whole `Conversation`; the columns beside it serve look-ups.
conversations = Table(
    "conversations",
    metadata,
    _id(),
    _text("channel"),
    _text("account"),
    _text("chat"),
    _number("client"),
    _number("version"),
    _number("epoch"),
    _number("live"),  # 1 when a run is under way
    _time("last_at"),  # the client's last message
    _time("created_at"),
    _blob("state"),
    UniqueConstraint("channel", "account", "chat"),
    Index("ix_conversations_client", "client"),
    _partial("ix_conversations_live", "id", where="live = 1"),
)

# `card` is what is known; the columns beside it serve look-ups (`storage.cards.card`).
clients = Table(
    "clients",
    metadata,
    _id(),
    _text("phone"),
    _time("created_at"),
    _blob("card"),
    Column("words", Text, nullable=False, server_default=text("''")),
    Column("tier", Text, nullable=False, server_default=text("''")),
    _partial("ix_clients_phone", "phone", where="phone <> ''"),
    Index("ix_clients_words", "words", "id"),
    _partial("ix_clients_tier", "tier", "id", where="tier <> ''"),
)

identities = Table(
    "identities",
    metadata,
    _text("channel", key=True),
    _text("account", key=True),
    _text("sender", key=True),
    _number("client"),
    _text("proof"),
    _time("created_at"),
    Index("ix_identities_client", "client"),
)

# state: 0 pending, 1 processed, 2 dead. An internal event has channel '' and its conversation as account.
inbox = Table(
    "inbox",
    metadata,
    _id(),
    _number("conversation"),
    _text("channel"),
    _text("account"),
    _text("external_id"),
    _text("message_id"),
    _time("at"),
    _time("sent_at"),
    _number("state"),
    _number("place"),  # of processed ones: grows in the order of processing
    _number("attempts"),
    _time("not_before"),
    _text("error"),
    _blob("event"),
    _blob("facts"),
    _blob("outcome"),
    UniqueConstraint("channel", "account", "external_id"),
    _partial("ix_inbox_processed", "conversation", "place", where="state = 1"),
    _partial("ix_inbox_pending", "conversation", "not_before", "id", where="state = 0"),
    # True of all that wait; but a question has to say so, and those of one conversation must never read along this index.
    _partial("ix_inbox_oldest", "id", where="state = 0 AND attempts >= 0"),
    _partial("ix_inbox_dead", "id", where="state = 2"),
)

# state: 0 waiting, 1 sent, 2 dead, 3 unknown, 4 refused. `lane` is 1 for what leaves one after another.
outbox = Table(
    "outbox",
    metadata,
    _id(),
    _number("conversation"),
    _text("kind"),
    _number("lane"),
    _text("channel"),
    _text("account"),
    _text("chat"),
    _text("key"),
    _number("epoch"),
    _number("guarded"),
    _number("seq"),
    _number("target"),
    _text("slot"),
    _number("state"),
    _number("attempts"),
    _time("created_at"),
    _time("not_before"),
    _time("settled_at", nullable=True),
    _text("reason"),
    _blob("message", nullable=True),
    _blob("payload"),
    _blob("sent_parts"),
    _blob("platform_ids"),
    *_lease_columns(),
    _partial("ix_outbox_lane", "conversation", "id", where="state = 0 AND lane = 1"),
    _partial("ix_outbox_side", "not_before", where="state = 0 AND lane = 0"),
    _partial("ix_outbox_dead", "id", where="state IN (2, 3)"),
    _partial("ix_outbox_slot", "conversation", "slot", where="slot <> ''"),
    _partial("ix_outbox_target", "target", where="state = 0 AND target > 0"),
    _partial("ix_outbox_ours", "conversation", "seq", where="guarded = 0 AND kind = 'send'"),
)

# `due` is empty while the timer waits for the settlement of the outbox row `after`.
timers = Table(
    "timers",
    metadata,
    _number("conversation", key=True),
    _text("key", key=True),
    _time("due", nullable=True),
    _number("after"),
    _time("seconds"),
    _blob("data"),
    _partial("ix_timers_due", "due", where="due IS NOT NULL"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    _number("conversation", key=True),
    _number("seq", key=True),
    _text("author"),
    _text("operator"),
    _time("at"),
    _blob("event", nullable=True),
    _blob("message", nullable=True),
    _text("state"),
    _text("reason"),
    _text("message_id"),
    _number("edited"),
    sqlite_with_rowid=False,
)

# What came to a message later: edits, reactions, parts of an album (`Marks`). Few messages have any.
message_marks = Table(
    "message_marks",
    metadata,
    _number("conversation", key=True),
    _number("seq", key=True),
    _blob("marks"),
    sqlite_with_rowid=False,
)

# Further names that a platform has for a message of the history: one for each part behind the first.
message_ids = Table(
    "message_ids",
    metadata,
    _number("conversation", key=True),
    _text("message_id", key=True),
    _number("seq"),
    sqlite_with_rowid=False,
)

# A status is open, `waiting` or `done`; `words` is what a search looks through. `version` grows with every edit.
tickets = Table(
    "tickets",
    metadata,
    _id("number"),
    _text("key"),
    _text("desk"),
    _text("title"),
    _text("text"),
    _blob("fields"),
    _blob("files"),
    _blob("private"),
    _text("priority"),
    _text("status"),
    _number("done"),
    _number("client"),
    _number("conversation"),
    _time("created_at"),
    _time("updated_at"),
    _text("outer_number"),
    _text("outer_link"),
    *(later_text(name) for name in ("category", "assignee", "line", "author", "words")),
    *(later_number(name) for name in ("waiting", "rating")),
    later_number("version", 1),
    later_number("master"),
    *(later_time(name) for name in ("deadline", "solved_at")),
    UniqueConstraint("key"),
    Index("ix_tickets_client", "client"),
    Index("ix_tickets_desk", "desk", "status"),
    Index("ix_tickets_open", "done", "deadline", "number"),
    Index("ix_tickets_updated_at", "updated_at", "number"),
    _partial("ix_tickets_master", "master", where="master > 0"),
)

ticket_history = Table(
    "ticket_history",
    metadata,
    _number("number", key=True),
    _number("place", key=True),
    _blob("entry"),
)

# Private notes of operators live apart from messages, so that no sender can pick one up.
notes = Table(
    "notes",
    metadata,
    _id(),
    _number("conversation"),
    _time("at"),
    _text("author"),
    _text("text"),
    Index("ix_notes_conversation", "conversation"),
)

queue = Table(
    "queue",
    metadata,
    _number("conversation", key=True),
    _text("line"),
    _number("priority"),
    _time("deadline"),
    _text("note"),
    _time("since"),
    Index("ix_queue_line", "line", "deadline"),
)

files = Table(
    "files",
    metadata,
    _text("id", key=True),
    _number("conversation"),
    _text("name"),
    _text("mime"),
    _number("size"),
    _text("kind"),
    _text("channel"),
    _text("ref"),
    _text("sha256"),
    _text("error"),
    _time("created_at"),
    Index("ix_files_sha256", "sha256"),
)

# Facts for reports (`handoff.metrics_facts`), only ever added to. `session` is the session whose life a fact tells of, 0 for
# those that tell of none: the bot's own are most of them, and cost no index.
records = Table(
    "records",
    metadata,
    _id(),
    _number("conversation"),
    _time("at"),
    _text("kind"),
    _blob("data"),
    Column("session", Id, nullable=False, server_default=text("0"), autoincrement=False),
    _partial("ix_records_opened", "at", where="kind = 'session_opened'"),
    _partial("ix_records_session", "conversation", "session", where="session > 0"),
)

uncaught = Table("uncaught", metadata, _text("text", key=True), _number("times"), _time("last_at"))

quarantine = Table("quarantine", metadata, _id(), _time("at"), _text("channel"), _blob("raw"), _text("reason"))

cursors = Table("cursors", metadata, _text("channel", key=True), _text("value"))

bundles = Table(
    "bundles",
    metadata,
    _text("id", key=True),
    _blob("sources"),
    _blob("versions"),
    _time("published_at"),
    _number("current"),
)

web_clients = Table(
    "web_clients",
    metadata,
    _text("channel", key=True),
    _text("token_hash", key=True),
    _text("chat"),
    _time("created_at"),
)

# Two clients that became one (`core.joins.Join`). `moved`: conversations and identities that changed hands; `written`: what
# conversations wrote on the card since.
joins = Table(
    "joins",
    metadata,
    _id(),
    _time("at"),
    _text("how"),
    _text("by"),
    _text("proof"),
    _text("state"),
    _number("kept"),
    _number("gone"),
    _blob("kept_card"),
    _blob("gone_card"),
    _blob("moved"),
    _blob("written"),
    _time("undone_at"),
    _text("undone_by"),
    Index("ix_joins_kept", "kept"),
    Index("ix_joins_gone", "gone"),
)

# One-time codes by their hash. `used_key` is the attempt that used it, empty before.
codes = Table(
    "codes",
    metadata,
    _text("digest", key=True),
    _number("conversation"),
    _time("created_at"),
    _time("expires_at"),
    _text("used_key"),
    Index("ix_codes_conversation", "conversation"),
    Index("ix_codes_expires_at", "expires_at"),
)

# Codes that were none, by who tried them.
code_tries = Table(
    "code_tries",
    metadata,
    _text("scope", key=True),
    _number("times"),
    _time("since"),
    Index("ix_code_tries_since", "since"),
)

# Roles that one process holds at a time (`poll:<channel>`, `send:<channel>`). `epoch` grows with every change of owner.
leases = Table("leases", metadata, _text("name", key=True), _text("owner"), _number("epoch"), _time("until"))

# Numbers that processes take in blocks: `next` is the first that nobody has taken.
counters = Table("counters", metadata, _text("name", key=True), _number("next"))

meta = Table("meta", metadata, _text("name", key=True), _text("value"))
