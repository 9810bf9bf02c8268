"""`frontline talk`: a whole dialogue through the real engine, time moved by hand, nothing kept."""

from __future__ import annotations

import io
import re
import shutil
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
    assert "There has been no button" not in out
    assert "Write how long" in out
    assert "There is no file absent.pdf." in out
    assert "Куда везём?" not in out


def test_broken_flows_are_told(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "flows/hello.yaml").write_text("flow: Привет\nsteps:\n  - goto: нигде\n", "utf-8")
    assert execute(["--lang", "en", "talk"]) == 1
    assert "flows/hello.yaml:3:" in capsys.readouterr().out


def test_an_older_button_is_pressed_by_its_label(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "There has been no button «Нет такой»." in talk(monkeypatch, capsys, "/press Нет такой")


ROOT = Path(__file__).parents[3]
SHIPPED = Path(__file__).with_name("shipped_talk.txt")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped flows and configuration, with a line that is open whenever this runs."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    config = (ROOT / "config.yaml").read_text("utf-8")
    always = config.replace('hours: {mon-fri: "09:00-18:00"} ', 'hours: {mon-sun: "00:00-24:00"} ')
    assert always != config
    always = re.sub(r"    holidays: .*\n", "", always)
    (tmp_path / "config.yaml").write_text(always, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_shipped_flows_stand_what_clients_do(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A digression in the middle of a form, «назад», old buttons, «отмена», three wrong answers → the line."""
    transcript = SHIPPED.read_text("utf-8")
    typed = [line.removeprefix("▶ ") for line in transcript.splitlines() if line.startswith("▶ ")]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
    assert execute(["--lang", "ru", "talk"]) == 0
    assert capsys.readouterr().out.partition("\n")[2] == transcript
