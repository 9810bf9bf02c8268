"""Outside → ours: a request of the page becomes an event. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from adapters.web.capabilities import TEXT_LIMIT
from adapters.web.refusal import Refused
from core.events import Event, Message, Opened, Press
from core.kinds import INLINE
from core.messages import Attachment, Contact, Location, Quote
from core.normal import clean
from core.ports import StoredFile

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
COMMAND = re.compile(r"/[a-z0-9_]{1,32}(?=\s|$)", re.IGNORECASE)
MAX_FILES = 10
T = TypeVar("T")


class PressIn(msgspec.Struct, frozen=True):
    """A pressed button."""

    token: str
    label: str = ""


class ContactIn(msgspec.Struct, frozen=True):
    """A phone that the client typed: never a proof."""

    phone: str
    name: str = ""


class LocationIn(msgspec.Struct, frozen=True):
    """Where the browser says the client is (WGS 84 degrees)."""

    latitude: float
    longitude: float


class Post(msgspec.Struct, frozen=True):
    """What the page posts: exactly one of text (with files), press, link, contact, location.

    `client_id` is made by the page and repeated with every try: it is the idempotency key. `quote` is the place in the
    history of the message that the text or the files answer.
    """

    client_id: str
    text: str = ""
    files: tuple[str, ...] = ()
    press: PressIn | None = None
    link: str | None = None
    contact: ContactIn | None = None
    location: LocationIn | None = None
    quote: int = 0


class Hello(msgspec.Struct, frozen=True):
    """The first frame of a socket: who it is and up to which place of the history it has everything (-1: nothing yet)."""

    token: str
    after: int = -1


class Word(msgspec.Struct, frozen=True):
    """What a page says over its socket: the client is `typing`, or has `seen` everything up to a place of the history."""

    typing: bool = False
    seen: int = 0


def parse_post(raw: bytes) -> Post:
    """The typed request. Raises `Refused` with the reason."""
    post = _decode(raw, Post)
    if not CLIENT_ID.fullmatch(post.client_id):
        raise Refused("bad_request", reason="client_id")
    if len(post.files) > MAX_FILES:
        raise Refused("bad_request", reason=f"files > {MAX_FILES}")
    kinds = (bool(post.text or post.files), post.press, post.link is not None, post.contact, post.location)
    if sum(map(bool, kinds)) != 1:
        raise Refused("empty" if not any(kinds) else "bad_request", reason="one kind at a time")
    return post


def parse_hello(raw: str) -> Hello:
    """The first frame of a socket. Raises `Refused`."""
    return _decode(raw.encode("utf-8", "replace"), Hello)


def parse_word(raw: str) -> Word:
    """A later frame of a socket. Raises `Refused`."""
    return _decode(raw.encode("utf-8", "replace"), Word)


def parse_event(post: Post, files: Mapping[str, StoredFile], quote: Quote | None = None) -> Event:
    """The event of a request; `files` are the client's own files by id, `quote` the message of the history that the place
    `post.quote` names. Raises `Refused`."""
    if post.press is not None:
        return Press(_line(post.press.token, 64), _line(post.press.label, 200))
    if post.link is not None:
        return Opened(_line(post.link, 200))
    if post.contact is not None:
        return Message(contact=Contact(_line(post.contact.phone, 40), _line(post.contact.name, 100)))
    if post.location is not None:
        return Message(location=_location(post.location))
    return _message(clean(post.text).strip(), [parse_attachment(files[id]) for id in post.files], quote)


def parse_attachment(file: StoredFile) -> Attachment:
    """A stored file as a part of a message."""
    return Attachment("photo" if file.mime in INLINE else "file", file.id, "", file.name, file.mime, file.size)


def parse_number(value: str | None, default: int, low: int, high: int) -> int:
    """A whole number of a query, kept within bounds. Raises `Refused` when it is not a number."""
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,12}", value):
        raise Refused("bad_request", reason="number")
    return min(max(int(value), low), high)


def _decode(raw: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("bad_request", reason=str(error)) from error
    except RecursionError as error:
        raise Refused("bad_request", reason="depth") from error


def _message(text: str, attachments: Sequence[Attachment], quote: Quote | None) -> Message:
    if not (text or attachments):
        raise Refused("empty")
    if len(text) > TEXT_LIMIT:
        raise Refused("too_long", length=len(text), limit=TEXT_LIMIT)
    command = COMMAND.match(text)
    return Message(text, tuple(attachments), command=command.group().lower() if command else "", quote=quote)


def _location(place: LocationIn) -> Location:
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise Refused("bad_request", reason="location")
    return Location(place.latitude, place.longitude)


def _line(text: str, limit: int) -> str:
    return " ".join(clean(text).split())[:limit]
