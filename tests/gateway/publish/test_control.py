"""The control socket: commands reach the process that owns the store, and nobody else's."""

from __future__ import annotations

import asyncio
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config, read_config
from gateway.control import ControlServer, NotRunning, Refused, ask, socket_path
from gateway.office import reach
from tests.gateway.publish.test_publisher import CONFIG


async def echo(**values: Any) -> Any:
    return values


async def refuse() -> Any:
    raise Refused("not today")


def config(root: Path, url: str = "sqlite:///a.db") -> Config:
    made, findings = read_config(CONFIG.replace("memory:", url), root / "config.yaml", {})
    assert findings == []
    assert made is not None
    return made


def mode(path: Path) -> int | None:
    """The permissions of a file, None when it is not there."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def leave(path: Path) -> None:
    """Something lies where the socket was."""
    path.touch()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "a.sock"


async def test_asks_and_answers(place: Path) -> None:
    server = ControlServer(place, {"echo": echo, "refuse": refuse})
    await server.start()
    assert await ask(place, "echo", номер=7, text="«привет»\n") == {"номер": 7, "text": "«привет»\n"}
    with pytest.raises(Refused, match="not today"):
        await ask(place, "refuse")
    with pytest.raises(Refused, match="unknown command"):
        await ask(place, "explode")
    with pytest.raises(Refused):
        await ask(place, "refuse", surprise=1)
    await server.stop()
    assert mode(place) is None
    with pytest.raises(NotRunning):
        await ask(place, "echo")


async def test_only_the_owner_may_connect(place: Path) -> None:
    server = ControlServer(place, {})
    await server.start()
    assert mode(place) == 0o600
    await server.stop()


async def test_a_socket_of_a_killed_process_is_replaced(place: Path) -> None:
    dead = await asyncio.start_unix_server(lambda r, w: None, str(place))
    dead.close()
    leave(place)
    with pytest.raises(NotRunning):
        await ask(place, "echo")
    server = ControlServer(place, {"echo": echo})
    await server.start()
    assert await ask(place, "echo", a=1) == {"a": 1}
    await server.stop()


async def test_garbage_is_answered_and_harms_nothing(place: Path) -> None:
    server = ControlServer(place, {"echo": echo})
    await server.start()
    reader, writer = await asyncio.open_unix_connection(str(place))
    writer.write(b"not json\n")
    await writer.drain()
    assert b"refused" in await reader.readline()
    writer.close()
    assert await ask(place, "echo") == {}
    await server.stop()


async def test_a_large_answer(place: Path) -> None:
    server = ControlServer(place, {"echo": echo})
    await server.start()
    text = "ы" * 2_000_000
    assert await ask(place, "echo", text=text) == {"text": text}
    await server.stop()


async def test_no_socket_in_a_temporary_folder_that_others_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    path = socket_path(config(Path("/srv") / ("long" * 40)))
    assert path is not None
    server = ControlServer(path, {})
    await server.start()
    await server.stop()
    path.parent.chmod(0o777)
    with pytest.raises(PermissionError, match="belongs to others"):
        await server.start()


def test_the_socket_stands_beside_the_database(tmp_path: Path) -> None:
    root = Path("/srv/f")
    assert socket_path(config(tmp_path).model_copy(update={"storage": config(root).storage})) == root / "a.db.sock"
    assert socket_path(config(tmp_path, "memory:")) is None


def test_a_path_too_long_for_a_socket_is_replaced(tmp_path: Path) -> None:
    deep = Path("/srv") / ("long" * 40)
    short, again, other = (socket_path(config(root)) for root in (deep, deep, deep / "b"))
    assert short is not None
    assert short == again != other
    assert len(str(short)) <= 100


async def test_the_office_is_reached_with_and_without_a_gateway(tmp_path: Path) -> None:
    made = config(tmp_path)
    async with reach(made) as office:
        assert await office("tickets") == []
    path = socket_path(made)
    assert path is not None

    async def status() -> Any:
        return {}

    async def tickets() -> Any:
        return ["from the gateway"]

    server = ControlServer(path, {"status": status, "tickets": tickets})
    await server.start()
    async with reach(made) as office:
        assert await office("tickets") == ["from the gateway"]
    await server.stop()
    async with reach(made) as office:
        assert await office("tickets") == []
