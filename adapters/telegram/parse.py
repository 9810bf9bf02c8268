"""Telegram's updates as events: pure and lenient, a field it does not know or misses never costs a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from core.events import Edited, Event, Inbound, Message, Opened, Press, Reachability
from core.messages import Attachment, AttachmentKind, Contact, Location
from core.normal import clean

Json = Mapping[str, Any]

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+|$)")
NAME_LIMIT = 128
# Telegram's word for a single attached file → ours, the richest first: an animation comes with a copy as `document`.
MEDIA: tuple[tuple[str, AttachmentKind], ...] = (
    ("animation", "video"),
    ("video", "video"),
    ("video_note", "video"),
    ("voice", "voice"),
    ("audio", "audio"),
    ("sticker", "sticker"),
    ("document", "file"),
)
# Notices of Telegram itself: nobody wrote anything.
SERVICE = frozenset((
    "boost_added", "chat_background_set", "chat_owner_changed", "chat_owner_left", "connected_website",
    "delete_chat_photo", "forum_topic_closed", "forum_topic_created", "forum_topic_edited", "forum_topic_reopened",
    "gift", "group_chat_created", "left_chat_member", "message_auto_delete_timer_changed", "new_chat_members",
    "new_chat_photo", "new_chat_title", "pinned_message", "proximity_alert_triggered", "unique_gift",
    "write_access_allowed",
))  # fmt: skip


# Kinds we do not ask for; some may come for a short while after another program has used the bot (Bot API, setWebhook).
UNWANTED = frozenset((
    "channel_post", "edited_channel_post", "business_connection", "business_message", "edited_business_message",
    "deleted_business_messages", "guest_message", "message_reaction", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer",
    "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription",
    "stopped_message_generation",
))  # fmt: skip


class Unreadable(ValueError):
    """An update of an unknown kind, or one that lacks what an answer needs: it goes to quarantine. The text holds
    no data of the client."""


def parse_update(update: Any, channel: str, account: str, now: datetime) -> Inbound | None:
    """One update as an `Inbound`; None for kinds and places that are politely ignored (groups, channels, notices).

    `now` (UTC) stands in where the update has no time of its own. Raises Unreadable.
    """
    try:
        return _parse(update, channel, account, now)
    except KeyError as error:
        raise Unreadable(f"missing {error.args[0]}") from error
    except Unreadable:
        raise
    except (TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable(type(error).__name__) from error


def parse_json(raw: bytes) -> Any:
    """JSON as Telegram sends it; half a surrogate pair becomes `?` instead of costing the message. Raises Unreadable."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        lenient = json.loads(raw.decode("utf-8", "replace"))
        return orjson.loads(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def callback_id(update: Json) -> str:
    """The id under which a pressed button must be answered; empty for other updates."""
    query = update.get("callback_query")
    return str(query.get("id") or "") if isinstance(query, dict) else ""


def _parse(update: Any, channel: str, account: str, now: datetime) -> Inbound | None:
    external_id = f"u:{int(update['update_id'])}"
    for kind, parse in KINDS:
        body = update.get(kind)
        if body is not None:
            found = parse(body)
            return found and _inbound(*found, channel, account, external_id, now)
    if UNWANTED.isdisjoint(update):
        raise Unreadable("unknown kind")
    return None


def _inbound(
    event: Event, chat: Json, sender: Json, date: Any, message_id: Any,
    channel: str, account: str, external_id: str, now: datetime,
) -> Inbound:  # fmt: skip
    return Inbound(
        channel=channel,
        account=account,
        external_id=external_id,
        chat=str(int(chat["id"])),
        event=event,
        sent_at=datetime.fromtimestamp(date, UTC) if date else now,
        sender_id=str(sender.get("id") or chat["id"]),
        sender_name=_line(f"{sender.get('first_name') or ''} {sender.get('last_name') or ''}"),
        sender_username=_line(sender.get("username")),
        sender_language=_line(sender.get("language_code")),
        message_id=str(message_id or ""),
    )


Found = tuple[Event, Json, Json, Any, Any]


def _message(body: Json) -> Found | None:
    chat = body["chat"]
    sender = body.get("from") or {}
    if not _private(chat) or sender.get("is_bot") or not SERVICE.isdisjoint(body):
        return None
    return _content(body, sender), chat, sender, body.get("date"), body.get("message_id")


def _content(body: Json, sender: Json) -> Event:
    text = clean(_text(body))
    found = COMMAND.match(text)
    if found and found[1].lower() == "start":
        return Opened(text[found.end() :].strip())
    return Message(
        text=text,
        attachments=_attachments(body),
        contact=_contact(body.get("contact"), sender),
        location=_location(body),
        album=str(body.get("media_group_id") or ""),
        command=f"/{found[1].lower()}" if found else "",
    )


def _text(body: Json) -> str:
    """What the client said; of a die or a poll at least what stands on it."""
    said = body.get("text") or body.get("caption")
    if said:
        return str(said)
    for kind, field in (("dice", "emoji"), ("poll", "question")):
        if isinstance(body.get(kind), dict):
            return str(body[kind].get(field) or "")
    return ""


def _attachments(body: Json) -> tuple[Attachment, ...]:
    for kind, ours in MEDIA:
        media = body.get(kind)
        if isinstance(media, dict) and media.get("file_id"):
            return (_attachment(ours, media),)
    photos = [size for size in body.get("photo") or () if isinstance(size, dict) and size.get("file_id")]
    if photos:
        largest = max(photos, key=lambda size: _number(size.get("width")) * _number(size.get("height")))
        return (Attachment("photo", ref=largest["file_id"], mime="image/jpeg", size=_number(largest.get("file_size"))),)
    return ()


def _attachment(kind: AttachmentKind, media: Json) -> Attachment:
    name = _line(media.get("file_name")).replace("/", "_").replace("\\", "_")
    size = _number(media.get("file_size"))
    return Attachment(kind, ref=str(media["file_id"]), name=name, mime=_line(media.get("mime_type")), size=size)


def _contact(contact: Any, sender: Json) -> Contact | None:
    """A card. Only the sender's own user id on it proves a phone; a phone of a Telegram user is always international."""
    if not isinstance(contact, dict) or not contact.get("phone_number"):
        return None
    user = contact.get("user_id")
    phone = _line(contact["phone_number"])
    phone = f"+{phone}" if user and phone.isdigit() else phone
    name = _line(f"{contact.get('first_name') or ''} {contact.get('last_name') or ''}")
    return Contact(phone, name, own=user is not None and user == sender.get("id"))


def _location(body: Json) -> Location | None:
    venue = body.get("venue") if isinstance(body.get("venue"), dict) else {}
    place = (venue or {}).get("location") or body.get("location")
    if not isinstance(place, dict) or "latitude" not in place or "longitude" not in place:
        return None
    address = ", ".join(filter(None, (_line((venue or {}).get(name)) for name in ("title", "address"))))
    return Location(float(place["latitude"]), float(place["longitude"]), address)


def _edited(body: Json) -> Found | None:
    """A change of an earlier message; a live location that moves is none."""
    chat = body["chat"]
    if not _private(chat) or body.get("location"):
        return None
    event = Edited(str(body["message_id"]), clean(_text(body)))
    return event, chat, body.get("from") or {}, body.get("edit_date") or body.get("date"), body["message_id"]


def _callback(body: Json) -> Found | None:
    """A pressed button. The message under it may be inaccessible by now (date 0) or, for old ones, not there at all."""
    token = body.get("data")
    if not token:
        return None
    sender = body["from"]
    message = body.get("message") or {}
    chat = message.get("chat") or {"id": sender["id"], "type": "private"}
    if not _private(chat):
        return None
    return Press(str(token), _label(message, token)), chat, sender, None, message.get("message_id")


def _label(message: Json, token: str) -> str:
    markup = message.get("reply_markup")
    for row in (markup or {}).get("inline_keyboard") or ():
        for button in row:
            if button.get("callback_data") == token:
                return clean(str(button.get("text") or ""))
    return ""


def _member(body: Json) -> Found | None:
    """In a private chat the bot's own membership says whether the client has blocked it."""
    chat = body["chat"]
    status = (body.get("new_chat_member") or {}).get("status")
    if not _private(chat) or status not in {"kicked", "member"}:
        return None
    return Reachability(status == "member"), chat, body.get("from") or {}, body.get("date"), None


KINDS = (
    ("message", _message),
    ("callback_query", _callback),
    ("edited_message", _edited),
    ("my_chat_member", _member),
)


def _private(chat: Json) -> bool:
    """Groups have negative ids; `type` may be missing in an inaccessible message."""
    return chat.get("type", "private") == "private" and int(chat["id"]) > 0


def _line(value: Any) -> str:
    return " ".join(clean(str(value or "")).split())[:NAME_LIMIT]


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
