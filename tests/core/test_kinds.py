"""Types come from bytes; pictures that would blow up in memory stay downloads."""

from __future__ import annotations

import struct

import pytest

from core.kinds import UNKNOWN, dimensions, is_inert, label, sniff
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
        (b"MZ", "contract.docx", UNKNOWN),
        (b"PK\x03\x04", "x.zip", "application/zip"),
        (b"PK\x03\x04", "x.txt", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.doc", "application/msword"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.docx", UNKNOWN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.bin", UNKNOWN),
        (b"text with \0 in it", "x.txt", UNKNOWN),
        (b"a;b\n1;2", "X.CSV", "text/csv"),
        (b"\xff\xfb\x90", "x.mp3", "audio/mpeg"),
        (b"ID3\x04", "x", "audio/mpeg"),
        (b"OggS\0", "x.oga", "audio/ogg"),
        (b"\0\0\0\x18ftypisom", "x.mp4", "video/mp4"),
        (b"\0\0\0\x18ftypheic", "IMG_1.HEIC", "image/heic"),
        (b"XXXX\0\0\0\0WEBPVP8 ", "x.webp", UNKNOWN),
    ],
)
def test_the_rest(data: bytes, name: str, mime: str) -> None:
    assert sniff(data, name) == mime


@pytest.mark.parametrize(
    ("name", "mime", "inert"),
    [
        ("photo.jpg", UNKNOWN, True),
        ("photo.jpg", "image/png", False),
        ("photo.jpg.exe", UNKNOWN, False),
        ("logo.SVG", UNKNOWN, True),
        ("page.html ", UNKNOWN, True),
        ("contract.docx", UNKNOWN, True),
        ("data.bin", UNKNOWN, False),
        ("", UNKNOWN, False),
    ],
)
def test_pretenders_are_told(name: str, mime: str, inert: bool) -> None:
    assert is_inert(name, mime) is inert


@pytest.mark.parametrize(
    ("mime", "claimed", "called"),
    [
        (UNKNOWN, "video/quicktime", "video/quicktime"),
        (UNKNOWN, "image/png", UNKNOWN),
        (UNKNOWN, "text/html", UNKNOWN),
        ("image/png", "video/mp4", "image/png"),
        (UNKNOWN, "", UNKNOWN),
    ],
)
def test_a_messenger_is_believed_about_sound_and_film_alone(mime: str, claimed: str, called: str) -> None:
    assert label(mime, claimed) == called


def test_dimensions_of_every_form_of_webp() -> None:
    lossy = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 300, 200) + bytes(2)
    lossless = b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + struct.pack("<I", 299 | 199 << 14)
    assert dimensions(lossy, "image/webp") == dimensions(lossless, "image/webp") == (300, 200)
