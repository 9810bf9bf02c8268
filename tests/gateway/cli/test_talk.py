"""`frontline talk`: a whole dialogue through the real engine, time moved by hand, nothing kept."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gateway.cli import execute
from tests.gateway.cli.test_commands import home

__all__ = ["home"]


def talk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *typed: str, argv: tuple[str, ...] = ()
) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
    code = execute(["--lang", "en", "talk", *argv])
    out = capsys.readouterr().out
    assert code == 0, out
    return out


def test_a_ticket_with_a_photo(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = talk(monkeypatch, capsys, "срок доставки", "Казань", "/photo 2")
    assert "Здравствуйте!" in out
    assert "Куда везём?" in out
    assert "Пришлите фото." in out
    assert "Заявка 1 создана." in out


def test_nothing_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    talk(monkeypatch, capsys, "срок доставки", "Казань", "/photo")
    assert not (home / "var").exists()


def test_starts_with_a_flow(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = talk(monkeypatch, capsys, "Ка", "Казань", argv=("shipment",))
    assert out.index("Куда везём?") < out.index("▶ Ка")
    assert out.count("Куда везём?") == 2


def test_time_passes(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    policy = "policy:\n  silence:\n    - {after: 15m, say: Вы здесь?}\n    - {after: 24h, end: молчит}\n"
    path = home / "flows/shipment.yaml"
    path.write_text(path.read_text("utf-8") + policy, "utf-8")
    out = talk(monkeypatch, capsys, "срок доставки", "/wait 14m", "/wait 2m", "/wait 2d", "Казань")
    assert out.count("Вы здесь?") == 1
    assert out.index("/wait 2m") < out.index("Вы здесь?")
    assert "Пришлите фото." not in out


def test_the_terminal_helps(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = talk(monkeypatch, capsys, "/help", "/press 5", "/wait soon", "/file absent.pdf", "/quit", "срок доставки")
    assert "/press N presses a button" in out
    assert "Write how long" in out
    assert "There is no file absent.pdf." in out
    assert "Куда везём?" not in out


def test_broken_flows_are_told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "flows/hello.yaml").write_text("flow: Привет\nsteps:\n  - goto: нигде\n", "utf-8")
    assert execute(["--lang", "en", "talk"]) == 1
    assert "flows/hello.yaml:3:" in capsys.readouterr().out
