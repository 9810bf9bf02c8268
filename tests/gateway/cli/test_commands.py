"""The command line: what it prints, plain when piped, and exit codes that scripts can trust."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import COMMANDS, execute

CONFIG = """\
http: {port: 0}
storage: {url: "sqlite:///var/a.db", files: var/files}
channels:
  site: {kind: web, title: Чат, line: support}
lines:
  support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}
desks:
  general: {title: Общие, needs: []}
"""
BOT = """\
bot: Бот
welcome: hello
fallback: hello
operator: people
"""
HELLO = """\
flow: Привет
triggers:
  - words: [добрый день]
steps:
  - say: Здравствуйте!
  - end: поздоровались
"""
PEOPLE = """\
flow: Люди
steps:
  - handoff: support
  - end: передано
"""
SHIPMENT = """\
flow: Доставка
triggers:
  - words: [срок доставки]
fields:
  город: {label: Город, ask: Куда везём?, min: 3}
  фото: {label: Фото, type: photo, ask: Пришлите фото.}
steps:
  - ask: [город, фото]
  - ticket: general
    title: Доставка в {{ город }}
    with: {Город: "{{ город }}"}
    attach: [фото]
    save: заявка
  - say: Заявка {{ заявка.номер }} создана.
  - end: готово
"""
TEST = """\
- test: Здоровается
  talk:
    - client: добрый день
    - bot: Здравствуйте
  expect: {outcome: поздоровались}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small deployment, the current one."""
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    flows = tmp_path / "flows"
    (flows / "tests").mkdir(parents=True)
    sources = {"_bot": BOT, "hello": HELLO, "people": PEOPLE, "shipment": SHIPMENT, "tests/hello.test": TEST}
    for name, text in sources.items():
        (flows / f"{name}.yaml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRONTLINE_LANG", raising=False)
    monkeypatch.delenv("FRONTLINE_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in English: exit code, output, errors."""

    def call(*argv: str) -> tuple[int, str, str]:
        code = execute(["--lang", "en", *argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_help_lists_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, _module in COMMANDS:
        assert f"\n  {name} " in out


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_has_help(run: Run, name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"Usage: frontline {name}" in out


def test_help_imports_nothing_heavy() -> None:
    """`--help` must be quick: no engine, no HTTP, no database behind it."""
    script = (
        "import sys; from gateway.cli import execute; execute(['run', '--help']); sys.exit(str(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert not any(
        f"'{name}'" in done.stderr for name in ("aiohttp", "sqlalchemy", "aiogram", "pymorphy3", "bot.book", "rich")
    )


def test_version(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("frontline ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["chek"], "There is no command chek. Perhaps check?"),
        (["check", "--exlain"], "There is no option --exlain. Perhaps --explain?"),
        (["replay"], "CONVERSATION is missing."),
        (["tickets", "abc"], "NUMBER"),
        (["read", "helo"], "There is no flow «helo». Perhaps: hello"),
        (["tickets", "--desk", "x"], "There is no desk «x»"),
        (["run", "--roles", "worker"], "A SQLite file is served by one process"),
        (["run", "--roles", "cook"], "There is no role «cook»"),
        (["run", "--http", "nowhere"], "«nowhere» is not HOST:PORT"),
        (["run", "--http", "127.0.0.1:70000"], "«127.0.0.1:70000» is not HOST:PORT"),
        (["talk", "--line", "x"], "There is no line «x»"),
        (["texts", "export", "Russian!"], "is not a language"),
    ],
)
def test_mistakes_on_the_command_line_are_2(run: Run, argv: list[str], said: str) -> None:
    code, out, err = run(*argv)
    assert code == 2
    assert out == ""
    assert said in err


def test_check_is_calm_about_sound_flows(run: Run) -> None:
    (code, out, err) = run("check")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("No errors: 3 flows, ")


def test_check_names_places_and_fails(run: Run, home: Path) -> None:
    (home / "flows/hello.yaml").write_text(HELLO.replace("say:", "sya:"), "utf-8")
    code, out, _ = run("check")
    assert code == 1
    assert "flows/hello.yaml:5:5" in out
    assert " L120 " in out


def test_check_explains(run: Run, home: Path) -> None:
    (home / "flows/hello.yaml").write_text(HELLO.replace("say:", "sya:"), "utf-8")
    _, out, _ = run("check", "--explain")
    assert "sya: Здравствуйте!" in out
    assert "^^^" in out
    assert "  - say: Здравствуйте!" in out


def test_check_as_json(run: Run, home: Path) -> None:
    (home / "config.yaml").write_text("lanuage: ru\n", "utf-8")
    code, out, _ = run("check", "--format", "json")
    assert code == 1
    found = json.loads(out)
    assert [(one["line"], one["column"], one["code"], one["instead"]) for one in found] == [(1, 1, "C110", "language")]


def test_commands_print_the_findings_of_a_broken_config(run: Run, home: Path) -> None:
    (home / "config.yaml").write_text("lanuage: ru\n", "utf-8")
    for argv in (["status"], ["tickets"], ["talk"], ["run"], ["test"]):
        code, out, _ = run(*argv)
        assert code == 1
        assert out.startswith("config.yaml:1:1 ")


def test_missing_config(run: Run) -> None:
    code, out, _ = run("--config", "absent.yaml", "status")
    assert code == 1
    assert "C100" in out


def test_test_runs_and_reports_what_is_missed(run: Run, home: Path) -> None:
    code, out, _ = run("test")
    assert code == 0
    assert "flows/shipment.yaml:8" in out
    assert "1 test" in out
    (home / "flows/tests/hello.test.yaml").write_text(TEST.replace("Здравствуйте", "Прощайте"), "utf-8")
    code, out, _ = run("test")
    assert code == 1
    assert "flows/tests/hello.test.yaml:4:7" in out


def test_test_as_json(run: Run) -> None:
    code, out, _ = run("test", "--format", "json")
    assert code == 0
    report = json.loads(out)
    assert (report["tests"], report["passed"], report["failures"]) == (1, True, [])
    assert report["coverage"]["visited"] < report["coverage"]["whole"]


def test_read_graph_schema(run: Run) -> None:
    assert "Куда везём?" in run("read", "shipment")[1]
    assert run("graph", "shipment")[1].startswith("flowchart")
    assert json.loads(run("schema")[1])["$schema"].startswith("https://json-schema.org/")


def test_publish_status_rollback(run: Run, home: Path) -> None:
    code, out, _ = run("publish")
    assert code == 0
    first = out.split()[0]
    assert "3 changed flows" in out
    assert "Nothing has changed" in run("publish")[1]
    (home / "flows/hello.yaml").write_text(HELLO.replace("Здравствуйте", "Здравствуйте и привет"), "utf-8")
    assert "other flows than those that serve" in run("status")[1]
    assert run("publish")[0] == 0
    code, out, _ = run("status")
    assert code == 0
    assert first in out
    assert run("publish", "--rollback", first)[0] == 0
    assert out != run("status")[1]
    assert run("publish", "--rollback", "ffff")[0] == 1


def test_publish_refuses_what_is_broken(run: Run, home: Path) -> None:
    assert run("publish")[0] == 0
    (home / "flows/hello.yaml").write_text(HELLO.replace("say:", "sya:"), "utf-8")
    code, out, err = run("publish")
    assert code == 1
    assert "L120" in out
    assert "keep serving" in err


def test_empty_lists(run: Run) -> None:
    assert run("tickets")[:2] == (0, "There are no tickets.\n")
    assert run("uncaught")[:2] == (0, "Every message was caught by a flow.\n")
    assert json.loads(run("tickets", "--format", "json")[1]) == []
    code, _, err = run("tickets", "7")
    assert (code, err) == (1, "There is no ticket 7.\n")
    code, _, err = run("tickets", "7", "--push-again")
    assert (code, err) == (1, "Ticket 7 has no outer desk.\n")
    assert run("tickets", "--push-again")[0] == 2
    assert run("replay", "7")[0] == 1


def test_migrate(run: Run, home: Path) -> None:
    assert "was brought from — to" in run("migrate")[1]
    assert "is up to date" in run("migrate")[1]
    assert (home / "var/a.db").is_file()


def test_texts_export(run: Run, home: Path) -> None:
    code, out, _ = run("texts", "export", "en")
    assert code == 0
    written = (home / "flows/_texts/en.yaml").read_text("utf-8")
    assert "Здравствуйте!" in written
    assert run("check")[0] == 0
    assert "flow" in run("texts", "export", "en", "--out", "-")[1] or out


def test_language_of_the_reader(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--lang` the configuration decides, help included; its default is Russian."""
    from core.locale import texts

    assert execute(["tickets"]) == 0
    assert capsys.readouterr().out.strip() == texts("ru")("There are no tickets.")
    assert execute(["--help"]) == 0
    assert texts("ru")("Options") in capsys.readouterr().out
    (home / "config.yaml").write_text(CONFIG + "language: en\n", "utf-8")
    assert execute(["tickets"]) == 0
    assert capsys.readouterr().out == "There are no tickets.\n"


@pytest.mark.parametrize("command", ["check", "test", "publish", "status", "talk", "read", "texts"])
def test_a_file_that_cannot_be_read_is_one_clear_line(run: Run, home: Path, command: str) -> None:
    (home / "flows" / "gone.yaml").symlink_to(home / "nowhere")
    more = {"read": ["hello"], "texts": ["export", "ru", "--out", "-"]}.get(command, [])
    code, out, err = run(command, *more)
    assert code == 1
    assert "gone.yaml" in err
    assert "Traceback" not in out + err


def test_a_folder_is_no_flow(run: Run, home: Path) -> None:
    (home / "flows" / "drafts.yaml").mkdir()
    assert run("check")[0] == 0
