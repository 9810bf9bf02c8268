"""A small picture from a client's picture: decoded within bounds, turned upright, written anew with nothing but pixels."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL import Image, ImageOps

from core.kinds import HEAD, INLINE, MAX_PIXELS, sniff

SIDE = 480  # pixels of the longer side: a bubble of the chat on a screen of double density
QUALITY = 80
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
# What Pillow raises for bytes that only begin like a picture.
BROKEN = (
    *(
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
    ),
    *(RuntimeError, MemoryError, AssertionError, Image.DecompressionBombError, Image.DecompressionBombWarning),
)


class NotAPicture(Exception):
    """There is nothing to show: no picture, a broken one, or one too large to be opened."""


def make_thumbnail(path: Path) -> bytes:
    """WebP of at most `SIDE` pixels a side; of an animation the first frame. Raises `NotAPicture`, FileNotFoundError.

    Takes up to 160 MB and a second for the largest picture: call it in a thread, few at a time.
    """
    with path.open("rb") as file:
        if sniff(file.read(HEAD), "") not in INLINE:
            raise NotAPicture("not a picture of sane dimensions")
    try:
        return _encode(_decode(path))
    except BROKEN as error:
        raise NotAPicture(type(error).__name__) from None


def _decode(path: Path) -> Image.Image:
    """The first frame, small and upright."""
    with Image.open(path, formats=FORMATS) as image:
        if not 0 < image.width * image.height <= MAX_PIXELS:
            raise ValueError("too many pixels")
        image.draft("RGB", (SIDE, SIDE))  # a JPEG is read at an eighth, if that is enough
        image.load()
        alpha = image.has_transparency_data
        small = image.convert("RGBA" if alpha else "RGB")
        small.thumbnail((SIDE, SIDE))
        small.getexif().update(image.getexif())
        return ImageOps.exif_transpose(small)


def _encode(picture: Image.Image) -> bytes:
    """Pixels alone: what the client's file says of place, camera, colours or author is not a part of them."""
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
