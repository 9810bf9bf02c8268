"""Thumbnails: small, upright, of pixels alone; and whatever is no picture, or too much of one, is only refused."""

from __future__ import annotations

import asyncio
import io
import random
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from storage.files import kept, thumbnails
from storage.files.cache import Cache
from storage.files.local import LocalFiles
from storage.files.thumbnails import SIDE, NotAPicture, make_thumbnail
from tests.adapters.web.pictures import gif, jpeg, png, webp

RED, BLUE = (255, 0, 0), (0, 0, 255)
SECRET = b"55.7558N 37.6173E"


def painted(kind: str, size: tuple[int, int] = (600, 300), **values: Any) -> bytes:
    """A picture whose left half is red and right half blue."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    out = io.BytesIO()
    picture.save(out, kind, **values)
    return out.getvalue()


def of(folder: Path, data: bytes) -> Image.Image:
    """The thumbnail of the bytes, opened."""
    path = folder / "picture"
    path.write_bytes(data)
    made = Image.open(io.BytesIO(make_thumbnail(path)))
    assert made.format == "WEBP"
    assert max(made.size) <= SIDE
    return made


def is_near(color: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(color, wanted, strict=False))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_becomes_small(tmp_path: Path, kind: str) -> None:
    made = of(tmp_path, painted(kind))
    assert made.size == (SIDE, SIDE // 2)
    assert is_near(made.convert("RGB").getpixel((10, 100)), RED)
    assert is_near(made.convert("RGB").getpixel((SIDE - 10, 100)), BLUE)


def test_a_small_one_is_not_blown_up(tmp_path: Path) -> None:
    assert of(tmp_path, painted("PNG", (20, 10))).size == (20, 10)


TURNED = [
    # EXIF orientation, size of the thumbnail, where the red half is
    (1, (480, 240), (5, 5)),
    (3, (480, 240), (475, 5)),
    (6, (240, 480), (5, 5)),
    (8, (240, 480), (5, 475)),
]


@pytest.mark.parametrize(("orientation", "size", "red"), TURNED)
def test_it_stands_upright(tmp_path: Path, orientation: int, size: tuple[int, int], red: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = of(tmp_path, painted("JPEG", exif=exif))
    assert made.size == size
    assert is_near(made.convert("RGB").getpixel(red), RED)


def test_nothing_but_pixels_is_left(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = "2026:03:04"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    holding: tuple[tuple[str, dict[str, Any]], ...] = (
        ("JPEG", {"exif": exif, "icc_profile": profile, "comment": SECRET}),
        ("PNG", {"exif": exif, "icc_profile": profile}),
        ("WEBP", {"exif": exif, "icc_profile": profile, "xmp": SECRET}),
    )
    for kind, values in holding:
        data = painted(kind, **values)
        assert SECRET in data
        made = of(tmp_path, data)
        assert not made.getexif()
        assert not set(made.info) & {"exif", "icc_profile", "xmp", "comment"}
        assert SECRET not in make_thumbnail(tmp_path / "picture")


def test_of_an_animation_the_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE)]
    for kind in ("GIF", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
        made = of(tmp_path, out.getvalue())
        assert getattr(made, "n_frames", 1) == 1
        assert is_near(made.convert("RGB").getpixel((20, 20)), RED)


def test_what_is_transparent_stays_so(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(out, "PNG")
    assert of(tmp_path, out.getvalue()).convert("RGBA").getpixel((5, 5)) == (0, 0, 0, 0)


def bomb_of_frames() -> bytes:
    """A GIF of 10 × 10 pixels with a frame of 65,535 × 65,535."""
    head = b"GIF89a" + struct.pack("<HH", 10, 10) + b"\x80\0\0" + bytes(6)
    control = b"\x21\xf9\x04" + bytes([2 << 2, 0, 0, 0]) + b"\0"
    return head + control + b"\x2c" + struct.pack("<HHHH", 0, 0, 65_535, 65_535) + b"\0\x02\x02\x4c\x01\0;"


def bomb_of_text() -> bytes:
    """A PNG whose text unfolds into 100 MB."""
    data, text = png(3, 2), b"Comment\0\0" + zlib.compress(bytes(100 << 20))
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    return data[:33] + chunk + data[33:]


HUGE = [png(10_000, 10_000), jpeg(10_000, 10_000), gif(10_000, 10_000), webp(16_000, 16_000)]


@pytest.mark.parametrize("data", HUGE)
def test_a_hundred_megapixels_are_refused_before_they_are_opened(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Image, "open", never)
    monkeypatch.setattr(thumbnails, "BROKEN", ())
    with pytest.raises(NotAPicture, match="sane dimensions"):
        of(tmp_path, data)


def other(kind: str) -> bytes:
    return painted(kind, (30, 30))


NONE = [
    *(
        b"",
        b"\x89PNG\r\n\x1a\n",
        png(3, 2)[:40],
        painted("JPEG")[:300],
        painted("WEBP")[:60],
        b"GIF89a\x01\0\x01\0\0\0\0;",
    ),
    *(b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a\x02\0\x02\0/*<script>*/"),
    *(bomb_of_frames(), bomb_of_text()),
]


@pytest.mark.parametrize("data", NONE)
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NotAPicture):
        of(tmp_path, data)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "TGA", "PDF"])
def test_other_kinds_are_not_even_tried(tmp_path: Path, kind: str) -> None:
    with pytest.raises(NotAPicture, match="sane dimensions"):
        of(tmp_path, other(kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_bytes_that_were_changed_do_no_more_than_fail(tmp_path: Path, kind: str) -> None:
    """A picture, or a refusal: nothing else comes of 150 broken ones."""
    made, chance = painted(kind, (64, 64)), random.Random(kind)
    outcomes = set()
    for _ in range(150):
        data = bytearray(made)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            of(tmp_path, bytes(data))
            outcomes.add("picture")
        except NotAPicture:
            outcomes.add("none")
    assert outcomes == {"picture", "none"}


# --- behind the port -------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "files", cache=Cache(tmp_path / "cache", 1 << 20))


async def test_a_thumbnail_is_made_once(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = await files.keep(painted("PNG"))
    first = await files.thumbnail(sha256)
    monkeypatch.setattr(thumbnails, "make_thumbnail", lambda path: b"another")
    assert await files.thumbnail(sha256) == first
    assert first.read_bytes()[8:12] == b"WEBP"


async def test_what_has_none_is_tried_once(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = await files.keep(png(3, 2)[:40])
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match="no picture"):
            await files.thumbnail(sha256)
        monkeypatch.setattr(thumbnails, "make_thumbnail", lambda path: b"another")
    assert await files.mime(sha256, "x.png") == "application/octet-stream"


async def test_the_type_is_that_of_the_bytes(files: LocalFiles) -> None:
    for data, name, mime in (
        (painted("JPEG"), "x.png.exe", "image/jpeg"),
        (painted("PNG")[:100], "x.png", "application/octet-stream"),
        (b"%PDF-1.7", "x.jpg", "application/pdf"),
        (b"PK\x03\x04 zip", "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ):
        assert await files.mime(await files.keep(data), name) == mime


async def test_an_upload_waits_little_and_the_picture_is_drawn_all_the_same(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(path: Path) -> bytes:
        assert go_on.wait(10)
        return make_thumbnail(path)

    monkeypatch.setattr(thumbnails, "make_thumbnail", slow)
    monkeypatch.setattr(kept, "PATIENCE_SECONDS", 0.01)
    sha256 = await files.keep(painted("PNG"))
    assert await files.mime(sha256, "x.png") == "image/png", "so far its header alone has been read"
    asking = asyncio.create_task(files.thumbnail(sha256))
    leaving = asyncio.create_task(files.thumbnail(sha256))
    await asyncio.sleep(0)
    leaving.cancel()
    go_on.set()
    assert (await asking).stat().st_size > 0


async def test_without_room_for_thumbnails_a_picture_is_one(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    files = LocalFiles(tmp_path / "files", cache=Cache(tmp_path / "cache", 1 << 20))
    assert await files.mime(await files.keep(painted("PNG")), "x.png") == "image/png"
