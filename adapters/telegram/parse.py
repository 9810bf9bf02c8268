"""Telegram's updates as events: pure and lenient, a field it does not know or misses never costs a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.payloads import Unreadable, line
from adapters.telegram.content import (
    NAMES,
    read_attachments,
    read_contact,
    read_location,
    read_quote,
    read_text,
)
from core.events import Edited, Event, Inbound, Message, Opened, Press, Reachability, Reacted, Readdressed
from core.locale import Texts, texts
from core.normal import clean

Json = Mapping[str, Any]

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+|$)")
# Notices of Telegram itself: nobody wrote anything.
SERVICE = frozenset((
    "boost_added", "channel_chat_created", "chat_background_set", "chat_owner_changed", "chat_owner_left",
    "checklist_tasks_added", "checklist_tasks_done", "community_chat_added", "community_chat_joined",
    "community_chat_removed", "connected_website", "delete_chat_photo", "direct_message_price_changed",
    "forum_topic_closed", "forum_topic_created", "forum_topic_edited", "forum_topic_reopened",
    "general_forum_topic_hidden", "general_forum_topic_unhidden", "gift", "gift_upgrade_sent", "giveaway_completed",
    "giveaway_created", "group_chat_created", "left_chat_member", "managed_bot_created",
    "message_auto_delete_timer_changed", "new_chat_members", "new_chat_photo", "new_chat_title",
    "paid_message_price_changed", "pinned_message", "poll_option_added", "poll_option_deleted",
    "proximity_alert_triggered", "suggested_post_approval_failed", "suggested_post_approved",
    "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded", "supergroup_chat_created",
    "unique_gift", "video_chat_ended", "video_chat_participants_invited", "video_chat_scheduled",
    "video_chat_started", "write_access_allowed",
))  # fmt: skip
# Emoji that only Telegram can show, as a sign that there is one.
CUSTOM, PAID = "✨", "⭐"


# Kinds we do not ask for; some may come for a short while after another program has used the bot (Bot API, setWebhook).
UNWANTED = frozenset((
    "channel_post", "edited_channel_post", "business_connection", "business_message", "edited_business_message",
    "deleted_business_messages", "guest_message", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer",
    "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription",
    "stopped_message_generation",
))  # fmt: skip


def parse_update(
    update: Any,
    channel: str,
    account: str,
    now: datetime,
    t: Texts = texts("en"),  # noqa: B008 - a constant
) -> Inbound | None:
    """One update as an `Inbound`; None for kinds and places that are politely ignored (groups, channels, notices).

    `now` (UTC) stands in where the update has no time of its own; `t` are the words for what only words can show.
    Raises Unreadable.
    """
    try:
        return _parse(update, channel, account, now, t)
    except KeyError as error:
        raise Unreadable(f"missing {error.args[0]}") from error
    except Unreadable:
        raise
    except (TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable(type(error).__name__) from error


def callback_id(update: Json) -> str:
    """The id under which a pressed button must be answered; empty for other updates."""
    query = update.get("callback_query")
    return str(query.get("id") or "") if isinstance(query, dict) else ""


def group_of(update: Any) -> int:
    """The group in which somebody wrote to the bot, or put it; 0 for private chats, channels, and where it is no more."""
    for kind in ("message", "my_chat_member"):
        body = update.get(kind) if isinstance(update, dict) else None
        chat = body.get("chat") if isinstance(body, dict) else None
        if isinstance(chat, dict) and chat.get("type") in {"group", "supergroup"} and isinstance(chat.get("id"), int):
            member = (body or {}).get("new_chat_member")
            gone = isinstance(member, dict) and member.get("status") in {"left", "kicked"}
            return 0 if gone or (body or {}).get("migrate_to_chat_id") else int(chat["id"])
    return 0


def _parse(update: Any, channel: str, account: str, now: datetime, t: Texts) -> Inbound | None:
    external_id = f"u:{int(update['update_id'])}"
    for kind, parse in KINDS:
        body = update.get(kind)
        if body is not None:
            found = parse(body, t)
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
        sender_id=_id(sender.get("id")) or str(int(chat["id"])),
        sender_name=line(f"{sender.get('first_name') or ''} {sender.get('last_name') or ''}"),
        sender_username=line(sender.get("username")),
        sender_language=line(sender.get("language_code")),
        message_id=_id(message_id),
    )


Found = tuple[Event, Json, Json, Any, Any]


def _message(body: Json, t: Texts) -> Found | None:
    chat = body["chat"]
    sender = body.get("from") or {}
    if body.get("migrate_to_chat_id"):
        return Readdressed(str(int(body["migrate_to_chat_id"]))), chat, sender, body.get("date"), None
    said = body.get("text") or body.get("caption")
    silent = not (said or SERVICE.isdisjoint(body) or any(body.get(kind) for kind in NAMES))
    if not _private(chat) or sender.get("is_bot") or silent:
        return None
    return _content(body, sender, t), chat, sender, body.get("date"), body.get("message_id")


def _content(body: Json, sender: Json, t: Texts) -> Event:
    text = read_text(body, t)
    found = COMMAND.match(text)
    if found and found[1].lower() == "start":
        return Opened(text[found.end() :].strip())
    album = line(body.get("media_group_id"))
    return Message(
        text=text,
        attachments=read_attachments(body, t),
        contact=read_contact(body.get("contact"), sender),
        location=read_location(body),
        album=album,
        command=f"/{found[1].lower()}" if found else "",
        quote=read_quote(body, t),
        part=int(body.get("message_id") or 0) if album else 0,
    )


def _edited(body: Json, t: Texts) -> Found | None:
    """A change of an earlier message; a live location that moves is none."""
    chat = body["chat"]
    if not _private(chat) or body.get("location"):
        return None
    event = Edited(str(int(body["message_id"])), read_text(body, t), read_attachments(body, t))
    return event, chat, body.get("from") or {}, body.get("edit_date") or body.get("date"), body["message_id"]


def _callback(body: Json, t: Texts) -> Found | None:
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


def _reaction(body: Json, t: Texts) -> Found | None:
    """The marks of a client on a message, all that are there now. Only in private chats: elsewhere they are others'."""
    chat = body["chat"]
    sender = body.get("user")
    if not _private(chat) or not isinstance(sender, dict):
        return None
    marks = tuple(filter(None, (_mark(one) for one in body.get("new_reaction") or () if isinstance(one, dict))))
    return Reacted(str(int(body["message_id"])), marks), chat, sender, body.get("date"), body["message_id"]


def _mark(reaction: Json) -> str:
    if reaction.get("type") == "paid":
        return PAID
    return line(reaction.get("emoji")) or CUSTOM


def _member(body: Json, t: Texts) -> Found | None:
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
    ("message_reaction", _reaction),
)


def _id(value: Any) -> str:
    """An id of Telegram's as a key; nothing for what is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value else ""


def _private(chat: Json) -> bool:
    """Groups have negative ids; `type` may be missing in an inaccessible message."""
    return chat.get("type", "private") == "private" and int(chat["id"]) > 0
