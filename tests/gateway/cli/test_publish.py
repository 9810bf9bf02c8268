"""What `status` says of several processes and of an urgent publishing; who is said to have asked for it."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.publish import _flows, who
from gateway.cli.shell import Shell
from gateway.config import Config

NEW, OLD = "0123456789abcdef", "fedcba9876543210"


def status(**changes: Any) -> dict[str, Any]:
    return {
        "id": NEW,
        "published_at": 1_700_000_000.0,
        "edited": False,
        "flows": 2,
        "runs": [],
        "older": [],
        "problems": [],
        "urgent": None,
        "processes": [],
        **changes,
    }


def said(capsys: pytest.CaptureFixture[str], **changes: Any) -> list[str]:
    _flows(Shell(Path("config.yaml"), "en"), Config(), status(**changes))
    return capsys.readouterr().out.splitlines()


def process(name: str, edition: str, behind: bool = False) -> dict[str, Any]:
    return {"process": name, "edition": edition, "behind": behind}


def test_one_process_that_serves_is_not_worth_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(said(capsys, processes=[process("a/1", NEW)])) == 1


def test_one_that_is_behind_stands_out(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, processes=[process("a/1", NEW), process("b/2", OLD, True)])
    assert lines[1] == f"a/1\t{NEW}\t"
    assert lines[2] == f"b/2\t{OLD}\tcannot serve the current edition: see its log"
    assert OLD in said(capsys, processes=[process("b/2", OLD)])[1]  # it has not switched yet


def test_who_was_in_a_hurry_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert "It ended older versions at once: ann@pc, wrong price." in said(
        capsys, urgent={"by": "ann@pc", "why": "wrong price"}
    )
    assert "It ended older versions at once: ann@pc, —." in said(capsys, urgent={"by": "ann@pc", "why": ""})


def test_a_container_may_have_no_name_for_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert who() == f"{getpass.getuser()}@{socket.gethostname()}"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert who() == f"{os.getuid()}@{socket.gethostname()}"
