"""The history as the page reads it."""

from __future__ import annotations

import pytest

from adapters.web.render import render_event, render_item, render_own, render_row, safe_url
from core.events import Message, Opened, Press, TimerFired
from core.messages import Attachment, Button, Contact, Location, Outgoing
from core.outbox import OutboxRow
from core.ports import HistoryItem, StoredFile
from core.rich import Mark, Rich, plain

FILES = {
    "p": StoredFile("p", 1, "cat.png", "image/png", 5, "photo", "site"),
    "s": StoredFile("s", 1, "x.svg", "application/octet-stream", 6, "file", "site"),
}


def test_a_bot_message_with_everything() -> None:
    message = Outgoing(
        Rich("Hi bold", (Mark("bold", 3, 7),)),
        ((Button("Yes", "1.1"), Button("Site", url="https://a.example")), (Button("Phone", ask="contact"),)),
        ("p", "s", "gone"),
    )
    item = HistoryItem(3, "bot", 10.0, message=message, state="sent", message_id="3")
    assert render_item(item, FILES) == {
        "seq": 3,
        "author": "bot",
        "at": 10.0,
        "edited": 0,
        "text": "Hi bold",
        "marks": [["bold", 3, 7]],
        "rows": [
            [{"label": "Yes", "token": "1.1"}, {"label": "Site", "url": "https://a.example"}],
            [{"label": "Phone", "ask": "contact"}],
        ],
        "files": [
            {"id": "p", "name": "cat.png", "mime": "image/png", "size": 5, "image": True, "thumb": "files/p/thumb"},
            {"id": "s", "name": "x.svg", "mime": "application/octet-stream", "size": 6, "image": False},
        ],
    }


def test_web_has_its_own_text_when_the_flow_gives_one() -> None:
    message = Outgoing(plain("for all"), per_channel={"web": plain("for the page"), "telegram": plain("no")})
    shown = render_item(HistoryItem(1, "bot", 0.0, message=message, state="sent"), {})
    assert shown is not None
    assert shown["text"] == "for the page"


def test_what_a_client_did() -> None:
    photo = Attachment("photo", "p", "", "cat.png", "image/png", 5)
    assert render_event(Press("1.1", "Yes"), {}) == {"text": "Yes", "token": "1.1"}
    assert render_event(Message("hi", (photo,)), FILES) == {
        "text": "hi",
        "files": [
            {"id": "p", "name": "cat.png", "mime": "image/png", "size": 5, "image": True, "thumb": "files/p/thumb"}
        ],
    }
    assert render_event(Message(contact=Contact("+7")), {}) == {"text": "", "phone": "+7"}
    assert render_event(Message(location=Location(1.0, 2.0)), {}) == {"text": "", "place": [1.0, 2.0]}
    assert render_event(Opened("x"), {}) is None
    assert render_event(TimerFired("t"), {}) is None


def test_a_message_under_way_is_not_shown_yet_and_a_refused_one_never() -> None:
    message = Outgoing(plain("late"))
    assert render_item(HistoryItem(1, "bot", 0.0, message=message, state="pending"), {}) is None
    assert render_item(HistoryItem(1, "bot", 0.0, message=message, state="refused"), {}) == {"seq": 1, "hidden": True}
    assert render_item(HistoryItem(2, "client", 0.0, event=Opened("x")), {}) == {"seq": 2, "hidden": True}


def test_a_leaving_row_and_an_own_message() -> None:
    row = OutboxRow(9, 1, "send", "site", "site", "c", "k", seq=4, message=Outgoing(plain("yo")))
    assert render_row(row, {}, 5.0) == {"seq": 4, "author": "bot", "at": 5.0, "edited": 0, "text": "yo"}
    assert render_own(2, "id", Message("me"), 5.0, {}) == {
        "seq": 2,
        "author": "client",
        "at": 5.0,
        "edited": 0,
        "id": "id",
        "text": "me",
    }
    assert render_own(2, "id", Opened(), 5.0, {}) is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "",
        "\x01javascript:x",
        "blob:x",
    ],
)
def test_dangerous_addresses_are_no_links(url: str) -> None:
    assert safe_url(url) == ""
    message = Outgoing(Rich("x", (Mark("link", 0, 1, url),)), ((Button("b", url=url),),))
    shown = render_item(HistoryItem(1, "bot", 0.0, message=message, state="sent"), {})
    assert shown is not None
    assert "marks" not in shown
    assert shown["rows"] == [[{"label": "b"}]]


@pytest.mark.parametrize("url", ["https://a.example/?q=1", "http://a.example", "mailto:a@b.example", "tel:+7999"])
def test_good_addresses_stay(url: str) -> None:
    assert safe_url(f" {url} ") == url
