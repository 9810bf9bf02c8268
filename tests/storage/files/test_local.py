"""Files in a folder: by content hash, durable, and the same bytes may come from many clients at the same moment."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from core.ports import StorageFull
from storage.files.local import KEY, LocalFiles

DATA = b"bytes of a file"
SHA256 = hashlib.sha256(DATA).hexdigest()


def unfinished(folder: Path) -> list[Path]:
    """What was begun and left."""
    return list(folder.rglob("*.part"))


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "files")


async def test_bytes_lie_under_their_hash_and_come_back(files: LocalFiles, tmp_path: Path) -> None:
    assert await files.keep(DATA) == SHA256
    place = await files.path(SHA256)
    assert place == tmp_path / "files" / SHA256[:2] / SHA256
    assert await files.read(SHA256) == DATA


async def test_the_same_bytes_at_once_are_one_file(files: LocalFiles, tmp_path: Path) -> None:
    for n in range(20):
        data = bytes([n]) * 300_000
        assert len(set(await asyncio.gather(*(files.keep(data) for _ in range(8))))) == 1
        assert await files.read(hashlib.sha256(data).hexdigest()) == data
    assert unfinished(tmp_path) == []


async def test_a_streamed_file_is_adopted_whether_or_not_it_is_known(files: LocalFiles) -> None:
    files.staging.mkdir(parents=True)
    for _ in range(2):
        part = files.staging / "x.part"
        part.write_bytes(DATA)
        await files.adopt(part, SHA256)
        assert not part.exists()
        assert await files.read(SHA256) == DATA


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, SHA256[:63], f"{SHA256}\n", "ab/" + "c" * 61])
async def test_only_a_hash_names_a_file(files: LocalFiles, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        await files.path(name)
    with pytest.raises(FileNotFoundError):
        await files.adopt(files.staging / "x.part", name)


async def test_what_is_not_there_is_said_so(files: LocalFiles) -> None:
    with pytest.raises(FileNotFoundError):
        await files.path(SHA256)


async def test_a_disk_that_refuses_is_full(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file where the folder should be")
    files = LocalFiles(tmp_path / "files", "https://bot.example")
    with pytest.raises(StorageFull):
        await files.keep(DATA)
    with pytest.raises(StorageFull):
        await files.open()
    with pytest.raises(StorageFull):
        files.link("f", 1)


# --- links -----------------------------------------------------------------------------------------------------------


def parts(link: str) -> tuple[str, str]:
    query = dict(part.split("=") for part in link.partition("?")[2].split("&"))
    return query["until"], query["signature"]


async def test_a_link_opens_its_file_until_its_end(tmp_path: Path) -> None:
    now = [1000.0]
    files = LocalFiles(tmp_path, "https://bot.example", clock=lambda: now[0])
    await files.open()
    link = files.link("f/1", 60)
    assert link.startswith("https://bot.example/files/f%2F1?until=1060&signature=")
    until, signature = parts(link)
    assert files.opens("f/1", until, signature)
    assert not files.opens("f/2", until, signature)
    assert not files.opens("f/1", "1061", signature)
    assert not files.opens("f/1", until, signature[:-1] + ("0" if signature[-1] != "0" else "1"))
    for odd in ("", "-1", "1e9", "٣", "9" * 13, "1060 "):
        assert not files.opens("f/1", odd, signature)
    assert not files.opens("f/1", until, "подпись\ud800")
    now[0] = 1060.0
    assert not files.opens("f/1", until, signature)


async def test_the_key_outlives_the_process_and_is_the_owners_alone(tmp_path: Path) -> None:
    first, other, elsewhere = (LocalFiles(tmp_path / name, "https://b.example") for name in ("a", "a", "b"))
    await asyncio.gather(first.open(), other.open(), elsewhere.open())
    until, signature = parts(first.link("f", 60))
    assert other.opens("f", until, signature)
    assert not elsewhere.opens("f", until, signature)
    assert (tmp_path / "a" / KEY).stat().st_mode & 0o077 == 0
    assert unfinished(tmp_path) == []


async def test_a_broken_key_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / KEY).write_bytes(b"short")
    with pytest.raises(StorageFull, match="not a key"):
        await LocalFiles(tmp_path, "https://b.example").open()


async def test_without_a_public_address_there_are_no_links(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    await files.open()
    assert files.link("f", 60) == ""
