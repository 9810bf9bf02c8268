"""VK's events as ours: pure and lenient, a field it does not know or misses never costs a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from adapters.payloads import Unreadable, line
from adapters.vk.attachments import Found, read_attachments, read_location, read_quote
from core.events import ColleagueReply, Edited, Event, Inbound, Message, Opened, Press, Reachability, Reacted
from core.locale import Texts, n_
from core.normal import clean

Json = Mapping[str, Any]

COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:\s+|$)")
LANGUAGES: Mapping[Any, str] = {0: "ru", 1: "uk", 2: "be", 3: "en", 4: "es", 6: "de"}  # `client_info.lang_id`
GROUP_CHATS = 2_000_000_000  # peers from here on are chats of several people
PRESSED = "t"  # where our token stands in the payload of a button
NOTHING = n_("[VK shows nothing of this message here: see it in VK]")
# Events about messages in which nobody says anything to us.
SILENT = frozenset(("message_read", "message_typing_state", "message_template_status"))
# VK tells marks by numbers (messages.getReactionsAssets has their pictures); one that is newer than this list by its number.
MARKS = dict(
    enumerate(["❤", "🔥", "😂", "👍", "💩", "❓", "😭", "😡", "👎", "👌", "😃", "🤔", "🙏", "😘", "😍", "🎉"], 1)
)


class Account(NamedTuple):
    """Whose events these are: the channel's name, the community's id, and the words for notes."""

    channel: str
    group: str
    t: Texts


class Answer(NamedTuple):
    """What a pressed callback button awaits (messages.sendMessageEventAnswer)."""

    event_id: str
    user_id: int
    peer_id: int

    @property
    def external_id(self) -> str:
        """Of the press that awaits it: VK's own id of the button's event is the key that both ways share."""
        return f"b:{self.peer_id}:{line(self.event_id)}"


def parse_event(event: Any, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """One event of the Callback API or of a long poll as inbounds, in order; none for what does not concern us (group
    chats, notices, other parts of the community).

    The same thing has the same `external_id` whichever way it comes, its history included. `now` (UTC) stands in where an
    event has no time of its own. Raises Unreadable.
    """
    try:
        return _parse(event, account, now)
    except KeyError as error:
        raise Unreadable(f"missing {str(error.args[0])[:40]}") from error
    except Unreadable:
        raise
    except (TypeError, AttributeError, ValueError, OverflowError, OSError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error


def parse_message(message: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """A message of the history as the event that told of it would have been. Raises Unreadable."""
    kind = "message_reply" if message.get("out") else "message_new"
    return parse_event({"type": kind, "object": message}, account, now)


def parse_answer(event: Any) -> Answer | None:
    """What must be answered to a pressed callback button; None for other events."""
    if not isinstance(event, dict) or event.get("type") != "message_event":
        return None
    body = event.get("object")
    body = body if isinstance(body, dict) else {}
    id, user, peer = body.get("event_id"), body.get("user_id"), body.get("peer_id")
    known = isinstance(id, str) and isinstance(user, int) and isinstance(peer, int)
    return Answer(str(id), int(user or 0), int(peer or 0)) if known else None


def cropped(event: Any) -> tuple[int, int] | None:
    """Peer and number of a message that VK has cut; None when it is whole."""
    body = _message(_body(event)) if isinstance(event, dict) else {}
    peer, number = body.get("peer_id"), body.get("conversation_message_id")
    return (peer, number) if body.get("is_cropped") and isinstance(peer, int) and isinstance(number, int) else None


def event_time(event: Any) -> float:
    """When what an event tells of happened, seconds since the epoch; 0 when it does not say."""
    body = _message(_body(event)) if isinstance(event, dict) else {}
    at = body.get("update_time") or body.get("date")
    return float(at) if isinstance(at, int | float) else 0.0


def _parse(event: Any, account: Account, now: datetime) -> tuple[Inbound, ...]:
    kind = event["type"]
    parser = KINDS.get(kind)
    if parser is not None:
        return parser(_body(event), event, account, now)
    if str(kind).startswith("message") and kind not in SILENT:
        raise Unreadable("unknown kind")
    return ()


def _body(event: Json) -> Json:
    body = event.get("object")
    if not isinstance(body, dict):
        return {}
    return body


def _message(body: Json) -> Json:
    """The message itself: it stands alone before API 5.103 and in the history, in `message` since."""
    inner = body.get("message")
    return inner if isinstance(inner, dict) else body


# --- messages --------------------------------------------------------------------------------------------------------


def _new(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    message = _message(body)
    peer = _private(message)
    if not peer or message.get("out"):
        return ()
    info = body.get("client_info")
    language = LANGUAGES.get(info.get("lang_id"), "") if isinstance(info, dict) else ""
    makes = _Inbounds(account, str(peer), message, event, now, language)
    said = _said(message, account.t)
    ref = line(message.get("ref"), 255)
    if isinstance(said, Opened) or not ref:
        return (makes.one(makes.key(), said),)
    # VK repeats the mark of a link with every message for a while: it opens once a day.
    day = int(event_time(event)) // 86_400
    return makes.one(f"ref:{peer}:{day}:{ref}", Opened(ref)), makes.one(makes.key(), said)


def _said(message: Json, t: Texts) -> Event:
    """A press of a text button, the Start button, or what was written."""
    text = clean(str(message.get("text") or ""))
    payload = _payload(message.get("payload"))
    if payload.get("command") == "start":
        return Opened(line(message.get("ref"), 255))
    token = payload.get(PRESSED)
    if isinstance(token, str) and token:
        return Press(token, " ".join(text.split()))
    found, place = read_attachments(message, t), read_location(message)
    command = COMMAND.match(text)
    if message.get("is_cropped"):
        found = found._replace(notes=(*found.notes, t("[VK has cut this message: see it in VK]")))
    return Message(
        text=_words(text, found, t) or ("" if found.files or place else t(NOTHING)),
        attachments=found.files,
        location=place,
        command=f"/{command[1].lower()}" if command else "",
        quote=read_quote(message, t),
    )


def _words(text: str, found: Found, t: Texts) -> str:
    """What was written, and a line for each thing that only words can show; empty when there is nothing to see."""
    said = "\n".join(part for part in (text, *found.notes) if part)
    return said if said.strip() else ""


def _reply(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """A message of the community: ours, which we know, or one that a colleague wrote in VK itself."""
    message = _message(body)
    peer, author = _private(message), message.get("admin_author_id")
    if not peer or not isinstance(author, int) or author <= 0:
        return ()
    found = read_attachments(message, account.t)
    text = _words(clean(str(message.get("text") or "")), found, account.t)
    makes = _Inbounds(account, str(peer), message, event, now)
    shown = text or ("" if found.files else account.t(NOTHING))
    return (makes.one(makes.key(), ColleagueReply(f"vk:{author}", shown, found.files)),)


def _edit(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    message = _message(body)
    peer = _private(message)
    if not peer or message.get("out") or message.get("from_id", peer) != peer:
        return ()
    found = read_attachments(message, account.t)
    text = _words(clean(str(message.get("text") or "")), found, account.t)
    makes = _Inbounds(account, str(peer), message, event, now)
    at = message.get("update_time") or message.get("date") or 0
    return (makes.one(f"{makes.key()}:{at}", Edited(makes.number(), text, found.files)),)


class _Inbounds:
    """Makes inbounds of one message. `key` is equal in an event of either kind and in the history: VK numbers the messages
    of a conversation, both ways, without gaps."""

    def __init__(
        self, account: Account, peer: str, message: Json, event: Json, now: datetime, language: str = ""
    ) -> None:
        self.account, self.peer, self.message, self.event = account, peer, message, event
        self.now, self.language = now, language

    def number(self) -> str:
        """The message's number in its conversation, else its id in the community."""
        for name in ("conversation_message_id", "id"):
            if isinstance(self.message.get(name), int) and self.message[name] > 0:
                return str(self.message[name])
        return ""

    def key(self) -> str:
        number = self.number()
        given = self.message.get("conversation_message_id")
        if number:
            return f"m:{self.peer}:{number}" if isinstance(given, int) and given > 0 else f"i:{number}"
        return f"e:{line(self.event['event_id'])}"

    def one(self, key: str, event: Event) -> Inbound:
        date = event_time({"object": self.message})
        return Inbound(
            channel=self.account.channel,
            account=self.account.group,
            external_id=key,
            chat=self.peer,
            event=event,
            sent_at=datetime.fromtimestamp(date, UTC) if date > 0 else self.now,
            sender_id=self.peer,
            sender_language=self.language,
            message_id=self.number(),
        )


