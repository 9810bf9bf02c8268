"""Messages → calls of the Bot API, as they go out; each is valid by both official schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.capabilities import CAPABILITIES
from adapters.telegram.media import Call, as_documents, by_bytes
from adapters.telegram.render import render_delete, render_edit, render_entities, render_send
from core.messages import Button, Outgoing, Quote
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
        [Call("sendPhoto", {"chat_id": 7, "caption": "Смотрите"}, (("photo", PHOTO),), (PHOTO,))],
    ),
    (
        "a file that Telegram has",
        Outgoing(plain(""), files=("f2",)),
        [KNOWN],
        [Call("sendDocument", {"chat_id": 7, "document": "AAA"}, (), (KNOWN,))],
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
    assert (call.method, call.uploads) == ("sendDocument", (("document", huge),))


def picture(number: int, **values: Any) -> StoredFile:
    fields = {"id": f"p{number}", "conversation": 1, "name": "a.jpg", "mime": "image/jpeg", "size": 10, "sha256": "00"}
    return StoredFile(**{**fields, "kind": "photo", **values})


def test_several_pictures_are_one_album_with_the_text_at_the_first() -> None:
    (call,) = render_send(
        Outgoing(Rich("Вот они", (Mark("bold", 0, 3),))), "7", [picture(0), picture(1, ref="R", channel="tg")], "tg"
    )
    assert call.method == "sendMediaGroup"
    assert call.params["media"] == [
        {
            "type": "photo",
            "media": "attach://file0",
            "caption": "Вот они",
            "caption_entities": [{"type": "bold", "offset": 0, "length": 3}],
        },
        {"type": "photo", "media": "R"},
    ]
    assert [name for name, _ in call.uploads] == ["file0"]


def test_documents_have_their_text_under_the_last() -> None:
    (call,) = render_send(Outgoing(plain("Договор")), "7", [picture(n, kind="file", mime="") for n in range(3)])
    assert [item.get("caption") for item in call.params["media"]] == [None, None, "Договор"]


def test_an_album_has_no_buttons_so_they_stand_under_a_text_of_their_own() -> None:
    album, text = render_send(Outgoing(plain("Верно?"), rows=yes_no()), "7", [picture(0), picture(1)])
    assert "caption" not in album.params["media"][0]
    assert (text.params["text"], "reply_markup" in text.params) == ("Верно?", True)
    album, text = render_send(Outgoing(plain(""), rows=yes_no()), "7", [picture(0), picture(1)])
    assert text.params["text"] == "…"


def shapes(files: list[StoredFile]) -> list[str]:
    return [
        "+".join(item["type"] for item in call.params["media"]) if "media" in call.params else call.method
        for call in render_send(Outgoing(plain("")), "7", files)
    ]


def test_what_may_not_be_mixed_goes_apart_and_in_order() -> None:
    video = picture(9, kind="video", mime="video/mp4")
    odd = picture(8, kind="video", mime="video/x-matroska")
    voice = picture(7, kind="voice", mime="audio/ogg; codecs=opus")
    song = picture(6, kind="audio", mime="audio/mpeg")
    paper = picture(5, kind="file", mime="application/pdf")
    sticker = picture(4, kind="sticker", mime="image/webp")
    assert shapes([picture(0), video, paper, odd, song, song, voice, voice, sticker, picture(1)]) == [
        "photo+video", "document+document", "audio+audio", "sendVoice", "sendVoice", "sendSticker", "sendPhoto",
    ]  # fmt: skip
    assert shapes([picture(n) for n in range(23)]) == ["+".join(["photo"] * 10)] * 2 + ["+".join(["photo"] * 3)]
    heavy = [picture(n, kind="file", mime="", size=20 << 20) for n in range(5)]
    assert shapes(heavy) == ["document+document", "document+document", "sendDocument"]


def test_a_long_text_stands_under_the_files() -> None:
    _album, text = render_send(Outgoing(plain("а" * 1025)), "7", [picture(0), picture(1)])
    assert len(text.params["text"]) == 1025
    (call,) = render_send(Outgoing(plain("а" * 1024)), "7", [picture(0)])
    assert len(call.params["caption"]) == 1024
    sticker, said = render_send(Outgoing(plain("Привет")), "7", [picture(0, kind="sticker", mime="image/webp")])
    assert (sticker.method, said.params["text"]) == ("sendSticker", "Привет"), "stickers have no caption"


def test_the_first_call_points_at_what_it_answers() -> None:
    quote = Quote("41", "Где заказ?")
    album, text = render_send(Outgoing(plain("а" * 1025), quote=quote), "7", [picture(0), picture(1)])
    assert album.params["reply_parameters"] == {"message_id": 41, "allow_sending_without_reply": True}
    assert "reply_parameters" not in text.params


def test_a_quote_of_elsewhere_is_told_in_words() -> None:
    (call,) = render_send(Outgoing(Rich("Едет", (Mark("bold", 0, 4),)), quote=Quote("", "Где\nзаказ?")), "7")
    assert call.params["text"] == "«Где заказ?»\nЕдет"
    assert call.params["entities"] == [{"type": "bold", "offset": 13, "length": 4}]
    (call,) = render_send(Outgoing(plain("Едет"), quote=Quote("", "а" * 300)), "7")
    assert call.params["text"] == "«" + "а" * 199 + "…»\nЕдет"


def test_links_are_kept_of_more_marks_than_telegram_shows() -> None:
    marks = (*tuple(Mark("bold", n, n + 1) for n in range(150)), Mark("link", 0, 5, "https://e.org"))
    entities = render_entities(Rich("я" * 200, marks))
    assert (len(entities), entities[0]["type"]) == (100, "text_link")


def test_what_cannot_go_as_it_is_goes_as_documents() -> None:
    (call,) = render_send(Outgoing(plain("Вот"), quote=Quote("5")), "7", [picture(0), picture(1)])
    other = as_documents(call)
    assert other is not None
    assert [item["type"] for item in other.params["media"]] == ["document", "document"]
    assert as_documents(other) is None, "not for ever"
    (single,) = render_send(Outgoing(plain("Вот")), "7", [picture(0)])
    assert as_documents(single) == Call(
        "sendDocument", {"chat_id": 7, "caption": "Вот"}, (("document", picture(0)),), (picture(0),)
    )
    (known,) = render_send(Outgoing(plain("")), "7", [KNOWN], "tg")
    assert by_bytes(known) == Call("sendDocument", {"chat_id": 7}, (("document", KNOWN),), (KNOWN,))
    assert by_bytes(single) is None


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
    quote = draw(st.none() | st.builds(Quote, st.sampled_from(["", "41", "m1"]), st.text(max_size=5)))
    return Outgoing(Rich(text, marks), rows=rows, quote=quote)


def problems(call: Call) -> list[Any]:
    files = [name for name, _ in call.uploads if call.method != "sendMediaGroup"]
    found = [
        *telegram_schema().problems(call.method, call.params, files),
        *OLDER.problems(call.method, call.params, files),
    ]
    return found or check_limits(call.method, call.params)


SENT = [
    PHOTO, KNOWN, picture(0), picture(1, kind="voice", mime="audio/ogg"), picture(2, kind="video", mime="video/mp4"),
    picture(3, kind="audio", mime="audio/mpeg"), picture(4, kind="sticker", mime="image/webp"),
]  # fmt: skip


@given(message=messages(), files=st.lists(st.sampled_from(SENT), max_size=12), drop=st.booleans())
def test_every_call_is_valid(message: Outgoing, files: list[StoredFile], drop: bool) -> None:
    calls = render_send(message, "7", files, "tg", drop)
    assert [problem for call in calls for problem in problems(call)] == []
    quoted = message.quote is not None and not message.quote.message_id.isdecimal() and message.quote.text.strip()
    assert bool(calls) == bool(files or message.body.text.strip() or _has_links(message) or quoted)
    assert [file for call in calls for file in call.files] == files


def _has_links(message: Outgoing) -> bool:
    """Links beside a contact button become text."""
    keys = [key for keys in message.rows for key in keys]
    return any(key.ask for key in keys) and any(key.url and key.label.strip() for key in keys)


@given(message=messages(), targets=st.lists(st.integers(1, 10**6).map(str), min_size=1, max_size=3))
def test_every_edit_is_valid(message: Outgoing, targets: list[str]) -> None:
    calls = render_edit(message, "7", targets)
    assert [problem for call in calls for problem in problems(call)] == []
