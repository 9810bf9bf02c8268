"""YAML tests as values: what is given, what is said, what is expected. Mistakes of form are findings."""

from __future__ import annotations

from collections.abc import Mapping as Texts
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from bot.loader import Mapping, Node, Report, Scalar, Sequence, load
from bot.shapes import (
    DURATION_SHAPE,
    TEXT,
    UNREAD,
    YES_NO,
    Integer,
    Key,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Owner,
    Reader,
    Record,
    Reference,
    Schema,
    Unread,
    keys_schema,
    read_keys,
)
from core.deployment import Deployment
from core.findings import Position
from core.locale import n_

SUFFIX = ".test.yaml"
MOMENTS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The world before the talk. `now` is naive local time, None for an ordinary working noon."""

    now: datetime | None = None
    channel: str = ""
    client: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)
    line: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the talk: exactly one of the words, and what goes with it."""

    at: Position
    word: str
    value: Any
    buttons: tuple[str, ...] | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What came of the talk. `ticket` and `client` are subsets; `at` is the place of each key."""

    ticket: dict[str, Any] | None = None
    line: str | None = None
    outcome: str | None = None
    client: dict[str, Any] | None = None
    asked: tuple[str, ...] | None = None
    at: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test of a file."""

    __test__: ClassVar[bool] = False  # pytest shall not take it for one of ours

    name: str
    at: Position
    file: str
    given: Given
    talk: tuple[Entry, ...]
    expect: Expect


# --- shapes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Data:
    """Any value: a scalar, a list, a map."""

    told: ClassVar[str] = n_("value")

    def read(self, node: Node, reader: Reader) -> Any:
        return plain(node)

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True, slots=True)
class Moment:
    """A local date and time, `2025-03-05 23:10`."""

    told: ClassVar[str] = n_("date and time")

    def read(self, node: Node, reader: Reader) -> datetime | Unread:
        text = node.text if isinstance(node, Scalar) else ""
        for form in MOMENTS:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the deployment's zone is added by who runs it
            except ValueError:
                continue
        return reader.tell(node, "L113", n_("«{key}» must be a date and time"), n_("write it as 2025-03-05 23:10"))

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class CardValue:
    """A value of the client's card: a number stays as it is written, `+7…` with its plus."""

    told: ClassVar[str] = n_("value")

    def read(self, node: Node, reader: Reader) -> Any:
        value = plain(node)
        return node.text if isinstance(node, Scalar) and type(value) in (int, float) else value

    def schema(self) -> Schema:
        return {}