# --- the rest --------------------------------------------------------------------------------------------------------


def _event(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """A pressed callback button; one that is not ours is only answered."""
    token = _payload(body.get("payload")).get(PRESSED)
    awaits = parse_answer(event)
    if awaits is None:
        raise Unreadable("a press without its ids")
    peer = awaits.peer_id
    if not 0 < peer < GROUP_CHATS or not isinstance(token, str) or not token:
        return ()
    found = Inbound(
        channel=account.channel,
        account=account.group,
        external_id=awaits.external_id,
        chat=str(peer),
        event=Press(token),
        sent_at=now,
        sender_id=str(peer),
        message_id=line(body.get("conversation_message_id")),
    )
    return (found,)


def _reaction(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """The client's mark on a message, ours or the client's own; without a number it was taken away."""
    peer, number = int(body["peer_id"]), int(body["cmid"])
    if not 0 < peer < GROUP_CHATS or body.get("reacted_id") != peer:
        return ()
    mark = body.get("reaction_id")
    marks = (MARKS.get(mark, f"№{mark}"),) if isinstance(mark, int) and mark > 0 else ()
    key = f"r:{peer}:{number}:{line(event['event_id'])}"
    reacted = Reacted(str(number), marks)
    return (
        Inbound(
            account.channel, account.group, key, str(peer), reacted, now, sender_id=str(peer), message_id=str(number)
        ),
    )


def _allowed(body: Json, event: Json, account: Account, now: datetime) -> tuple[Inbound, ...]:
    """The client lets the community write, or forbids it. Two deliveries of one change have one event id."""
    user = int(body["user_id"])
    if not 0 < user < GROUP_CHATS:
        return ()
    key = f"{event['type']}:{user}:{line(event['event_id'])}"
    happened = Reachability(event["type"] == "message_allow")
    return (Inbound(account.channel, account.group, key, str(user), happened, now, sender_id=str(user)),)


KINDS = {
    "message_new": _new,
    "message_reply": _reply,
    "message_edit": _edit,
    "message_event": _event,
    "message_allow": _allowed,
    "message_deny": _allowed,
    "message_reaction_event": _reaction,
}


def _private(message: Json) -> int:
    """The client of a private conversation; 0 for chats of several people, other communities and service messages."""
    peer = int(message.get("peer_id") or message["from_id"])
    if not 0 < peer < GROUP_CHATS or message.get("action"):
        return 0
    return peer


def _payload(value: Any) -> Json:
    """A button's payload: JSON in a text, or the object itself; nothing when it is broken or another's."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return value if isinstance(value, dict) else {}
