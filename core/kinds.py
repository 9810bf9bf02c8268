"""The type of a file, from its bytes: names and declared types are a client's words. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

INLINE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
MAX_PIXELS = 40_000_000  # a larger picture is a bomb for whoever opens it: it stays a download
UNKNOWN = "application/octet-stream"
SIGNATURE = 32  # bytes that tell the kind …
HEAD = (
    1 << 20
)  # … and those that tell the dimensions, too: before the dimensions of a JPEG stand colour profiles and thumbnails

ZIP, OLE = "application/zip", "application/x-ole-storage"
# What the first bytes tell: where they stand, what they are, the type.
SIGNS = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
# Kinds that only their name tells apart: the type, and what their bytes must be. Labels: they are always downloads.
OFFICE = "application/vnd.openxmlformats-officedocument"
BY_NAME = {
    ".txt": ("text/plain", ""),
    ".csv": ("text/csv", ""),
    ".mp3": ("audio/mpeg", ""),  # without ID3 it begins with a frame, which may be anything
    ".doc": ("application/msword", OLE),
    ".xls": ("application/vnd.ms-excel", OLE),
    ".ppt": ("application/vnd.ms-powerpoint", OLE),
    ".docx": (f"{OFFICE}.wordprocessingml.document", ZIP),
    ".xlsx": (f"{OFFICE}.spreadsheetml.sheet", ZIP),
    ".pptx": (f"{OFFICE}.presentationml.presentation", ZIP),
    ".odt": ("application/vnd.oasis.opendocument.text", ZIP),
    ".ods": ("application/vnd.oasis.opendocument.spreadsheet", ZIP),
}
CLAIMS = {
    **{suffix: mime for suffix, (mime, _) in BY_NAME.items()},
    **{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"},
    **{".pdf": "application/pdf", ".zip": ZIP, ".rtf": "application/rtf"},
}
# What a browser would run if it were given to it as what its name says.
ACTIVE = frozenset(
    (".svg", ".svgz", ".html", ".htm", ".xhtml", ".xht", ".shtml", ".mht", ".mhtml", ".xml", ".xsl", ".js", ".mjs")
)


def sniff(head: bytes, name: str) -> str:
    """The mime type of the file that begins so. A picture is called one only when its bytes are one of sane dimensions, a
    document only when its bytes fit its name."""
    mime = magic(head)
    if mime in INLINE and not _sane(head, mime):
        return UNKNOWN
    label, bytes_of = BY_NAME.get(_suffix(name), (UNKNOWN, ""))
    if mime in {"", ZIP, OLE} and bytes_of == mime and not (label.startswith("text/") and b"\0" in head):
        return label
    return mime if mime and mime != OLE else UNKNOWN


def is_inert(name: str, mime: str) -> bool:
    """Whether the file is not what its name says, or something that a browser would run: its bytes lie here and nothing
    more is made of them. `mime` is what `sniff` said."""
    suffix = _suffix(name)
    return suffix in ACTIVE or (suffix in CLAIMS and mime == UNKNOWN)


def label(mime: str, claimed: str) -> str:
    """What a file is called: by its bytes, or where they tell nothing, by the messenger's word for sound and film. Neither
    is ever shown as a picture."""
    return claimed if mime == UNKNOWN and claimed.startswith(("audio/", "video/")) else mime


def magic(head: bytes) -> str:
    """The type that the first bytes tell; empty when they tell none."""
    found = next((mime for at, sign, mime in SIGNS if head.startswith(sign, at)), "")
    return "" if found == "image/webp" and not head.startswith(b"RIFF") else found


def _suffix(name: str) -> str:
    return PurePosixPath(name.strip()).suffix.lower()


def _sane(head: bytes, mime: str) -> bool:
    width, height = dimensions(head, mime)
    return 0 < width * height <= MAX_PIXELS


def dimensions(head: bytes, mime: str) -> tuple[int, int]:
    """Width and height in pixels from the header; (0, 0) when it cannot be read."""
    if mime == "image/png":
        return (_big(head[16:20]), _big(head[20:24])) if head[12:16] == b"IHDR" else (0, 0)
    if mime == "image/gif":
        return _little(head[6:8]), _little(head[8:10])
    return _webp(head) if mime == "image/webp" else _jpeg(head)


def _webp(head: bytes) -> tuple[int, int]:
    form = head[12:16]
    if form == b"VP8X":
        return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    if form == b"VP8 ":
        return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
    if form == b"VP8L":
        bits = _little(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _jpeg(head: bytes) -> tuple[int, int]:
    """Walks over the segments to the frame header (SOF0-15 without the tables DHT, JPG, DAC); ITU T.81, B.1.1.3."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return _big(head[at + 7 : at + 9]), _big(head[at + 5 : at + 7])
        at += 2 + max(_big(head[at + 2 : at + 4]), 2)
    return 0, 0


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
