"""Our messages as VK's calls: formatting, mentions, keyboards with their limits, keys."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vk.mentions import WALL, neutralise
from adapters.vk.render import (
    HIDE,
    Call,
    is_inline,
    render_delete,
    render_edit,
    render_formats,
    render_key,
    render_keyboards,
    render_send,
    without_keyboard,
    without_quote,
)
from core.messages import Button, Outgoing, Quote
from core.ports import StoredFile
from core.rich import Mark, Rich, plain
from tests.emulators.vk_schema import check_limits, vk_schema


def judged(call: Call) -> Call:
    """The call, after the schema and the limits have let it pass."""
    params = {**call.params, **({"random_id": 5} if call.method == "messages.send" else {})}
    form = {name: str(value) for name, value in params.items()}
    decoded = vk_schema().decode(call.method, form)
    if not call.uploads:
        assert check_limits(call.method, decoded) == []
    assert vk_schema().problems(call.method, decoded) == []
    return call


def sends(message: Outgoing, **how: Any) -> list[dict[str, Any]]:
    return [judged(call).params for call in render_send(message, "7", **how)]


def keys(*labels: str, per_row: int = 1) -> tuple[tuple[Button, ...], ...]:
    made = [Button(label, token=f"12.3.{n}") for n, label in enumerate(labels)]
    return tuple(tuple(made[at : at + per_row]) for at in range(0, len(made), per_row))


def labels(keyboard: str) -> list[list[str]]:
    return [[button["action"].get("label", "") for button in row] for row in json.loads(keyboard)["buttons"]]


def test_a_text() -> None:
    assert sends(Outgoing(plain("Да"))) == [{"peer_id": 7, "message": "Да", "disable_mentions": 1}]


def test_the_text_for_this_channel() -> None:
    (call,) = sends(Outgoing(plain("Общий"), per_channel={"vk": plain("Свой")}))
    assert call["message"] == "Свой"


def test_nothing_to_show() -> None:
    assert render_send(Outgoing(plain(" \n")), "7") == []


def test_formatting_counts_in_utf16() -> None:
    rich = Rich("🙂 жирный и ссылка", (Mark("bold", 2, 8), Mark("link", 11, 17, "https://x/"), Mark("code", 0, 1)))
    assert json.loads(render_formats(rich)) == {
        "version": "1",
        "items": [
            {"type": "bold", "offset": 3, "length": 6},
            {"type": "url", "offset": 12, "length": 6, "url": "https://x/"},
        ],
    }
    sends(Outgoing(rich))
    assert render_formats(plain("x")) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[id1|Павел]", f"[{WALL}id1|Павел]"),
        ("[club1|x] и [https://vk.com/a|y]", f"[{WALL}club1|x] и [{WALL}https://vk.com/a|y]"),
        ("@all срочно", f"@{WALL}all срочно"),
        ("*id1 (x) @durov", f"*{WALL}id1 (x) @{WALL}durov"),
        ("почта a@b.ru", "почта a@b.ru"),
        ("https://x/@name и 2 * 3", "https://x/@name и 2 * 3"),
        ("список [1] и [a]", "список [1] и [a]"),
    ],
)
def test_mentions_are_harmless(text: str, shown: str) -> None:
    assert neutralise(plain(text)).text == shown


@given(st.text(alphabet="[]|id1@*a .", max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_marks_stay_over_what_they_marked(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    after = neutralise(Rich(text, (Mark("bold", start, end),)))
    (mark,) = after.marks
    assert after.text.replace(WALL, "") == text
    assert after.text[mark.start : mark.end].replace(WALL, "") == text[start:end]


def test_a_long_text_is_parted_and_its_buttons_stand_last() -> None:
    calls = sends(Outgoing(plain("слово " * 1500), keys("Да")))
    assert len(calls) == 3
    assert "".join(call["message"] for call in calls) == "слово " * 1500
    assert ["keyboard" in call for call in calls] == [False, False, True]


def test_buttons_under_the_message() -> None:
    (call,) = sends(Outgoing(plain("?"), keys("Да", "Нет", per_row=2)))
    keyboard = json.loads(call["keyboard"])
    assert (keyboard["inline"], labels(call["keyboard"])) == (True, [["Да", "Нет"]])
    action = keyboard["buttons"][0][0]["action"]
    assert (action["type"], json.loads(action["payload"])) == ("callback", {"t": "12.3.0"})


def test_many_buttons_in_place_of_the_keyboard() -> None:
    (call,) = sends(Outgoing(plain("?"), keys(*map(str, range(30)), per_row=3)))
    keyboard = json.loads(call["keyboard"])
    assert (keyboard["inline"], keyboard["one_time"], len(keyboard["buttons"])) == (False, True, 10)
    assert keyboard["buttons"][0][0]["action"]["type"] == "text"


def test_more_than_a_keyboard_holds() -> None:
    calls = sends(Outgoing(plain("?"), keys(*map(str, range(47)))))
    shown = [label for call in calls for row in labels(call["keyboard"]) for label in row]
    assert shown == [str(n) for n in range(47)]
    assert all(is_inline(call["keyboard"]) for call in calls)
    assert {call["message"] for call in calls[1:]} == {"…"}


@given(
    st.lists(
        st.lists(st.builds(Button, st.text(max_size=60), token=st.text(max_size=20), url=st.sampled_from(["", "https://x"]),
                           ask=st.sampled_from(["", "contact", "location"])), min_size=1, max_size=8),
        max_size=25,
    ),
    st.text(min_size=1, max_size=50),
)  # fmt: skip
def test_any_keyboard_is_within_the_limits(rows: list[list[Button]], text: str) -> None:
    for call in render_send(Outgoing(plain(f"a{text}"), tuple(map(tuple, rows))), "7"):
        judged(call)


def test_links_and_places_and_phones() -> None:
    rows = (
        (
            Button("Сайт", url="https://x"),
            Button("Где?", ask="location"),
            Button("Номер", ask="contact"),
            Button("Да", "t"),
        ),
    )
    (call,) = sends(Outgoing(plain("?"), rows))
    actions = [[button["action"]["type"] for button in row] for row in json.loads(call["keyboard"])["buttons"]]
    assert actions == [["location"], ["open_link", "callback"]]
    assert render_keyboards(((Button("Номер", ask="contact"),),)) == []


def test_a_payload_is_never_too_long() -> None:
    (keyboard,) = render_keyboards(((Button("x", token="я" * 300),),))
    payload = json.loads(keyboard)["buttons"][0][0]["action"]["payload"]
    assert len(payload.encode()) <= 255
    assert json.loads(payload)["t"].startswith("я")


def test_a_keyboard_is_taken_away() -> None:
    (call,) = sends(Outgoing(plain("Спасибо")), drop_keyboard=True)
    assert call["keyboard"] == HIDE


def test_buttons_as_lines() -> None:
    (call,) = render_send(Outgoing(plain("Что?"), keys("Да", "Нет")), "7")
    other = without_keyboard(call)
    assert other is not None
    assert other.params["message"] == "Что?\n1. Да\n2. Нет"
    assert "keyboard" not in judged(other).params
    assert without_keyboard(other) is None


def test_files_hang_on_the_first_part() -> None:
    files = [StoredFile(f"f{n}", 1, "a.jpg", "image/jpeg", 1, "photo", sha256="x") for n in range(12)]
    calls = render_send(Outgoing(plain("Вот"), keys("Да")), "7", files)
    assert [(call.params.get("message"), len(call.uploads)) for call in calls] == [("Вот", 10), (None, 2)]
    assert "keyboard" in calls[-1].params


def test_edits() -> None:
    calls = render_edit(Outgoing(plain("x" * 5000), keys("Да")), "7", ["11"])
    assert [(judged(call).method, call.params.get("cmid")) for call in calls] == [
        ("messages.edit", 11),
        ("messages.send", None),
    ]
    calls = render_edit(Outgoing(plain("мало")), "7", ["11", "12"])
    assert [(judged(call).method, call.params.get("cmids")) for call in calls] == [
        ("messages.edit", None),
        ("messages.delete", "12"),
    ]


def test_an_answer_points_at_its_message() -> None:
    quote = Quote("41", "Где заказ?")
    first, second = render_send(Outgoing(plain("слово " * 1000), quote=quote), "7")
    forward = {"peer_id": 7, "conversation_message_ids": [41], "is_reply": True}
    assert orjson.loads(str(judged(first).params["forward"])) == forward
    assert "forward" not in second.params
    other = without_quote(Call("messages.send", {"peer_id": 7, "message": "Едет", "forward": "{}"}), quote)
    assert other == Call("messages.send", {"peer_id": 7, "message": "«Где заказ?»\nЕдет"})
    assert without_quote(second, quote) is None
    (told,) = render_send(Outgoing(plain("Едет"), quote=Quote("", "Где?")), "7")
    assert told.params["message"] == "«Где?»\nЕдет"


def test_deletes() -> None:
    (call,) = render_delete("7", ["11"])
    assert judged(call).params == {"peer_id": 7, "cmids": "11", "delete_for_all": 1}


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_of_the_row_and_the_part() -> None:
    assert render_key("store-5", 0) == render_key("store-5", 0)
    assert len({render_key("store-5", part) for part in range(40)}) == 40


def test_no_two_rows_of_a_store_share_a_key() -> None:
    """Chance alone would collide here some twenty times: 400,000 keys of 32 bits."""
    found = {render_key(f"store-{row}", part) for row in range(100_000) for part in range(4)}
    assert len(found) == 400_000


@given(st.text(max_size=20), st.integers(0, 50))
def test_any_key_is_an_int32_and_not_zero(key: str, part: int) -> None:
    assert -(2**31) <= render_key(key, part) < 2**31
    assert render_key(key, part) != 0
