"""Any module can be the first that an interpreter imports: what is taken for a part can be used without the whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A process for each module, from one that has imported nothing of ours. What came in with the first stays out of the next.
FIRST = """
import importlib, os, sys, traceback
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name)
"""


def modules(room: str) -> list[str]:
    """Names of the room's modules, packages included. The bots in `bench/peers` need libraries of their own."""
    paths = [path for path in sorted((ROOT / room).rglob("*.py")) if path.parent.name != "peers"]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths if path.stem != "__main__")
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.parametrize("room", ["core", "bot", "flows", "handoff", "bench"])
def test_any_module_can_come_first(room: str) -> None:
    command = [sys.executable, "-c", FIRST, *modules(room)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "", done.stderr
