"""A whole installation moves while it is in use: dialogues, queue, tickets, files and timers go on where they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from core.events import Message
from core.messages import Attachment
from gateway.app import Gateway
from gateway.clock import utc_now
from gateway.config import read_config
from storage.migrate import migrate_postgres
from storage.moving import move
from tests.gateway.house import FORM, HELLO, PEOPLE, SHOP, Recorder, inbound
from tests.postgres import cluster

CONFIG = """\
http: {port: 0}
storage: {url: "${DATABASE_URL}"}
flood: off
publish: manual
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}}
desks: {general: {title: Обращения}}
channels: {telegram: {kind: telegram, token: "1:a", line: support}}
"""
PHOTO = Message(attachments=(Attachment("photo", ref="p1", name="фото.png", mime="image/png", size=3),))


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with cluster() as server:
        url = server.url(server.create())
        migrate_postgres(url)
        yield url


class Installation:
    """One folder with flows; the gateway is started on this or that database."""

    def __init__(self, folder: Path, silence: str = "15m") -> None:
        self.folder, self.channel, self.numbers = folder, Recorder(), 0
        (folder / "flows").mkdir()
        for name, text in {
            "_bot": SHOP.replace("15m", silence),
            "hello": HELLO,
            "people": PEOPLE,
            "form": FORM,
        }.items():
            (folder / "flows" / f"{name}.yaml").write_text(text, "utf-8")
        self.channel.files["p1"] = b"png"

    @asynccontextmanager
    async def serving(self, url: str) -> AsyncIterator[Gateway]:
        config, findings = read_config(CONFIG, self.folder / "config.yaml", {"DATABASE_URL": url})
        assert config is not None, findings
        gateway = Gateway(config, channels={"telegram": self.channel})
        await gateway.start()
        try:
            yield gateway
        finally:
            await gateway.stop()

    async def say(self, gateway: Gateway, chat: str, event: Message | str) -> None:
        self.numbers += 1
        await gateway.intake.accept([inbound(self.numbers, event, chat, utc_now())])

    def told(self, chat: str) -> list[str]:
        """What a client saw."""
        return [row.message.body.text for row in self.channel.rows if row.chat == chat and row.message]

    def asked(self, chat: str, times: int) -> bool:
        return len(self.told(chat)) == times

    async def until_true(self, found: Callable[[], Awaitable[object]], seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while not await found():
                await asyncio.sleep(0.01)

    async def until(self, found: Callable[[], object], seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while not found():
                await asyncio.sleep(0.01)


async def test_everything_goes_on_where_it_was(tmp_path: Path, target: str) -> None:
    home, file = Installation(tmp_path), tmp_path / "frontline.db"
    async with home.serving(f"sqlite:///{file}") as before:
        await home.say(before, "1", "заявка")
        await home.say(before, "1", "+7 916 123-45-67")
        await home.say(before, "1", PHOTO)
        await home.until(lambda: "Заявка 1" in home.told("1"))
        await home.say(before, "2", "заявка")
        await home.until(lambda: home.told("2"))
        await home.say(before, "3", "человек")
        (queued,) = await before.store.queue()
        assert not (await move(file, target)).complete  # the first pass, beside it
        await home.say(before, "4", "заявка")
        await home.until(lambda: home.told("4"))
    moved = await move(file, target)
    assert moved.complete
    async with home.serving(target) as after:
        # the forms go on with the next question
        for chat in ("2", "4"):
            await home.say(after, chat, "+7 916 123-45-68")
            await home.until(partial(home.asked, chat, 2))
            assert home.told(chat) == ["Ваш телефон?", "Пришлите фото."]
        # the session keeps its place
        (still,) = await after.store.queue()
        assert (still["conversation"], still["since"]) == (queued["conversation"], queued["since"])
        # the ticket, its file on the disk, the next number
        (ticket,) = await after.store.tickets()
        await home.until_true(lambda: fetched(after, ticket.files[0]))
        stored = await after.store.file(ticket.files[0])
        assert stored is not None
        assert (tmp_path / "var/files" / stored.sha256[:2] / stored.sha256).read_bytes() == b"png"
        await home.say(after, "2", PHOTO)
        await home.until(lambda: "Заявка 2" in home.told("2"))
    keys = [row.key for row in home.channel.rows]
    assert len(set(keys)) == len(keys)  # nothing was sent twice


async def test_a_timer_fires_after_the_move(tmp_path: Path) -> None:
    """Set on SQLite, due on PostgreSQL: once."""
    home, file = Installation(tmp_path, silence="8s"), tmp_path / "frontline.db"
    with cluster() as server:
        url = server.url(server.create())
        async with home.serving(f"sqlite:///{file}") as before:
            await home.say(before, "1", "заявка")
            await home.until_true(before.store.next_due)
        await move(file, url)
        assert home.told("1") == ["Ваш телефон?"]
        async with home.serving(url):
            await home.until(lambda: len(home.told("1")) > 1, 40.0)
    assert home.told("1") == ["Ваш телефон?", "Вы ещё здесь?"]


async def fetched(gateway: Gateway, file: str) -> bool:
    """Whether the bytes are on the disk."""
    stored = await gateway.store.file(file)
    return stored is not None and bool(stored.sha256)
