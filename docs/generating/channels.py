"""What each channel can do and how large it is, from the adapters."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from docs.generating.markdown import ROOT, behind_the_mark, table


def channels_page() -> str:
    """The manners of the channels as they are written, with a fresh table of what each can do."""
    return behind_the_mark("channels.md", f"## What each channel can do\n\n{capabilities_table()}")


def capabilities_table() -> str:
    """The capabilities of all kinds of channels side by side, from the data that the adapters act on."""
    known = known_capabilities()
    rows = (
        (words, *(capability(getattr(one, name)) for one in known.values())) for name, words in CAPABILITY_WORDS.items()
    )
    return table(("", *known), rows)


def known_capabilities() -> dict[str, Any]:
    from importlib import import_module

    from adapters import CHANNELS

    found = {}
    for kind in (*(kind for kind, _ in CHANNELS), "terminal"):
        module = import_module(f"adapters.{kind}.capabilities")
        made = getattr(module, "CAPABILITIES", None)
        found[kind] = made if made is not None else module.capabilities(20 * 1024**2)
    return found


def capability(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value // 1024**2} MB" if isinstance(value, int) and value >= 1024**2 else str(value)


def adding_page() -> str:
    """How a channel is added as it is written, with fresh sizes of those there are."""
    return behind_the_mark("add-a-channel.md", f"## How large a channel is\n\n{channel_sizes()}")


def channel_sizes() -> str:
    """Lines of code of each messenger's folder, and of what they share; nearly, so that a changed line changes no page."""
    from adapters import CHANNELS

    rows = [(f"`adapters/{kind}/`", *size(ROOT / "adapters" / kind)) for kind, _ in CHANNELS]
    shared = sorted(path for path in (ROOT / "adapters").glob("*.py") if path.name != "__init__.py")
    rows.append(("`adapters/*.py`, which they share", str(len(shared)), nearly(sum(map(code_lines, shared)))))
    return table(("folder", "modules", "lines of code, nearly"), rows)


def size(folder: Path) -> tuple[str, str]:
    modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    return str(len(modules)), nearly(sum(map(code_lines, modules)))


def nearly(lines: int) -> str:
    return str(round(lines, -2))


def code_lines(path: Path) -> int:
    """Lines that are neither empty nor a comment nor a docstring."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    told = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is not None:
            first = node.body[0]
            told |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(1 for number, line in lines if number not in told and line.strip() and not line.strip().startswith("#"))


CAPABILITY_WORDS = {
    "text_limit": "letters of one message; a longer text is parted between words",
    "caption_limit": "letters beside a file; a longer text becomes a message of its own",
    "buttons": "buttons",
    "buttons_per_row": "buttons in a row; more begin the next one",
    "button_rows": "rows under one message; more stand under a message of their own",
    "button_label": "letters of a label; a longer one ends in “…”",
    "formatting": "formatting; other marks stay plain text",
    "files": "files to the client",
    "file_bytes": "the largest of them",
    "contact_button": "a button that gives the client's own, verified phone; without it the phone is typed",
    "location_button": "a button that gives the place; without it the place is typed",
    "edit": "messages can be changed; else a changed one is sent anew",
    "delete": "messages can be taken away",
    "typing": "“typing…” is shown",
    "quotes": "our message points at the one it answers; without it that one is quoted in the text",
    "reactions": "we learn of the marks that clients put on messages",
    "idempotent": "a message sent again after a lost answer is shown once",
}
