"""What a message of Telegram's says: files, place, contact, quote, and in words what has none of these. Pure, loses no kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from adapters.payloads import Json, line, mapping, mappings, number
from adapters.telegram.capabilities import DOWNLOAD_BYTES
from core.files import parse_name
from core.locale import Texts, n_
from core.messages import Attachment, AttachmentKind, Contact, Location, Quote
from core.normal import clean

EXCERPT = 500  # of a text that stands inside something else
QUOTE_LIMIT = 1_000
LONGEST_SECONDS = 10_000_000
MOST_LINES = 20  # of what is told in words

# Telegram's word for a single attached file → ours, and its type where Telegram does not tell; the richest first: an
# animation comes with a copy as `document`, a live photo with its picture as `photo`.
MEDIA: tuple[tuple[str, AttachmentKind, str], ...] = (
    ("animation", "video", ""),
    ("live_photo", "video", "video/mp4"),
    ("video", "video", ""),
    ("video_note", "video", ""),
    ("voice", "voice", ""),
    ("audio", "audio", ""),
    ("sticker", "sticker", ""),
    ("document", "file", ""),
)
# How kinds are called where only words can stand for them.
NAMES = {
    "animation": n_("animation"),
    "live_photo": n_("photo"),
    "video": n_("video"),
    "video_note": n_("video message"),
    "voice": n_("voice message"),
    "audio": n_("music"),
    "sticker": n_("sticker"),
    "document": n_("file"),
    "photo": n_("photo"),
    "contact": n_("contact"),
    "location": n_("place"),
    "venue": n_("place"),
    "dice": n_("dice"),
    "poll": n_("poll"),
    "story": n_("story"),
    "game": n_("game"),
    "giveaway": n_("giveaway"),
    "giveaway_winners": n_("giveaway"),
    "invoice": n_("invoice"),
    "checklist": n_("checklist"),
    "paid_media": n_("paid media"),
    "rich_message": n_("formatted message"),
    "users_shared": n_("people shared"),
    "chat_shared": n_("chat shared"),
    "web_app_data": n_("data of a web app"),
    "successful_payment": n_("payment"),
    "refunded_payment": n_("refund"),
    "passport_data": n_("passport data"),
}
# What stands beside the content of a message and is none.
AROUND = frozenset((
    "message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count",
    "sender_business_bot", "sender_tag", "receiver_user", "ephemeral_message_id", "date", "guest_query_id",
    "business_connection_id", "chat", "forward_origin", "is_topic_message", "is_automatic_forward", "reply_to_message",
    "external_reply", "quote", "reply_to_story", "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot",
    "guest_bot_caller_user", "guest_bot_caller_chat", "edit_date", "has_protected_content", "is_from_offline",
    "is_paid_post", "media_group_id", "author_signature", "paid_star_count", "text", "entities", "link_preview_options",
    "suggested_post_info", "effect_id", "caption", "caption_entities", "show_caption_above_media", "has_media_spoiler",
    "reply_markup", "forward_from", "forward_date", "forward_from_chat", "forward_from_message_id",
    "forward_sender_name", "forward_signature",
))  # fmt: skip
EMPTY = n_("[Telegram shows nothing of this message here: see it in Telegram]")


def read_text(body: Json, t: Texts) -> str:
    """What was said, with a line that says so when it is forwarded, and lines for what only words can show.

    Empty only when a file, a contact or a place says all.
    """
    said = clean(str(body.get("text") or body.get("caption") or ""))
    lines = [_forwarded(body, t), said, *_notes(body, t)]
    text = "\n".join(part for part in lines if part)
    return text if text.strip() else "" if _shows(body, t) else t(EMPTY)


def read_attachments(body: Json, t: Texts) -> tuple[Attachment, ...]:
    """The file of a message; one that Telegram does not give out has a note for people in its place."""
    for kind, ours, mime in MEDIA:
        media = body.get(kind)
        if isinstance(media, dict) and media.get("file_id"):
            return (_attachment(ours, media, mime, t),)
    largest = _largest(body.get("photo"))
    return (_attachment("photo", largest, "image/jpeg", t),) if largest else ()


def read_contact(contact: Any, sender: Json) -> Contact | None:
    """A card. Only the sender's own user id on it proves a phone; a phone of a Telegram user is always international."""
    if not isinstance(contact, dict) or not contact.get("phone_number"):
        return None
    user = contact.get("user_id")
    phone = line(contact["phone_number"])
    phone = f"+{phone}" if user and phone.isdigit() else phone
    name = line(f"{contact.get('first_name') or ''} {contact.get('last_name') or ''}")
    return Contact(phone, name, own=user is not None and user == sender.get("id"))


