"""Where a finding points: at the key or the value that is meant, at the part itself when that is not written."""

from __future__ import annotations

import pytest

from bot.check.places import find
from bot.loader import load
from core.findings import Finding

SOURCE = "ticket: general\nwith: {Вопрос: суть}\nattach: [фото, файл]\n"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("ticket",), (1, 9)),
        (("with", "Вопрос"), (2, 16)),
        (("attach", 1), (3, 16)),
        (("attach", 2), None),
        (("attach", "фото"), None),
        (("ticket", "general"), None),
        (("with", 0), None),
        (("save",), None),
        (("save", "deeper"), None),
    ],
)
def test_nodes_are_found_by_their_path(path: tuple[str | int, ...], place: tuple[int, int] | None) -> None:
    problems: list[Finding] = []
    found = find(load(SOURCE, "flow.yaml", problems.append), path)
    assert not problems
    assert (found and (found.line, found.column)) == place
