"""Types come from bytes; pictures that would blow up in memory stay downloads."""

from __future__ import annotations

import struct

import pytest

from core.kinds import UNKNOWN, sniff
from tests.adapters.web.pictures import gif, jpeg, png, webp

SMALL = {"image/png": png(3, 2), "image/jpeg": jpeg(3, 2), "image/gif": gif(3, 2), "image/webp": webp(3, 2)}
HUGE = (png(20_000, 20_000), jpeg(20_000, 20_000), gif(20_000, 20_000), webp(16_000, 16_000))


@pytest.mark.parametrize("mime", SMALL)
def test_pictures_are_known_by_their_bytes(mime: str) -> None:
    assert sniff(SMALL[mime], "whatever.txt") == mime


@pytest.mark.parametrize("data", HUGE)
def test_picture_bombs_are_only_bytes(data: bytes) -> None:
    assert sniff(data, "bomb.png") == UNKNOWN


def test_jpeg_dimensions_behind_long_notes() -> None:
    notes = b"".join(b"\xff\xe1" + struct.pack(">H", 60_000) + b"\0" * 59_998 for _ in range(3))
    data = jpeg(3, 2)
    assert sniff(data[:2] + notes + data[2:], "x.jpg") == "image/jpeg"


@pytest.mark.parametrize(
    ("data", "name", "mime"),
    [
        (b"%PDF-1.7", "x", "application/pdf"),
        (b"<html><script>alert(1)</script>", "x.png", UNKNOWN),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg", UNKNOWN),
        (b"<?xml version='1.0'?><svg/>", "x.svg", UNKNOWN),
        (b"hello", "x.txt", "text/plain"),
        (b"PK\x03\x04", "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"MZ", "x.exe", UNKNOWN),
        (b"<script>", "x.html", UNKNOWN),
        (b"\x89PNG\r\n\x1a\n", "cut.png", UNKNOWN),
        (b"\xff\xd8\xff\xe0", "cut.jpg", UNKNOWN),
        (b"RIFF\0\0\0\0WEBPXXXX", "odd.webp", UNKNOWN),
        (b"", "x", UNKNOWN),
    ],
)
def test_the_rest(data: bytes, name: str, mime: str) -> None:
    assert sniff(data, name) == mime
