"""Small real pictures, made here."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, shade: int = 128) -> bytes:
    """A PNG; above a thousand lines its data is left out, the header alone says the size."""
    rows = b"".join(b"\0" + bytes((shade, 120, 200)) * width for _ in range(height)) if height <= 1000 else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """The beginning of a JPEG, up to its frame header."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(9) + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame


def gif(width: int, height: int) -> bytes:
    """A GIF header."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(width: int, height: int) -> bytes:
    """A WebP header of the extended form."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
