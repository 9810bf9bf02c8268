"""MAX's updates as events: pure and lenient, a field it does not know or misses never costs a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.max.attachments import Found, buttons, read_attachments
from adapters.payloads import Json, Unreadable, line, mapping, number
from core.events import Edited, Event, Inbound, Message, Opened, Press, Reachability, Removed
from core.locale import Texts
from core.messages import Quote
from core.normal import clean

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@\w+)?(?:\s+|$)")
LINK_LIMIT = 512
# Kinds that we do not ask for: another program that uses the bot may have. Of group chats we hear nothing else.
UNWANTED = frozenset((
    "bot_added", "bot_removed", "user_added", "user_removed", "chat_title_changed", "message_chat_created",
    "dialog_cleared", "dialog_removed", "dialog_muted", "dialog_unmuted", "comment_created", "comment_edited",
    "comment_removed", "message_construction_request", "message_constructed",
))  # fmt: skip


class Account(NamedTuple):
    """Whose updates these are: the channel's name, the bot's token, which proves phones, the words for notes, and the bot's
    own id once MAX has told it."""

    channel: str
    token: str
    t: Texts
    bot: int = 0


Happening = tuple[Event, Json, str]  # what happened, to or by whom, and what names it among its kind


def parse_update(update: Any, account: Account, now: datetime) -> Inbound | None:
    """One update as an `Inbound`; None for kinds and places that are politely ignored (groups, channels, notices).

    The same update has the same `external_id` whichever way it comes. A conversation is named by the client's id: a
    press carries it even when the message under the button is gone. `now` (UTC) stands in where an update has no time of
    its own. Raises Unreadable.
    """
    try:
        return _parse(update, account, now)
    except KeyError as error:
        raise Unreadable(f"missing {str(error.args[0])[:40]}") from error
    except Unreadable:
        raise
    except (TypeError, AttributeError, ValueError, OverflowError, OSError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error


def callback_id(update: Any) -> str:
    """The id under which a pressed button must be answered; empty for other updates."""
    return line(mapping(mapping(update).get("callback")).get("callback_id"), 1000)


def dialog_of(update: Any) -> tuple[int, int]:
    """The client of an update and the chat that MAX names beside; zeros where it names none."""
    whole = mapping(update)
    message, callback = mapping(whole.get("message")), mapping(whole.get("callback"))
    user = mapping(callback.get("user")) or mapping(message.get("sender")) or mapping(whole.get("user"))
    chat = whole.get("chat_id") or mapping(message.get("recipient")).get("chat_id")
    return number(user.get("user_id")), chat if isinstance(chat, int) else 0


def group_of(update: Any) -> int:
    """The chat of several people that the bot was put into; 0 for other updates, and for channels, where nobody talks."""
    whole = mapping(update)
    chat = whole.get("chat_id")
    put = whole.get("update_type") == "bot_added" and not whole.get("is_channel")
    return chat if put and isinstance(chat, int) else 0


def strange(update: Any, bot: int) -> bool:
    """Whether a message in an update is of a dialog with another bot."""
    message = mapping(mapping(update).get("message"))
    ids = {mapping(message.get(name)).get("user_id") for name in ("recipient", "sender")} - {None}
    return bool(bot and ids and _is_dialog(message) and len(ids) > 1 and bot not in ids)


def _parse(update: Any, account: Account, now: datetime) -> Inbound | None:
    kind = update["update_type"]
    reader = KINDS.get(kind)
    if reader is None:
        if kind in UNWANTED:
            return None
        raise Unreadable("unknown kind")
    found = reader(update, account)
    return found and _inbound(*found, update, account, now)


def _inbound(event: Event, user: Json, subject: str, update: Json, account: Account, now: datetime) -> Inbound:
    id, at = user["user_id"], number(update.get("timestamp"))
    if not number(id):
        raise Unreadable("nobody's")
    message = mapping(update.get("message"))
    mid = line(mapping(message.get("body")).get("mid"), LINK_LIMIT)
    name = f"{user.get('first_name') or ''} {user.get('last_name') or ''}".strip() or user.get("name")
    # A message is created once; all else may happen to it again.
    key = f"m:{mid}" if isinstance(event, Message | Opened) and mid else f"{update['update_type']}:{at}:{subject or id}"
    return Inbound(
        channel=account.channel,
        account=account.channel,
        external_id=key,
        chat=str(id),
        event=event,
        sent_at=datetime.fromtimestamp(at / 1000, UTC) if at else now,
        sender_id=str(id),
        sender_name=line(name),
        sender_username=line(user.get("username")),
        sender_language=line(update.get("user_locale")),
        message_id=mid,
    )


# --- messages --------------------------------------------------------------------------------------------------------


def _created(update: Json, account: Account) -> Happening | None:
    message = update["message"]
    sender = mapping(message.get("sender"))
    if not _is_dialog(message) or sender.get("is_bot"):
        return None
    return _said(message, sender, account), sender, ""


def _said(message: Json, sender: Json, account: Account) -> Event:
    body, linked = mapping(message.get("body")), mapping(message.get("link"))
    text = clean(str(body.get("text") or ""))
    command = COMMAND.match(text)
    if command and command[1].lower() == "start":
        return Opened(text[command.end() :].strip()[:LINK_LIMIT])
    found = _content(body, linked, sender, account)
    said = "\n".join(part for part in (text, *found.notes) if part)
    if not (said or found.files or found.contact or found.location):
        said = account.t("[MAX shows nothing of this message here: see it in MAX]")
    return Message(
        text=said,
        attachments=found.files,
        contact=found.contact,
        location=found.location,
        command=f"/{command[1].lower()}" if command else "",
        quote=_quote(linked),
    )


def _content(body: Json, linked: Json, sender: Json, account: Account) -> Found:
    """What hangs on the message, and on one that it forwards: that one's text is a line, its card proves nothing."""
    found = read_attachments(body, number(sender.get("user_id")), account.token, account.t)
    if linked.get("type") != "forward":
        return found
    inner = mapping(linked.get("message"))
    told = account.t("[forwarded] {text}", text=clean(str(inner.get("text") or "")).strip()).strip()
    more = read_attachments(inner, 0, account.token, account.t)
    return Found(
        found.files + more.files,
        (*found.notes, told, *more.notes),
        found.contact or more.contact,
        found.location or more.location,
    )


