"""Why a payload leaves no event: a closed list for each channel, worked out from the payload alone, not by its parser.

What has no reason here and left no event would be a silent loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from adapters.payloads import parse_json

Json = Mapping[str, Any]

GROUP = "a chat of several people, or a channel"
OTHERS = "a kind that we do not ask for"
NOTICE = "a notice of the messenger: nobody says anything"
OURS = "our own message"
FOREIGN = "a button of another program"
PLACE_MOVES = "a live location moves"
MEMBERSHIP = "a membership that says nothing of reachability"
PART = "another part of the community"
SEEN = "our message was seen: counted, not kept"
REASONS = frozenset((GROUP, OTHERS, NOTICE, OURS, FOREIGN, PLACE_MOVES, MEMBERSHIP, PART, SEEN))

# What a client can put into a message of Telegram (Bot API 10.3, Message), in any version of the API.
CONTENT = frozenset((
    "text", "caption", "animation", "audio", "document", "live_photo", "paid_media", "photo", "sticker", "story", "video",
    "video_note", "voice", "checklist", "contact", "dice", "game", "poll", "venue", "location", "invoice", "rich_message",
    "web_app_data", "passport_data", "successful_payment", "refunded_payment", "users_shared", "chat_shared", "giveaway",
))  # fmt: skip


def reason(channel: str, raw: bytes) -> str:
    """The reason, "" when there is none. The bytes are nearly JSON: anything else is set aside."""
    value = parse_json(raw)
    return READERS[channel](value if isinstance(value, dict) else {})


# --- Telegram ------------------------------------------------------------------------------------------------------------


def _telegram(update: Json) -> str:
    for kind, why in TELEGRAM.items():
        body = update.get(kind)
        if isinstance(body, dict):
            return why(body)
    return OTHERS if any(name.endswith(("_post", "_query", "_boost")) or name in RARE for name in update) else ""


RARE = frozenset((
    "business_connection", "business_message", "edited_business_message", "deleted_business_messages", "guest_message",
    "message_reaction_count", "chosen_inline_result", "purchased_paid_media", "poll", "poll_answer", "chat_member",
    "chat_join_request", "managed_bot", "subscription", "stopped_message_generation",
))  # fmt: skip


def _group(chat: Any) -> bool:
    id = chat.get("id") if isinstance(chat, dict) else 0
    return isinstance(chat, dict) and (chat.get("type", "private") != "private" or float(id or 0) < 1)


def _message(body: Json) -> str:
    if _group(body.get("chat")):
        return GROUP
    sender = body.get("from")
    if isinstance(sender, dict) and sender.get("is_bot"):
        return OURS
    return "" if any(body.get(name) for name in CONTENT) else NOTICE


def _edited(body: Json) -> str:
    return GROUP if _group(body.get("chat")) else PLACE_MOVES if body.get("location") else ""


def _pressed(body: Json) -> str:
    message = body.get("message")
    if not body.get("data"):
        return FOREIGN
    chat = message.get("chat") if isinstance(message, dict) else None
    return GROUP if _group(chat) or _group({"id": (body.get("from") or {}).get("id")}) else ""


def _member(body: Json) -> str:
    now = body.get("new_chat_member")
    status = now.get("status") if isinstance(now, dict) else None
    return GROUP if _group(body.get("chat")) else "" if status in ("kicked", "member") else MEMBERSHIP


def _marked(body: Json) -> str:
    """Only marks in groups and channels have nobody's name on them."""
    return GROUP if _group(body.get("chat")) or not isinstance(body.get("user"), dict) else ""


TELEGRAM = {
    "message": _message, "callback_query": _pressed, "edited_message": _edited, "my_chat_member": _member,
    "message_reaction": _marked,
}  # fmt: skip


# --- VK ------------------------------------------------------------------------------------------------------------------


def _vk(event: Json) -> str:
    kind, body = str(event.get("type")), event.get("object")
    body = body if isinstance(body, dict) else {}
    if not kind.startswith("message"):
        return PART
    if kind in ("message_read", "message_typing_state", "message_template_status"):
        return NOTICE
    if kind == "message_reaction_event":
        return (
            GROUP if not 0 < float(body["peer_id"]) < 2e9 else "" if body.get("reacted_id") == body["peer_id"] else OURS
        )
    if kind in ("message_allow", "message_deny"):
        return "" if 0 < float(body.get("user_id") or 0) < 2e9 else GROUP
    if kind == "message_event":
        return _vk_button(body)
    return _vk_message(kind, body)


def _vk_button(body: Json) -> str:
    payload = body.get("payload")
    if isinstance(payload, str):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            payload = None
    token = payload.get("t") if isinstance(payload, dict) else None
    return FOREIGN if not (token and isinstance(token, str)) else "" if 0 < body["peer_id"] < 2e9 else GROUP


def _vk_message(kind: str, body: Json) -> str:
    inner = body.get("message")
    message = inner if isinstance(inner, dict) else body
    if not 0 < float(message.get("peer_id") or message.get("from_id") or 0) < 2e9:
        return GROUP
    if message.get("action"):
        return NOTICE
    author = message.get("admin_author_id")
    if kind == "message_reply":
        return "" if isinstance(author, int) and author > 0 else OURS
    others = kind == "message_edit" and message.get("from_id", message.get("peer_id")) != message.get("peer_id")
    return OURS if message.get("out") or others else ""


# --- MAX, the api channel, the web chat ------------------------------------------------------------------------------------


def _max(update: Json) -> str:
    kind, message = update.get("update_type"), update.get("message")
    message = message if isinstance(message, dict) else {}
    if kind not in ("message_created", "message_edited", "message_callback", "message_removed"):
        return OTHERS if kind not in ("bot_started", "bot_stopped") else ""
    recipient, sender, chat = message.get("recipient"), message.get("sender"), update.get("chat_id")
    if kind == "message_removed":
        return GROUP if isinstance(chat, int) and chat < 0 else ""
    if isinstance(recipient, dict) and recipient.get("chat_type", "dialog") != "dialog":
        return GROUP
    if kind == "message_callback":
        pressed = update.get("callback")
        payload = pressed.get("payload") if isinstance(pressed, dict) else None
        return "" if any(sign.isprintable() and not sign.isspace() for sign in _text(payload)) else FOREIGN
    return OURS if isinstance(sender, dict) and sender.get("is_bot") else ""


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _api(body: Json) -> str:
    events = body.get("events", [body])
    return SEEN if all(isinstance(one, dict) and one.get("type") == "seen" for one in events) else ""


def _web(body: Json) -> str:
    return ""


READERS: dict[str, Callable[[Json], str]] = {
    "telegram": _telegram, "vk": _vk, "max": _max, "api": _api, "web": _web,
}  # fmt: skip