def plain(node: Node) -> Any:
    """A node as plain data."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {name: plain(value) for name, (_, value) in node.items.items()}


COUNT = Integer(1, 20)
SEND = Record(
    "send",
    (
        Key("photos", "photos", COUNT, about=n_("so many photos, as an album when several")),
        Key("files", "files", COUNT, about=n_("so many files")),
        Key("contact", "contact", TEXT, about=n_("the client's own phone, by the contact button")),
        Key("location", "location", TEXT, about=n_("an address")),
        Key("text", "text", TEXT, about=n_("a caption")),
    ),
    lambda values, node: values,
)
GIVEN = (
    Key("now", "now", Moment(), about=n_("the local time when the talk begins")),
    Key("channel", "channel", TEXT, about=n_("a channel of the config")),
    Key("client", "client", MapOf(TEXT, CardValue()), about=n_("the client's card")),
    Key("requests", "requests", MapOf(Reference("call"), Data()), about=n_("answers of services by service.call")),
    Key(
        "line",
        "line",
        MapOf(Reference("line"), OneOf(("open", "closed", "busy"))),
        about=n_("lines: open, closed or busy"),
    ),
)
WORDS: dict[str, Any] = {
    "client": TEXT,
    "press": TEXT,
    "send": SEND,
    "open": TEXT,
    "wait": DURATION_SHAPE,
    "event": TEXT,
    "line": OneOf(("returned", "done", "left", "busy")),
    "bot": TEXT,
    "silent": YES_NO,
}
ABOUT = {
    "client": n_("the client writes"),
    "press": n_("the client presses the button of this label"),
    "send": n_("the client sends files, a contact or a place"),
    "open": n_("the client comes by a deep link"),
    "wait": n_("time goes by"),
    "event": n_("an outside event comes in"),
    "line": n_("what people make of the handoff"),
    "bot": n_("the bot says; a part of the text is enough"),
    "silent": n_("the bot says nothing"),
}
ENTRY = (
    *(Key(word, word, shape, about=ABOUT[word]) for word, shape in WORDS.items()),
    Key("buttons", "buttons", ListOf(TEXT, single=True), about=n_("the labels under the message, in order")),
    Key("data", "data", MapOf(TEXT, Data()), about=n_("the data of the event")),
)
TICKET = Record(
    "ticket",
    (
        Key("desk", "desk", Reference("desk"), about=n_("the desk")),
        Key("title", "title", TEXT, about=n_("a part of the title")),
        Key("text", "text", TEXT, about=n_("a part of the text")),
        Key("priority", "priority", TEXT, about=n_("how urgent it is")),
        Key("with", "with", MapOf(TEXT, TEXT), about=n_("some of the fields, label: value")),
        Key("files", "files", Integer(0, 100), about=n_("how many files")),
    ),
    lambda values, node: values,
)
EXPECT = (
    Key("ticket", "ticket", TICKET, about=n_("a ticket was created")),
    Key("line", "line", Reference("line"), about=n_("the session was given to this line")),
    Key("outcome", "outcome", TEXT, about=n_("how the last run ended")),
    Key("client", "client", MapOf(TEXT, CardValue()), about=n_("the client's card afterwards")),
    Key("asked", "asked", ListOf(TEXT, single=True), about=n_("the fields that were asked, in order")),
)


@dataclass(frozen=True, slots=True)
class Talk:
    """The list of what is said."""

    told: ClassVar[str] = n_("list")

    def read(self, node: Node, reader: Reader) -> tuple[Entry, ...] | Unread:
        if not isinstance(node, Sequence) or not node.items:
            return reader.tell(node, "L112", n_("«{key}» must be a list"))
        return tuple(entry for item in node.items if (entry := read_entry(item, reader)) is not None)

    def schema(self) -> Schema:
        return {"type": "array", "minItems": 1, "items": keys_schema(ENTRY) | {"minProperties": 1}}


def read_entry(node: Node, reader: Reader) -> Entry | None:
    """A map with one of the words; `buttons` may stand alone, for the last message."""
    if not isinstance(node, Mapping):
        reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        return None
    values, _ = read_keys(node, ENTRY, reader, Owner("", "talk"))
    words = [word for word in WORDS if word in node.items or word in values]
    buttons = values.get("buttons")
    if not words and not values and node.items:
        return None  # its key is unknown: told already
    if len(words) != 1 and not (not words and buttons):
        reader.tell(
            node,
            "L120",
            n_("one line of a talk is exactly one of: {words}"),
            words=", ".join(WORDS),
        )
        return None
    word = words[0] if words else "bot"
    if words and word not in values:
        return None
    return Entry(
        at=node.key(word).at if word in node.items else node.at,
        word=word,
        value=values.get(word, ""),
        buttons=buttons,
        data=values.get("data", {}),
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """`expect`, with the place of each key."""

    told: ClassVar[str] = n_("map")

    def read(self, node: Node, reader: Reader) -> Expect | Unread:
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        values, _ = read_keys(node, EXPECT, reader, Owner("", "expect"))
        return Expect(at={name: value.at for name, (_, value) in node.items.items()}, **values)

    def schema(self) -> Schema:
        return keys_schema(EXPECT)


CASE = (
    Key("test", "name", TEXT, required=True, about=n_("what the test shows")),
    Key("given", "given", Record("given", GIVEN, lambda values, node: Given(**values)), about=n_("the world before")),
    Key("talk", "talk", Talk(), required=True, about=n_("who says what")),
    Key("expect", "expect", Expected(), about=n_("what comes of it")),
)


def read_tests(
    sources: Texts[str, str], deployment: Deployment, report: Report, prefix: str = "flows/"
) -> list[TestCase]:
    """All tests of the files `….test.yaml` (path → text), in order."""
    cases: list[TestCase] = []
    for path in sorted(sources):
        if path.endswith(SUFFIX):
            cases += _read_file(path, sources[path], deployment, report, prefix)
    return cases


def _read_file(path: str, text: str, deployment: Deployment, report: Report, prefix: str) -> list[TestCase]:
    root = load(text, prefix + path, report)
    known: dict[Kind, Any] = {
        "channel": deployment.channels,
        "line": deployment.lines,
        "desk": deployment.desks,
        "call": {*(f"{s}.{c}" for s, calls in deployment.services.items() for c in calls), *deployment.desks},
    }
    reader = Reader(prefix + path, text, report, known, lambda node, reader: UNREAD)
    if not isinstance(root, Sequence):
        if root is not None:
            reader.key = path
            reader.tell(root, "L112", n_("«{key}» must be a list"))
        return []
    made = []
    for item in root.items:
        reader.key = "test"
        if not isinstance(item, Mapping):
            reader.tell(item, "L112", n_("«{key}» must be a map of `name: value`"))
            continue
        values, whole = read_keys(item, CASE, reader, Owner("", "test"))
        if whole:
            made.append(TestCase(at=item.at, file=path, **{"given": Given(), "expect": Expect(), **values}))
    return made
