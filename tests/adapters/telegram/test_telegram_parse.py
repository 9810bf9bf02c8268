"""Captured updates → expected inbounds; and no update at all makes the parser raise anything but Unreadable."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.payloads import Unreadable, parse_json
from adapters.telegram.parse import KINDS, UNWANTED, callback_id, parse_update
from core.events import Inbound
from tests.emulators.schema import telegram_schema

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))


def parse(update: Any) -> Inbound | None:
    return parse_update(update, "telegram", "123456", NOW)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_captured(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    found = parse(case["update"])
    assert (found and json.loads(msgspec.json.encode(found))) == case["expected"]


@pytest.mark.parametrize(
    "update",
    [
        None,
        [],
        "text",
        {},
        {"update_id": None, "message": {}},
        {"update_id": 1},
        {"update_id": 1, "teleported": {"a": 1}},
        {"update_id": 1, "message": []},
        {"update_id": 1, "message": {"text": "hi"}},
        {"update_id": 1, "message": {"chat": {"id": "x"}, "text": "hi"}},
        {"update_id": 1, "message": {"chat": {"id": 7}, "date": "yesterday", "text": "hi"}},
        {"update_id": 1, "message": {"chat": {"id": 7}, "date": 10**20, "text": "hi"}},
        {"update_id": 1, "callback_query": {"data": "x"}},
        {"update_id": 1, "edited_message": {"chat": {"id": 7}}},
    ],
)
def test_unreadable(update: Any) -> None:
    with pytest.raises(Unreadable):
        parse(update)


def test_every_official_kind_is_known() -> None:
    """Of what Telegram may send, each kind is read or ignored on purpose; all else is unknown."""
    official = {field["name"] for field in telegram_schema().types["Update"]["fields"]} - {"update_id"}
    assert official == {name for name, _ in KINDS} | UNWANTED


def test_the_reason_holds_nothing_of_the_client() -> None:
    with pytest.raises(Unreadable) as caught:
        parse({"update_id": 1, "message": {"chat": {"id": "тел. 79991234567"}, "text": "hi"}})
    assert "7999" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "chat", "from", "text", "caption", "photo", "document", "voice", "sticker", "contact", "location", "venue", "date",
    "message_id", "media_group_id", "data", "id", "message", "reply_markup", "new_chat_member", "poll", "dice", "edit_date",
)  # fmt: skip
chats = st.sampled_from([{"id": 7, "type": "private"}, {"id": 7}, {"id": -7, "type": "group"}])
bodies = st.fixed_dictionaries({}, optional={**dict.fromkeys(KEYS, json_values), "chat": chats | json_values})
kinds = st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "poll"])


@given(kind=kinds, body=bodies | json_values)
def test_any_update_is_read_ignored_or_unreadable(kind: str, body: Any) -> None:
    try:
        found = parse({"update_id": 5, kind: body})
    except Unreadable:
        return
    assert found is None or msgspec.json.decode(msgspec.json.encode(found), type=Inbound) == found


def test_the_query_to_answer() -> None:
    assert callback_id({"callback_query": {"id": "15"}}) == "15"
    assert callback_id({"callback_query": None}) == ""
    assert callback_id({"message": {"id": 3}}) == ""


def test_half_a_surrogate_pair_costs_one_sign_only() -> None:
    assert parse_json(b'{"text": "a\\ud83d b"}') == {"text": "a? b"}
    assert parse_json(b'{"text": "\\ud83d\\ude00"}') == {"text": "😀"}


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"a": NaN}'])
def test_what_is_no_json(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_json(raw)
