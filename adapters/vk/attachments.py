"""What VK attaches to a message, as files or as a line of text: pure, of no kind is nothing left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from adapters.payloads import Json, address, line, mapping, mappings, number
from core.files import parse_name
from core.locale import Texts, n_
from core.messages import Attachment, AttachmentKind, Location, Quote
from core.normal import clean

EXCERPT = 500  # of a text that stands inside an attachment
QUOTE_LIMIT = 1_000
DEPTH = 3  # of forwarded messages in forwarded messages
MOST_FILES = 50
FILE = n_("file")
SITE = "https://vk.com/"

# What has no file of its own is told in words; other kinds by the name that VK gives them.
NAMES = {
    "photo": n_("photo"),
    "doc": FILE,
    "audio_message": n_("voice message"),
    "audio": n_("music"),
    "video": n_("video"),
    "video_message": n_("video message"),
    "sticker": n_("sticker"),
    "graffiti": n_("drawing"),
    "wall": n_("wall post"),
    "wall_reply": n_("comment on a wall"),
    "market": n_("goods"),
    "market_album": n_("a selection of goods"),
    "link": n_("link"),
    "poll": n_("poll"),
    "gift": n_("gift"),
    "story": n_("story"),
    "call": n_("call"),
    "article": n_("article"),
    "podcast": n_("podcast"),
    "playlist": n_("playlist"),
    "money_transfer": n_("money transfer"),
    "event": n_("meeting"),
}
KINDS = {"file": "doc", "voice": "audio_message"}  # our words for files → VK's
ALIASES = {"audio_playlist": "playlist", "video_playlist": "playlist", "podcasts": "podcast", "clip": "video"}


# The fields that say what an attachment is, whatever its kind.
SAID = ("artist", "title", "question", "description", "text", "comment")


class Found(NamedTuple):
    """The files of a message and the lines that stand for the rest."""

    files: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


def read_attachments(message: Json, t: Texts) -> Found:
    """Everything that hangs on a message, forwarded messages included; what is above the limit is counted in a line."""
    files: list[Attachment] = []
    notes: list[str] = []
    for part in _parts(message, t, 0):
        if isinstance(part, str):
            notes.append(part)
        elif len(files) < MOST_FILES:
            files.append(part)
        else:
            notes.append(f"[{t(FILE)}: {part.name or part.mime}]")
    return Found(tuple(files), tuple(notes))


def read_location(message: Json) -> Location | None:
    """The place on a message; None when there is none that can be read."""
    geo = mapping(message.get("geo"))
    point = geo.get("coordinates")
    try:  # «46.54 33.41» is how places came in older versions of the API
        pair = point.split() if isinstance(point, str) else (mapping(point)["latitude"], mapping(point)["longitude"])
        latitude, longitude = map(float, pair)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    place = mapping(geo.get("place"))
    where = ", ".join(filter(None, (line(place.get(name)) for name in ("title", "address", "city", "country"))))
    return Location(latitude, longitude, where)


def read_quote(message: Json, t: Texts) -> Quote | None:
    """The message that this one answers, ours or the client's own."""
    answered = mapping(message.get("reply_message"))
    cmid = answered.get("conversation_message_id")
    if not answered:
        return None
    found = read_attachments(answered, t)
    shown = [f"[{t(NAMES.get(KINDS.get(one.kind, one.kind), FILE))}]" for one in found.files]
    said = clean(str(answered.get("text") or "")).strip() or "\n".join([*shown, *found.notes])
    known = isinstance(cmid, int) and cmid > 0
    return Quote(str(cmid) if known else "", said[:QUOTE_LIMIT])


def _parts(message: Json, t: Texts, depth: int) -> Iterator[Attachment | str]:
    for one in mappings(message.get("attachments")):
        kind = line(one.get("type"))
        kind = ALIASES.get(kind, kind)
        yield _read(kind, mapping(one.get(kind) or one.get(line(one.get("type")))), str(message.get("text") or ""), t)
    for forwarded in mappings(message.get("fwd_messages")):
        yield from _forwarded(forwarded, t, depth)


