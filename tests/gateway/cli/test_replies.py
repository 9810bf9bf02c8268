"""`frontline replies …`: out as YAML, back in, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.gateway.cli.test_commands import Run, home, run

__all__ = ["home", "run"]
GOOD = """\
replies:
- {shortcut: Hi, title: Привет, text: "Здравствуйте, {{ client.name }}!"}
- {scope: line, line: support, shortcut: ret, title: Возврат, text: 14 дней, place: 3}
"""


def test_out_and_back_in(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "replies.yaml"
    assert yaml.safe_load(run("replies", "export")[1]) == {"replies": []}
    file.write_text(GOOD, "utf-8")
    assert run("replies", "import", str(file))[:2] == (0, "2 replies are new, 0 were changed.\n")
    out = run("replies", "export")[1]
    assert yaml.safe_load(out)["replies"] == [
        {"scope": "all", "shortcut": "hi", "title": "Привет", "text": "Здравствуйте, {{ client.name }}!"},
        {"scope": "line", "line": "support", "shortcut": "ret", "title": "Возврат", "text": "14 дней", "place": 3},
    ]
    file.write_text(out.replace("14 дней", "30 дней"), "utf-8")
    assert run("replies", "import", str(file))[:2] == (0, "0 replies are new, 2 were changed.\n")
    assert "30 дней" in run("replies", "export")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "has no list `replies`"),
        ("a: [", "is no YAML"),
        ("replies: [1]", "reply 1: a reply has"),
        ('replies: [{shortcut: a, title: b, text: "{{ x"}]', "reply 1: the text has something in braces"),
        ("replies: [{shortcut: a, title: b, text: c, line: nowhere, scope: line}]", "reply 1: `line` names a line"),
        (
            "replies: [{shortcut: a, title: b, text: c}, {shortcut: A, title: b, text: c}]",
            "reply 2: this shortcut stands",
        ),
    ],
)
def test_what_is_wrong_with_a_file(run: Run, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "replies.yaml"
    file.write_text(text, "utf-8")
    code, out, _ = run("replies", "import", str(file))
    assert (code, said in out) == (1, True), out
    assert yaml.safe_load(run("replies", "export")[1]) == {"replies": []}, "nothing of it was kept"
