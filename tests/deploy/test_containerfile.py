"""The image: small, without build tools, not root, stopped cleanly, made of what is there."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch

from gateway.cli import COMMANDS
from tests.deploy.reading import DEPLOY, FOREIGN, ROOT, is_served, known_variables


def instructions() -> list[tuple[str, str]]:
    """(word, the rest) of every instruction, continued lines joined."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in text.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


BUILD, FINAL = stages()


def final(word: str) -> list[str]:
    return [rest for it, rest in FINAL if it == word]


def test_every_instruction_is_one() -> None:
    known = {"ARG", "FROM", "WORKDIR", "ENV", "COPY", "RUN", "LABEL", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL",
             "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    assert {word for word, _ in instructions()} == known


def test_the_base_can_be_named_by_digest() -> None:
    (default,) = [rest for word, rest in instructions() if word == "ARG"]
    assert re.fullmatch(r"PYTHON=docker\.io/library/python:3\.1[12]-slim-\w+", default)
    assert [rest for word, rest in instructions() if word == "FROM"] == ["${PYTHON} AS build", "${PYTHON}"]


def test_dependencies_are_pinned_by_hashes() -> None:
    run = " ".join(rest for word, rest in BUILD if word == "RUN")
    assert "--require-hashes -r requirements.lock" in run
    assert "--no-deps" in run


def test_no_tool_of_the_build_is_left() -> None:
    """Nothing is installed in the last stage, and the virtual environment comes without pip and setuptools."""
    assert not re.search(r"\b(pip|apt|apt-get|curl|wget|gcc|git)\b", " ".join(final("RUN")))
    assert "pip uninstall --yes setuptools pip" in " ".join(rest for word, rest in BUILD if word == "RUN")
    assert [rest for rest in final("COPY") if "--from=build" in rest] == ["--from=build /opt/frontline /opt/frontline"]


def test_it_does_not_run_as_root() -> None:
    (user,) = final("USER")
    words = [word for word, _ in FINAL]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)  # a number: Kubernetes proves `runAsNonRoot` by it
    assert words.index("USER") > max(at for at, word in enumerate(words) if word in {"RUN", "COPY"})


def test_it_gets_the_signal_itself() -> None:
    """No shell between: the exec form."""
    assert json.loads(final("ENTRYPOINT")[0]) == ["frontline"]
    (command,) = json.loads(final("CMD")[0])
    assert command in {name for name, _ in COMMANDS}
    assert final("STOPSIGNAL") == ["SIGTERM"]


def test_its_health_is_asked() -> None:
    (check,) = final("HEALTHCHECK")
    (path,) = re.findall(r"\}(/\w+)'", check)
    assert is_served(path)
    command = json.loads(check.partition("CMD")[2])
    compile(command[2], "healthcheck", "exec")


def test_variables_exist() -> None:
    named = re.findall(r"(\w+)=", " ".join(rest for word, rest in instructions() if word == "ENV"))
    assert named
    assert [name for name in named if name not in known_variables() | FOREIGN] == []


def test_what_is_copied_is_there_and_not_ignored() -> None:
    allowed = [line[1:] for line in (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
               if line.startswith("!")]  # fmt: skip
    sources = [it for stage in (BUILD, FINAL) for word, rest in stage if word == "COPY" and "--from" not in rest
               for it in rest.split()[:-1]]  # fmt: skip
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), source


def test_every_package_is_copied() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    copied = {rest.split()[0] for word, rest in BUILD if word == "COPY"}
    assert {name.removesuffix("*") for name in wanted} <= copied


def test_secrets_and_data_stay_outside() -> None:
    lines = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    assert "**/.env" in lines
    assert not any(line.startswith(("!var", "!.git", "!deploy/frontline.env")) for line in lines)
