"""Deliveries of an integrator as events: pure; a bad event is named by its place and costs no good one beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import orjson

from adapters.api import schema
from adapters.api.capabilities import EVENTS
from adapters.api.schema import Note
from adapters.payloads import Unreadable, line, parse_json
from core import events as ours
from core.events import Inbound
from core.files import parse_name
from core.messages import Attachment, Contact, Location, Quote
from core.normal import clean

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:\s+|$)")
PLACE = re.compile(r" - at `\$(.*)`$", re.DOTALL)
STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
CONTROL = re.compile("[\x00-\x1f\x7f]")
LINE = 200
DETAIL_LIMIT = 200  # characters: what is wrong may quote what was sent
YEARS = range(2000, 9999)  # of moments that are believed
IDS = ("id", "chat", "message_id", "operator", "album", "token", "command")


class Refused(NamedTuple):
    """An event that is not taken: its place in the delivery, why, and what it was."""

    note: Note
    raw: bytes


class Heard(NamedTuple):
    """An event to be taken, with its place."""

    pointer: str
    inbound: Inbound


class Read(NamedTuple):
    """What a delivery holds."""

    heard: list[Heard]
    refused: list[Refused]
    ignored: int = 0
    warnings: tuple[Note, ...] = ()


class Reader(NamedTuple):
    """Whose deliveries are read: the channel's name and account, and the hosts whose files we fetch."""

    channel: str
    account: str
    hosts: frozenset[str] = frozenset()

    def read(self, raw: bytes, delivery: str, now: datetime) -> Read:
        """The events of a body in their order. `delivery` is its webhook-id. Raises Unreadable."""
        whole = parse_json(raw)
        if not isinstance(whole, dict):
            raise Unreadable("the body is not an object")
        if "events" not in whole:
            return self._all([("", whole)], delivery, now)
        found = whole["events"]
        if not isinstance(found, list) or not 0 < len(found) <= EVENTS:
            raise Unreadable(f"`events` is a list of 1 to {EVENTS}")
        return self._all([(f"/events/{place}", one) for place, one in enumerate(found)], delivery, now)

    def _all(self, found: Iterable[tuple[str, Any]], delivery: str, now: datetime) -> Read:
        heard: list[Heard] = []
        refused: list[Refused] = []
        warnings: list[Note] = []
        ignored = 0
        for place, (pointer, value) in enumerate(found):
            try:
                event = _convert(value)
                inbound = self._inbound(event, f"{delivery}:{place}", now)
            except _Wrong as wrong:
                refused.append(Refused(Note(pointer + wrong.pointer, str(wrong)), _bytes(value)))
                continue
            if inbound is None:
                ignored += 1
                continue
            heard.append(Heard(pointer, inbound))
            warnings += self._warnings(event, pointer)
        return Read(heard, refused, ignored, tuple(warnings))

    def _inbound(self, event: schema.Event, key: str, now: datetime) -> Inbound | None:
        said = _event(event)
        if said is None:
            return None
        sender = event.sender or schema.Sender(event.chat)
        return Inbound(
            channel=self.channel,
            account=self.account,
            external_id=f"e:{event.id}" if event.id else f"w:{key}",
            chat=event.chat,
            event=said,
            sent_at=_moment(event.at, now),
            sender_id=sender.id,
            sender_name=line(sender.name),
            sender_username=line(sender.username),
            sender_language=line(sender.language),
            message_id=getattr(event, "message_id", ""),
        )

    def _warnings(self, event: schema.Event, pointer: str) -> Iterable[Note]:
        """What will be kept without its bytes."""
        for place, one in enumerate(getattr(event, "attachments", ())):
            host = host_of(one.url)
            if one.url and not is_allowed(host, self.hosts):
                where = f"{pointer}/attachments/{place}/url"
                yield Note(where, f"files are not fetched from {host or 'such an address'}: it is not in `file_hosts`")


