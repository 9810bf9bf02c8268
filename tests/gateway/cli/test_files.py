"""`frontline files`, and what `check`, `tickets` and `backup` say of files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path

from aiohttp.test_utils import unused_port

from core.messages import Attachment
from core.ports import StoredFile
from gateway.cli.tickets import _file
from storage import open_store
from tests.gateway.cli.test_commands import CONFIG, Run, home, run

__all__ = ["home", "run"]


def put(home: Path, data: bytes, age: float) -> str:
    """Bytes in the folder of files that came so long ago."""
    sha256 = hashlib.sha256(data).hexdigest()
    place = home / "var/files" / sha256[:2] / sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    os.utime(place, (time.time() - age,) * 2)
    return sha256


async def add_row(home: Path, sha256: str) -> None:
    store = open_store(f"sqlite:///{home}/var/a.db", time.time)
    await store.open()
    await store.add_file(StoredFile("f1", 1, "a.txt", "text/plain", 5, sha256=sha256))
    await store.close()


def test_what_nothing_names_is_counted_and_removed(home: Path, run: Run) -> None:
    named, orphan = put(home, b"named", 200_000), put(home, b"orphan", 200_000)
    asyncio.run(add_row(home, named))
    code, out, _ = run("files")
    assert code == 0
    assert "Files in " in out
    assert "named by nothing: 1, 0.0 MB; begun and never finished: 0." in out
    assert "--remove" in out
    code, out, _ = run("files", "--remove", "--format", "json")
    assert (code, json.loads(out)) == (
        0,
        {"files": 2, "size": 11, "orphans": 1, "orphan_size": 6, "unfinished": 0, "removed": 1},
    )
    assert (home / "var/files" / named[:2] / named).exists()
    assert not (home / "var/files" / orphan[:2] / orphan).exists()


def test_a_bucket_that_does_not_answer(home: Path, run: Run) -> None:
    place = f"s3://our-bucket/a?endpoint=http://127.0.0.1:{unused_port()}"
    source = CONFIG.replace("files: var/files", f'files: "{place}", s3: {{key: AK, secret: canary}}')
    (home / "config.yaml").write_text(source, "utf-8")
    code, out, err = run("check")
    assert code == 0, "a network that is away must not keep anybody from starting"
    assert "C190 the files cannot be reached: s3://our-bucket/a" in out + err
    code, out, err = run("files")
    assert code == 1
    assert "The files cannot be reached: s3://our-bucket/a" in err
    assert "canary" not in out + err


def test_a_backup_says_where_the_files_are(home: Path, run: Run) -> None:
    asyncio.run(add_row(home, ""))
    assert "Copy the folder of the files now: " + str(home / "var/files") in run("backup", "one.db")[1]
    source = CONFIG.replace("files: var/files", 'files: "s3://our-bucket/a"')
    (home / "config.yaml").write_text(source, "utf-8")
    assert "The files are in a bucket, which keeps its own copies: s3://our-bucket/a" in run("backup", "two.db")[1]


def test_a_file_that_never_came_says_why() -> None:
    never = Attachment("video", name="film.mp4", mime="video/mp4", note="more than 20 MB")
    assert _file({"name": never.name, "mime": never.mime, "size": 0, "kind": "video", "error": never.note}) == (
        "film.mp4  video/mp4  more than 20 MB"
    )
    assert _file({"name": "", "mime": "", "size": 3, "kind": "voice"}) == "voice  3"