def _quote(linked: Json) -> Quote | None:
    if linked.get("type") != "reply":
        return None
    inner = mapping(linked.get("message"))
    mid = line(inner.get("mid"), LINK_LIMIT)
    return Quote(mid, clean(str(inner.get("text") or ""))) if mid else None


def _edited(update: Json, account: Account) -> Happening | None:
    message = update["message"]
    sender, body = mapping(message.get("sender")), mapping(message.get("body"))
    if not _is_dialog(message) or sender.get("is_bot"):
        return None
    mid = line(body["mid"], LINK_LIMIT)
    found = _content(body, mapping(message.get("link")), sender, account)
    said = "\n".join(part for part in (clean(str(body.get("text") or "")), *found.notes) if part)
    return Edited(mid, said, found.files), sender, mid


def _removed(update: Json, account: Account) -> Happening | None:
    """The client took a message away; not in a group (MAX numbers those below 0), and it was not ourselves."""
    mid, user, chat = line(update["message_id"], LINK_LIMIT), update["user_id"], update.get("chat_id")
    if not mid:
        raise Unreadable("missing message_id")
    if (account.bot and user == account.bot) or (isinstance(chat, int) and chat < 0):
        return None
    return Removed(mid), {"user_id": user}, mid


# --- the rest --------------------------------------------------------------------------------------------------------


def _callback(update: Json, account: Account) -> Happening | None:
    """A pressed button. The message under it may be gone by now."""
    callback, message = update["callback"], mapping(update.get("message"))
    token = line(callback.get("payload"), 1024)
    if not token or (message and not _is_dialog(message)):
        return None
    body = mapping(message.get("body"))
    label = next((line(one.get("text")) for one in buttons(body) if one.get("payload") == token), "")
    return Press(token, label), callback["user"], callback_id(update)[:256]


def _started(update: Json, account: Account) -> Happening:
    return Opened(line(update.get("payload"), LINK_LIMIT)), update["user"], ""


def _stopped(update: Json, account: Account) -> Happening:
    return Reachability(False), update["user"], ""


KINDS: Mapping[str, Callable[[Json, Account], Happening | None]] = {
    "message_created": _created,
    "message_callback": _callback,
    "message_edited": _edited,
    "message_removed": _removed,
    "bot_started": _started,
    "bot_stopped": _stopped,
}


def _is_dialog(message: Json) -> bool:
    """Chats of several people and channels have other types; ids tell nothing."""
    kind = mapping(message.get("recipient")).get("chat_type", "dialog")
    return bool(kind == "dialog")
