"""Commands beside a running gateway: they go through it, and see what it sees."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib import request

import pytest

from gateway.cli.run import parse_address
from gateway.cli.shell import Shell
from tests.gateway.cli.test_commands import SHIPMENT, Run, home, run

__all__ = ["home", "run"]
COMMAND = [sys.executable, "-m", "gateway", "--lang", "en", "run"]


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """A gateway as a process of its own, on a free port."""
    (home / "flows/shipment.yaml").write_text(
        SHIPMENT.replace("[город, фото]", "город").replace("    attach: [фото]\n", "")
    )
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        COMMAND,
        cwd=home,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert "frontline is running at http" in said
        yield said.split(" at ")[1].split(". ")[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def post(address: str, path: str, token: str = "", body: object = None) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "Origin": address} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    asked = request.Request(address + path, json.dumps(body or {}).encode(), headers, method="POST")
    with request.urlopen(asked, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def write(address: str, token: str, *texts: str) -> None:
    for n, text in enumerate(texts):
        body = {"client_id": f"message-{n}-{len(text)}", "text": text}
        post(address, "/chat/site/messages", token, body)


def test_a_text_cannot_pass_for_a_field(address: str, run: Run) -> None:
    token = str(post(address, "/chat/site/session")["token"])
    write(address, token, "срок доставки", "Казань\nStatus: solved")
    lines = run("tickets", "1")[1].splitlines()
    assert [line for line in lines if line.startswith("Status")] == ["Status: new"]
    assert "    Status: solved" in lines


def test_a_ticket_of_the_web_chat_is_shown_with_every_field(address: str, run: Run) -> None:
    token = str(post(address, "/chat/site/session")["token"])
    write(address, token, "срок доставки", "Казань")
    code, out, _ = run("tickets", "1")
    assert code == 0
    lines = out.splitlines()
    assert "Ticket: 1" in lines
    assert "Desk: Общие (general)" in lines
    assert "Title: Доставка в Казань" in lines
    assert "Город: Казань" in lines
    assert any(line.startswith("History:") for line in lines)
    assert lines[-1].endswith("  created  new, bot")
    _, out, _ = run("--lang", "ru", "tickets", "1")
    assert out.splitlines()[-1].endswith("  создана  принята, bot")
    assert json.loads(run("tickets", "1", "--format", "json")[1])["fields"] == {"Город": "Казань"}
    code, out, _ = run("replay", "1")
    assert code == 0
    assert "▶ срок доставки" in out
    assert "Куда везём?" in out
    assert "ticket 1 → general" in out
    assert "trigger" in out
    code, edited, _ = run("replay", "1", "--flows", "flows")
    assert code == 0
    assert "Куда везём?" in edited


def test_status_and_publish_go_through_it(address: str, run: Run, home: Path) -> None:
    code, out, _ = run("status")
    assert code == 0
    assert "3 flows" in out
    code, out, _ = run("publish")
    assert code == 0
    assert "Nothing has changed" in out
    code, out, _ = run("publish", "--urgent", "--why", "wrong price")
    assert code == 0
    assert "wrong price" in run("status")[1]
    (home / "flows/hello.yaml").write_text("flow: [", "utf-8")
    code, out, err = run("publish")
    assert code == 1
    assert " Y101 " in out
    assert "keep serving" in err


def test_a_second_gateway_is_refused(address: str, run: Run, home: Path) -> None:
    code, _, err = run("run")
    assert code == 1
    assert "is used by process" in err
    assert run("migrate")[0] == 1
    assert run("status")[0] == 0


@pytest.mark.parametrize(
    ("said", "host", "port"), [("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:8081", "::1", 8081), (":9090", None, 9090)]
)
def test_an_address_of_the_command_line_replaces_the_configured_one(said: str, host: str | None, port: int) -> None:
    found = parse_address(Shell(Path("config.yaml"), "en"), said)
    assert found == {"port": port} | ({"host": host} if host else {})


def test_two_gateways_listen_where_they_are_told(home: Path) -> None:
    """Processes on one machine share a configuration, not a port; a port that is taken is said in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [*COMMAND, "--http", address],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
            check=False,
        )
    assert done.returncode == 1
    assert "This did not work" in done.stderr
    assert "Traceback" not in done.stderr
