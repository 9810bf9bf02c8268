"""A channel is a folder and a few lines: counted for the messenger that was added last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters import CHANNELS
from docs.generating.channels import size
from tests.test_docs import page

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("adapters", "bot", "core", "gateway", "handoff", "storage")
BESIDE = {
    "adapters/__init__.py",
    "gateway/channels.py",
    "gateway/config/agree.py",
    "gateway/config/channels.py",
    "gateway/deployment.py",
}


def test_nothing_else_knows_max() -> None:
    """`core`, `bot`, `handoff` and `storage` do not name it; the gateway does where step 5 and 6 of the docs say."""
    named = re.compile(r"\badapters[./]max\b|\bMaxSettings\b")
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in paths if named.search(path.read_text("utf-8"))}
    assert {path for path in found if not path.startswith("adapters/max/")} == BESIDE


def test_it_needs_no_other_messenger() -> None:
    """What it shares stands in `adapters/`, not in another channel's folder."""
    for path in (ROOT / "adapters" / "max").glob("*.py"):
        assert not re.search(r"from adapters\.(telegram|vk|web|api|terminal)", path.read_text("utf-8")), path


@pytest.mark.parametrize("kind", [kind for kind, _ in CHANNELS])
def test_the_docs_say_how_large_it_is(kind: str) -> None:
    (told,) = re.findall(rf"^\| `adapters/{kind}/` \| \d+ \| (\d+) \|$", page("add-a-channel.md"), re.MULTILINE)
    _, lines = size(ROOT / "adapters" / kind)
    assert abs(int(told) - int(lines)) <= max(200, int(lines) // 5), "run `make docs`"


def test_max_is_the_smallest_messenger() -> None:
    sizes = {kind: int(size(ROOT / "adapters" / kind)[1]) for kind, _ in CHANNELS}
    assert min(sizes, key=lambda kind: sizes[kind]) == "max"
