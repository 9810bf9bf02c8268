"""What lists and pages show of a session or a message: rows of the store as models of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bot.engine.collected import Known
from core.accounts import operator_id
from core.conversation import Session
from core.events import ColleagueReply, Edited, Event, Message, Opened, Press
from core.files import StoredFile
from core.kinds import INLINE
from core.messages import Attachment, Outgoing
from gateway.api.models import moment
from gateway.api.models_conversations import (
    Bubble,
    ClientShort,
    Colleague,
    Deadline,
    EarlierText,
    FieldView,
    FileView,
    LastSaid,
    ListRow,
    MarkView,
    NoteView,
    QuoteView,
    SessionView,
)
from gateway.api.route import Call
from handoff.sla import chip
from storage import shape
from storage.asked import Asked
from storage.codec import decode_dict, decode_event, decode_message
from storage.lists.details import titles
from storage.rows import Row

SHORT = 140  # characters of the last word in a list
LINK_SECONDS = 3600.0
USER = operator_id(0).removesuffix("0")
_session = msgspec.json.Decoder(Session)


@dataclass
class Showing:
    """What is needed to show things to whoever calls: the time, names of lines, channels and people."""

    call: Call
    now: float
    names: Mapping[int, str]
    files: Mapping[str, StoredFile] = field(default_factory=dict)

    def colleague(self, id: str) -> Colleague:
        """An account by its title; anybody else as they are called."""
        number = user_of(id)
        return Colleague(id=id, title=self.names.get(number, id) if number else id)

    def maybe(self, id: str) -> Colleague | None:
        return self.colleague(id) if id else None

    def line_title(self, line: str) -> str:
        known = self.call.floor.house().lines.get(line)
        return known.title if known is not None else line

    def kind(self, channel: str) -> str:
        known = self.call.floor.config.channels.get(channel)
        return known.kind if known is not None else ""

    def looking(self, conversation: int) -> list[Colleague]:
        return [self.colleague(operator_id(user)) for user in self.call.floor.lookers(conversation)]

    # --- sessions ---

    def row(self, row: Row) -> ListRow:
        """A row of `storage.lists.details`."""
        session = _session.decode(row["state"])
        return ListRow(
            conversation=row["conversation"],
            session=row["number"],
            channel=row["channel"],
            kind=self.kind(row["channel"]),
            client=client_short(row["client"], row["card"]),
            line=row["line"],
            line_title=self.line_title(row["line"]),
            operator=self.maybe(row["operator"]),
            status=row["status"],
            owner=row["owner"],
            epoch=row["epoch"],
            priority=row["priority"],
            category=row["category"],
            last=self._last(row),
            last_at=at(max(row["last_at"], row["spoke_at"], row["said_at"] or 0.0)),
            unread=row["unread"],
            due=self.due(session),
            cause=row["cause"] or "",
            looking=self.looking(row["conversation"]),
            continues=session.continues,
            opened_at=at(row["opened_at"]),
            queued_at=moment(row["queued_at"]),
        )

    def due(self, session: Session) -> Deadline | None:
        found = chip(session, self.now)
        if found.state == "none":
            return None
        return Deadline(at=moment(found.due), kind=found.promise, state=found.state, left=found.left)

    def _last(self, row: Row) -> LastSaid | None:
        if row["said_seq"] is None:
            return None
        event = decode_event.decode(row["said_event"]) if row["said_event"] is not None else None
        message = decode_message.decode(row["said_message"]) if row["said_message"] is not None else None
        text, files = said(event, message), len(message.files) if message is not None else len(_attached(event))
        return LastSaid(
            author=row["said_author"],
            operator=self.maybe(row["said_operator"]),
            text=text if len(text) <= SHORT else text[: SHORT - 1] + "…",
            attachments=files,
            at=at(row["said_at"]),
        )

    def session(self, row: Row) -> SessionView:
        state = _session.decode(row["state"])
        return SessionView(
            number=row["number"],
            status=row["status"],
            line=row["line"],
            line_title=self.line_title(row["line"]),
            operator=self.maybe(row["operator"]),
            category=row["category"],
            rating=row["rating"],
            continues=state.continues,
            opened_at=at(row["opened_at"]),
            closed_at=moment(row["closed_at"]),
        )

    def field(self, it: Known) -> FieldView:
        by = None if it.by == "bot" else self.colleague(it.by)
        return FieldView(label=it.label, text=it.text, type=it.type, private=it.private, by=by)

    # --- messages ---

    def note(self, row: Row) -> NoteView:
        author = self.colleague(row["author"])
        return NoteView(
            conversation=row["conversation"], id=row["id"], author=author, at=at(row["at"]), text=row["text"]
        )

    def bubble(self, row: Row, seqs: Mapping[str, int]) -> Bubble:
        """A message of the history. `seqs`: what the platform calls messages → their place, as far as it is known."""
        item = shape.history_item(row)
        event, message = item.event, item.message
        quote = message.quote if message is not None else getattr(event, "quote", None)
        contact, location = getattr(event, "contact", None), getattr(event, "location", None)
        marks = message.body.marks if message is not None else ()
        buttons = message.rows if message is not None else ()
        return Bubble(
            conversation=row["conversation"],
            seq=item.seq,
            author=item.author,
            operator=self.maybe(row["operator"]),
            at=at(item.at),
            what=str(event.__struct_config__.tag) if event is not None else "",
            text=said(event, message),
            marks=[MarkView(kind=it.kind, start=it.start, end=it.end, url=it.url) for it in marks],
            buttons=[[button.label for button in buttons_of] for buttons_of in buttons],
            files=self._files(event, message),
            contact=None if contact is None else msgspec.to_builtins(contact),
            location=None if location is None else msgspec.to_builtins(location),
            quote=None if quote is None else QuoteView(seq=seqs.get(quote.message_id, 0), text=quote.text),
            edited=item.edited,
            earlier=[EarlierText(until=at(it.until), text=it.text) for it in item.earlier],
            reactions=list(item.reactions),
            removed_at=moment(item.removed),
            state=item.state,
            reason=item.reason,
        )

    def _files(self, event: Event | None, message: Outgoing | None) -> list[FileView]:
        if message is not None:
            return [self.file(Attachment("file", file=id)) for id in message.files]
        return [self.file(it) for it in _attached(event)]

    def file(self, it: Attachment) -> FileView:
        """A file as far as its bytes are here."""
        known = self.files.get(it.file)
        url, small = links_of(self.call, known)
        return FileView(
            id=it.file,
            kind=known.kind if known is not None else it.kind,
            name=known.name if known is not None else it.name,
            mime=known.mime if known is not None else it.mime,
            size=known.size if known is not None else it.size,
            duration=it.duration,
            url=url,
            small=small,
            note=it.note or (known.error if known is not None else ""),
        )


def links_of(call: Call, file: StoredFile | None) -> tuple[str, str]:
    """Where a file opens, and where a small picture of it does; empty where there is nothing to open."""
    files = call.floor.files
    if file is None or files is None or not file.sha256 or file.error:
        return "", ""
    url = files.near_link(file.id, LINK_SECONDS)
    return url, f"{url}&small=1" if file.mime in INLINE else ""


async def showing(call: Call, people: Iterable[str] = (), files: Mapping[str, StoredFile] | None = None) -> Showing:
    """To show things in which these people appear (`user:7`)."""
    wanted = [number for it in people if (number := user_of(it))]
    names = await call.floor.units.ask(_titles(wanted)) if wanted else {}
    return Showing(call, call.floor.now().timestamp(), names, files or {})


def _titles(wanted: list[int]) -> Callable[[Asked], dict[int, str]]:
    return lambda reads: titles(reads, wanted)


def user_of(operator: str) -> int:
    """The account behind an operator's id, 0 for none."""
    number = operator.removeprefix(USER)
    return int(number) if operator.startswith(USER) and number.isdecimal() else 0


def at(seconds: float) -> Any:
    """A moment that there is."""
    return moment(seconds or 1.0)


def client_short(id: int, card: bytes | None) -> ClientShort:
    known = decode_dict.decode(card) if card else {}
    return ClientShort(id=id, name=str(known.get("name") or ""), tier=str(known.get("tier") or ""))


def said(event: Event | None, message: Outgoing | None) -> str:
    """The words of a message."""
    if message is not None:
        return message.body.text
    if isinstance(event, Press):
        return event.label
    if isinstance(event, Opened):
        return event.link
    return event.text if isinstance(event, Message | Edited | ColleagueReply) else ""


def _attached(event: Event | None) -> tuple[Attachment, ...]:
    return getattr(event, "attachments", None) or ()


def file_ids(rows: Iterable[Row]) -> list[str]:
    """The files of messages of the history."""
    found: list[str] = []
    for row in rows:
        if row["message"] is not None:
            found += decode_message.decode(row["message"]).files
        elif row["event"] is not None:
            found += [it.file for it in _attached(decode_event.decode(row["event"])) if it.file]
    return found
