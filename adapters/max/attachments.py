"""What hangs on a message of MAX, as files or as lines of text: pure, of no kind is nothing left."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from adapters.payloads import Json, address, line, mapping, mappings, number
from core.files import parse_name
from core.locale import Texts, n_
from core.messages import Attachment, Contact, Location
from core.normal import clean

MOST_FILES = 50
EXCERPT = 500  # of a text that stands inside an attachment
CARD_LIMIT = 16_384  # characters of a vCard
VIDEO = "video:"  # a ref with this in front is a token: its addresses are asked for when it is fetched
TEL = re.compile(r"^(?:[\w-]+\.)?TEL[^:\n]*:(?:tel:)?([^\n;]+)", re.IGNORECASE | re.MULTILINE)
NAME = re.compile(r"^FN[^:\n]*:([^\n]+)", re.IGNORECASE | re.MULTILINE)
SILENT = frozenset(("inline_keyboard", "reply_keyboard", "data"))  # ours, or what stands on them is no message

# What has no file of its own, or lacks it, is told in words; unknown kinds by the name that MAX gives them.
NAMES = {
    "image": n_("photo"),
    "video": n_("video"),
    "audio": n_("voice message"),
    "file": n_("file"),
    "sticker": n_("sticker"),
    "contact": n_("contact"),
    "share": n_("link"),
}


class Found(NamedTuple):
    """What hangs on a message: files, the lines that stand for the rest, a card, a place."""

    files: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()
    contact: Contact | None = None
    location: Location | None = None


def read_attachments(body: Json, sender: int, token: str, t: Texts) -> Found:
    """Everything on a message; what is above the limit is counted in a line. `token` proves cards."""
    files: list[Attachment] = []
    notes: list[str] = []
    contact, location = None, None
    for one in mappings(body.get("attachments")):
        kind, payload = line(one.get("type")), mapping(one.get("payload"))
        file = FILES.get(kind, _no_file)(one, payload)
        card = _contact(payload, sender, token) if kind == "contact" and contact is None else None
        place = _location(one) if kind == "location" and location is None else None
        contact, location = contact or card, location or place
        if file is not None and len(files) < MOST_FILES:
            files.append(file)
        elif kind not in SILENT and not (card or place):
            notes.append(_note(kind, one, str(body.get("text") or ""), t))
        notes += [f"«{said}»" for said in (line(one.get("transcription"), EXCERPT),) if said]
    return Found(tuple(files), tuple(note for note in notes if note), contact, location)


def _note(kind: str, one: Json, text: str, t: Texts) -> str:
    """«[link] title · https://…»: what it is, what stands on it, where it is. A link that is in the text needs none."""
    payload = mapping(one.get("payload"))
    url = address(payload.get("url"))
    if kind == "share" and url and url in text:
        return ""
    card = _name(str(payload.get("vcf_info") or "")) or line(mapping(payload.get("max_info")).get("first_name"))
    said = [line(one.get(name), EXCERPT) for name in ("title", "description", "filename")]
    parts = [part for part in (*said, card, url) if part]
    return f"[{t(NAMES[kind]) if kind in NAMES else kind or t(NAMES['file'])}] {' · '.join(parts)}".strip()


# --- files -----------------------------------------------------------------------------------------------------------


def _photo(one: Json, payload: Json) -> Attachment | None:
    url = address(payload.get("url"))
    return Attachment("photo", ref=url, mime="image/jpeg") if url else None


def _sticker(one: Json, payload: Json) -> Attachment | None:
    url = address(payload.get("url"))
    return Attachment("sticker", ref=url, mime="image/png") if url else None


def _video(one: Json, payload: Json) -> Attachment | None:
    token, url = line(payload.get("token"), 2000), address(payload.get("url"))
    ref = VIDEO + token if token else url
    return Attachment("video", ref=ref, mime="video/mp4", duration=float(number(one.get("duration")))) if ref else None


def _audio(one: Json, payload: Json) -> Attachment | None:
    url = address(payload.get("url"))
    return Attachment("voice", ref=url, mime="audio/mpeg", duration=float(number(one.get("duration")))) if url else None


def _file(one: Json, payload: Json) -> Attachment | None:
    url = address(payload.get("url"))
    name = parse_name(str(one.get("filename") or ""))
    return Attachment("file", ref=url, name=name, size=number(one.get("size"))) if url else None


def _no_file(one: Json, payload: Json) -> None:
    return None


FILES: Mapping[str, Callable[[Json, Json], Attachment | None]] = {
    "image": _photo,
    "video": _video,
    "audio": _audio,
    "file": _file,
    "sticker": _sticker,
}


# --- cards and places ------------------------------------------------------------------------------------------------


def _contact(payload: Json, sender: int, token: str) -> Contact | None:
    """A card with a phone. It is the sender's own when MAX has signed it and it names the sender: a card of somebody else is
    signed just as well."""
    card = str(payload.get("vcf_info") or "")[:CARD_LIMIT]
    found = TEL.search(_unfolded(card))
    phone = line(found[1]) if found else ""
    if not phone:
        return None
    user = mapping(payload.get("max_info"))
    proved = is_signed(card, line(payload.get("hash")), token)
    whole = f"+{phone}" if proved and phone.isdecimal() else phone  # MAX leaves the plus of its own users away
    name = _name(card) or line(f"{user.get('first_name') or ''} {user.get('last_name') or ''}")
    return Contact(whole, name, own=proved and sender > 0 and user.get("user_id") == sender)


def is_signed(card: str, signature: str, token: str) -> bool:
    """Whether a card came from MAX as it is: HMAC-SHA256 of its text under the bot's token, hexadecimal. Some transports leave
    the ends of its lines escaped."""
    for text in dict.fromkeys((card, card.replace("\\r\\n", "\r\n"))):
        made = hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        if token and text and hmac.compare_digest(made.encode(), signature.lower().encode("utf-8", "replace")):
            return True
    return False


def _unfolded(card: str) -> str:
    """A vCard with one property to a line (RFC 6350, 3.2)."""
    whole = card.replace("\\r\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n[ \t]", "", whole)


def _name(card: str) -> str:
    found = NAME.search(_unfolded(card[:CARD_LIMIT]))
    return line(clean(found[1])) if found else ""


def _location(one: Json) -> Location | None:
    place = {**mapping(one.get("payload")), **one}
    try:
        latitude, longitude = float(place["latitude"]), float(place["longitude"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return Location(latitude, longitude) if inside else None


def buttons(body: Json) -> Iterator[Json]:
    """The buttons under a message."""
    for one in mappings(body.get("attachments")):
        rows = mapping(one.get("payload")).get("buttons")
        for row in rows if isinstance(rows, list) else ():
            yield from mappings(row)
