"""The rules of the house, proved: who imports whom, who may know the clock, how large things are, what is translated."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "bot", "handoff", "adapters", "storage", "gateway")
PURE = ("core", "bot", "handoff")
# Where an unexpected error may be caught: a turn, a row, a role, a request. Everywhere else errors are named.
BROAD = {
    *("gateway/worker.py", "gateway/outbox.py", "gateway/calls.py", "gateway/app.py", "gateway/server.py"),
    "gateway/front.py",  # what a door raises is an answer
    *("storage/postgres/groups.py", "storage/postgres/epochs.py"),  # those who wait hear it
}
METHODS = [("**/node_modules/**", "ignore"), ("**.py", "python")]
KEYWORDS = {"t": None, "plural": (1, 2), "n_": None}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources() -> dict[str, str]:
    """Every Python file of the product by its path. Migrations are records of the past, not code to be read; what the
    console's tools bring along is not ours."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not {"migrations", "node_modules"} & set(path.parts)
    }


@cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in sources().items()}


def of(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    return ((name, tree) for name, tree in trees().items() if name.startswith(tuple(f"{room}/" for room in rooms)))


def functions() -> Iterator[tuple[str, Function]]:
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node


def lines_of(node: Function) -> int:
    """Lines of the body, without the signature and the docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


# --- imports and purity ----------------------------------------------------------------------------------------------


def test_import_contracts() -> None:
    """The layers and the pure rooms, as `make check` asks for them."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


CLOCKS = re.compile(r"^(datetime|date)\.(now|utcnow|today)$|^time\.(time|monotonic|perf_counter)$")


def test_pure_rooms_have_no_clock() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in of(*PURE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and CLOCKS.match(ast.unparse(node))
    ]
    assert found == []


def test_pure_rooms_read_no_files() -> None:
    """The catalogue in `core/locale.py` is a part of the program."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in of(*PURE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    assert found == []


def test_pure_rooms_ask_no_network() -> None:
    """`urllib.parse` is pure, `urllib.request` is not; the import linter knows whole packages only."""
    asked = re.compile(r"^\s*(from|import) urllib(\.request|\s+import\s+.*request)", re.MULTILINE)
    assert [name for name, _ in of(*PURE) if asked.search(sources()[name])] == []


KINDS = {"telegram", "vk", "max", "web", "email", "terminal"}


def switches(tree: ast.Module) -> Iterator[int]:
    """Comparisons of a channel or a kind with the name of a messenger."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            asked = ast.unparse(node.left)
            named = {one.value for part in node.comparators for one in ast.walk(part) if isinstance(one, ast.Constant)}
            if re.search(r"\b(channel|kind)\b", asked) and named & KINDS:
                yield node.lineno


def test_no_room_switches_on_a_channel() -> None:
    """What a channel is like is data: its capabilities. `run` prints the addresses of web chats, nothing more."""
    found = [
        f"{name}:{line}" for name, tree in of("core", "bot", "handoff", "storage", "gateway") for line in switches(tree)
    ]
    assert [place for place in found if not place.startswith("gateway/cli/run.py:")] == []


def test_the_switch_finder_finds() -> None:
    assert list(switches(ast.parse("if channel.kind == 'telegram':\n    pass\n"))) == [1]


def test_broad_excepts_stand_in_named_places() -> None:
    found = {
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    }
    cleanups = {name for name in found if reraises_all(trees()[name])}
    assert found - cleanups <= BROAD


def reraises_all(tree: ast.Module) -> bool:
    """Whether every broad handler of a file ends by raising: then it only tidies up."""
    broad = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    return all(isinstance(node.body[-1], ast.Raise) for node in broad)


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_functions_are_small() -> None:
    sizes = sorted(lines_of(node) for _, node in functions())
    assert len(sizes) > 500
    assert statistics.median(sizes) <= 8
    assert sizes[int(len(sizes) * 0.9)] <= 25


def test_no_function_is_large() -> None:
    assert [f"{name}:{node.name}" for name, node in functions() if lines_of(node) > 60] == []


def test_no_file_is_large() -> None:
    assert [name for name, text in sources().items() if text.count("\n") > 450] == []


def test_modules_say_what_they_are_for() -> None:
    missing = [name for name, tree in trees().items() if sources()[name].strip() and not ast.get_docstring(tree)]
    assert missing == []


# --- what people read ------------------------------------------------------------------------------------------------


@cache
def messages() -> frozenset[str | tuple[str, str]]:
    """Every message id of the product; a pair for those with plural forms."""
    found: set[str | tuple[str, str]] = set()
    for room in ROOMS:
        for _, _, message, _, _ in extract_from_dir(str(ROOT / room), METHODS, {}, KEYWORDS):
            found.add((message[0], message[1]) if isinstance(message, tuple) else message)
    return frozenset(found)


@cache
def catalogue(language: str) -> Catalog:
    return read_po(BytesIO((ROOT / "core" / "translations" / f"{language}.po").read_bytes()), locale=language)


def test_there_are_messages() -> None:
    assert len(messages()) > 300
    assert any(isinstance(message, tuple) for message in messages())


def test_everything_is_said_in_russian() -> None:
    known = catalogue("ru")
    missing = []
    for message in messages():
        entry = known.get(message[0] if isinstance(message, tuple) else message)
        said = entry.string if entry is not None else ""
        forms = [said] if isinstance(said, str) else list(said or ())
        if entry is None or entry.fuzzy or not all(forms) or len(forms) != (3 if isinstance(message, tuple) else 1):
            missing.append(message)
    assert missing == []


@pytest.mark.parametrize("language", ["ru"])
def test_translations_keep_their_places(language: str) -> None:
    """`{name}` places of a translation are those of the message, so that nothing can fail while it is said."""
    wrong = []
    for entry in catalogue(language):
        if not entry.id:
            continue
        ids = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        known = {place for id in ids for place in places(id)}
        wrong += [entry.id for string in strings if string and not places(string) <= known]
    assert wrong == []


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)[^{}]*\}", re.sub(r"\{\{.*?\}\}", "", text)))


def test_messages_are_literals() -> None:
    """A message id that is put together cannot be found by the extractor."""
    wrong = []
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("t", "n_")
                and node.args
            ):
                built = isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
                wrong += [f"{name}:{node.lineno}"] if built else []
    assert wrong == []
