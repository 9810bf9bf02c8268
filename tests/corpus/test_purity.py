"""Parsers and renderers know no network, disk, clock, chance or loop, neither themselves nor through other adapters' modules."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = ("parse", "render", "capabilities", "content", "attachments")
# The terminal is a keyboard: `/file PATH` looks whether there is such a file.
EXEMPT = {"adapters.terminal.parse"}
MODULES = sorted(
    f"adapters.{path.parent.name}.{path.stem}"
    for path in (ROOT / "adapters").glob("*/*.py")
    if path.stem in PURE and f"adapters.{path.parent.name}.{path.stem}" not in EXEMPT
)
OURS = ("core", "adapters")  # the linter and tests/test_house.py keep `core` pure
# What a pure module may know of the standard library and of others; all else is a finding.
ALLOWED = frozenset((
    "__future__", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "hmac", "html",
    "itertools", "json", "math", "operator", "re", "string", "types", "typing", "unicodedata", "urllib.parse", "zlib", "base64",
    "msgspec", "orjson", "yarl", "ipaddress", "struct", "binascii", "mimetypes", "contextlib",
))  # fmt: skip


def imported(module: str) -> Iterator[str]:
    """The modules that a module of ours imports, not for types alone."""
    for node in _walk(ast.parse(file_of(module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name.startswith(OURS) and exists(name) else node.module for name in inner)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield child
            yield from _walk(child)


def file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def exists(module: str) -> bool:
    return file_of(module).is_file()


def closure(module: str) -> dict[str, set[str]]:
    """Every module of ours behind it, with what it imports of others."""
    found: dict[str, set[str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        needs = set(imported(name))
        found[name] = {one for one in needs if not one.startswith(OURS)}
        waiting += [one for one in needs if one.startswith("adapters")]
    return found


def impure(module: str) -> list[str]:
    return sorted(
        f"{name}: {other}"
        for name, others in closure(module).items()
        for other in others
        if other not in ALLOWED and other.partition(".")[0] not in ALLOWED
    )


def test_there_are_such_modules() -> None:
    assert {f"adapters.{channel}.parse" for channel in ("telegram", "vk", "max", "api", "web")} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_it_knows_nothing_of_the_world(module: str) -> None:
    assert impure(module) == []


def test_the_world_would_be_noticed() -> None:
    assert any("aiohttp" in found for found in impure("adapters.telegram.channel"))
    assert "time" in sys.stdlib_module_names
    assert "time" not in ALLOWED
