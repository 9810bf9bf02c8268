"""Every statement of the store, in SQLAlchemy Core: written once, compiled per dialect by `storage.compiled`.

Constants that a partial index needs to see stand in the text, all other values are parameters.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert  # ON CONFLICT reads the same in SQLite

from storage.tables import (
    bundles,
    clients,
    code_tries,
    codes,
    conversations,
    cursors,
    files,
    identities,
    inbox,
    joins,
    message_ids,
    message_marks,
    meta,
    metadata,
    notes,
    outbox,
    quarantine,
    queue,
    ticket_history,
    tickets,
    timers,
    uncaught,
    web_clients,
)
from storage.tables import messages as history
from storage.work.schema import sessions

ZERO: ColumnElement[Any] = literal_column("0")
ONE: ColumnElement[Any] = literal_column("1")
TWO: ColumnElement[Any] = literal_column("2")
NOTHING: ColumnElement[Any] = literal_column("''")


def _p(name: str) -> BindParameter[Any]:
    return bindparam(name)


# Columns that the database fills in.
_generated = {
    "notes": ("id",),
    "records": ("id",),
    "quarantine": ("id",),
    "feed": ("id",),
    "mentions": ("id",),
    "replies": ("id",),
    "assignments": ("id",),
    "routings": ("id",),
    "outbox": ("lease_owner", "lease_until"),
}


def _insert(table: Table) -> Executable:
    return insert(table).values(
        {c.name: _p(c.name) for c in table.columns if c.name not in _generated.get(table.name, ())}
    )


def _upsert(table: Table, *keys: str) -> Executable:
    statement = upsert(table).values({c.name: _p(c.name) for c in table.columns})
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changes)


INSERTS: dict[str, Executable] = {name: _insert(table) for name, table in metadata.tables.items()}

# --- inbox -----------------------------------------------------------------------------------------------------------

_pending = inbox.c.state == ZERO

SEEN = select(inbox.c.conversation).where(
    inbox.c.channel == _p("channel"), inbox.c.account == _p("account"), inbox.c.external_id == _p("external_id")
)
HAS_PENDING = select(inbox.c.id).where(inbox.c.conversation == _p("conversation"), _pending).limit(ONE).offset(ZERO)
PENDING = (
    select(inbox)
    .where(inbox.c.conversation == _p("conversation"), _pending)
    .order_by(inbox.c.id)
    .limit(_p("n"))
    .offset(ZERO)
)
FINISH_EVENT = (
    update(inbox)
    .where(inbox.c.id == _p("the_id"))
    .values(state=_p("state"), place=_p("place"), facts=_p("facts"), outcome=_p("outcome"), error=_p("error"))
)
DELAY_EVENT = (
    update(inbox)
    .where(inbox.c.id == _p("the_id"))
    .values(attempts=_p("attempts"), not_before=_p("not_before"), error=_p("error"))
)
PROCESSED = (
    select(inbox).where(inbox.c.conversation == _p("conversation"), inbox.c.state == ONE).order_by(inbox.c.place)
)

# --- conversations and clients ---------------------------------------------------------------------------------------

CONVERSATION_OF = select(conversations.c.id).where(
    conversations.c.channel == _p("channel"),
    conversations.c.account == _p("account"),
    conversations.c.chat == _p("chat"),
)
CONVERSATION = select(conversations.c.state).where(conversations.c.id == _p("the_id"))
VERSION = select(conversations.c.version).where(conversations.c.id == _p("the_id"))
EPOCH = select(conversations.c.epoch).where(conversations.c.id == _p("the_id"))
_of_version = and_(conversations.c.id == _p("the_id"), conversations.c.version == _p("was"))
SAVE_CONVERSATION = (
    update(conversations)
    .where(_of_version)
    .values(state=_p("state"), version=_p("version"), epoch=_p("epoch"), live=_p("live"))
)
SAVE_SPOKEN = (
    update(conversations)
    .where(_of_version)
    .values(state=_p("state"), version=_p("version"), epoch=_p("epoch"), live=_p("live"), last_at=_p("last_at"))
)
MOVE_CONVERSATION = update(conversations).where(conversations.c.id == _p("the_id")).values(chat=_p("chat"))
LAST_CONVERSATION = (
    select(conversations.c.id)
    .where(conversations.c.client == _p("client"))
    .order_by(conversations.c.last_at.desc(), conversations.c.id.desc())
    .limit(ONE)
    .offset(ZERO)
)
LIVE = select(conversations.c.state).where(conversations.c.live == ONE)
CLIENT_OF = select(identities.c.client).where(
    identities.c.channel == _p("channel"), identities.c.account == _p("account"), identities.c.sender == _p("sender")
)
CARD = select(clients.c.card).where(clients.c.id == _p("the_id"))
SAVE_CARD = (
    update(clients)
    .where(clients.c.id == _p("the_id"))
    .values({name: _p(name) for name in ("card", "phone", "words", "tier")})
)
CLIENTS_BY_PHONE = (
    select(clients.c.id).where(clients.c.phone == _p("phone"), clients.c.phone != NOTHING).order_by(clients.c.id)
)

# --- history ---------------------------------------------------------------------------------------------------------

_message = and_(history.c.conversation == _p("home"), history.c.seq == _p("place"))

EDIT_MESSAGE = update(history).where(_message).values(message=_p("message"), edited=history.c.edited + ONE)
SETTLE_MESSAGE = (
    update(history).where(_message).values(state=_p("state"), reason=_p("reason"), message_id=_p("message_id"))
)
_whole = history.outerjoin(
    message_marks, and_(message_marks.c.conversation == history.c.conversation, message_marks.c.seq == history.c.seq)
)
MESSAGE = select(history, message_marks.c.marks).select_from(_whole).where(_message)
MESSAGE_NAMED = (
    select(history.c.seq)
    .where(
        history.c.conversation == _p("conversation"),
        history.c.seq > _p("after"),
        history.c.message_id == _p("message_id"),
    )
    .order_by(history.c.seq.desc())
    .limit(ONE)
    .offset(ZERO)
)
MESSAGE_PART_NAMED = select(message_ids.c.seq).where(
    message_ids.c.conversation == _p("conversation"), message_ids.c.message_id == _p("message_id")
)
NAME_MESSAGE = upsert(message_ids).values({c.name: _p(c.name) for c in message_ids.columns}).on_conflict_do_nothing()
CHANGE_MESSAGE = update(history).where(_message).values(event=_p("event"), edited=history.c.edited + ONE)
SAVE_MARKS = _upsert(message_marks, "conversation", "seq")
HISTORY = (
    select(history, message_marks.c.marks)
    .select_from(_whole)
    .where(history.c.conversation == _p("conversation"), history.c.seq > _p("after"))
    .order_by(history.c.seq)
    .limit(_p("n"))
    .offset(ZERO)
)
NOTES = select(notes).where(notes.c.conversation == _p("conversation")).order_by(notes.c.id)

# --- outbox ----------------------------------------------------------------------------------------------------------

_waiting = outbox.c.state == ZERO
_in_lane = and_(_waiting, outbox.c.lane == ONE)
_aside = and_(_waiting, outbox.c.lane == ZERO)
_waiting_row = and_(outbox.c.id == _p("the_id"), _waiting)

LANE = select(outbox.c.id).where(outbox.c.conversation == _p("conversation"), _in_lane).order_by(outbox.c.id)
_heads = select(func.min(outbox.c.id).label("id")).where(_in_lane).group_by(outbox.c.conversation).subquery()
HEADS = (
    select(outbox.c.id)
    .join(_heads, outbox.c.id == _heads.c.id)
    .where(outbox.c.not_before <= _p("now"))
    .order_by(outbox.c.id)
)
ASIDE = (
    select(outbox.c.id)
    .where(_aside, outbox.c.not_before <= _p("now"))
    .order_by(outbox.c.not_before)
    .limit(_p("n"))
    .offset(ZERO)
)
OUTBOX_ROW = select(outbox).where(outbox.c.id == _p("the_id"))
NEWEST_IN_SLOT = (
    select(outbox)
    .where(outbox.c.conversation == _p("conversation"), outbox.c.slot == _p("slot"), outbox.c.slot != NOTHING)
    .order_by(outbox.c.id.desc())
    .limit(ONE)
    .offset(ZERO)
)
REWRITE = update(outbox).where(_waiting_row).values(message=_p("message"), epoch=_p("epoch"), guarded=_p("guarded"))
SETTLE_ROW = (
    update(outbox)
    .where(_waiting_row)
    .values(state=_p("state"), platform_ids=_p("platform_ids"), reason=_p("reason"), settled_at=_p("now"))
)
DELAY_ROW = (
    update(outbox).where(_waiting_row).values(attempts=_p("attempts"), not_before=_p("not_before"), reason=_p("reason"))
)
ADVANCE_ROW = update(outbox).where(_waiting_row).values(sent_parts=_p("sent_parts"))
WAITING_EDITS = (
    select(outbox.c.id).where(outbox.c.target == _p("target"), _waiting, outbox.c.target > ZERO).order_by(outbox.c.id)
)
READDRESS = update(outbox).where(outbox.c.conversation == _p("home"), _in_lane).values(chat=_p("chat"))

# --- timers ----------------------------------------------------------------------------------------------------------

SET_TIMER = _upsert(timers, "conversation", "key")
STOP_TIMER = delete(timers).where(timers.c.conversation == _p("conversation"), timers.c.key == _p("key"))
ARM_TIMERS = (
    update(timers)
    .where(timers.c.conversation == _p("home"), timers.c.after == _p("row"))
    .values(due=timers.c.seconds + _p("now"), after=ZERO)
)
DUE_TIMERS = (
    select(timers)
    .where(timers.c.due.is_not(None), timers.c.due <= _p("now"))
    .order_by(timers.c.due)
    .limit(_p("n"))
    .offset(ZERO)
)
NEXT_DUE = select(func.min(timers.c.due)).where(timers.c.due.is_not(None))

# --- tickets ---------------------------------------------------------------------------------------------------------

TICKET = select(tickets).where(tickets.c.number == _p("number"))
TICKET_ENTRIES = (
    select(ticket_history.c.entry).where(ticket_history.c.number == _p("number")).order_by(ticket_history.c.place)
)
TICKETS = (
    select(tickets)
    .where(
        or_(tickets.c.client == _p("client"), _p("client").is_(None)),
        or_(tickets.c.desk == _p("desk"), _p("desk").is_(None)),
        or_(tickets.c.status == _p("status"), _p("status").is_(None)),
    )
    .order_by(tickets.c.number.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
TICKETS_OF_CLIENT = (
    select(tickets)
    .where(
        tickets.c.client == _p("client"),
        or_(tickets.c.desk == _p("desk"), _p("desk").is_(None)),
        or_(tickets.c.status == _p("status"), _p("status").is_(None)),
    )
    .order_by(tickets.c.number.desc())
    .limit(_p("n"))
    .offset(ZERO)
)

# --- queue, reports, files, flows, secrets ---------------------------------------------------------------------------

ENQUEUE = _upsert(queue, "conversation")
_put = upsert(sessions).values({c.name: _p(c.name) for c in sessions.columns})
_said = case((_put.excluded.last_at > sessions.c.last_at, _put.excluded.last_at), else_=sessions.c.last_at)
_kept = {c.name: _put.excluded[c.name] for c in sessions.columns if c.name not in {"conversation", "number"}}
# When something was said last never goes back: a change without a word leaves it alone.
PUT_SESSION = _put.on_conflict_do_update(index_elements=["conversation", "number"], set_=_kept | {"last_at": _said})
UNQUEUE = delete(queue).where(queue.c.conversation == _p("conversation"))
QUEUE = (
    select(queue)
    .where(or_(queue.c.line == _p("line"), _p("line").is_(None)))
    .order_by(queue.c.deadline, queue.c.priority.desc(), queue.c.since, queue.c.conversation)
)
_count = upsert(uncaught).values(text=_p("text"), times=ONE, last_at=_p("now"))
COUNT_UNCAUGHT = _count.on_conflict_do_update(
    index_elements=["text"], set_={"times": uncaught.c.times + ONE, "last_at": _count.excluded.last_at}
)
UNCAUGHT = (
    select(uncaught)
    .order_by(uncaught.c.times.desc(), uncaught.c.last_at.desc(), uncaught.c.text)
    .limit(_p("n"))
    .offset(ZERO)
)
ADD_FILE = upsert(files).values({c.name: _p(c.name) for c in files.columns}).on_conflict_do_nothing()
STORE_FILE = (
    update(files)
    .where(files.c.id == _p("the_id"))
    .values(sha256=_p("sha256"), size=_p("size"), mime=_p("mime"), error=_p("error"))
)
FILE = select(files).where(files.c.id == _p("the_id"))
NAMED_HASH = select(files.c.sha256).where(files.c.sha256 == _p("sha256")).limit(ONE).offset(ZERO)
CURSOR = select(cursors.c.value).where(cursors.c.channel == _p("channel"))
SET_CURSOR = _upsert(cursors, "channel")
PUBLISH = _upsert(bundles, "id")
RETIRE_OTHERS = update(bundles).where(bundles.c.id != _p("the_id")).values(current=ZERO)
BUNDLES = select(bundles).order_by(bundles.c.published_at.desc(), bundles.c.id)
CURRENT_BUNDLE = (
    select(bundles.c.id, bundles.c.published_at)
    .where(bundles.c.current == ONE)
    .order_by(bundles.c.published_at.desc(), bundles.c.id)  # two commands at one moment may both have been the last
    .limit(ONE)
    .offset(ZERO)
)
DROP_BUNDLE = delete(bundles).where(bundles.c.id == _p("the_id"))
WEB_CLIENT = select(web_clients.c.chat).where(
    web_clients.c.channel == _p("channel"), web_clients.c.token_hash == _p("token_hash")
)
ADD_WEB_CLIENT = _upsert(web_clients, "channel", "token_hash")
META = select(meta.c.value).where(meta.c.name == _p("name"))
SET_META = _upsert(meta, "name")

# --- who is who ------------------------------------------------------------------------------------------------------

IDENTITIES = (
    select(identities)
    .where(identities.c.client == _p("client"))
    .order_by(identities.c.channel, identities.c.account, identities.c.sender)
)
GIVE_IDENTITY = (
    update(identities)
    .where(
        identities.c.channel == _p("the_channel"),
        identities.c.account == _p("the_account"),
        identities.c.sender == _p("the_sender"),
    )
    .values(client=_p("client"))
)
CONVERSATIONS_OF = select(conversations.c.id).where(conversations.c.client == _p("client")).order_by(conversations.c.id)
GIVE_CONVERSATION = update(conversations).where(conversations.c.id == _p("the_id")).values(client=_p("client"))
SPOKE_AT = select(func.max(conversations.c.last_at)).where(conversations.c.client == _p("client"))
GIVE_TICKETS = (
    update(tickets)
    .where(tickets.c.client == _p("was"), tickets.c.conversation == _p("home"))
    .values(client=_p("client"))
)
CLIENTS = select(clients.c.card).order_by(clients.c.id.desc()).limit(_p("n")).offset(ZERO)
SHARED_PHONES = (
    select(clients.c.phone)
    .where(clients.c.phone != NOTHING)
    .group_by(clients.c.phone)
    .having(func.count() > ONE)
    .order_by(clients.c.phone)
    .limit(_p("n"))
    .offset(ZERO)
)
JOIN = select(joins).where(joins.c.id == _p("the_id"))
JOINS_KEPT = select(joins).where(joins.c.kept == _p("client")).order_by(joins.c.id)
JOINS_GONE = select(joins).where(joins.c.gone == _p("client")).order_by(joins.c.id)
JOINS = select(joins).order_by(joins.c.id.desc()).limit(_p("n")).offset(ZERO)
SUGGESTED = (
    select(joins)
    .where(joins.c.state == literal_column("'suggested'"))
    .order_by(joins.c.id.desc())
    .limit(_p("n"))
    .offset(ZERO)
)
SAVE_JOIN = _upsert(joins, "id")
CODE = select(codes).where(codes.c.digest == _p("digest"))
CODES_OF = select(codes).where(codes.c.conversation == _p("conversation"))
USE_CODE = update(codes).where(codes.c.digest == _p("the_digest")).values(used_key=_p("used_key"))
DROP_CODE = delete(codes).where(codes.c.digest == _p("digest"))
DROP_OLD_CODES = delete(codes).where(codes.c.expires_at < _p("before"))
TRIES = select(code_tries).where(code_tries.c.scope == _p("scope"))
SAVE_TRIES = _upsert(code_tries, "scope")
DROP_OLD_TRIES = delete(code_tries).where(code_tries.c.since < _p("before"))

# --- numbers ---------------------------------------------------------------------------------------------------------

HIGHEST: dict[str, Executable] = {
    "conversation": select(func.max(conversations.c.id)),
    "client": select(func.max(clients.c.id)),
    "inbox": select(func.max(inbox.c.id)),
    "outbox": select(func.max(outbox.c.id)),
    "ticket": select(func.max(tickets.c.number)),
    "join": select(func.max(joins.c.id)),
}
COUNTS: dict[str, Executable] = {
    "inbox": select(func.count()).where(_pending),
    "outbox": select(func.count()).where(_in_lane),
    "aside": select(func.count()).where(_aside),
    "timers": select(func.count()).select_from(timers),
    "queued": select(func.count()).select_from(queue),
    "quarantine": select(func.count()).select_from(quarantine),
    "dead_events": select(func.count()).where(inbox.c.state == TWO),
    "dead_rows": select(func.count()).where(outbox.c.state.in_([TWO, literal_column("3")])),
}
OLDEST_EVENT = select(func.min(inbox.c.at)).where(_pending)
OLDEST_SEND = select(func.min(outbox.c.created_at)).where(_in_lane)
OLDEST_ASIDE = select(func.min(outbox.c.created_at)).where(_aside)
