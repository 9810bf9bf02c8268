"""Files: streamed, capped, typed by content, served to their owner only and never as something that runs."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from core.messages import Attachment, Outgoing
from core.ports import StoredFile
from core.rich import plain
from tests.adapters.web.conftest import Open, Visitor, visit
from tests.adapters.web.corpus import FILE_NAMES
from tests.adapters.web.house import House
from tests.adapters.web.pictures import png

Client = TestClient[Any, Any]
PICTURE = png(4, 3)
FORM = "multipart/form-data; boundary=b"


def files_under(folder: Path) -> list[Path]:
    """All files in a folder and below it; not the thumbnails."""
    return [path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts]


async def test_a_picture_goes_and_comes(visitor: Visitor, house: House) -> None:
    file = await visitor.uploaded(PICTURE)
    assert file == {
        "id": file["id"], "name": "cat.png", "mime": "image/png", "size": len(PICTURE), "image": True,
        "thumb": f"files/{file['id']}/thumb",
    }  # fmt: skip
    await visitor.said("m1", text="look", files=[file["id"]])
    event = house.accepted[-1].event
    assert getattr(event, "attachments", ()) == (
        Attachment("photo", file["id"], "", "cat.png", "image/png", len(PICTURE)),
    )
    answer = await visitor.file(file["id"])
    assert await answer.read() == PICTURE
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''cat.png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert [item.get("files") for item in (await visitor.history("?after=0"))["items"]][-2] == [file]


async def test_a_picture_has_a_small_one(visitor: Visitor, client: Client) -> None:
    out = io.BytesIO()
    Image.new("RGB", (2000, 1000), "red").save(out, "JPEG", comment=b"where I live")
    file = await visitor.uploaded(out.getvalue(), "photo.jpg")
    await visitor.said("m", files=[file["id"]])
    answer = await visitor.client.get(f"{visitor.base}/{file['thumb']}", headers=visitor.headers)
    data = await answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(data)).size == (480, 240)
    assert b"where I live" not in data
    again = await visitor.client.get(
        f"{visitor.base}/{file['thumb']}", headers=visitor.headers | {"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status == 304
    thief = await visit(client)
    stolen = await thief.client.get(f"{thief.base}/{file['thumb']}", headers=thief.headers)
    assert stolen.status == 404


async def test_what_is_no_picture_has_none(visitor: Visitor, house: House) -> None:
    broken = PICTURE[:45] + b"\0" * 20
    file = await visitor.uploaded(broken, "cat.png")
    assert (file["image"], "thumb" in file) == (False, False)
    answer = await visitor.client.get(f"{visitor.base}/files/{file['id']}/thumb", headers=visitor.headers)
    assert answer.status == 404
    assert await (await visitor.file(file["id"])).read() == broken, "the file stays"
    assert house.counted["inert_file"] == 1


NASTY = [
    # bytes, name: what is not what it says, or would run in a browser
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "logo.svg"),
    (b"<html><script>alert(1)</script>", "invoice.pdf.html"),
    (b"MZ\x90\0", "photo.jpg"),
    (b"MZ\x90\0", "contract.docx"),
    (b"GIF89a/*\x01\0\x01\0*/=1;alert(1)", "polyglot.gif"),
    (png(10_000, 10_000), "hundred-megapixels.png"),
]


@pytest.mark.parametrize(("data", "name"), NASTY)
async def test_files_that_pretend_are_inert_and_counted(visitor: Visitor, house: House, data: bytes, name: str) -> None:
    file = await visitor.uploaded(data, name)
    assert file["mime"] == "application/octet-stream"
    served = await visitor.file(file["id"])
    assert served.headers["Content-Type"] == "application/octet-stream"
    assert served.headers["Content-Disposition"].startswith("attachment;")
    assert await served.read() == data
    assert house.counted["inert_file"] == 1


async def test_names_that_are_traps_are_counted(visitor: Visitor, house: House) -> None:
    told = {}
    for name in ("../../photo\u202egnp.exe", "фото.txt"):  # as browsers write them: UTF-8, nothing escaped
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        headers = visitor.headers | {"Content-Type": FORM}
        body = head.encode() + b"x\r\n--b--\r\n"
        answer = await visitor.client.post(f"{visitor.base}/files", data=body, headers=headers)
        told[name] = (await answer.json())["name"]
    assert list(told.values()) == ["photognp.exe", "фото.txt"]
    assert house.counted["odd_name"] == 1


async def test_a_picture_that_is_a_zip_too_is_a_picture_and_nothing_more(visitor: Visitor) -> None:
    polyglot = PICTURE + b"PK\x03\x04 <script>alert(1)</script>"
    file = await visitor.uploaded(polyglot, "x.zip.html.png")
    served = await visitor.file(file["id"])
    assert served.headers["Content-Type"] == "image/png"
    assert served.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_zip_bomb_is_bytes(visitor: Visitor) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 << 20))
    file = await visitor.uploaded(out.getvalue(), "bomb.zip")
    assert (file["mime"], file["size"]) == ("application/zip", len(out.getvalue()))


async def test_ranges_of_a_file(visitor: Visitor) -> None:
    file = await visitor.uploaded(b"0123456789", "t.txt")
    answer = await visitor.client.get(
        f"{visitor.base}/files/{file['id']}", headers=visitor.headers | {"Range": "bytes=-3"}
    )
    assert (answer.status, await answer.read()) == (206, b"789")


async def test_bytes_lie_under_their_hash_once(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.uploaded(PICTURE)
    await visitor.uploaded(PICTURE, "again.png")
    stored = files_under(tmp_path)
    assert len(stored) == 1
    assert stored[0].parent.name == stored[0].name[:2]
    assert stored[0].read_bytes() == PICTURE


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg"),
        (b"<html><script>alert(1)</script>", "x.png"),
        (b"<html><script>alert(1)</script>", "x.html"),
        (b"GIF87", "x.gif"),
        (PICTURE[:20], "cut.png"),
        (png(20_000, 20_000), "bomb.png"),
        (b"%PDF-1.7 <script>", "x.pdf"),
        (b"GIF89a\x00\x00\x00\x00/*<script>*/", "polyglot.gif"),
    ],
)
async def test_all_but_real_pictures_are_downloads(visitor: Visitor, data: bytes, name: str) -> None:
    file = await visitor.uploaded(data, name)
    assert file["image"] is False
    answer = await visitor.file(file["id"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert await answer.read() == data


async def test_types_are_checked_again_when_served(visitor: Visitor, house: House) -> None:
    await visitor.said("m", text="x")
    conversation = await house.store.find_conversation("site", "site", house.accepted[0].chat)
    assert conversation is not None
    sha256 = await house.files.keep(b"<script>alert(1)</script>")
    await house.store.add_file(StoredFile("lie", conversation.id, "x.png", "image/png", 25, "photo", "telegram", "r"))
    await house.store.store_file("lie", sha256, 25, "image/png")
    answer = await visitor.file("lie")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", [name for name in FILE_NAMES if not set(name) & set("\x00\r\n")])
async def test_names_cannot_leave_their_place(visitor: Visitor, tmp_path: Path, name: str) -> None:
    file = await visitor.uploaded(b"x", name)
    assert not set(file["name"]) & set("/\\\x00\r\n\u202e")
    served = await visitor.file(file["id"])
    disposition = served.headers["Content-Disposition"]
    assert disposition.isascii()
    assert not set(disposition.removeprefix("attachment; filename*=UTF-8''")) & set("\"<>;'/ ")
    assert [path.name for path in files_under(tmp_path)] == [hashlib.sha256(b"x").hexdigest()]


async def test_too_large_is_413_and_leaves_nothing(open_house: Open, tmp_path: Path) -> None:
    _, client = await open_house(file_size=100_000)
    visitor = await visit(client)
    for size in (100_001, 500_000):
        answer = await visitor.upload(b"x" * size)
        assert answer.status == 413
        assert (await answer.json())["error"] == "too_large"
    assert not files_under(tmp_path)
    assert (await visitor.upload(b"x" * 100_000)).status == 201


async def test_a_stream_without_a_length_is_cut_at_the_cap(open_house: Open, tmp_path: Path) -> None:
    _, client = await open_house(file_size=100_000)
    visitor = await visit(client)

    async def endless() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 50_000
        yield b"\r\n--b--\r\n"

    headers = visitor.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post("/chat/site/files", data=endless(), headers=headers)
    assert answer.status == 413
    assert not files_under(tmp_path)


async def test_nothing_is_no_file(visitor: Visitor, tmp_path: Path) -> None:
    answer = await visitor.upload(b"")
    assert answer.status == 400
    assert (await answer.json())["error"] == "empty_file"
    assert not files_under(tmp_path)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x", "application/json"),
        (b"", "multipart/form-data"),
        (b"no boundary", FORM),
        (b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n', FORM),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\x00"\r\n\r\nx\r\n--b--\r\n', FORM),
        (b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n", FORM),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhalf a fi', FORM),
    ],
)
async def test_broken_forms_are_400(visitor: Visitor, body: bytes, kind: str) -> None:
    answer = await visitor.client.post(
        f"{visitor.base}/files", data=body, headers=visitor.headers | {"Content-Type": kind}
    )
    assert answer.status == 400


async def test_a_quota_of_an_hour(open_house: Open) -> None:
    _, client = await open_house(quota_files=2)
    visitor, other = await visit(client), await visit(client)
    assert [(await visitor.upload(b"x")).status for _ in range(3)] == [201, 201, 429]
    assert (await other.upload(b"x")).status == 201


async def test_many_chats_of_one_address_share_a_quota(open_house: Open) -> None:
    """A new chat is one request: without this, an hour's files would be as many as somebody cares to ask for."""
    _, client = await open_house(quota_files=1, neighbours=2)
    statuses = [(await (await visit(client)).upload(b"x")).status for _ in range(3)]
    assert statuses == [201, 201, 429]


