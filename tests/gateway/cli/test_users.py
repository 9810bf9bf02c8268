"""`frontline user` and `frontline audit`: over the store by themselves, and through a running gateway."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib import request
from urllib.error import HTTPError

import pytest

from tests.gateway.cli.test_commands import Run, home, run
from tests.gateway.cli.test_running import address

__all__ = ["address", "home", "run"]


def sign_in(address: str, name: str, password: str) -> int:
    body = json.dumps({"name": name, "password": password}).encode()
    headers = {"Content-Type": "application/json", "X-Frontline": "1"}
    try:
        with request.urlopen(request.Request(f"{address}/api/v1/login", body, headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refused:
        refused.close()
        return refused.code


def password_in(out: str) -> str:
    return out.splitlines()[-1].removeprefix("Password, shown once: ")


def test_a_user_is_added_listed_and_changed(run: Run) -> None:
    code, out, _ = run("user", "list")
    assert (code, "user add NAME" in out) == (0, True)
    code, out, _ = run("user", "add", "anna", "--role", "operator", "--line", "support", "--title", "Анна")
    assert code == 0
    assert "User anna is added: operator." in out
    assert len(password_in(out)) == 20
    run("user", "add", "root", "--role", "admin")
    assert run("user", "change", "anna", "--line", "support:supervisor")[0] == 0
    assert [line.split("\t")[:6] for line in run("user", "list")[1].splitlines()] == [
        ["anna", "Анна", "operator", "support (supervisor)", "no", "yes"],
        ["root", "root", "admin", "—", "no", "yes"],
    ]
    assert run("user", "change", "anna", "--no-lines", "--role", "analyst")[0] == 0
    (anna, _) = json.loads(run("user", "list", "--format", "json")[1])
    assert (anna["role"], anna["lines"], "password" in anna) == ("analyst", {}, False)
    assert run("user", "deactivate", "anna")[0] == 0
    assert run("user", "list")[1].splitlines()[0].split("\t")[5] == "no"
    assert run("user", "change", "anna", "--active")[0] == 0
    assert run("user", "totp-off", "anna")[0] == 0


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("add", "root", "--role", "admin"), 1, "There is a user root already."),
        (("add", "anna", "--role", "operator", "--line", "nowhere"), 1, "there is no line «nowhere»; known: support"),
        (("add", "Анна", "--role", "operator"), 2, "cannot be a name"),
        (("add", "anna", "--role", "operator", "--line", "support:admin"), 2, "operator or supervisor"),
        (("change", "anna", "--role", "admin"), 1, "There is no user anna."),
        (("change", "root", "--role", "operator"), 1, "root is the only admin"),
        (("change", "root"), 2, "Say what to change"),
        (("deactivate", "root"), 1, "root is the only admin"),
        (("password", "anna"), 1, "There is no user anna."),
    ],
)
def test_what_cannot_be_is_said_in_a_line(run: Run, args: tuple[str, ...], code: int, said: str) -> None:
    run("user", "add", "root", "--role", "admin")
    ended, _, error = run("user", *args)
    assert (ended, said in error) == (code, True), error


def test_a_password_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    code, out, _ = run("user", "add", "anna", "--role", "operator", "--password-stdin")
    assert (code, "Password" in out) == (0, False)
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    code, _, error = run("user", "password", "anna", "--password-stdin")
    assert (code, "at least 12 characters" in error) == (1, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("user", "password", "anna", "--password-stdin")[0] == 2


def test_through_a_running_gateway(address: str, run: Run) -> None:
    """The commands and the API see the same people at once."""
    _, out, _ = run("user", "add", "root", "--role", "admin")
    first = password_in(out)
    assert sign_in(address, "root", first) == 200
    second = password_in(run("user", "password", "root")[1])
    assert (sign_in(address, "root", first), sign_in(address, "root", second)) == (401, 200)
    run("user", "add", "anna", "--role", "operator", "--line", "support")
    code, out, _ = run("audit", "check")
    assert code == 0
    assert "The audit is whole: 5 rows" in out
    with request.urlopen(f"{address}/api/v1/openapi.json", timeout=10) as answer:
        assert json.load(answer)["openapi"] == "3.1.0"


def test_the_audit_shows_what_was_done_to_it(run: Run, home: Path) -> None:
    for name in ("root", "anna", "boris"):
        run("user", "add", name, "--role", "admin")
    head = run("audit", "check")[1].split("the last is ")[1].strip().rstrip(".")
    run("user", "deactivate", "boris")
    assert run("audit", "check", "--head", head)[0] == 0
    assert "is no row" in run("audit", "check", "--head", "x")[2]
    with closing(sqlite3.connect(home / "var/a.db")) as file, file:
        file.execute("UPDATE audit SET by = 'somebody' WHERE id = 2")
    code, _, error = run("audit", "check")
    assert (code, error.strip()) == (1, "Row 2 of the audit was changed, or put in.")
    code, _, error = run("audit", "check", "--head", "3:" + "0" * 64)
    assert code == 1
