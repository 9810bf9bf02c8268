"""Wicked files, names and buttons, by every messenger: inert data or a refusal, counted, and the next good word is answered."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.kinds import INLINE
from tests.acceptance.hands import ALL, Hand, Stage, Way
from tests.acceptance.house import until
from tests.adapters.web.pictures import gif, jpeg, png

pytestmark = pytest.mark.asyncio(loop_scope="module")
# One way into each messenger, and both ways in which files of the channel `api` come.
WAYS = [way for way in ALL if way.name in {
    "telegram-polling", "vk-longpoll", "max-polling", "web-http", "api-upload", "api-url",
}]  # fmt: skip


def bomb() -> bytes:
    """An archive of 32 KB with 32 MB of nothing in it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(32 << 20))
    return data.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
# What it is called, what it is, and whether it is a picture that may be shown.
FILES = {
    "svg": ("logo.svg", SVG, False),
    "svg called a picture": ("logo.png", SVG, False),
    "html": ("index.html", HTML, False),
    "html called a picture": ("photo.jpg", HTML, False),
    "gif and script at once": ("x.gif", b"GIF89a/*\xff\xff*/=alert(1)//", False),
    "picture and archive at once": ("x.png", png(8, 8) + bomb()[-2_000:], True),
    "a hundred megapixels": ("huge.png", png(10_000, 10_001), False),
    "a gif of 65,535 squared": ("huge.gif", gif(65_535, 65_535), False),
    "a jpeg of 65,500 squared": ("huge.jpg", jpeg(65_500, 65_500), False),
    "zip bomb": ("x.zip", bomb(), False),
    "a program with two endings": ("invoice.pdf.exe", b"MZ\x90\x00" + bytes(60), False),
}
NAMES = (
    "../../../etc/passwd.txt",
    "..\\..\\boot.txt",
    "\u202etxt.exe",
    "a\u0000b\r\nSet-Cookie: x.txt",
    ".htaccess.txt",
    "ж" * 190 + ".txt",
)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=WAYS, ids=lambda way: way.name)
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    way: Way = request.param
    async with way.open(tmp_path_factory.mktemp(way.name)) as opened:
        yield opened
        await opened.end()


async def kept(stage: Stage, count: int) -> list[dict[str, Any]]:
    """The newest files, once nothing of them is under way."""

    async def fetched() -> list[dict[str, Any]]:
        rows = stage.rows("SELECT name, mime, kind, size, sha256, error FROM files ORDER BY rowid DESC LIMIT ?", count)
        found = [dict(zip(("name", "mime", "kind", "size", "sha256", "error"), row, strict=True)) for row in rows]
        return found if len(found) == count and all(one["sha256"] or one["error"] for one in found) else []

    found: list[dict[str, Any]] = await until(fetched, "the files are kept")
    return found[::-1]


async def next_word_is_answered(hand: Hand) -> None:
    """Whoever was not understood so often waits for a person while the line is open, and is asked about that first."""
    said = len(await hand.texts())
    await hand.say("меню")

    async def answered() -> bool:
        fresh = (await hand.texts())[said:]
        return any(words in text for text in fresh for words in ("Чем помочь?", "Выйти из очереди?"))

    await until(answered, "the next good word is answered")


async def test_wicked_files_are_bytes_and_nothing_more(stage: Stage) -> None:
    """The type is told by the bytes; only what is a picture of sane size may be shown, and nobody's word makes it one."""
    hand = await stage.hand()
    await hand.say("меню", "Чем помочь?")
    for name, data, _ in FILES.values():
        await hand.document(name, data)
        await stage.quiet()
    for (name, data, shown), file in zip(FILES.values(), await kept(stage, len(FILES)), strict=True):
        assert (file["mime"] in INLINE) == shown, name
        assert not any(word in file["mime"] for word in ("html", "svg", "xml", "script")), name
        assert file["size"] == len(data), name
        assert stage.gateway.stored(file) == data, name
    counter = f'frontline_door_total{{channel="{stage.channel}",what="inert_file"}}'
    assert await stage.gateway.metric(counter) >= 4
    await next_word_is_answered(hand)


async def test_names_of_files_are_only_names(stage: Stage) -> None:
    """Nobody can put a control character into the name of a form's file: there those names are left out. The channel `api`
    refuses names above 200 letters outright (tests/adapters/api)."""
    names = [name for name in NAMES if not stage.forms or name.isprintable() or "\u202e" in name]
    hand = await stage.hand()
    for name in names:
        await hand.document(name, b"hello\n")
        await stage.quiet()
    for file in await kept(stage, len(names)):
        assert not set(file["name"]) & set("/\\\u202e\u0000\r\n"), file
        assert not file["name"].startswith("."), file
        assert len(file["name"].encode()) <= 255, file
    await next_word_is_answered(hand)


async def test_a_button_of_another_conversation_does_nothing(stage: Stage) -> None:
    """Its token is none here: the form stays where it is, and its own answer goes on."""
    one, other = await stage.hand(), await stage.hand()
    for hand in (one, other):
        await hand.begin("Напишите номер заказа")
        await hand.say("123456", "На какой телефон")
    await one.phone("+79161234567", "Почему возвращаете")
    shown = [
        json.loads(row) for (row,) in stage.rows("SELECT message FROM messages WHERE message IS NOT NULL ORDER BY at")
    ]
    token = next(
        row[0]["token"] for message in reversed(shown) for row in message.get("rows", ()) if row[0].get("token")
    )
    tickets = stage.rows("SELECT count(*) FROM tickets")
    await other.forge(token)
    await other.forge("1.2.3.4.forged")
    await stage.quiet()
    assert stage.rows("SELECT count(*) FROM tickets") == tickets
    await other.phone("+79161234567", "Почему возвращаете")
    await other.press("Брак или поломка", "Опишите")
