"""VK's events as ours: captured payloads, mutated ones, and every kind of content by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.payloads import Unreadable, parse_json
from adapters.vk.capabilities import EVENTS
from adapters.vk.parse import Account, Answer, cropped, parse_answer, parse_event, parse_message
from core.events import ColleagueReply, Edited, Inbound, Message, Opened, Press, Reachability, Reacted
from core.locale import texts
from core.messages import Attachment, Location, Quote

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OURS = Account("vk", "123456", texts("en"))
CORPUS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "fixtures/corpus.json").read_text("utf-8"))


def wrapped(case: dict[str, Any]) -> dict[str, Any]:
    """A captured message or attachment as the event that would have brought it from client 7."""
    if case["kind"] == "event":
        return {"event_id": "e0", **case["value"]}  # those of older versions of the API have none
    content = case["value"] if case["kind"] == "message" else {"attachments": [case["value"]]}
    kept = {name: value for name, value in content.items() if name not in {"action", "admin_author_id"}}
    return new(**{**kept, "peer_id": 7, "from_id": 7, "out": 0, "conversation_message_id": 5, "date": 1_700_000_000})


def new(**content: Any) -> dict[str, Any]:
    message = {
        "peer_id": 7,
        "from_id": 7,
        "date": 1_700_000_000,
        "id": 100,
        "conversation_message_id": 5,
        "text": "",
        **content,
    }
    return {"type": "message_new", "object": {"message": message, "client_info": {"lang_id": 0}}, "event_id": "e1"}


def parsed(event: dict[str, Any]) -> Inbound:
    (inbound,) = parse_event(event, OURS, NOW)
    return inbound


def said(**content: Any) -> Message:
    event = parsed(new(**content)).event
    assert isinstance(event, Message)
    return event


# --- captured and mutated --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CORPUS, ids=[case["source"].rsplit("/", 1)[-1] for case in CORPUS])
def test_nothing_captured_is_lost(case: dict[str, Any]) -> None:
    """What a client sent to us leaves something to see: a text, a file, a place. Chats and walls are not ours."""
    event = wrapped(case)
    found = parse_event(event, OURS, NOW)
    body = event["object"].get("message", event["object"])
    if event["type"] not in EVENTS or body.get("peer_id", 0) > 2_000_000_000 or body.get("out"):
        assert found == () or isinstance(found[0].event, ColleagueReply)
        return
    for inbound in found:
        if isinstance(inbound.event, Message):
            assert inbound.event.text or inbound.event.attachments or inbound.event.location
    assert found or event["type"] == "message_event", "buttons of other programs are the only thing that is left out"


keys = st.sampled_from(
    ["type", "object", "message", "peer_id", "from_id", "date", "text", "attachments", "payload", "ref", "geo", "id", "photo",
     "sizes", "url", "fwd_messages", "conversation_message_id", "out", "admin_author_id", "event_id", "user_id", "x"]
)  # fmt: skip
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


def mutate(value: Any, path: list[int], fresh: Any) -> Any:
    """The value with one place inside it replaced, or taken away."""
    if not path or not isinstance(value, dict | list) or not value:
        return fresh
    step, *rest = path
    if isinstance(value, list):
        at = step % len(value)
        return [mutate(one, rest, fresh) if n == at else one for n, one in enumerate(value)]
    name = sorted(value)[step % len(value)]
    if not rest and fresh is None:
        return {key: one for key, one in value.items() if key != name}
    return {key: mutate(one, rest, fresh) if key == name else one for key, one in value.items()}


def outcome(event: Any) -> str:
    """What became of an event. Values that could not be stored fail here."""
    parse_answer(event)
    cropped(event)
    try:
        found = parse_event(event, OURS, NOW)
    except Unreadable as unreadable:
        return str(unreadable)
    for inbound in found:
        assert inbound.chat.isdecimal()
        assert inbound.external_id
        orjson.dumps([inbound.external_id, inbound.message_id, inbound.sender_language])
    return "taken" if found else "left out"


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(CORPUS), st.lists(st.integers(0, 30), min_size=1, max_size=6), junk)
def test_parsing_is_total(case: dict[str, Any], path: list[int], fresh: Any) -> None:
    """Whatever a payload has become: inbounds, nothing, or Unreadable; never another error, and values that can be stored."""
    event = mutate(wrapped(case), path, fresh)
    outcome(event)


@given(junk)
def test_any_value_is_parsed(value: Any) -> None:
    for kind in (*EVENTS, "wall_post_new", "message_of_the_future"):
        try:
            parse_event({"type": kind, "object": value}, OURS, NOW)
        except Unreadable:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_unreadable(raw: bytes) -> None:
    try:
        orjson.dumps(parse_json(raw))
    except Unreadable:
        return


def test_half_a_symbol_costs_a_symbol_only() -> None:
    event = parse_json(b'{"type":"message_new","object":{"message":{"peer_id":7,"id":1,"text":"a \\ud83d b"}}}')
    assert parsed(event).event == Message("a ? b")


# --- the key that all ways share ---------------------------------------------------------------------------------------


def test_one_message_has_one_key_whichever_way_it_comes() -> None:
    """By callback (with its event id), by long poll (with another), from the history (with none)."""
    callback = {**new(text="да"), "event_id": "aaa", "group_id": 123456, "secret": "s", "v": "5.199"}
    poll = {**new(text="да"), "event_id": "bbb", "group_id": 123456, "v": "5.199"}
    history = new(text="да")["object"]["message"]
    keys = {parsed(callback).external_id, parsed(poll).external_id, parse_message(history, OURS, NOW)[0].external_id}
    assert keys == {"m:7:5"}


def test_messages_of_two_conversations_have_two_keys() -> None:
    assert parsed(new()).external_id != parsed(new(peer_id=8, from_id=8)).external_id


def test_without_a_number_the_id_is_the_key_and_without_that_the_event() -> None:
    assert parsed(new(conversation_message_id=0)).external_id == "i:100"
    assert parsed(new(conversation_message_id=None, id=None)).external_id == "e:e1"


# --- kinds -----------------------------------------------------------------------------------------------------------


def test_a_text() -> None:
    inbound = parsed(new(text="Здравствуйте\u202e"))
    assert inbound.event == Message("Здравствуйте")
    assert (inbound.channel, inbound.account, inbound.chat, inbound.sender_id) == ("vk", "123456", "7", "7")
    assert (inbound.message_id, inbound.sender_language) == ("5", "ru")
    assert inbound.sent_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_the_start_button_and_a_link() -> None:
    assert parsed(new(text="Начать", payload='{"command":"start"}')).event == Opened()
    assert parsed(new(text="Начать", payload='{"command":"start"}', ref="vozvrat")).event == Opened("vozvrat")


def test_a_link_with_words_opens_once_a_day_and_keeps_the_words() -> None:
    first, word = parse_event(new(text="Вот чек", ref="vozvrat"), OURS, NOW)
    assert (first.event, word.event) == (Opened("vozvrat"), Message("Вот чек"))
    again, other = parse_event(new(text="Ещё", ref="vozvrat", conversation_message_id=6), OURS, NOW)
    assert again.external_id == first.external_id
    assert other.external_id != word.external_id
    tomorrow = parse_event(new(text="Ещё", ref="vozvrat", date=1_700_000_000 + 86_400), OURS, NOW)
    assert tomorrow[0].external_id != first.external_id


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ('{"t":"1.2.0"}', Press("1.2.0", "Да")),
        ({"t": "1.2.0"}, Press("1.2.0", "Да")),
        ('{"t":"1.2', Message("Да")),  # cut
        ('{"button":"1"}', Message("Да")),  # of another program
        ('{"t":{"x":1}}', Message("Да")),
        ("[]", Message("Да")),
        ("", Message("Да")),
    ],
)
def test_a_key_of_the_keyboard_or_just_a_text(payload: Any, event: Any) -> None:
    assert parsed(new(text="Да", payload=payload)).event == event


def test_a_callback_button() -> None:
    body = {"user_id": 7, "peer_id": 7, "event_id": "abc", "payload": {"t": "1.2.0"}, "conversation_message_id": 4}
    event = {"type": "message_event", "object": body, "event_id": "e9"}
    inbound = parsed(event)
    assert (inbound.event, inbound.external_id, inbound.sent_at) == (Press("1.2.0"), "b:7:abc", NOW)
    assert parse_answer(event) == Answer("abc", 7, 7)
    assert parse_event({**event, "object": {**body, "payload": {"x": 1}}}, OURS, NOW) == ()
    assert parse_event({**event, "object": {**body, "peer_id": 2_000_000_001}}, OURS, NOW) == ()


def test_a_command() -> None:
    assert said(text="/Status 5") == Message("/Status 5", command="/status")


@pytest.mark.parametrize(("kind", "reachable"), [("message_allow", True), ("message_deny", False)])
def test_who_may_be_written_to(kind: str, reachable: bool) -> None:
    inbound = parsed({"type": kind, "object": {"user_id": 7, "key": ""}, "event_id": "x"})
    assert (inbound.event, inbound.chat) == (Reachability(reachable), "7")


def test_a_colleague_and_our_own_answers() -> None:
    body = new(text="Посмотрю", out=1, from_id=-123456, admin_author_id=77)["object"]["message"]
    assert parsed({"type": "message_reply", "object": body}).event == ColleagueReply("vk:77", "Посмотрю")
    ours = {name: value for name, value in body.items() if name != "admin_author_id"}
    assert parse_event({"type": "message_reply", "object": ours}, OURS, NOW) == ()
    assert parse_message(body, OURS, NOW)[0].event == ColleagueReply("vk:77", "Посмотрю")


def test_an_edit_of_the_client_and_one_of_ours() -> None:
    body = new(text="Не то", update_time=1_700_000_100)["object"]["message"]
    inbound = parsed({"type": "message_edit", "object": body})
    assert (inbound.event, inbound.external_id) == (Edited("5", "Не то", ()), "m:7:5:1700000100")
    assert parse_event({"type": "message_edit", "object": {**body, "out": 1}}, OURS, NOW) == ()


@pytest.mark.parametrize(
    "kind", ["message_read", "message_typing_state", "message_template_status", "like_add", "group_join"]
)
def test_what_is_no_word_is_left_out(kind: str) -> None:
    assert parse_event({"type": kind, "object": {"from_id": 7}}, OURS, NOW) == ()


def reaction(**values: Any) -> dict[str, Any]:
    body = {"reacted_id": 7, "peer_id": 7, "cmid": 5, "reaction_id": 4}
    return {"type": "message_reaction_event", "event_id": "e1", "object": {**body, **values}}


def test_a_mark_is_heard_and_taken_away() -> None:
    inbound = parsed(reaction())
    assert (inbound.event, inbound.chat, inbound.external_id) == (Reacted("5", ("👍",)), "7", "r:7:5:e1")
    assert parsed(reaction(reaction_id=None)).event == Reacted("5")
    assert parsed(reaction(reaction_id=60)).event == Reacted("5", ("№60",)), "one of tomorrow"
    assert parse_event(reaction(peer_id=2_000_000_001), OURS, NOW) == ()
    assert parse_event(reaction(reacted_id=8), OURS, NOW) == (), "not the client's"
    with pytest.raises(Unreadable):
        parse_event(reaction(cmid="x"), OURS, NOW)


def test_an_answer_names_what_it_answers() -> None:
    answered = {"conversation_message_id": 4, "from_id": -1, "date": 1, "text": "Ваш адрес?"}
    message = parsed(new(text="Ленина, 1", reply_message=answered)).event
    assert message == Message("Ленина, 1", quote=Quote("4", "Ваш адрес?"))
    wordless = {**answered, "text": "", "attachments": [{"type": "photo", "photo": PHOTO}]}
    message = parsed(new(text="этот", reply_message=wordless)).event
    assert message == Message("этот", quote=Quote("4", "[photo]"))
    message = parsed(new(text="вот", reply_message={"text": "без номера"})).event
    assert message == Message("вот", quote=Quote("", "без номера"))


def test_a_new_kind_of_message_is_not_lost() -> None:
    with pytest.raises(Unreadable, match="unknown kind"):
        parse_event({"type": "message_hologram", "object": {}}, OURS, NOW)


@pytest.mark.parametrize("peer", [2_000_000_001, -5, 0])
def test_chats_and_communities_are_not_answered(peer: int) -> None:
    assert parse_event(new(peer_id=peer, from_id=peer, text="x"), OURS, NOW) == ()


# --- attachments -----------------------------------------------------------------------------------------------------

PHOTO = {
    "sizes": [
        {"type": "s", "url": "https://a/s", "width": 75, "height": 75},
        {"url": "https://a/w", "width": 900, "height": 600},
    ]
}
DOC = {"title": "чек", "ext": "pdf", "size": 9, "url": "https://a/doc"}


@pytest.mark.parametrize(
    ("attachment", "file"),
    [
        ({"type": "photo", "photo": PHOTO}, Attachment("photo", ref="https://a/w", mime="image/jpeg")),
        ({"type": "doc", "doc": DOC}, Attachment("file", ref="https://a/doc", name="чек.pdf", size=9)),
        (
            {"type": "doc", "doc": {**DOC, "title": "../\u202efdp.exe", "ext": "exe"}},
            Attachment("file", ref="https://a/doc", name="_fdp.exe", size=9),
        ),
        (
            {"type": "audio_message", "audio_message": {"link_ogg": "https://a/v", "duration": 3}},
            Attachment("voice", ref="https://a/v", mime="audio/ogg", duration=3.0),
        ),
        (
            {"type": "sticker", "sticker": {"images": [{"url": "https://a/1", "width": 64, "height": 64}]}},
            Attachment("sticker", ref="https://a/1", mime="image/png"),
        ),
        ({"type": "graffiti", "graffiti": {"url": "https://a/g"}}, Attachment("photo", ref="https://a/g", mime="image/png")),
        (
            {"type": "audio", "audio": {"artist": "А", "title": "Б", "url": "https://a/m"}},
            Attachment("audio", ref="https://a/m", mime="audio/mpeg", name="А — Б.mp3"),
        ),
    ],
)  # fmt: skip
def test_files(attachment: dict[str, Any], file: Attachment) -> None:
    assert said(attachments=[attachment]) == Message(attachments=(file,))


@pytest.mark.parametrize(
    ("attachment", "note"),
    [
        ({"type": "video", "video": {"title": "Дефект", "owner_id": 7, "id": 3}}, "[video] Дефект · https://vk.com/video7_3"),
        ({"type": "wall", "wall": {"text": "Пост", "owner_id": -1, "id": 3}}, "[wall post] Пост · https://vk.com/wall-1_3"),
        ({"type": "link", "link": {"url": "https://x/", "title": "Икс"}}, "[link] Икс · https://x/"),
        ({"type": "poll", "poll": {"question": "Кто?"}}, "[poll] Кто?"),
        ({"type": "photo", "photo": {"owner_id": 7, "id": 3}}, "[photo] https://vk.com/photo7_3"),
        ({"type": "audio", "audio": {"artist": "А", "title": "Б", "url": ""}}, "[music] А · Б"),
        ({"type": "hologram", "hologram": {"text": "!"}}, "[hologram] !"),
        ({"type": "gift"}, "[gift]"),
        ({}, "[file]"),
    ],
)  # fmt: skip
def test_what_has_no_file_is_told_in_words(attachment: dict[str, Any], note: str) -> None:
    assert said(attachments=[attachment]).text == note


def test_a_preview_of_a_written_link_says_nothing_new() -> None:
    link = {"type": "link", "link": {"url": "https://x/", "title": "Икс"}}
    assert said(text="см. https://x/", attachments=[link]).text == "см. https://x/"


def test_forwarded_messages_are_quoted_with_their_files() -> None:
    inner = {"text": "глубже", "attachments": [{"type": "photo", "photo": PHOTO}]}
    event = said(text="Вот", fwd_messages=[{"text": "Сломалось", "fwd_messages": [inner]}])
    assert event.text == "Вот\n[forwarded] Сломалось\n[forwarded] глубже"
    assert [one.ref for one in event.attachments] == ["https://a/w"]


def test_a_place() -> None:
    geo = {
        "type": "point",
        "coordinates": {"latitude": 55.7, "longitude": 37.6},
        "place": {"title": "Склад", "city": "Москва"},
    }
    assert said(geo=geo).location == Location(55.7, 37.6, "Склад, Москва")


def test_a_message_without_anything_is_said_to_be_so() -> None:
    assert said().text == "[VK shows nothing of this message here: see it in VK]"


def test_a_cut_message_is_known() -> None:
    assert cropped(new(text="нач", is_cropped=True)) == (7, 5)
    assert cropped(new(text="целое")) is None
    assert said(text="нач", is_cropped=True).text == "нач\n[VK has cut this message: see it in VK]"
