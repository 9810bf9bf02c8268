"""The reference of findings, from the places where they are made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.generating.markdown import MARK, ROOT, table

CODE = re.compile(r"[YLC]\d{3}")
# Codes whose words come from another module.
SAID_ELSEWHERE = {
    "C134": {"hours of a line that cannot be read: a day, a span, two spans that overlap": "the way to write them"},
    "C170": {
        "a line, a desk or a call is gone, but live runs of a flow use it": "keep it until they end, or take it away "
        "after `frontline publish --urgent`"
    },
    "L141": {"nothing answers when the line is closed, or busy": "add `closed` or `busy`, here or to the line"},
    "L160": {"an expression or a template that cannot be read, or holds what is not allowed": "what may stand there"},
    "L164": {"a name mixes Latin and Cyrillic letters": "the name as it was meant"},
    "L165": {"a pattern that RE2 cannot read": "what is allowed in its place"},
}
# Where findings are made.
FINDERS = ("bot", "gateway/config", "gateway/cli/check.py")


def python_files() -> Iterator[Path]:
    for place in FINDERS:
        path = ROOT / place
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def message(node: ast.expr) -> str:
    """The message id inside `n_("…")`; nothing for what is chosen at run time."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "n_"
    if called and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return ""


def found_in(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """The codes with the message ids that stand beside them in a call, a tuple or a map."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield from (((key.value, [message(value)]),) if key is not None and is_code(key) else ())  # type: ignore[attr-defined]
        return
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    elif isinstance(node, ast.Tuple):
        parts = list(node.elts)
    texts = [text for part in parts if (text := message(part))]
    yield from ((part.value, texts) for part in parts if is_code(part))  # type: ignore[attr-defined]


def is_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value) is not None


def findings() -> dict[str, dict[str, str]]:
    """Every finding code of the product: code → what is said → how to mend it."""
    found: dict[str, dict[str, str]] = {code: dict(said) for code, said in SAID_ELSEWHERE.items()}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for code, texts in found_in(node):
                said = found.setdefault(code, {})
                if texts and texts[0]:
                    said.setdefault(texts[0], texts[1] if len(texts) > 1 else "")
    return dict(sorted(found.items()))


def findings_reference() -> str:
    """All codes in one table."""
    rows = (
        (f"`{code}`" if n == 0 else "", what, mend)
        for code, said in findings().items()
        for n, (what, mend) in enumerate(said.items() or [("", "")])
    )
    head = (
        "# Findings\n\nWhat `frontline check` can say. `Y` is YAML, `L` the flow language, `C` the configuration.\n"
        "`{…}` stand for names and values of the file. `frontline check --explain` shows the line and the mended version.\n"
    )
    return f"{head}\n{MARK}\n\n{table(('code', 'what', 'mend'), rows)}"
