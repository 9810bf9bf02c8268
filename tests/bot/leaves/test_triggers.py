"""Triggers: their levels, their keys, their words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.triggers import TRIGGERS, Button, Command, Link
from bot.triggers.button import label_key
from bot.triggers.command import command_key
from bot.triggers.event import is_event
from bot.triggers.exact import exact_key
from bot.triggers.link import transliterate
from tests.bot.leaves.make import AT


def test_levels_are_the_order_of_the_tuple() -> None:
    assert [kind.level for kind in TRIGGERS] == [1, 2, 3, 4, 5, 6, 7]
    assert [kind.word for kind in TRIGGERS] == ["link", "command", "button", "exact", "pattern", "words", "event"]


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("возврат-qr", "vozvrat-qr"),
        ("Ёлка 2025!", "elka-2025"),
        ("щука_ъ", "schuka_"),
        ("vozvrat-qr", "vozvrat-qr"),
        ("я" * 100, "ya" * 32),
        ("", ""),
        ("🙂", ""),
    ],
)
def test_links_are_transliterated(payload: str, key: str) -> None:
    assert transliterate(payload) == key
    assert Link(at=AT, payload=payload).key == key


@given(st.text())
def test_any_payload_fits_telegram(payload: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{0,64}", transliterate(payload))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("/status", "status"),
        ("Status", "status"),
        ("/status@bot 17", "status"),
        (" /заказ ", "заказ"),
        ("/", ""),
        ("", ""),
    ],
)
def test_commands(name: str, key: str) -> None:
    assert command_key(name) == key
    assert Command(at=AT, name=name).key == key


@pytest.mark.parametrize(
    ("label", "key"),
    [("📦 Где мой заказ?", "где мой заказ"), ("ЁЛКА", "елка"), ("👍", "👍"), ("Да!", "да"), ("1", "1")],
)
def test_labels(label: str, key: str) -> None:
    assert label_key(label) == key
    assert Button(at=AT, label=label).key == key


def test_exact_keys() -> None:
    assert exact_key(" Ещё, Раз! ") == "еще, раз"
    assert exact_key("+") == "+"
    assert exact_key("-") == "-"


def test_events() -> None:
    assert is_event("first_message")
    assert is_event("webhook.invoice_overdue")
    assert not is_event("webhook.")
    assert not is_event("message_first")
