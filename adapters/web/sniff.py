"""The type of a file, from its bytes alone: names and declared types are a client's words."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

INLINE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
MAX_PIXELS = 40_000_000  # a larger picture is a bomb for whoever opens it: it stays a download
UNKNOWN = "application/octet-stream"
HEAD = 32  # bytes that tell the type

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


def sniff(path: Path, name: str) -> str:
    """The mime type of the file. A picture is called one only when its bytes are one of sane dimensions."""
    with path.open("rb") as file:
        mime = magic(file.read(HEAD))
        if mime in INLINE and not _sane(file, mime):
            return UNKNOWN
    return mime or BY_NAME.get(Path(name).suffix.lower(), UNKNOWN)


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


def _sane(file: BinaryIO, mime: str) -> bool:
    width, height = dimensions(file, mime)
    return 0 < width * height <= MAX_PIXELS


def dimensions(file: BinaryIO, mime: str) -> tuple[int, int]:
    """Width and height in pixels from the header; (0, 0) when it cannot be read."""
    file.seek(0)
    head = file.read(HEAD)
    if mime == "image/png":
        return (_big(head[16:20]), _big(head[20:24])) if head[12:16] == b"IHDR" else (0, 0)
    if mime == "image/gif":
        return _little(head[6:8]), _little(head[8:10])
    if mime == "image/webp":
        return _webp(head)
    return _jpeg(file)


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


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    """Walks over the segments to the frame header (SOF0-15 without the tables DHT, JPG, DAC); ITU T.81, B.1.1.3."""
    file.seek(2)
    for _ in range(1000):
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF:
            return 0, 0
        kind, length = marker[1], _big(marker[2:4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            frame = file.read(5)
            return _big(frame[3:5]), _big(frame[1:3])
        file.seek(max(length - 2, 0), 1)
    return 0, 0


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
