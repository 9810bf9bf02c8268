"""Deliveries as events: what comes of each kind, and how bad ones are named without costing the good ones."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.api.openapi import json_schema
from adapters.api.parse import Read, Reader, host_of, is_allowed
from adapters.payloads import Unreadable
from core.events import ColleagueReply, Edited, Event, Message, Opened, Press, Reachability, Reacted
from core.messages import Attachment, Contact, Location, Quote

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
READER = Reader("shop", "shop", frozenset({"files.example"}))


def read(value: Any) -> Read:
    return READER.read(json.dumps(value).encode(), "d1", NOW)


def one(**event: Any) -> Event:
    found = read({"type": "message", "chat": "7", **event})
    assert found.refused == []
    return found.heard[0].inbound.event


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"text": " Привет\u202e\x00 "}, Message(" Привет ")),
        ({"text": "/Status now"}, Message("/Status now", command="/status")),
        ({"text": "x", "command": "/Menu"}, Message("x", command="/menu")),
        ({"text": "x", "quote": {"message_id": "m1", "text": "ы"}}, Message("x", quote=Quote("m1", "ы"))),
        ({"contact": {"phone": "+79161234567", "own": True}}, Message(contact=Contact("+79161234567", own=True))),
        (
            {"location": {"latitude": 55.7, "longitude": 37, "address": "Москва"}},
            Message(location=Location(55.7, 37.0, "Москва")),
        ),
        (
            {
                "attachments": [
                    {"kind": "photo", "url": "https://files.example/1.jpg", "name": "../a\u202eb.jpg", "size": 3}
                ]
            },
            Message(attachments=(Attachment("photo", "", "https://files.example/1.jpg", "ab.jpg", "", 3),)),
        ),
        (
            {"attachments": [{"kind": "voice", "file": "u1", "duration": 2.5}], "album": "al"},
            Message(attachments=(Attachment("voice", "u1", duration=2.5),), album="al"),
        ),
        ({"type": "press", "token": "1.2.3", "label": "Да\n"}, Press("1.2.3", "Да")),
        ({"type": "opened"}, Opened()),
        ({"type": "opened", "link": "vozvrat-qr"}, Opened("vozvrat-qr")),
        ({"type": "edited", "message_id": "m1", "text": "иначе"}, Edited("m1", "иначе")),
        ({"type": "reacted", "message_id": "m1", "emojis": ["👍"]}, Reacted("m1", ("👍",))),
        ({"type": "reacted", "message_id": "m1"}, Reacted("m1")),
        ({"type": "reachability", "reachable": False}, Reachability(False)),
        ({"type": "colleague_reply", "operator": "77", "text": "Я помогу"}, ColleagueReply("api:77", "Я помогу")),
    ],
)
def test_every_kind_of_event(event: dict[str, Any], expected: Event) -> None:
    assert one(**event) == expected


def test_who_wrote_and_when() -> None:
    event = {
        "type": "message", "chat": "c7", "id": "e1", "message_id": "m1", "text": "x", "at": "2026-11-22T05:00:00+03:00",
        "sender": {"id": "u7", "name": " Анна\u202e ", "username": "anna", "language": "ru"}, "of_next_year": {"a": 1},
    }  # fmt: skip
    inbound = read(event).heard[0].inbound
    assert (inbound.channel, inbound.account, inbound.chat, inbound.external_id) == ("shop", "shop", "c7", "e:e1")
    assert (inbound.sender_id, inbound.sender_name, inbound.sender_username) == ("u7", "Анна", "anna")
    assert inbound.sent_at == datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    assert inbound.message_id == "m1"


@pytest.mark.parametrize(
    "at", ["2126-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00Z"]
)
def test_moments_that_cannot_be_are_now(at: str) -> None:
    assert read({"type": "opened", "chat": "7", "at": at}).heard[0].inbound.sent_at == NOW


def test_without_an_id_the_delivery_tells_repeats() -> None:
    found = read({"events": [{"type": "opened", "chat": "7"}, {"type": "opened", "chat": "7", "id": "x"}]})
    assert [one.inbound.external_id for one in found.heard] == ["w:d1:0", "e:x"]
    assert found.heard[0].inbound.sender_id == "7"


def test_seen_is_heard_and_leaves_nothing() -> None:
    found = read({"type": "seen", "chat": "7", "message_id": "m1"})
    assert (found.heard, found.refused, found.ignored) == ([], [], 1)


@pytest.mark.parametrize(
    ("event", "pointer", "words"),
    [
        ({"type": "poll"}, "/type", "Invalid value 'poll'"),
        ({"type": 5}, "/type", "Expected `str`"),
        ({"type": "message"}, "", "missing required field `chat`"),
        ({"chat": "7"}, "", "missing required field `type`"),
        ({"type": "message", "chat": 7}, "/chat", "Expected `str`, got `int`"),
        ({"type": "message", "chat": ""}, "/chat", "length >= 1"),
        ({"type": "message", "chat": "a\x00b", "text": "x"}, "/chat", "Control characters"),
        ({"type": "message", "chat": "a\n", "text": "x"}, "/chat", "Control characters"),
        ({"type": "message", "chat": "7", "id": "a\x07", "text": "x"}, "/id", "Control characters"),
        ({"type": "message", "chat": "7", "sender": {"id": "\x01"}, "text": "x"}, "/sender/id", "Control characters"),
        ({"type": "message", "chat": "7", "quote": {"message_id": "\x01"}}, "/quote/message_id", "Control characters"),
        ({"type": "message", "chat": "7"}, "", "The message is empty"),
        ({"type": "message", "chat": "7", "text": " \n"}, "", "The message is empty"),
        ({"type": "message", "chat": "7", "text": "x" * 32769}, "/text", "length <= 32768"),
        ({"type": "message", "chat": "7", "text": ["x"]}, "/text", "Expected `str`"),
        ({"type": "message", "chat": "7", "at": "yesterday"}, "/at", "RFC3339"),
        ({"type": "message", "chat": "7", "at": "2026-01-01T00:00:00"}, "/at", "timezone"),
        ({"type": "message", "chat": "7", "location": {"latitude": 91, "longitude": 0}}, "/location/latitude", "<= 90"),
        ({"type": "message", "chat": "7", "attachments": [{}]}, "/attachments/0", "`file` or `url`"),
        (
            {"type": "message", "chat": "7", "attachments": [{"file": "a"}, {"file": "a", "url": "https://x"}]},
            "/attachments/1",
            "one of them",
        ),
        ({"type": "message", "chat": "7", "attachments": [{"url": "https://x/\x00"}]}, "/attachments/0", "Control"),
        ({"type": "message", "chat": "7", "attachments": [{"kind": "dance"}]}, "/attachments/0/kind", "Invalid enum"),
        ({"type": "message", "chat": "7", "attachments": [{"file": "a", "size": -1}]}, "/attachments/0/size", ">= 0"),
        ({"type": "message", "chat": "7", "attachments": [{"file": "a"}] * 21}, "/attachments", "length <= 20"),
        ({"type": "message", "chat": "7", "command": "rm -rf"}, "/command", "matching regex"),
        ({"type": "message", "chat": "7", "text": "x", "command": "/a\n"}, "/command", "Control characters"),
        ({"type": "press", "chat": "7", "token": "x" * 65}, "/token", "length <= 64"),
        ({"type": "press", "chat": "7", "token": "\x00"}, "/token", "Control characters"),
        ({"type": "colleague_reply", "chat": "7", "operator": "1"}, "", "The reply is empty"),
        ("text", "", "Expected `object`"),
        (None, "", "Expected `object`"),
    ],
)
def test_a_bad_event_is_named_and_costs_nothing_else(event: Any, pointer: str, words: str) -> None:
    good = {"type": "message", "chat": "7", "text": "before"}
    found = read({"events": [good, event, {**good, "text": "after"}]})
    texts = [one.inbound.event.text for one in found.heard if isinstance(one.inbound.event, Message)]
    assert texts == ["before", "after"]
    (refused,) = found.refused
    assert refused.note.pointer == f"/events/1{pointer}"
    assert words in refused.note.detail
    assert json.loads(refused.raw) == event


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b'{"events": []}', b'{"events": 5}', b'{"a": NaN}', b"[" * 100_000],
)
def test_what_is_no_delivery_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        READER.read(raw, "d", NOW)


def test_more_events_than_one_delivery_may_hold() -> None:
    with pytest.raises(Unreadable):
        read({"events": [{"type": "opened", "chat": "7"}] * 101})


def test_half_a_surrogate_pair_does_not_cost_the_message() -> None:
    found = READER.read(rb'{"type":"message","chat":"7","text":"a\ud83d b"}', "d", NOW)
    event = found.heard[0].inbound.event
    assert isinstance(event, Message)
    assert event.text == "a? b"


def test_files_from_elsewhere_are_kept_as_a_note_and_warned_of() -> None:
    files = [{"url": "https://elsewhere.example/1"}, {"url": "https://files.example/1"}, {"url": "file:///etc/passwd"}]
    found = read({"events": [{"type": "message", "chat": "7", "attachments": files}]})
    assert len(found.heard) == 1
    assert [note.pointer for note in found.warnings] == ["/events/0/attachments/0/url", "/events/0/attachments/2/url"]
    assert "elsewhere.example" in found.warnings[0].detail


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://a.example/x", "a.example"),
        ("HTTPS://A.Example:443/x", "a.example"),
        ("http://a.example:8080/", "a.example:8080"),
        ("https://user:pass@a.example/", "a.example"),
        ("https://good.example@evil.example/", "evil.example"),
        ("ftp://a.example/", ""),
        ("//a.example/", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("https://a:99999/", ""),
        ("", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("host", "rules", "allowed"),
    [
        ("a.example", {"a.example"}, True),
        ("a.example:8080", {"a.example"}, False),
        ("a.example:8080", {"a.example:8080"}, True),
        ("b.a.example", {"a.example"}, False),
        ("b.a.example", {"*.a.example"}, True),
        ("evila.example", {"*.a.example"}, False),
        ("any.example", {"*"}, True),
        ("", {"*"}, False),
        ("a.example", set(), False),
    ],
)
def test_which_hosts_are_allowed(host: str, rules: set[str], allowed: bool) -> None:
    assert is_allowed(host, rules) is allowed


JUDGE = Draft202012Validator(json_schema())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "type",
        "chat",
        "id",
        "at",
        "sender",
        "text",
        "attachments",
        "contact",
        "location",
        "quote",
        "command",
        "token",
        "emojis",
    ]
)
TYPES = ["message", "press", "opened", "edited", "reacted", "reachability", "colleague_reply", "seen", "?"]


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=8), st.sampled_from(TYPES))
def test_no_delivery_breaks_the_parser_or_is_lost(event: dict[str, Any], kind: str) -> None:
    found = READER.read(json.dumps({"events": [{"chat": "7", "type": kind, **event}]}).encode(), "d", NOW)
    assert len(found.heard) + len(found.refused) + found.ignored == 1
    for heard in found.heard:
        assert NOW - heard.inbound.sent_at < timedelta(days=366 * 30)
        JUDGE.validate({"chat": "7", "type": kind, **event})  # nothing is taken that the published schema forbids


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_read_or_unreadable_and_nothing_else(raw: bytes) -> None:
    with suppress(Unreadable):
        found = READER.read(raw, "d", NOW)
        assert len(found.heard) + len(found.refused) + found.ignored > 0
