"""The disk fills up under load: 503, nothing acknowledged that is not stored, and all is well when there is space again."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.acceptance.house import SECRET, TOKEN, Gateway, Telegram, until
from tests.acceptance.load import SENT, Load, carried_out, read

SMALL = 3 << 20  # bytes: the first tables and some hundred messages


class Disk:
    """A small disk for the store: a file system of its own where we may mount one, else a limit on the size of its files."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        options = f"size={SMALL}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        self.mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0

    def begin(self, pid: int) -> None:
        """The process is up: from now on its files may not outgrow the disk."""
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL // 2, resource.RLIM_INFINITY))

    def grow(self, pid: int) -> None:
        """There is space again."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=256m", str(self.place)], check=True)
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.place)], check=True)


@asynccontextmanager
async def running(folder: Path, disk: Disk) -> AsyncIterator[tuple[Gateway, Telegram]]:
    async with Telegram(folder, "--fast") as telegram:
        account = {"token": TOKEN, "mode": "webhook", "secret": SECRET, "api_url": telegram.url, "limits": "off"}
        async with Gateway(folder, flood="off", channels__telegram=account) as gateway:
            assert gateway.process.process is not None
            disk.begin(gateway.process.process.pid)
            yield gateway, telegram


async def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "var")
    try:
        async with running(tmp_path, disk) as (gateway, telegram):
            assert gateway.process.process is not None
            load = Load(gateway)
            clients = load.start(8, ["стена слов " * 350, "часы работы", "ещё стена " * 390, "меню"])
            await until(lambda: many(load), "the disk is full", 60)
            grown = len(load.acknowledged)
            disk.grow(gateway.process.process.pid)
            await until(lambda: more(load, grown + 50), "messages are taken again", 30)
            load.over.set()
            await asyncio.gather(*clients)
            await until(lambda: well(gateway), "ready again", 30)
            refused = dict(load.refused)
            assert load.unanswered == []
            assert load.after == {"5"}, "503 says when to come again"
            stored = load.stored()
            assert len(stored) == len(set(stored))
            assert set(load.acknowledged) == set(stored), "acknowledged is stored, refused is not"
            for number, body in refused.items():
                assert await load.post(number, body) == 200, "Telegram comes again"
            assert set(load.stored()) == set(stored) | set(refused)
            await until(lambda: drained(gateway), "all is answered", 40)
            await gateway.stop()
            assert read(gateway, "PRAGMA integrity_check") == [("ok",)]
            assert read(gateway, SENT) == [(len(await carried_out(telegram)),)], "what was sent is known, and went once"
            assert "Traceback" not in gateway.process.said()
    finally:
        disk.close()


async def many(load: Load) -> bool:
    return len(load.refused) >= 40


async def more(load: Load, count: int) -> bool:
    return len(load.acknowledged) >= count


async def well(gateway: Gateway) -> bool:
    return (await gateway.ask("GET", "/readyz"))[0] == 200


async def drained(gateway: Gateway) -> bool:
    return not any([await gateway.metric(f'frontline_store{{what="{what}"}}') for what in ("inbox", "outbox")])
