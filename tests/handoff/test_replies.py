"""Canned replies: what is a template, and what stays data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.replies import BadReply, Filled, fill, key_of, left_open, parse_reply


def test_a_reply_is_filled_in() -> None:
    parts = parse_reply("Здравствуйте, {{ client.name }}! Заказ {{ Номер  заказа }}.")
    values = {key_of("client.name"): "Анна", key_of("номер заказа"): "42"}
    assert fill(parts, values) == Filled("Здравствуйте, Анна! Заказ 42.")
    assert fill(parts, {}) == Filled(
        "Здравствуйте, {{ client.name }}! Заказ {{ Номер заказа }}.", ("client.name", "Номер заказа")
    )


def test_defaults() -> None:
    parts = parse_reply("""{{ client.name | default("клиент") }} {{ x | default('') }}.""")
    assert fill(parts, {}) == Filled("клиент .")
    assert fill(parts, {"client.name": "  "}).text == "клиент ."


@pytest.mark.parametrize(
    "text",
    [
        "{{ a",
        "a }}",
        "{% if a %}",
        "{{ }}",
        "{{ 1 }}",
        "{{ a | upper }}",
        "{{ a + b }}",
        "{{ a['b'] }}",
        "{{ {{ a }} }}",
    ],
)
def test_what_is_no_template(text: str) -> None:
    with pytest.raises(BadReply):
        parse_reply(text)


@given(st.text(max_size=60))
def test_a_value_is_never_a_template(value: str) -> None:
    """Whatever a client is called, it is said as it is, and opens no hole."""
    parts = parse_reply("Имя: {{ client.name }}.")
    done = fill(parts, {"client.name": value, "operator.title": "ТАЙНА"})
    assert "ТАЙНА" not in done.text or "ТАЙНА" in value
    assert done.unfilled == () or not done.text.replace("Имя: {{ client.name }}.", "")


@given(st.text(alphabet='ab{}%| ."()', max_size=30))
def test_parsing_is_total(text: str) -> None:
    try:
        parts = parse_reply(text)
    except BadReply:
        return  # it says where, and nothing else is raised
    assert fill(parts, {}).text.count("{{") == len(
        [it for it in parts if not isinstance(it, str) and it.default is None]
    )


def test_holes_that_are_left_in_a_text() -> None:
    parts = parse_reply("Заказ {{ Номер заказа }}, {{ client.name }}")
    assert left_open(parts, "Заказ {{номер   ЗАКАЗА}}, Анна") == ("Номер заказа",)
    assert left_open(parts, "Заказ 42 {{ чужое }}") == ()
