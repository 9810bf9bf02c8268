"""Our messages as calls: split, quoted, with buttons, or as text where the messenger has nothing of the kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.api.capabilities import CAPABILITIES, declared
from adapters.api.render import as_new, encode, plain_marks, render_delete, render_edit, render_send
from adapters.api.schema import Button as TheirButton
from adapters.api.schema import Call, Delete, Edit, File, Send
from core.messages import Button, Outgoing, Quote
from core.ports import Capabilities
from core.rich import Mark, Rich

FILE = File("f1", "https://us.example/files/f1?s=1", "счёт.pdf", "application/pdf", 10)


def can(**values: Any) -> Capabilities:
    return declared(values)


def sent(message: Outgoing, limits: Capabilities = CAPABILITIES, files: tuple[File, ...] = ()) -> list[Send]:
    calls = render_send(message, "7", "k", files, limits)
    assert all(isinstance(call, Send) for call in calls)
    return [call for call in calls if isinstance(call, Send)]


def test_a_message_with_everything() -> None:
    body = Rich("Привет 🙂 мир", (Mark("bold", 0, 6), Mark("link", 9, 12, "https://a.example"), Mark("italic", 3, 3)))
    rows = ((Button("Да", "t1"), Button("Сайт", url="https://a.example")),)
    (call,) = sent(Outgoing(body, rows, quote=Quote("m1", "что?")), files=(FILE,))
    assert json.loads(encode(call)) == {
        "type": "send", "key": "k:0", "chat": "7", "text": "Привет 🙂 мир",
        "marks": [
            {"kind": "bold", "start": 0, "end": 6}, {"kind": "link", "start": 9, "end": 12, "url": "https://a.example"},
        ],
        "buttons": [[{"label": "Да", "token": "t1"}, {"label": "Сайт", "url": "https://a.example"}]],
        "files": [
            {"id": "f1", "url": FILE.url, "name": "счёт.pdf", "mime": "application/pdf", "size": 10},
        ],
        "quote": {"message_id": "m1", "text": "что?"},
    }  # fmt: skip


def test_a_long_text_is_parted_and_each_part_has_a_key() -> None:
    words = " ".join(["слово"] * 40)
    calls = sent(Outgoing(Rich(words), ((Button("Да", "t"),),)), can(text_limit=100), (FILE,))
    assert "".join(call.text for call in calls) == words
    assert all(len(call.text) <= 100 for call in calls)
    assert [call.key for call in calls] == [f"k:{n}" for n in range(len(calls))]
    assert [bool(call.buttons) for call in calls] == [False] * (len(calls) - 1) + [True]
    assert [len(call.files) for call in calls] == [1] + [0] * (len(calls) - 1)


def test_buttons_are_wrapped_cut_and_carried_over() -> None:
    rows = tuple(tuple(Button(f"Кнопка {row} {place}", f"{row}.{place}") for place in range(3)) for row in range(3))
    calls = sent(Outgoing(Rich("Выберите"), rows), can(buttons_per_row=2, button_rows=4, button_label=9))
    assert [len(call.buttons) for call in calls] == [4, 2]
    assert [call.text for call in calls] == ["Выберите", "…"]
    assert calls[0].buttons[0][0] == TheirButton("Кнопка 0…", "0.0")
    tokens = [button.token for call in calls for row in call.buttons for button in row]
    assert tokens == [f"{row}.{place}" for row in range(3) for place in range(3)]
    assert len({call.key for call in calls}) == 2


def test_buttons_that_ask_stand_only_where_they_can() -> None:
    rows = ((Button("Телефон", ask="contact"), Button("Место", ask="location"), Button("Нет", "t")),)
    (none,) = sent(Outgoing(Rich("?"), rows))
    assert [button.label for row in none.buttons for button in row] == ["Нет"]
    (both,) = sent(Outgoing(Rich("?"), rows), can(contact_button=True, location_button=True))
    assert [button.ask for row in both.buttons for button in row] == ["contact", "location", ""]


def test_without_buttons_they_are_numbered_lines() -> None:
    rows = ((Button("Да", "1"), Button("Сайт", url="https://a.example")), (Button("Телефон", ask="contact"),))
    (call,) = sent(Outgoing(Rich("Верно?"), rows), can(buttons="none"))
    assert (call.text, call.buttons) == ("Верно?\n\n1. Да\n2. Сайт: https://a.example", ())


@pytest.mark.parametrize("limits", [can(files=False), can(file_bytes=5)])
def test_files_that_cannot_go_along_are_links_in_the_text(limits: Capabilities) -> None:
    (call,) = sent(Outgoing(Rich("Ваш счёт")), limits, (FILE,))
    assert (call.text, call.files) == (f"Ваш счёт\n\nсчёт.pdf: {FILE.url}", ())


def test_a_file_alone_and_buttons_alone() -> None:
    (file,) = sent(Outgoing(Rich("")), files=(FILE,))
    assert (file.text, file.files) == ("", (FILE,))
    (buttons,) = sent(Outgoing(Rich(" "), ((Button("", "t"),),)))
    assert (buttons.text, buttons.buttons[0][0].label) == ("…", "…")
    assert sent(Outgoing(Rich(" \n"))) == []


def test_where_nothing_can_be_quoted_the_text_is() -> None:
    message = Outgoing(Rich("Да", (Mark("bold", 0, 2),)), quote=Quote("m1", "можно\nвернуть?"))
    (call,) = sent(message, can(quotes=False))
    assert (call.text, call.quote) == ("«можно вернуть?»\nДа", None)
    assert [(mark.start, mark.end) for mark in call.marks] == [(17, 19)]


def test_marks_that_cannot_be_shown() -> None:
    body = Rich(
        "см. тут и там", (Mark("link", 4, 7, "https://a"), Mark("bold", 0, 13), Mark("link", 10, 13, "https://b"))
    )
    shown = plain_marks(body, ("bold",))
    assert shown.text == "см. тут (https://a) и там (https://b)"
    assert shown.marks == (Mark("bold", 0, 25),)
    assert plain_marks(Rich("https://a", (Mark("link", 0, 9, "https://a"),)), ()) == Rich("https://a")


def test_a_text_of_its_own_for_this_kind() -> None:
    (call,) = sent(Outgoing(Rich("всем"), per_channel={"api": Rich("вам")}))
    assert call.text == "вам"


def kinds(calls: list[Call]) -> list[tuple[type, str]]:
    return [(type(call), getattr(call, "message_id", "")) for call in calls]


def test_an_edit_with_fewer_and_with_more_parts() -> None:
    short, long = Outgoing(Rich("x")), Outgoing(Rich("слово " * 30), ((Button("Да", "t"),),))
    assert kinds(render_edit(short, "7", "k", ("a", "b"), CAPABILITIES)) == [(Edit, "a"), (Delete, "b")]
    calls = render_edit(long, "7", "k", ("a",), can(text_limit=100))
    assert kinds(calls) == [(Edit, "a"), (Send, "")]
    assert [bool(getattr(call, "buttons", ())) for call in calls] == [False, True]
    assert len({call.key for call in calls}) == 2
    assert render_edit(Outgoing(Rich("")), "7", "k", ("a",), CAPABILITIES) == []


def test_what_cannot_be_changed_is_sent_anew() -> None:
    assert kinds(render_edit(Outgoing(Rich("x")), "7", "k", ("a",), can(edit=False))) == [(Send, "")]
    assert kinds(render_edit(Outgoing(Rich("x")), "7", "k", (), CAPABILITIES)) == [(Send, "")]
    assert kinds(render_edit(Outgoing(Rich("x")), "7", "k", ("a", "b"), can(delete=False))) == [(Edit, "a")]


def test_deletions() -> None:
    assert kinds(render_delete("7", "k", ("a", "b"), CAPABILITIES)) == [(Delete, "a"), (Delete, "b")]
    assert render_delete("7", "k", ("a",), can(delete=False)) == []


def test_an_edit_of_what_is_gone_has_a_key_of_its_own() -> None:
    (edit,) = render_edit(Outgoing(Rich("x")), "7", "k", ("a",), CAPABILITIES)
    new = as_new(edit)
    assert new is not None
    assert (type(new), new.key) == (Send, "k:0:new")
    assert as_new(Delete(key="k", chat="7", message_id="a")) is None


def test_declared_capabilities() -> None:
    found = declared({"text_limit": 500, "menu": True, "formatting": ["bold"], "edit": False})
    assert (found.text_limit, found.caption_limit, found.formatting, found.edit) == (500, 500, ("bold",), False)
    assert found.idempotent
    with pytest.raises(ValueError, match="text_limit"):
        declared({"text_limit": "many"})
