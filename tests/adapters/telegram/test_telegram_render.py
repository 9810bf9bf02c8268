"""Messages → calls of the Bot API, as they go out; each is valid by both official schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.capabilities import CAPABILITIES
from adapters.telegram.render import Call, render_delete, render_edit, render_entities, render_send
from core.messages import Button, Outgoing
from core.ports import StoredFile
from core.rich import Mark, Rich, plain
from tests.emulators.limits import check_limits
from tests.emulators.schema import SCHEMAS, Schema, telegram_schema

OLDER = Schema(SCHEMAS / "telegram-bot-api-10.1.paulsonoflars.trimmed.json")


def yes_no() -> tuple[tuple[Button, ...], ...]:
    return ((Button("Да", token="1.1.0"), Button("Нет", token="1.1.1")),)


PHOTO = StoredFile("f1", 1, "a.jpg", "image/jpeg", 10, kind="photo", sha256="00")
KNOWN = StoredFile("f2", 1, "b.pdf", "application/pdf", 10, channel="tg", ref="AAA", sha256="00")

GOLDENS: list[tuple[str, Outgoing, list[StoredFile], list[Call]]] = [
    ("plain", Outgoing(plain("Привет")), [], [Call("sendMessage", {"chat_id": 7, "text": "Привет"})]),
    (
        "link",
        Outgoing(Rich("Читайте тут", (Mark("link", 8, 11, "https://example.org"),))),
        [],
        [
            Call(
                "sendMessage",
                {
                    "chat_id": 7,
                    "text": "Читайте тут",
                    "entities": [{"type": "text_link", "offset": 8, "length": 3, "url": "https://example.org"}],
                },
            )
        ],
    ),
    (
        "buttons",
        Outgoing(plain("Верно?"), rows=(*yes_no(), (Button("Сайт", url="https://example.org"),))),
        [],
        [
            Call(
                "sendMessage",
                {
                    "chat_id": 7,
                    "text": "Верно?",
                    "reply_markup": {
                        "inline_keyboard": [
                            [{"text": "Да", "callback_data": "1.1.0"}, {"text": "Нет", "callback_data": "1.1.1"}],
                            [{"text": "Сайт", "url": "https://example.org"}],
                        ]
                    },
                },
            )
        ],
    ),
    (
        "text of this channel",
        Outgoing(plain("общий"), per_channel={"telegram": plain("свой"), "vk": plain("чужой")}),
        [],
        [Call("sendMessage", {"chat_id": 7, "text": "свой"})],
    ),
    (
        "location and a link beside it",
        Outgoing(plain("Где вы?"), rows=((Button("Здесь", ask="location"), Button("Сайт", url="https://e.org")),)),
        [],
        [
            Call(
                "sendMessage",
                {
                    "chat_id": 7,
                    "text": "Где вы?\nСайт",
                    "entities": [{"type": "text_link", "offset": 8, "length": 4, "url": "https://e.org"}],
                    "reply_markup": {
                        "keyboard": [[{"text": "Здесь", "request_location": True}]],
                        "resize_keyboard": True,
                        "one_time_keyboard": True,
                    },
                },
            )
        ],
    ),
    (
        "a photo with a caption",
        Outgoing(plain("Смотрите"), files=("f1",)),
        [PHOTO],
        [Call("sendPhoto", {"chat_id": 7, "caption": "Смотрите"}, "photo", PHOTO)],
    ),
    (
        "a file that Telegram has",
        Outgoing(plain(""), files=("f2",)),
        [KNOWN],
        [Call("sendDocument", {"chat_id": 7, "document": "AAA"}, "document")],
    ),
    ("nothing", Outgoing(plain(" \n")), [], []),
]


@pytest.mark.parametrize(
    ("message", "files", "calls"), [case[1:] for case in GOLDENS], ids=[case[0] for case in GOLDENS]
)
def test_goldens(message: Outgoing, files: list[StoredFile], calls: list[Call]) -> None:
    assert render_send(message, "7", files, "tg") == calls


def test_a_keyboard_is_taken_away_by_the_last_call_only() -> None:
    calls = render_send(Outgoing(plain("слово " * 1000)), "7", drop_keyboard=True)
    assert [call.params.get("reply_markup") for call in calls] == [None, {"remove_keyboard": True}]


def test_a_huge_picture_goes_as_a_document() -> None:
    huge = StoredFile("f1", 1, "a.jpg", "image/jpeg", 11 * 1024 * 1024, kind="photo", sha256="00")
    (call,) = render_send(Outgoing(plain("")), "7", [huge])
    assert (call.method, call.field) == ("sendDocument", "document")


def test_a_wide_row_is_wrapped_and_a_long_label_cut() -> None:
    row = tuple(Button(f"Вариант {n} " + "о" * 80, token=f"1.1.{n}") for n in range(11))
    (call,) = render_send(Outgoing(plain("Выберите"), rows=(row,)), "7")
    keyboard = call.params["reply_markup"]["inline_keyboard"]
    assert [len(keys) for keys in keyboard] == [8, 3]
    assert all(len(key["text"]) == CAPABILITIES.button_label for keys in keyboard for key in keys)


def test_more_buttons_than_fit_go_on_below() -> None:
    rows = tuple((Button(str(n), token=f"1.1.{n}"),) for n in range(230))
    calls = render_send(Outgoing(plain("Выберите"), rows=rows), "7")
    assert [call.params["text"] for call in calls] == ["Выберите", "…", "…"]
    tokens = [
        key["callback_data"] for c in calls for keys in c.params["reply_markup"]["inline_keyboard"] for key in keys
    ]
    assert tokens == [f"1.1.{n}" for n in range(230)]


def test_an_edit_has_no_reply_keyboard_and_nothing_to_send_without_text() -> None:
    message = Outgoing(plain("Ваш телефон?"), rows=((Button("Отправить", ask="contact"),),))
    assert render_edit(message, "7", ["5"]) == [
        Call("editMessageText", {"message_id": 5, "chat_id": 7, "text": "Ваш телефон?"})
    ]
    assert render_edit(Outgoing(plain("")), "7", ["5"]) == []
    assert render_delete("7", ["5", "6"])[1] == Call("deleteMessage", {"chat_id": 7, "message_id": 6})


def test_offsets_are_utf16() -> None:
    text = Rich("👨‍👩‍👧 семья и я", (Mark("bold", 0, 5), Mark("italic", 6, 11), Mark("code", 4, 4)))
    bold, italic = render_entities(text)
    units = text.text.encode("utf-16-le")
    assert units[bold["offset"] * 2 : (bold["offset"] + bold["length"]) * 2].decode("utf-16-le") == "👨‍👩‍👧"
    assert units[italic["offset"] * 2 : (italic["offset"] + italic["length"]) * 2].decode("utf-16-le") == "семья"


texts = st.text(alphabet=st.sampled_from("ая b.\n\t👍é"), max_size=9000)
labels = st.text(min_size=1, max_size=100)
button = st.one_of(
    st.builds(Button, label=labels, token=st.text("0123456789.", min_size=1, max_size=20)),
    st.builds(Button, label=labels, url=st.just("https://example.org")),
    st.builds(Button, label=labels, ask=st.sampled_from(["contact", "location"])),
)


@st.composite
def messages(draw: st.DrawFn) -> Outgoing:
    """Any message a flow can make."""
    text = draw(texts)
    places = st.integers(0, len(text))
    kinds = st.sampled_from(["bold", "italic", "code", "link"])
    pairs = draw(st.lists(st.tuples(kinds, places, places), max_size=4))
    marks = tuple(Mark(kind, min(a, b), max(a, b), "https://e.org" * (kind == "link")) for kind, a, b in pairs)  # type: ignore[arg-type]
    rows = draw(st.lists(st.lists(button, max_size=20).map(tuple), max_size=20).map(tuple))
    return Outgoing(Rich(text, marks), rows=rows)


def problems(call: Call) -> list[Any]:
    files = [call.field] if call.upload else []
    found = [
        *telegram_schema().problems(call.method, call.params, files),
        *OLDER.problems(call.method, call.params, files),
    ]
    return found or check_limits(call.method, call.params)


@given(message=messages(), files=st.lists(st.sampled_from([PHOTO, KNOWN]), max_size=3), drop=st.booleans())
def test_every_call_is_valid(message: Outgoing, files: list[StoredFile], drop: bool) -> None:
    calls = render_send(message, "7", files, "tg", drop)
    assert [problem for call in calls for problem in problems(call)] == []
    assert bool(calls) == bool(files or message.body.text.strip() or _has_links(message))


def _has_links(message: Outgoing) -> bool:
    """Links beside a contact button become text."""
    keys = [key for keys in message.rows for key in keys]
    return any(key.ask for key in keys) and any(key.url and key.label.strip() for key in keys)


@given(message=messages(), targets=st.lists(st.integers(1, 10**6).map(str), min_size=1, max_size=3))
def test_every_edit_is_valid(message: Outgoing, targets: list[str]) -> None:
    calls = render_edit(message, "7", targets)
    assert [problem for call in calls for problem in problems(call)] == []