def host_of(url: str) -> str:
    """`host` or `host:port` of an http(s) address, in lower case; empty for anything else."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    return host if port in {None, 80 if parts.scheme == "http" else 443} else f"{host}:{port}"


def is_allowed(host: str, hosts: Iterable[str]) -> bool:
    """Whether files may be fetched from a host: it is named, stands below a named `*.domain`, or `*` allows all."""
    return bool(host) and any(
        rule in {"*", host} or (rule.startswith("*.") and host.partition(":")[0].endswith(rule[1:])) for rule in hosts
    )


class _Wrong(ValueError):
    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


def _convert(value: Any) -> schema.Event:
    try:
        event: schema.Event = msgspec.convert(value, schema.Event)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None
    for name in IDS:
        if CONTROL.search(str(getattr(event, name, ""))):
            raise _Wrong(f"/{name}", "Control characters are not allowed")
    quote = getattr(event, "quote", None)
    for pointer, inner in (
        ("/sender/id", event.sender and event.sender.id),
        ("/quote/message_id", quote and quote.message_id),
    ):
        if inner and CONTROL.search(inner):
            raise _Wrong(pointer, "Control characters are not allowed")
    return event


def _bytes(value: Any) -> bytes:
    """An event to be set aside; one that is nested deeper than can be written is only said to be so."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"nested too deeply"


def _moment(at: datetime | None, now: datetime) -> datetime:
    """When it happened: never ahead of our clock."""
    return min(at.astimezone(UTC), now) if at is not None and at.year in YEARS else now


def _named(words: str) -> _Wrong:
    """What msgspec says, with its place as a JSON pointer."""
    found = PLACE.search(words)
    if found is None:
        return _Wrong("", words[:DETAIL_LIMIT])
    steps = [name or number for name, number in STEP.findall(found[1])]
    return _Wrong("".join(f"/{step}" for step in steps), words[: min(found.start(), DETAIL_LIMIT)])


def _event(event: schema.Event) -> ours.Event | None:
    """Our event; None for what leaves nothing. Raises `_Wrong`."""
    said: ours.Event | None = None
    match event:
        case schema.Message():
            said = _message(event)
        case schema.Press():
            said = ours.Press(event.token, line(event.label, LINE))
        case schema.Opened():
            said = ours.Opened(line(event.link, LINE))
        case schema.Edited():
            said = ours.Edited(event.message_id, clean(event.text))
        case schema.Reacted():
            said = ours.Reacted(event.message_id, tuple(filter(None, map(line, event.emojis))))
        case schema.Reachability():
            said = ours.Reachability(event.reachable)
        case schema.ColleagueReply():
            said = _reply(event)
    return said


def _reply(event: schema.ColleagueReply) -> ours.ColleagueReply:
    text, files = clean(event.text), _attachments(event.attachments)
    if not (text.strip() or files):
        raise _Wrong("", "The reply is empty: it has neither text nor files")
    return ours.ColleagueReply(f"api:{event.operator}", text, files)


def _message(event: schema.Message) -> ours.Message:
    text = clean(event.text)
    found = COMMAND.match(text)
    if not (text.strip() or event.attachments or event.contact or event.location):
        raise _Wrong("", "The message is empty: it has neither text, files, a contact nor a place")
    contact, place, quote = event.contact, event.location, event.quote
    return ours.Message(
        text=text,
        attachments=_attachments(event.attachments),
        contact=Contact(line(contact.phone), line(contact.name), contact.own) if contact else None,
        location=Location(place.latitude, place.longitude, line(place.address, 500)) if place else None,
        album=event.album,
        command=event.command.lower() or (f"/{found[1].lower()}" if found else ""),
        quote=Quote(quote.message_id, clean(quote.text)) if quote else None,
    )


def _attachments(found: Iterable[schema.Attachment]) -> tuple[Attachment, ...]:
    return tuple(_attachment(one, place) for place, one in enumerate(found))


def _attachment(one: schema.Attachment, place: int) -> Attachment:
    """By its id or by its address: one of them, never both."""
    if bool(one.file) == bool(one.url):
        raise _Wrong(f"/attachments/{place}", "Give `file` or `url`, one of them")
    if CONTROL.search(one.file + one.url):
        raise _Wrong(f"/attachments/{place}", "Control characters are not allowed")
    return Attachment(
        one.kind, one.file, one.url, parse_name(one.name) if one.name else "", line(one.mime), one.size, one.duration
    )
