"""Our files as calls of the Bot API: pure. Several go as an album, each by Telegram's own id when it came from the channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from adapters.telegram.capabilities import ALBUM, ALBUM_BYTES, PHOTO_BYTES
from core.ports import StoredFile

VISUAL = frozenset(("photo", "video"))
# Kind and type of a file of ours → how Telegram shows it; everything else is a document.
SHOWN: dict[tuple[str, str], str] = {
    ("video", "video/mp4"): "video",
    ("voice", "audio/ogg"): "voice",
    ("audio", "audio/mpeg"): "audio",
    ("audio", "audio/mp4"): "audio",
    ("sticker", "image/webp"): "sticker",
    ("sticker", "video/webm"): "sticker",
    ("sticker", "application/x-tgsticker"): "sticker",
}
UNCAPTIONED = frozenset(("sticker",))


class Call(NamedTuple):
    """One call: method name, parameters as JSON types, files of ours by the name of the field that carries their bytes, and
    all files that it shows."""

    method: str
    params: dict[str, Any]
    uploads: tuple[tuple[str, StoredFile], ...] = ()
    files: tuple[StoredFile, ...] = ()


def render_files(chat_id: int | str, files: Sequence[StoredFile], channel: str) -> list[Call]:
    """The calls that show the files, in order: neighbours of one kind as albums of two to ten."""
    return [
        _album(chat_id, pack, channel) if len(pack) > 1 else _single(chat_id, pack[0], channel)
        for pack in _packs(files)
    ]


def as_documents(call: Call) -> Call | None:
    """The same files as documents, for pictures that are none; None when they are, or their bytes are not here."""
    if len(call.uploads) != len(call.files) or all(type_of(file) == "document" for file in call.files):
        return None
    if call.method == "sendMediaGroup":
        media = [{**item, "type": "document"} for item in call.params["media"]]
        return call._replace(params={**call.params, "media": media}) if media != call.params["media"] else None
    if not call.uploads or call.method == "sendDocument":
        return None
    return Call("sendDocument", dict(call.params), (("document", call.files[0]),), call.files)


def by_bytes(call: Call) -> Call | None:
    """The files by their bytes, for ids that Telegram knows no more; None when there are no ids, or no bytes."""
    if len(call.uploads) == len(call.files) or not all(file.sha256 for file in call.files):
        return None
    if call.method == "sendMediaGroup":
        media = [{**item, "media": f"attach://file{n}"} for n, item in enumerate(call.params["media"])]
        uploads = tuple((f"file{n}", file) for n, file in enumerate(call.files))
        return call._replace(params={**call.params, "media": media}, uploads=uploads)
    field = call.method.removeprefix("send").lower()
    kept = {name: value for name, value in call.params.items() if name != field}
    return call._replace(params=kept, uploads=((field, call.files[0]),))


def can_hold(call: Call, name: str) -> bool:
    """Whether a call takes a caption (`caption`), or buttons (`reply_markup`)."""
    if name == "caption":
        return call.method.removeprefix("send").lower() not in UNCAPTIONED
    return call.method != "sendMediaGroup"


def put_caption(call: Call, caption: dict[str, Any]) -> None:
    """The text beside files: under a picture album it stands at the first, under documents and music at the last, which is
    where Telegram's apps show one text for all."""
    if call.method != "sendMediaGroup":
        call.params.update(caption)
        return
    media = call.params["media"]
    media[0 if media[0]["type"] in VISUAL else -1].update(caption)


def type_of(file: StoredFile) -> str:
    """How Telegram shows a file. A huge picture goes as a document."""
    if file.kind == "photo":
        return "photo" if file.size <= PHOTO_BYTES else "document"
    return SHOWN.get((file.kind, file.mime.partition(";")[0]), "document")


def _packs(files: Sequence[StoredFile]) -> Iterator[list[StoredFile]]:
    """Neighbours that may stand in one album."""
    pack: list[StoredFile] = []
    for file in files:
        full = len(pack) == ALBUM or sum(one.size for one in pack) + file.size > ALBUM_BYTES
        if pack and (full or not _match(type_of(pack[0]), type_of(file))):
            yield pack
            pack = []
        pack.append(file)
    if pack:
        yield pack


def _match(one: str, other: str) -> bool:
    """Documents and music only go with their like; voice and stickers stand alone."""
    return {one, other} <= VISUAL or (one == other and one in {"document", "audio"})


def _single(chat_id: int | str, file: StoredFile, channel: str) -> Call:
    field = type_of(file)
    params: dict[str, Any] = {"chat_id": chat_id}
    known = _is_known(file, channel)
    if known:
        params[field] = file.ref
    return Call(f"send{field.capitalize()}", params, () if known else ((field, file),), (file,))


def _album(chat_id: int | str, files: Sequence[StoredFile], channel: str) -> Call:
    media, uploads = [], []
    for n, file in enumerate(files):
        known = _is_known(file, channel)
        media.append({"type": type_of(file), "media": file.ref if known else f"attach://file{n}"})
        if not known:
            uploads.append((f"file{n}", file))
    return Call("sendMediaGroup", {"chat_id": chat_id, "media": media}, tuple(uploads), tuple(files))


def _is_known(file: StoredFile, channel: str) -> bool:
    return bool(file.ref) and file.channel == channel
