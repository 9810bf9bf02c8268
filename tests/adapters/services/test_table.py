"""`kind: table`: look-ups in a CSV file that people edit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.services import build_service, call_info
from adapters.services.table import MAX_BYTES
from core.deployment import CallInfo, Take
from core.ports import Outcome, Service, Store

HEAD = "номер,телефон,статус,дней,примечание\n"
ROWS = '123456,+79161234567,"в пути, скоро",3,\n123457,+79161234567,доставлен,x,Звонить\n'
SETTINGS: dict[str, Any] = {
    "call": "get_order",
    "key": {"number": "номер", "phone": "телефон"},
    "take": {
        "номер": {},
        "статус": {"path": "статус"},
        "дней": {"type": "number"},
        "примечание": {"type": "text", "optional": True},
    },
}


def table(file: Path, text: str | bytes = HEAD + ROWS, **settings: Any) -> Service:
    write(file, text)
    return build_service("table", {"kind": "table", "file": file, **SETTINGS, **settings}, cast(Store, None))


def write(file: Path, text: str | bytes) -> None:
    """Write as an editor does; the time of the change moves on even when the clock of the file system did not."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    if file.stat().st_mtime_ns <= before:
        os.utime(file, ns=(before + 1, before + 1))


async def find(service: Service, number: Any = "123456", phone: str = "+79161234567") -> Outcome:
    return await service.call("get_order", {"number": number, "phone": phone}, "k", 1)


async def test_one_row_by_its_exact_key(tmp_path: Path) -> None:
    service = table(tmp_path / "orders.csv")
    found = Outcome("ok", {"номер": "123456", "статус": "в пути, скоро", "дней": 3})
    assert await find(service) == found
    assert await find(service, 123456.0) == found
    assert await find(service, " 123456 ") == found
    assert (await find(service, "12345")).status == "missing"
    assert (await find(service, phone="+79160000000")).status == "missing"
    assert (await service.call("get_order", {}, "k", 1)).status == "missing"
    assert (await service.call("other", {}, "k", 1)).status == "failed"
    await service.close()


async def test_a_bad_cell_fails_its_row_and_names_the_line(tmp_path: Path) -> None:
    outcome = await find(table(tmp_path / "orders.csv"), "123457")
    assert outcome.status == "failed"
    assert "line 3" in outcome.error
    assert "дней" in outcome.error


async def test_an_edit_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    service = table(file)
    assert (await find(service, "9")).status == "missing"
    write(file, HEAD + "9,+79161234567,новый,0,\n")
    assert (await find(service, "9")).take["статус"] == "новый"
    assert (await find(service)).status == "missing"


async def test_a_broken_edit_keeps_the_rows_read_before(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    service = table(file)
    assert (await find(service)).status == "ok"
    write(file, "номер\n1\n")
    assert (await find(service)).status == "ok"
    file.unlink()
    assert (await find(service)).status == "ok"
    write(file, HEAD)
    assert (await find(service)).status == "missing"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("номер,статус\n", ["line 1", "телефон", "номер, статус"]),
        ("номер,номер,телефон,статус,дней,примечание\n", ["line 1", "номер", "twice"]),
        (HEAD + "1,2,3\n", ["line 2", "3 cells", "5 columns"]),
        (HEAD + "1,2,3,4,5\n\n1,2,x,y,z\n", ["line 4", "line 2"]),
        (HEAD.encode("cp1251"), ["UTF-8"]),
        (HEAD + '1,2,"3"x,4,5\n', ["orders.csv"]),
        ("", ["line 1"]),
    ],
)
async def test_a_bad_file_says_what_to_mend(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    outcome = await find(table(tmp_path / "orders.csv", text))
    assert outcome.status == "failed"
    assert all(word in outcome.error for word in words)
    assert str(tmp_path) not in outcome.error


async def test_a_missing_and_a_huge_file(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    service = table(file)
    file.unlink()
    outcome = await find(service)
    assert (outcome.status, "cannot be read" in outcome.error) == ("failed", True)
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    assert "64 MB" in (await find(service)).error


@pytest.mark.parametrize("separator", [";", "\t"])
async def test_what_spreadsheets_save(tmp_path: Path, separator: str) -> None:
    text = "\ufeff" + "номер,телефон,статус,дней,примечание\r\n1,2,ок,1,\r\n\r\n".replace(",", separator)
    assert (await find(table(tmp_path / "orders.csv", text), "1", "2")).status == "ok"


def test_the_call_as_flows_see_it() -> None:
    take = {"номер": Take("text"), "статус": Take("text"), "дней": Take("number"), "примечание": Take("text", True)}
    named = call_info({"kind": "table", "file": "data/orders.csv", **SETTINGS})
    assert named == {"get_order": CallInfo(("number", "phone"), take)}
    listed = {"kind": "table", "file": "data/orders.csv", "key": ["номер", "телефон"], "take": SETTINGS["take"]}
    assert call_info(listed) == {"get_order": CallInfo(("номер", "телефон"), take)}


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="take"):
        build_service("table", {"kind": "table", "file": "x", "key": ["a"]}, cast(Store, None))
