"""The units: systemd reads them without complaint, they are confined, and name only what exists."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from gateway.app import STOP_SECONDS
from gateway.cli import COMMANDS
from tests.deploy.reading import DEPLOY, FOREIGN, ROOT, known_variables

UNITS = DEPLOY / "systemd"
SERVICES = ["frontline.service", "frontline@.service"]
MOST_EXPOSED = 15  # tenths of systemd's measure, 0 to 10; "OK" ends at 4.0, a usual service has 9.6


def setting(name: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", (UNITS / name).read_text("utf-8"), re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program in the place that they name; `frontline@` as the instance `worker-1`."""
    program = tmp_path / "frontline"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS.iterdir():
        text = path.read_text("utf-8").replace("/srv/frontline/.venv/bin/frontline", str(program))
        (tmp_path / path.name.replace("@.", "@worker-1.")).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("unit", ["frontline.service", "frontline@worker-1.service", "frontline.target"])
def test_systemd_reads_it(unit: str, installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(installed / unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_mistakes(installed: Path) -> None:
    unit = installed / "frontline.service"
    unit.write_text(unit.read_text("utf-8").replace("ProtectHome=yes", "ProtectHom=yes"), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "ProtectHom" in done.stderr


@pytest.mark.parametrize("unit", ["frontline.service", "frontline@worker-1.service"])
def test_it_is_confined(unit: str, installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}", "--json=short",
         str(installed / unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) > 50


@pytest.mark.parametrize("name", SERVICES)
def test_commands_exist(name: str) -> None:
    lines = [*setting(name, "ExecStart"), *setting(name, "ExecStartPre")]
    assert {line.split()[1] for line in lines} <= {command for command, _ in COMMANDS}
    assert all(line.startswith("/srv/frontline/.venv/bin/frontline ") for line in lines)


@pytest.mark.parametrize("name", SERVICES)
def test_variables_exist(name: str) -> None:
    named = {line.partition("=")[0] for line in setting(name, "Environment")}
    assert named <= known_variables() | FOREIGN
    text = (UNITS / name).read_text("utf-8")
    assert set(re.findall(r"^#   (\w+)=", text, re.MULTILINE)) <= known_variables() | FOREIGN


@pytest.mark.parametrize("name", SERVICES)
def test_paths_are_those_of_the_checkout(name: str) -> None:
    """/srv/frontline is the checkout: what is named below it is in the repository."""
    text = (UNITS / name).read_text("utf-8")
    named = set(re.findall(r"/srv/frontline/([\w./-]+)", text)) - {".venv/bin/frontline"}
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_stop_has_time(name: str) -> None:
    (seconds,) = setting(name, "TimeoutStopSec")
    assert float(seconds.removesuffix("s")) > STOP_SECONDS + 2
    assert setting(name, "Restart") == ["always"]


def test_both_units_are_confined_alike() -> None:
    """What is changed in one is changed in the other."""
    first, second = ((UNITS / name).read_text("utf-8").partition("\nStateDirectory=")[2] for name in SERVICES)
    assert first.partition("[Install]")[0] == second.partition("[Install]")[0]
