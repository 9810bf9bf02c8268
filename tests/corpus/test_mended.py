"""What damaged payloads have found in our parsers, each by itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from core.events import ColleagueReply, Message
from tests.corpus.checking import check
from tests.corpus.outcomes import Outcome


def told(channel: str, payload: Any) -> tuple[str, Outcome]:
    return check(channel, payload if isinstance(payload, bytes) else orjson.dumps(payload))


def text_of(channel: str, payload: Any) -> str:
    _, found = told(channel, payload)
    event = found.inbounds[0].event
    assert isinstance(event, Message | ColleagueReply)
    return event.text


def telegram(**content: Any) -> dict[str, Any]:
    chat = {"id": 7, "type": "private"}
    return {"update_id": 1, "message": {"message_id": 2, "chat": chat, "from": chat, "date": 1_700_000_000, **content}}


def vk(kind: str, **content: Any) -> dict[str, Any]:
    message = {"peer_id": 7, "from_id": 7, "conversation_message_id": 5, "date": 1_700_000_000, "text": "", **content}
    return {"type": kind, "object": message, "event_id": "e1"}


def api(**content: Any) -> dict[str, Any]:
    return {"type": "message", "chat": "u-7", "id": "ev-1", **content}


@pytest.mark.parametrize(
    "content",
    [{"sticker": {"emoji": "😀"}}, {"location": {"latitude": 5.0}}, {"contact": {"first_name": "А"}}, {"text": " "}],
)
def test_telegram_tells_that_there_is_something_to_see(content: dict[str, Any]) -> None:
    """A file without an id, half a place, a card without a phone left an empty message."""
    assert text_of("telegram", telegram(**content)).strip()


def test_a_notice_of_telegram_hides_no_content() -> None:
    assert "[poll] Когда?" in text_of("telegram", telegram(boost_added={"boost_count": 1}, poll={"question": "Когда?"}))


@pytest.mark.parametrize("id", ["\u0000", "x" * 5_000, {"id": 7}, [7], True])
def test_only_numbers_of_telegram_are_keys(id: Any) -> None:
    """PostgreSQL takes no NUL, and no key above 2,704 bytes: one such update would have stopped its batch."""
    what, found = told("telegram", telegram(**{"from": {"id": id}, "text": "x", "message_id": id}))
    assert (what, found.inbounds[0].sender_id, found.inbounds[0].message_id) == ("taken", "7", "")


@pytest.mark.parametrize("kind", ["message_allow", "message_deny"])
def test_who_may_be_written_to_needs_an_id_of_its_event(kind: str) -> None:
    """Our clock stood in for it, so that a repetition was another event."""
    assert told("vk", {"type": kind, "object": {"user_id": 7}}) == ("aside", Outcome(aside="missing event_id"))


def test_vk_tells_that_there_is_something_to_see() -> None:
    assert text_of("vk", vk("message_new", text=" ")).startswith("[VK shows nothing")
    assert text_of("vk", vk("message_reply", admin_author_id=77, out=1)).startswith("[VK shows nothing")


def test_a_mark_of_a_link_without_a_time_is_the_same_tomorrow() -> None:
    assert told("vk", vk("message_new", text="x", ref="vozvrat", date=0))[0] == "taken"


def test_a_place_in_the_words_of_an_older_vk() -> None:
    _, found = told("vk", vk("message_new", geo={"type": "point", "coordinates": "46.5 33.4"}))
    event = found.inbounds[0].event
    assert isinstance(event, Message)
    assert event.location is not None
    assert (event.location.latitude, event.location.longitude) == (46.5, 33.4)


def test_of_money_the_sum_is_told() -> None:
    transfer = {"amount": {"amount": "30000", "text": "300 руб."}, "comment": "за чехол"}
    said = text_of("vk", vk("message_new", attachments=[{"type": "money_transfer", "money_transfer": transfer}]))
    assert said == "[money transfer] за чехол · 300 руб."


def test_a_deletion_without_a_message_is_set_aside() -> None:
    update = {"update_type": "message_removed", "timestamp": 1_700_000_000_000, "message_id": {}, "user_id": 7}
    assert told("max", update) == ("aside", Outcome(aside="missing message_id"))


def test_a_long_callback_id_is_no_long_key() -> None:
    callback = {"callback_id": "ж" * 5_000, "payload": "1.2.0", "user": {"user_id": 7}}
    what, _ = told("max", {"update_type": "message_callback", "timestamp": 1_700_000_000_000, "callback": callback})
    assert what == "taken"


def test_depth_is_refused_and_not_an_error() -> None:
    """The refused event could not be written down, and the door answered 500."""
    deep = b'{"type":"message","chat":"u-7","text":' + b'{"a":[' * 400 + b"]}" * 400 + b"}"
    what, found = told("api", deep)
    assert (what, found.aside.startswith("/text: Expected `str`")) == ("aside", True)


def test_a_refusal_quotes_little() -> None:
    assert len(told("api", api(type="w" * 50_000))[1].aside) < 300


def test_a_reply_of_invisible_signs_is_empty() -> None:
    assert told("api", api(type="colleague_reply", operator="77", text="\u0000"))[0] == "aside"
