"""Our messages as MAX's calls: tables, and a judge over everything that can be rendered."""

from __future__ import annotations

import random
from typing import Any

import pytest

from adapters.max.render import (
    Call,
    render_commands,
    render_delete,
    render_edit,
    render_html,
    render_keyboards,
    render_send,
    upload_type,
)
from core.messages import Button, Outgoing, Quote
from core.ports import StoredFile
from core.rich import Mark, Rich
from tests.emulators.max_schema import html_problems, limit_problems, max_schema, read_html


def file(id: str, kind: str = "photo", mime: str = "image/jpeg", size: int = 100) -> StoredFile:
    return StoredFile(id, 1, f"{id}.x", mime, size, kind=kind, sha256="0" * 64)


def judge(calls: list[Call]) -> None:
    """Every call as it would go out is valid."""
    for call in calls:
        body = call.body
        if body is not None and call.uploads:
            hung = [{"type": kind, "payload": {"token": "t"}} for kind, _ in call.uploads]
            body = {**body, "attachments": [*hung, *(body["attachments"] or [])]}
        assert max_schema().problems(call.method, call.path, call.query, body) == []
        assert limit_problems(call.method, call.path, body) == []


def send(message: Outgoing, *files: StoredFile) -> list[Call]:
    calls = render_send(message, "7", files)
    judge(calls)
    return calls


def said(text: str | Rich, *files: StoredFile, **more: Any) -> list[tuple[str, list[str], int]]:
    """Texts, files and buttons of the messages."""
    calls = send(Outgoing(text if isinstance(text, Rich) else Rich(text), **more), *files)
    return [
        (call.body["text"], [one.id for _, one in call.uploads], len(call.body["attachments"]))
        for call in calls
        if call.body
    ]


def test_a_text() -> None:
    (call,) = send(Outgoing(Rich("Привет & <b>пока</b>")))
    body: dict[str, Any] = {"text": "Привет & <b>пока</b>", "attachments": [], "link": None}
    assert call == Call("POST", "/messages", {"user_id": "7"}, body)
    assert send(Outgoing(Rich("  \n"))) == []


def test_the_text_of_this_channel() -> None:
    assert said("обычный", per_channel={"max": Rich("для MAX"), "vk": Rich("для VK")}) == [("для MAX", [], 0)]


@pytest.mark.parametrize(
    ("rich", "html"),
    [
        (Rich("ab", (Mark("bold", 0, 1),)), "<b>a</b>b"),
        (Rich("a<b>", (Mark("italic", 0, 4),)), "<i>a&lt;b&gt;</i>"),
        (Rich("abc", (Mark("bold", 0, 2), Mark("italic", 1, 3))), "<b>a</b><i><b>b</b></i><i>c</i>"),
        (
            Rich("тут", (Mark("link", 0, 3, 'https://a.example/?x="1"&y=2'),)),
            '<a href="https://a.example/?x=&quot;1&quot;&amp;y=2">тут</a>',
        ),
        (Rich("код", (Mark("code", 0, 3),)), "<code>код</code>"),
    ],
)
def test_marks(rich: Rich, html: str) -> None:
    assert render_html(rich) == html
    assert html_problems(html) == []
    (call,) = send(Outgoing(rich))
    assert call.body is not None
    assert (call.body["text"], call.body["format"]) == (html, "html")


def test_nothing_that_clients_say_becomes_markup() -> None:
    """Any text under any marks reads back as itself."""
    chance = random.Random(1)
    for _ in range(300):
        text = "".join(chance.choice("ab<>&\"'/ \n😀ё;#") for _ in range(chance.randrange(1, 40)))
        marks = []
        for _ in range(chance.randrange(4)):
            start = chance.randrange(len(text))
            kind = chance.choice(("bold", "italic", "code", "link"))
            marks.append(Mark(kind, start, chance.randrange(start + 1, len(text) + 1), "https://a.example"))  # type: ignore[arg-type]
        html = render_html(Rich(text, tuple(marks)))
        assert html_problems(html) == []
        assert read_html(html)[0] == text


def test_long_texts_are_parted_as_they_are_written() -> None:
    text = "слово " * 1900
    parts = said(text)
    assert len(parts) == 3
    assert "".join(one for one, _, _ in parts).split() == text.split()
    marked = Rich("<" * 3000, (Mark("bold", 0, 3000),))
    calls = send(Outgoing(marked))
    assert "".join(read_html(call.body["text"])[0] for call in calls if call.body) == "<" * 3000


def test_pictures_hang_on_the_text_files_stand_alone() -> None:
    assert said("вот", file("a"), file("b", "video", "video/mp4")) == [("вот", ["a", "b"], 0)]
    assert said("вот", file("d", "file", "application/pdf")) == [("вот", ["d"], 0)]
    both = said("вот", file("d", "file", "application/pdf"), file("a"))
    assert both == [("", ["d"], 0), ("вот", ["a"], 0)]
    assert said("", file("a")) == [("", ["a"], 0)]
    many = said("вот", *(file(str(number)) for number in range(13)))
    assert [(text, len(files)) for text, files, _ in many] == [("вот", 12), ("", 1)]