def read_location(body: Json) -> Location | None:
    """The place on a message, with the address of a venue; None when there is none that can be read."""
    venue = mapping(body.get("venue"))
    place = venue.get("location") or body.get("location")
    if not isinstance(place, dict):
        return None
    latitude, longitude = _degrees(place.get("latitude"), 90), _degrees(place.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None
    address = ", ".join(filter(None, (line(venue.get(name)) for name in ("title", "address"))))
    return Location(latitude, longitude, address)


def read_quote(body: Json, t: Texts) -> Quote | None:
    """The message that this one answers, ours or the client's own: the part that the client chose, else its beginning."""
    answered = body.get("reply_to_message")
    chosen = clean(str(mapping(body.get("quote")).get("text") or ""))
    if isinstance(answered, dict) and answered.get("message_id"):
        return Quote(line(answered["message_id"]), (chosen or describe(answered, t))[:QUOTE_LIMIT])
    outer = body.get("external_reply") or ({"story": body["reply_to_story"]} if body.get("reply_to_story") else None)
    if isinstance(outer, dict):
        return Quote("", (chosen or describe(outer, t))[:QUOTE_LIMIT])
    return None


def describe(body: Json, t: Texts) -> str:
    """A whole message in words."""
    said = clean(str(body.get("text") or body.get("caption") or ""))
    if said:
        return said
    kind = next((name for name, _, _ in MEDIA if body.get(name)), "") or next(
        (name for name in ("photo", "contact", "venue", "location") if body.get(name)), ""
    )
    return f"[{t(NAMES[kind])}]" if kind else "\n".join(_notes(body, t))


# --- files -----------------------------------------------------------------------------------------------------------


def _attachment(kind: AttachmentKind, media: Json, mime: str, t: Texts) -> Attachment:
    size = number(media.get("file_size"))
    mime = line(media.get("mime_type")) or mime
    given = media.get("file_name")
    name = parse_name(given) if given and isinstance(given, str) else ""
    if kind == "sticker":
        mime, name = _sticker_type(media), line(media.get("emoji"))
    limit = DOWNLOAD_BYTES // 2**20
    note = t("Telegram gives out no files of more than {limit} MB", limit=limit) if size > DOWNLOAD_BYTES else ""
    found = Attachment(kind, "", line(media["file_id"], 512), name, mime, size, note=note)
    duration = media.get("duration")
    timed = isinstance(duration, int | float) and 0 < duration < LONGEST_SECONDS
    return msgspec.structs.replace(found, duration=float(duration)) if timed else found  # type: ignore[arg-type]


def _sticker_type(media: Json) -> str:
    if media.get("is_animated"):
        return "application/x-tgsticker"
    return "video/webm" if media.get("is_video") else "image/webp"


def _largest(sizes: Any) -> Json | None:
    shown = [size for size in mappings(sizes) if size.get("file_id")]
    return max(shown, key=lambda size: number(size.get("width")) * number(size.get("height")), default=None)


# --- words -----------------------------------------------------------------------------------------------------------


def _forwarded(body: Json, t: Texts) -> str:
    """Who said it first, so that nothing forwarded is taken for the client's own word."""
    origin = body.get("forward_origin")
    if not isinstance(origin, dict):
        if not body.get("forward_date"):  # how it was told before Bot API 7.0
            return ""
        origin = {"sender_user": body.get("forward_from"), "chat": body.get("forward_from_chat")}
        origin["sender_user_name"] = body.get("forward_sender_name")
    who = next(filter(None, (_name(origin.get(field)) for field in ("sender_user", "sender_chat", "chat"))), "")
    who = who or line(origin.get("sender_user_name"))
    return t("[forwarded from {who}]", who=who) if who else t("[forwarded]")


def _name(who: Any) -> str:
    who = mapping(who)
    return line(who.get("title")) or line(f"{who.get('first_name') or ''} {who.get('last_name') or ''}")


def _notes(body: Json, t: Texts) -> Iterator[str]:
    """«[poll] question · option · option»: a line for each part of a message that has no file, kinds of tomorrow too."""
    for kind, value in body.items():
        if kind in WORDS:
            yield _note(t(NAMES[kind]), WORDS[kind](mapping(value)))
        elif kind not in AROUND and kind not in READ and value not in (None, False, (), [], ""):
            yield _note(line(kind.replace("_", " ")), ())


def _note(name: str, said: Iterator[Any] | tuple[()]) -> str:
    parts = list(filter(None, (line(part, EXCERPT) for part in said)))
    return f"[{name}] {' · '.join(dict.fromkeys(parts[:MOST_LINES]))}".strip()


def _shows(body: Json, t: Texts) -> bool:
    """Whether something is read from it: what Telegram only names, without what we need, is nothing to see."""
    card, place = read_contact(body.get("contact"), {}), read_location(body)
    return bool(read_attachments(body, t)) or card is not None or place is not None


def _fields(*names: str) -> Callable[[Json], Iterator[Any]]:
    return lambda body: (body.get(name) for name in names)


def _with_list(*names: str, list_name: str, item: str) -> Callable[[Json], Iterator[Any]]:
    def read(body: Json) -> Iterator[Any]:
        yield from (body.get(name) for name in names)
        yield from (one.get(item) for one in mappings(body.get(list_name)))

    return read


def _story(body: Json) -> Iterator[Any]:
    chat, id = mapping(body.get("chat")), body.get("id")
    yield _name(chat)
    if chat.get("username") and isinstance(id, int):
        yield f"https://t.me/{chat['username']}/s/{id}"


def _people(body: Json) -> Iterator[Any]:
    yield from (_name(one) or one.get("user_id") for one in mappings(body.get("users")))


def _everything(body: Any, depth: int = 0) -> Iterator[Any]:
    """Each text inside, in order: of a rich message no word shall be lost."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in {"text", "title", "caption"} and isinstance(value, str):
                yield value
            elif depth < 12:
                yield from _everything(value, depth + 1)
    elif isinstance(body, list) and depth < 12:
        for one in body:
            yield from _everything(one, depth + 1)


WORDS: Mapping[str, Callable[[Json], Iterator[Any]]] = {
    "dice": _fields("emoji", "value"),
    "poll": _with_list("question", "description", list_name="options", item="text"),
    "story": _story,
    "game": _fields("title", "description"),
    "giveaway": _fields("prize_description"),
    "giveaway_winners": _fields("prize_description"),
    "invoice": _fields("title", "description", "total_amount", "currency"),
    "checklist": _with_list("title", list_name="tasks", item="text"),
    "paid_media": _fields("star_count"),
    "rich_message": _everything,
    "users_shared": _people,
    "chat_shared": _fields("title", "username", "chat_id"),
    "web_app_data": _fields("button_text", "data"),
    "successful_payment": _fields("total_amount", "currency"),
    "refunded_payment": _fields("total_amount", "currency"),
    "passport_data": _fields(),
}
# What is read into a field of its own.
READ = frozenset((*(kind for kind, _, _ in MEDIA), "photo", "contact", "location", "venue"))


def _degrees(value: Any, most: float) -> float | None:
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None
