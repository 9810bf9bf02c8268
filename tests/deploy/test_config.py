"""The production configuration: `frontline check` takes it, and every variable of it is explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from yamllint import linter
from yamllint.config import YamlLintConfig

from core.locale import texts
from gateway.cli import execute
from gateway.config import load_config
from tests.deploy.reading import CONFIG, DEPLOY, ENV, asked_variables, environment

RULES = YamlLintConfig(
    "{extends: default, rules: {line-length: {max: 130}, document-start: disable, comments: {min-spaces-from-content: 1},"
    " truthy: {check-keys: false}, braces: {max-spaces-inside: 0}}}"
)


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yaml")), ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_yaml_is_tidy(path: Path) -> None:
    assert [str(problem) for problem in linter.run(path.read_text("utf-8"), RULES, str(path))] == []


def test_check_accepts_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With its flows, as `ExecStartPre` and the image have it."""
    for name, value in environment(TELEGRAM_TOKEN="1:a", TELEGRAM_SECRET="s").items():
        monkeypatch.setenv(name, value)
    code = execute(["--lang", "en", "--config", str(CONFIG), "check", "--format", "json"])
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (code, [it for it in found if it["level"] == "error"]) == (0, []), said.err


def test_without_its_database_it_is_refused() -> None:
    """A process that lost its environment must not begin with an empty database of its own."""
    _, findings = load_config(CONFIG, {"PUBLIC_URL": "https://bot.example.com"})
    assert any("DATABASE_URL" in finding.line("en") for finding in findings)


def test_every_variable_is_explained() -> None:
    """In the example, or it has a default and the docs name it."""
    docs = (DEPLOY.parent / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in sorted(asked_variables() - environment().keys()) if f"`{name}`" not in docs] == []


def test_every_variable_of_the_example_is_asked_for() -> None:
    compose = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert [name for name in environment() if name not in asked_variables() and f"${{{name}" not in compose] == []


def test_the_example_has_no_secret() -> None:
    values = environment()
    assert {values[name] for name in values if name.endswith(("TOKEN", "SECRET"))} == {""}
    assert "change-me" in values["DATABASE_URL"]
    assert texts("en")  # the catalogue is there: the findings above were said in words
    assert ENV.stat().st_mode & 0o111 == 0
