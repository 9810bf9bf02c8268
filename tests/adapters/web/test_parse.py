"""Requests of the page become events; what is no request is refused with a reason."""

from __future__ import annotations

import json

import pytest

from adapters.web.parse import parse_event, parse_hello, parse_number, parse_post
from adapters.web.refusal import Refused
from core.events import Message, Opened, Press
from core.files import parse_name
from core.messages import Attachment, Contact, Location
from core.ports import StoredFile
from tests.adapters.web.corpus import FILE_NAMES, XSS

PNG = StoredFile("f1", 1, "cat.png", "image/png", 10, "photo", "site")
PDF = StoredFile("f2", 1, "bill.pdf", "application/pdf", 20, "file", "site")
FILES = {"f1": PNG, "f2": PDF}


def post(**values: object) -> bytes:
    return json.dumps({"client_id": "abc", **values}).encode()


def test_each_kind_becomes_its_event() -> None:
    cases = (
        (post(text="  hello  "), Message("hello")),
        (post(press={"token": "1.2.3", "label": "Yes"}), Press("1.2.3", "Yes")),
        (post(link="promo"), Opened("promo")),
        (post(link=""), Opened("")),
        (post(contact={"phone": "+7 999"}), Message(contact=Contact("+7 999"))),
        (post(location={"latitude": 1.5, "longitude": -2}), Message(location=Location(1.5, -2))),
        (post(text="/status now"), Message("/status now", command="/status")),
        (post(text="/Status"), Message("/Status", command="/status")),
        (post(text="/etc/passwd"), Message("/etc/passwd")),
    )
    for raw, event in cases:
        assert parse_event(parse_post(raw), {}) == event


def test_files_are_parts_of_the_message() -> None:
    event = parse_event(parse_post(post(text="see", files=["f1", "f2"])), FILES)
    photo = Attachment("photo", "f1", "", "cat.png", "image/png", 10)
    paper = Attachment("file", "f2", "", "bill.pdf", "application/pdf", 20)
    assert event == Message("see", (photo, paper))


def test_a_typed_phone_is_never_a_proof() -> None:
    event = parse_event(parse_post(post(contact={"phone": "+79990000000", "own": True})), {})
    assert event == Message(contact=Contact("+79990000000", own=False))


def test_control_characters_go_and_lines_stay() -> None:
    event = parse_event(parse_post(post(text="a\u202eb\x00c\r\nd\te\u200b")), {})
    assert event == Message("abc\nd\te")


@pytest.mark.parametrize("text", XSS)
def test_markup_is_only_text(text: str) -> None:
    event = parse_event(parse_post(post(text=text)), {})
    assert isinstance(event, Message)
    assert event.text.replace("\u2028", "").count("<") == text.count("<")


def test_a_wall_of_4096_passes_and_more_is_refused_with_numbers() -> None:
    assert parse_event(parse_post(post(text="я" * 4096)), {}) == Message("я" * 4096)
    with pytest.raises(Refused) as refused:
        parse_event(parse_post(post(text="😀" * 4097)), {})
    assert refused.value.body("en") == {
        "error": "too_long",
        "length": 4097,
        "limit": 4096,
        "message": "The message is too long: 4097 characters, at most 4096 fit. Please shorten it or send it in parts.",
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "bad_request"),
        (b"[]", "bad_request"),
        (b"{}", "bad_request"),
        (b"\xff\xfe", "bad_request"),
        (b"[" * 200_000, "bad_request"),
        (post(), "empty"),
        (post(text=""), "empty"),
        (post(text=5), "bad_request"),
        (post(text="a", press={"token": "1"}), "bad_request"),
        (post(client_id="a b", text="x"), "bad_request"),
        (post(client_id="", text="x"), "bad_request"),
        (post(client_id="x" * 65, text="x"), "bad_request"),
        (post(files=["f"] * 11), "bad_request"),
        (post(press={"label": "x"}), "bad_request"),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_post(raw)
    assert refused.value.code == code
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "values",
    [
        {"text": " \u200b\n "},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": 0, "longitude": 181}},
    ],
)
def test_requests_without_sense_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(Refused):
        parse_event(parse_post(post(**values)), {})


@pytest.mark.parametrize("name", FILE_NAMES)
def test_names_are_only_names(name: str) -> None:
    parsed = parse_name(name)
    assert 0 < len(parsed) <= 120
    assert not set(parsed) & set("/\\\x00\r\n\u202e")
    assert not parsed.startswith(".")


def test_long_names_keep_their_ending() -> None:
    assert parse_name("x" * 400 + ".pdf").endswith(".pdf")
    assert parse_name("dir/файл отчёта.docx") == "файл отчёта.docx"


def test_hello_and_numbers() -> None:
    assert parse_hello('{"token": "t", "after": 7}').after == 7
    assert parse_hello('{"token": "t"}').after == -1
    assert parse_number(None, 5, 0, 10) == 5
    assert parse_number("70", 5, 0, 10) == 10
    for bad in ("x", "1.5", "9" * 13, ""):
        with pytest.raises(Refused):
            parse_number(bad, 5, 0, 10)
    with pytest.raises(Refused):
        parse_hello("ping")
