"""MAX's updates as events: every kind, every attachment, who may prove a phone. Captured payloads are in tests/corpus."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.max.parse import Account, callback_id, dialog_of, group_of, parse_update, strange
from adapters.payloads import Unreadable
from core.events import Edited, Event, Inbound, Message, Opened, Press, Reachability, Removed
from core.locale import texts
from core.messages import Attachment, Contact, Location, Quote

TOKEN = "a-token"
BOT = 900
NOW = datetime(2026, 11, 22, tzinfo=UTC)
AT = 1_775_025_604_499
ACCOUNT = Account("shop", TOKEN, texts("ru"), BOT)
USER = {"user_id": 7, "first_name": "Анна", "last_name": "Ким", "is_bot": False, "username": "anna"}
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:79161234567\r\nFN:Анна Ким\r\nEND:VCARD\r\n"


def message(text: str = "Привет", **more: Any) -> dict[str, Any]:
    """A message of a client in a dialog."""
    body = {"mid": "mid.1", "seq": 1, "text": text, **more.pop("body", {})}
    recipient = {"chat_id": 50, "chat_type": "dialog", "user_id": BOT}
    return {"sender": USER, "recipient": recipient, "timestamp": AT, "body": body, **more}


def created(text: str = "Привет", **more: Any) -> dict[str, Any]:
    return {"update_type": "message_created", "timestamp": AT, "message": message(text, **more), "user_locale": "ru"}


def hung(*attachments: dict[str, Any], text: str = "") -> Message:
    """What comes of a message with attachments."""
    event = read(created(text, body={"attachments": list(attachments)}))
    assert isinstance(event, Message)
    return event


def parse(update: Any) -> Inbound:
    found = parse_update(update, ACCOUNT, NOW)
    assert found is not None
    return found


def read(update: Any) -> Event:
    return parse(update).event


def test_a_message() -> None:
    assert parse(created("  Где заказ?\u202e")) == Inbound(
        channel="shop",
        account="shop",
        external_id="m:mid.1",
        chat="7",
        event=Message("  Где заказ?"),
        sent_at=datetime.fromtimestamp(AT / 1000, UTC),
        sender_id="7",
        sender_name="Анна Ким",
        sender_username="anna",
        sender_language="ru",
        message_id="mid.1",
    )


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/start", Opened("")),
        ("/start vozvrat-qr", Opened("vozvrat-qr")),
        ("/Status@shop_bot 5", Message("/Status@shop_bot 5", command="/status")),
        ("/", Message("/")),
    ],
)
def test_commands(text: str, event: Event) -> None:
    assert read(created(text)) == event


def test_a_link_opens() -> None:
    update = {"update_type": "bot_started", "timestamp": AT, "chat_id": 50, "user": USER, "payload": "vozvrat-qr"}
    found = parse(update)
    assert (found.event, found.chat, found.external_id) == (Opened("vozvrat-qr"), "7", f"bot_started:{AT}:7")
    assert read({**update, "payload": None}) == Opened("")


def test_a_stopped_bot() -> None:
    update = {"update_type": "bot_stopped", "timestamp": AT, "chat_id": 50, "user": USER}
    assert read(update) == Reachability(False)
    assert parse(update).external_id != parse({**update, "timestamp": AT + 1}).external_id, "it may happen again"


def pressed(**more: Any) -> dict[str, Any]:
    keyboard = {
        "type": "inline_keyboard",
        "payload": {"buttons": [[{"type": "callback", "text": "Да", "payload": "1.2.0"}], "broken"]},
    }
    under = {**message("Верно?", body={"attachments": [keyboard]}), "sender": {"user_id": BOT, "is_bot": True}}
    under["recipient"] = {"chat_id": 50, "chat_type": "dialog", "user_id": 7}
    callback = {"timestamp": AT, "callback_id": "cb-1", "payload": "1.2.0", "user": USER}
    return {"update_type": "message_callback", "timestamp": AT, "callback": callback, "message": under, **more}


def test_a_press() -> None:
    found = parse(pressed())
    assert found.event == Press("1.2.0", "Да")
    assert (found.chat, found.message_id, found.external_id) == ("7", "mid.1", f"message_callback:{AT}:cb-1")
    assert callback_id(pressed()) == "cb-1"
    assert callback_id(created()) == callback_id([1]) == ""


def test_a_press_outlives_its_message() -> None:
    """The client has deleted what the button stood under; MAX tells no chat then."""
    found = parse(pressed(message=None))
    assert (found.event, found.chat) == (Press("1.2.0", ""), "7")


def test_changes_of_messages() -> None:
    edit = {"update_type": "message_edited", "timestamp": AT + 9, "message": message("новый")}
    assert parse(edit).event == Edited("mid.1", "новый", ())
    assert parse(edit).external_id == f"message_edited:{AT + 9}:mid.1"
    gone = {"update_type": "message_removed", "timestamp": AT, "message_id": "mid.1", "chat_id": 50, "user_id": 7}
    assert (parse(gone).event, parse(gone).chat) == (Removed("mid.1"), "7")
    assert parse_update({**gone, "user_id": BOT}, ACCOUNT, NOW) is None, "it was us"
    assert parse_update({**gone, "chat_id": -5}, ACCOUNT, NOW) is None, "in a group"


def test_answers_and_forwards() -> None:
    inner = {
        "mid": "mid.0",
        "seq": 0,
        "text": "Старое",
        "attachments": [{"type": "location", "latitude": 1, "longitude": 2}],
    }
    answer = read(created("ответ", link={"type": "reply", "message": inner}))
    assert answer == Message("ответ", quote=Quote("mid.0", "Старое"))
    forward = created("", link={"type": "forward", "message": inner})
    forward["message"]["body"]["text"] = None
    assert read(forward) == Message("[переслано] Старое", location=Location(1.0, 2.0))


# --- attachments -----------------------------------------------------------------------------------------------------


def at(name: str, **more: Any) -> dict[str, Any]:
    return {"payload": {"url": f"https://i.max.example/{name}", "token": "tok", **more}}


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (
            {"type": "image", **at("a", photo_id=5)},
            Attachment("photo", ref="https://i.max.example/a", mime="image/jpeg"),
        ),
        (
            {"type": "video", **at("v"), "duration": 3},
            Attachment("video", ref="video:tok", mime="video/mp4", duration=3.0),
        ),
        ({"type": "audio", **at("s")}, Attachment("voice", ref="https://i.max.example/s", mime="audio/mpeg")),
        (
            {"type": "file", **at("f"), "filename": "../счёт\u202e.pdf", "size": 10},
            Attachment("file", ref="https://i.max.example/f", name="счёт.pdf", size=10),
        ),
        (
            {"type": "sticker", **at("t", code="c"), "width": 1, "height": 1},
            Attachment("sticker", ref="https://i.max.example/t", mime="image/png"),
        ),
    ],
)
def test_files(attachment: dict[str, Any], expected: Attachment) -> None:
    assert hung(attachment, text="вот").attachments == (expected,)


@pytest.mark.parametrize(
    ("attachment", "note"),
    [
        (
            {"type": "share", "title": "Лавка", "payload": {"url": "https://shop.example/1"}},
            "[ссылка] Лавка · https://shop.example/1",
        ),
        ({"type": "image", "payload": {}}, "[фото]"),
        ({"type": "audio", "transcription": "перезвоните", **at("s")}, "«перезвоните»"),
        ({"type": "contact", "payload": {"max_info": USER}}, "[контакт] Анна"),
        ({"type": "poll", "title": "Куда?"}, "[poll] Куда?"),
        ({"payload": {"url": "javascript:alert(1)"}}, "[файл]"),
    ],
)
def test_what_has_no_file_is_told(attachment: dict[str, Any], note: str) -> None:
    assert hung(attachment).text == note


def test_a_link_in_the_text_needs_no_note() -> None:
    share = {"type": "share", "payload": {"url": "https://shop.example/1"}}
    assert hung(share, text="см. https://shop.example/1").text == "см. https://shop.example/1"


def test_more_files_than_one_can_bear_are_counted() -> None:
    found = hung(*({"type": "image", **at(str(number))} for number in range(60)))
    assert len(found.attachments) == 50
    assert found.text.count("[фото] https://i.max.example/") == 10


def test_a_message_without_anything_is_said_to_be_so() -> None:
    assert hung({"type": "inline_keyboard", "payload": {"buttons": []}}).text.startswith("[MAX не передал")


def test_places() -> None:
    assert hung({"type": "location", "latitude": 55.75, "longitude": 37.61}).location == Location(55.75, 37.61)
    assert hung({"type": "location", "latitude": 91, "longitude": 0}).location is None
    assert hung({"type": "location", "latitude": "x"}).location is None


def contact(card: str = CARD, whose: int = 7, signature: str = "", token: str = TOKEN) -> Contact | None:
    restored = card.replace("\\r\\n", "\r\n")
    made = signature or hmac.new(token.encode(), restored.encode(), hashlib.sha256).hexdigest()
    payload = {"vcf_info": card, "hash": made, "max_info": {**USER, "user_id": whose}}
    return hung({"type": "contact", "payload": payload}).contact


def test_a_card_of_ones_own_proves_the_phone() -> None:
    own = Contact("+79161234567", "Анна Ким", own=True)
    assert contact() == own
    assert contact(CARD.replace("\r\n", "\\r\\n")) == own, "some transports escape the ends of lines"
    assert contact(CARD.replace("7916123", "7916\r\n 123")) == own, "a folded line"


@pytest.mark.parametrize(
    "other",
    [
        {"signature": "0" * 64},
        {"token": "another bot's"},
        {"whose": 8},  # signed all the same, but somebody else's
        {"signature": "не шестнадцатеричное"},
    ],
)
def test_other_cards_prove_nothing(other: dict[str, Any]) -> None:
    found = contact(**other)
    assert found is not None
    assert not found.own


def test_a_forwarded_card_proves_nothing() -> None:
    made = hmac.new(TOKEN.encode(), CARD.encode(), hashlib.sha256).hexdigest()
    inner = {
        "mid": "mid.0",
        "attachments": [{"type": "contact", "payload": {"vcf_info": CARD, "hash": made, "max_info": USER}}],
    }
    event = read(created("", link={"type": "forward", "message": inner}))
    assert isinstance(event, Message)
    assert event.contact == Contact("+79161234567", "Анна Ким", own=False)


# --- who is not heard ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "update",
    [
        created(recipient={"chat_id": -5, "chat_type": "chat"}),
        created(recipient={"chat_id": -5, "chat_type": "channel"}),
        created(sender={**USER, "is_bot": True}),
        {"update_type": "dialog_muted", "timestamp": AT, "chat_id": 50, "user": USER, "muted_until": AT},
        {"update_type": "bot_added", "timestamp": AT, "chat_id": -5, "user": USER, "is_channel": False},
        {**pressed(), "callback": {"callback_id": "x", "user": USER}},
    ],
)
def test_what_does_not_concern_us(update: dict[str, Any]) -> None:
    assert parse_update(update, ACCOUNT, NOW) is None


@pytest.mark.parametrize(
    "update",
    [
        None,
        [],
        "text",
        {},
        {"update_type": "teleported", "timestamp": AT},
        {"update_type": ["message_created"]},
        {"update_type": "message_created"},
        {"update_type": "message_created", "message": "x"},
        created(sender={"user_id": "7"}),
        created(sender=None),
        {"update_type": "message_callback", "callback": {"payload": "x", "callback_id": "y"}},
    ],
)
def test_what_cannot_be_read(update: Any) -> None:
    with pytest.raises(Unreadable) as unreadable:
        parse_update(update, ACCOUNT, NOW)
    assert "Анна" not in str(unreadable.value)


def test_a_message_without_its_id_is_not_lost() -> None:
    update = created()
    del update["message"]["body"]["mid"]
    assert parse(update).external_id == f"message_created:{AT}:7"
    assert parse({**update, "timestamp": None}).sent_at == NOW


def test_dialogs_with_another_bot() -> None:
    assert not strange(created(), BOT)
    assert not strange(pressed(), BOT)
    assert not strange(created(), 0), "we do not know our id yet"
    assert strange(created(), 901)
    assert strange(pressed(), 901)
    assert not strange(["x"], BOT)


def test_names_of_dialogs_and_groups() -> None:
    assert dialog_of(created()) == dialog_of(pressed()) == (7, 50)
    assert dialog_of("x") == (0, 0)
    put = {"update_type": "bot_added", "chat_id": -5, "is_channel": False}
    assert [group_of(put), group_of({**put, "is_channel": True}), group_of(created()), group_of(None)] == [-5, 0, 0, 0]
