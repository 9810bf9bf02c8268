"""Names of files: only names, whatever a client calls a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files import is_trap, parse_name

CASES = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("/", "file"),
    ("..", "file"),
    ("", "file"),
    (".htaccess", "htaccess"),
    ("a\x00.png\x00.exe", "a.png.exe"),
    ("photo\u202egnp.exe", "photognp.exe"),
    ("\u2066a\u2069\u200f.pdf", "a.pdf"),
    ("a\r\nSet-Cookie: x.txt", "a Set-Cookie: x.txt"),
    ("photo.jpg.exe", "photo.jpg.exe"),
    ("half \ud83d of a pair.txt", "half ? of a pair.txt"),
    (" spaces  between .txt ", "spaces between.txt"),
    ("x" * 400 + ".pdf", "x" * 116 + ".pdf"),
    ("no ending" + "x" * 400, "no ending" + "x" * 111),
]


@pytest.mark.parametrize(("name", "expected"), CASES)
def test_a_name_is_only_a_name(name: str, expected: str) -> None:
    assert parse_name(name) == expected


@pytest.mark.parametrize(
    "name", ["../x", "a\\b.txt", "a\x00.png", "x\u202egnp.exe", "a\u200bb.txt", "я" * 128 + ".txt"]
)
def test_traps_are_told_from_names(name: str) -> None:
    assert is_trap(name)


@pytest.mark.parametrize("name", ["", "фото отпуска.jpg", "archive.tar.gz", ".hidden", "😀.png", "語.pdf"])
def test_names_are_no_traps(name: str) -> None:
    assert not is_trap(name)


@pytest.mark.parametrize("letter", ["я", "語", "😀", "e\u0301"])
def test_a_long_name_fits_into_every_file_system(letter: str) -> None:
    parsed = parse_name(letter * 300 + ".docx")
    assert parsed.endswith(".docx")
    assert len(parsed.encode()) <= 255


@given(st.text(alphabet=st.characters(), max_size=400))
def test_any_text_is_a_name_afterwards(name: str) -> None:
    parsed = parse_name(name)
    assert 0 < len(parsed) <= 120
    assert len(parsed.encode()) <= 255
    assert not set(parsed) & set("/\\\x00\r\n\u202e\u2066")
    assert not parsed.startswith(".")
    assert parse_name(parsed) == parsed
