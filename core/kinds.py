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

# Harmless types that only their name tells apart. They are labels: the bytes are always served as a download.
BY_NAME = {
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".zip": "application/zip",
    ".rtf": "application/rtf",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".heic": "image/heic",
}


def sniff(head: bytes, name: str) -> str:
    """The mime type of the file that begins so. A picture is called one only when its bytes are one of sane dimensions."""
    mime = magic(head)
    if mime in INLINE and not _sane(head, mime):
        return UNKNOWN
    return mime or BY_NAME.get(PurePosixPath(name).suffix.lower(), UNKNOWN)


def magic(head: bytes) -> str:
    """The type that the first bytes tell; empty when they tell none."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "application/pdf" if head.startswith(b"%PDF-") else ""


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
