"""Every module of the bench can be the first that an interpreter imports: each part is begun by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.machine import ROOT

MODULES = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_come_first(name: str) -> None:
    command = [sys.executable, "-c", f"import bench.{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