def _forwarded(message: Json, t: Texts, depth: int) -> Iterator[Attachment | str]:
    said = clean(str(message.get("text") or "")).strip()
    yield t("[forwarded] {text}", text=said).strip()
    if depth < DEPTH:
        yield from _parts(message, t, depth + 1)


def _read(kind: str, body: Json, text: str, t: Texts) -> Attachment | str:
    file = READERS.get(kind, _nothing)(body)
    if file is not None:
        return file
    if kind == "link" and line(body.get("url"), 2000) in text and body.get("url"):
        return ""
    return _note(kind, body, t)


def _note(kind: str, body: Json, t: Texts) -> str:
    """«[wall post] title · https://…»: what it is, what stands on it, where it is."""
    name = t(NAMES[kind]) if kind in NAMES else kind or t(FILE)
    said = [line(body.get(field), EXCERPT) for field in SAID]
    said.append(line(mapping(body.get("amount")).get("text")))
    parts = [*dict.fromkeys(part for part in said if part), _address(kind, body)]
    return f"[{name}] {' · '.join(part for part in parts if part)}".strip()


def _address(kind: str, body: Json) -> str:
    known = line(body.get("url") or body.get("view_url"), 2000)
    if known or kind not in {"video", "wall", "photo", "doc", "audio", "poll", "story"}:
        return known
    owner = body.get("owner_id") or body.get("to_id") or body.get("from_id")
    id = body.get("id")
    return f"{SITE}{kind}{owner}_{id}" if isinstance(owner, int) and isinstance(id, int) else ""


# --- files -----------------------------------------------------------------------------------------------------------


def _photo(body: Json) -> Attachment | None:
    sizes = [*mappings(body.get("sizes")), *mappings(body.get("images")), mapping(body.get("orig_photo"))]
    url = _largest(sizes)
    return Attachment("photo", ref=url, mime="image/jpeg") if url else None


def _sticker(body: Json) -> Attachment | None:
    url = _largest([*mappings(body.get("images")), *mappings(body.get("images_with_background"))])
    return Attachment("sticker", ref=url, mime="image/png") if url else None


def _graffiti(body: Json) -> Attachment | None:
    return _file(body, "photo", "url", mime="image/png")


def _doc(body: Json) -> Attachment | None:
    file = _file(body, "file", "url", name=_file_name(body))
    if file is None or not isinstance(body.get("preview"), dict):
        return file
    voice = mapping(mapping(body.get("preview")).get("audio_msg"))  # how voice messages came before API 5.80
    return _voice(voice) or file


def _voice(body: Json) -> Attachment | None:
    return _file(body, "voice", "link_ogg", mime="audio/ogg") or _file(body, "voice", "link_mp3", mime="audio/mpeg")


def _audio(body: Json) -> Attachment | None:
    name = " — ".join(filter(None, (line(body.get("artist")), line(body.get("title")))))
    return _file(body, "audio", "url", mime="audio/mpeg", name=_safe(f"{name}.mp3" if name else ""))


def _nothing(body: Json) -> None:
    return None


READERS: Mapping[str, Callable[[Json], Attachment | None]] = {
    "photo": _photo,
    "sticker": _sticker,
    "graffiti": _graffiti,
    "doc": _doc,
    "audio_message": _voice,
    "audio": _audio,
}


def _file(body: Json, kind: AttachmentKind, field: str, mime: str = "", name: str = "") -> Attachment | None:
    url = address(body.get(field))
    if not url:
        return None
    found = Attachment(kind, ref=url, name=name, mime=mime, size=number(body.get("size")))
    seconds = number(body.get("duration"))
    return msgspec.structs.replace(found, duration=float(seconds)) if seconds else found


def _largest(sizes: list[Json]) -> str:
    shown = [size for size in sizes if address(size.get("url"))]
    best = max(shown, key=lambda size: number(size.get("width")) * number(size.get("height")), default={})
    return address(best.get("url"))


def _file_name(body: Json) -> str:
    """The title is the name; the ending comes apart when the title lacks it."""
    title, ending = line(body.get("title")), line(body.get("ext"), 16)
    missing = ending and not title.lower().endswith(f".{ending.lower()}")
    return _safe(f"{title}.{ending}" if missing else title)


def _safe(name: str) -> str:
    return parse_name(name.replace("/", "_").replace("\\", "_")) if name else ""
