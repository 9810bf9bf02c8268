"""Photos that invented clients send: a thing on a table with a crack in it, drawn."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 480
TABLES = ((214, 203, 186), (190, 198, 202), (222, 214, 200), (176, 164, 148))
THINGS = ((46, 84, 110), (120, 62, 52), (68, 98, 70), (92, 88, 104))


def draw_photo(seed: int) -> bytes:
    """A JPEG; the same one for the same seed."""
    dice = random.Random(seed)  # noqa: S311  (a picture, not a secret)
    image = Image.new("RGB", (WIDTH, HEIGHT), dice.choice(TABLES))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, HEIGHT * 2 // 3, WIDTH, HEIGHT), fill=tuple(part - 30 for part in dice.choice(TABLES)))
    left, colour = dice.randint(200, 260), dice.choice(THINGS)
    draw.ellipse((left - 20, 400, left + 200, 440), fill=(120, 112, 104))
    draw.rounded_rectangle((left, 120, left + 160, 420), 28, fill=colour)
    draw.rounded_rectangle((left + 16, 60, left + 144, 140), 18, fill=tuple(part + 40 for part in colour))
    draw.rectangle((left + 18, 150, left + 34, 400), fill=tuple(part + 26 for part in colour))
    x, y = left + dice.randint(60, 110), 64
    while y < 230:
        to = x + dice.randint(-22, 22), y + dice.randint(14, 34)
        draw.line((x, y, *to), fill=(240, 236, 228), width=3)
        x, y = to
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()
