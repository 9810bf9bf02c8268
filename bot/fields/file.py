"""`photo` and `file`: attachments, an album is one answer → a list of file ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from bot.fields.kind import Accepted, FieldKind, Parsed, ValueType, Wrong
from bot.heard import Heard
from bot.model import Field
from bot.numbers import render_plain
from core.locale import Texts
from core.messages import Attachment

MEGABYTE = 1024 * 1024
KEYS = frozenset({"max_files", "max_mb", "formats"})
SAME = {"jpeg": "jpg", "tif": "tiff", "htm": "html"}
MIME = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "application/zip": "zip",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


class File(FieldKind):
    type: ClassVar[str] = "file"
    keys: ClassVar[frozenset[str]] = KEYS
    value_type: ClassVar[ValueType] = "list"

    def takes(self, attachment: Attachment) -> bool:
        """Whether an attachment is of this type at all."""
        return attachment.kind != "sticker"

    def parse(self, field: Field, heard: Heard, now: datetime, t: Texts) -> Parsed:
        """Text beside attachments is not looked at; a text alone is no answer."""
        if not heard.attachments:
            return Wrong(self.ask_again(t)) if heard.text else None
        if not all(self.takes(a) for a in heard.attachments):
            return Wrong(self.ask_again(t))
        return _refusal(field, heard.attachments, t) or Accepted([a.file or a.ref for a in heard.attachments])

    def ask_again(self, t: Texts) -> str:
        return t("Please send a file.")

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return t.plural("{n} file", "{n} files", len(value or ()))


class Photo(File):
    """A picture sent as a file is a photo too."""

    type: ClassVar[str] = "photo"

    def takes(self, attachment: Attachment) -> bool:
        return attachment.kind == "photo" or (attachment.kind == "file" and attachment.mime.startswith("image/"))

    def ask_again(self, t: Texts) -> str:
        return t("Please send a photo.")

    def show(self, field: Field, value: Any, t: Texts) -> str:
        return t.plural("{n} photo", "{n} photos", len(value or ()))


def _refusal(field: Field, attachments: tuple[Attachment, ...], t: Texts) -> Wrong | None:
    """Count, size and format, in this order."""
    if len(attachments) > field.max_files:
        return Wrong(t.plural("Please send at most {n} file.", "Please send at most {n} files.", field.max_files))
    note = next((a.note for a in attachments if a.note), "")
    if note:  # there are no bytes to be had
        return Wrong(f"{note}.")
    if any(a.size > field.max_mb * MEGABYTE for a in attachments):
        return Wrong(t("A file may be at most {size} MB.", size=render_plain(field.max_mb, t.language)))
    wanted = {_same(name) for name in field.formats}
    if wanted and any(file_format(a) not in wanted for a in attachments):
        return Wrong(t("Please send files of these formats: {formats}.", formats=", ".join(field.formats)))
    return None


def file_format(attachment: Attachment) -> str:
    """`jpg`, `pdf`, … by the name, else by the type; messengers send photos without either."""
    _, dot, ending = attachment.name.rpartition(".")
    if dot:
        return _same(ending)
    if attachment.mime:
        return MIME.get(attachment.mime) or _same(attachment.mime.rpartition("/")[2])
    return "jpg" if attachment.kind == "photo" else ""


def _same(name: str) -> str:
    name = name.strip().lower().lstrip(".")
    return SAME.get(name, name)