async def test_files_of_others_do_not_exist(visitor: Visitor, client: Client, house: House) -> None:
    thief = await visit(client)
    file = await visitor.uploaded(PICTURE)
    await thief.said("m", text="hello")
    assert (await thief.file(file["id"])).status == 404
    assert (await thief.post("steal", files=[file["id"]])).status == 404
    assert (await visitor.file("unknown")).status == 404
    stranger = await visit(client)
    assert (await stranger.file(file["id"])).status == 404
    assert (await stranger.post("steal", files=[file["id"]])).status == 404


async def test_a_file_that_is_not_here_yet_does_not_exist(visitor: Visitor, house: House) -> None:
    await visitor.said("m", text="x")
    conversation = await house.store.find_conversation("site", "site", house.accepted[0].chat)
    assert conversation is not None
    await house.store.add_file(StoredFile("soon", conversation.id, "x", "image/png", 1, channel="site"))
    assert (await visitor.file("soon")).status == 404
    await house.store.store_file("soon", "ff" * 32, 1, "image/png")
    assert (await visitor.file("soon")).status == 404  # the row is there, the bytes are gone


async def test_files_sent_to_the_client_are_the_clients_too(visitor: Visitor, client: Client, house: House) -> None:
    other = await visit(client)
    file = await other.uploaded(b"%PDF-1.7 rules", "rules.pdf")
    await visitor.said("m", text="x")
    assert (await visitor.file(file["id"])).status == 404
    await house.say(house.accepted[-1].chat, Outgoing(plain("The rules"), files=(file["id"],)))
    answer = await visitor.file(file["id"])
    assert await answer.read() == b"%PDF-1.7 rules"
    assert (await visitor.history())["items"][-1]["files"][0]["name"] == "rules.pdf"


async def test_the_first_file_opens_the_conversation_once(visitor: Visitor, house: House) -> None:
    await visitor.uploaded(PICTURE)
    await visitor.said("open", link="")
    assert await visitor.texts() == ["Hello!"]


async def test_a_full_disk_is_503(visitor: Visitor, tmp_path: Path) -> None:
    await visitor.said("m", text="x")
    (tmp_path / "site").write_bytes(b"a file where the folder should be")
    answer = await visitor.upload(PICTURE)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_channel_files_are_not_fetched(house: House) -> None:
    with pytest.raises(ValueError, match="stored when they arrive"):
        await house.channel.fetch("ref", 1)