def test_buttons_need_a_message_that_may_have_them() -> None:
    rows = ((Button("Да", token="t"),),)
    assert said("вот", file("d", "file", "application/pdf"), rows=rows) == [("", ["d"], 0), ("вот", [], 1)]
    assert said("", file("d", "file", "application/pdf"), rows=rows) == [("", ["d"], 0), ("…", [], 1)]


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (file("a"), "image"),
        (file("a", size=60 * 1024 * 1024), "file"),
        (file("a", "video", "video/mp4"), "video"),
        (file("a", "video", "video/x-flv"), "file"),
        (file("a", "voice", "audio/ogg"), "audio"),
        (file("a", "audio", "audio/mpeg"), "audio"),
        (file("a", "sticker", "image/webp"), "file"),
        (file("a", "file", "application/pdf"), "file"),
    ],
)
def test_types_of_uploads(stored: StoredFile, kind: str) -> None:
    assert upload_type(stored) == kind


def test_an_answer_points_at_its_message() -> None:
    calls = send(Outgoing(Rich("слово " * 1000), quote=Quote("mid.1", "вопрос")))
    assert [call.body and call.body["link"] for call in calls] == [{"type": "reply", "mid": "mid.1"}, None]


# --- buttons ---------------------------------------------------------------------------------------------------------


def kinds(rows: tuple[tuple[Button, ...], ...]) -> list[list[list[str]]]:
    send(Outgoing(Rich("?"), rows=rows))
    return [[[button["type"] for button in row] for row in one["payload"]["buttons"]] for one in render_keyboards(rows)]


def test_kinds_of_buttons() -> None:
    rows = (
        (Button("Да", token="t"), Button("Сайт", url="https://a.example")),
        (Button("Мой номер", ask="contact"), Button("Где я", ask="location")),
    )
    assert kinds(rows) == [[["callback", "link"], ["request_contact", "request_geo_location"]]]


def test_rows_are_as_wide_as_max_shows() -> None:
    plain = tuple(Button(str(number), token=str(number)) for number in range(16))
    assert [len(row) for row in kinds((plain,))[0]] == [7, 7, 2]
    wide = (*plain[:4], Button("Сайт", url="https://a.example"))
    assert [len(row) for row in kinds((wide,))[0]] == [3, 2]


def test_more_rows_stand_under_messages_of_their_own() -> None:
    rows = tuple((Button(str(number), token=str(number)),) for number in range(65))
    assert [len(one) for one in kinds(rows)] == [30, 30, 5]
    assert [(text, count) for text, _, count in said("?", rows=rows)] == [("?", 1), ("…", 1), ("…", 1)]


def test_labels_and_tokens_fit() -> None:
    ((one,),) = render_keyboards(((Button("я" * 200, token="t" * 2000),),))[0]["payload"]["buttons"]
    assert (len(one["text"]), one["text"][-1], len(one["payload"])) == (128, "…", 1024)
    ((empty,),) = render_keyboards(((Button(" ", token="t"),),))[0]["payload"]["buttons"]
    assert empty["text"] == "…"
    send(Outgoing(Rich("?"), rows=((Button("я" * 200, token="t" * 2000),),)))


# --- changes ---------------------------------------------------------------------------------------------------------


def edit(text: str, *targets: str, **more: Any) -> list[tuple[str, str]]:
    calls = render_edit(Outgoing(Rich(text), **more), "7", targets)
    judge(calls)
    return [(call.method, call.query.get("message_id", "")) for call in calls]


def test_edits() -> None:
    assert edit("второй", "mid.1") == [("PUT", "mid.1")]
    assert edit("второй", "mid.1", "mid.2") == [("PUT", "mid.1"), ("DELETE", "mid.2")]
    assert edit("слово " * 1000, "mid.1") == [("PUT", "mid.1"), ("POST", "")]
    assert edit("", "mid.1") == []
    (call,) = render_edit(Outgoing(Rich("а")), "7", ("mid.1",))
    assert call.body is not None
    assert call.body["attachments"] == [], "the buttons go"
    (call,) = render_edit(Outgoing(Rich("а"), files=("f",)), "7", ("mid.1",))
    assert call.body is not None
    assert call.body["attachments"] is None, "the pictures stay"


def test_deletions() -> None:
    judge(render_delete(["mid.1"]))
    assert render_delete(["mid.1"]) == [Call("DELETE", "/messages", {"message_id": "mid.1"})]


def test_commands() -> None:
    made = render_commands(
        [("status", "Где заказ"), ("help", ""), *((f"c{number}", "x" * 200) for number in range(40))]
    )
    assert made["commands"][:2] == [{"name": "status", "description": "Где заказ"}, {"name": "help"}]
    assert max_schema().problems("PATCH", "/me/commands", {}, made) == []
