"""A hundred flows are loaded, checked and compiled in under a second of one core."""

from __future__ import annotations

import re
import time

import pytest

from bot.book import load
from tests.bot.engine.play import DEPLOYMENT, sources
from tests.bot.engine.shop import BILLING, FIND_ORDER, HOURS, ORDER_RETURN

TRIGGERS = re.compile(r"triggers:\n(?:  - .*\n)+")


def hundred() -> dict[str, str]:
    """The language's own examples, over and over, with triggers of their own."""
    flows = {"find_order": FIND_ORDER}
    for n in range(32):
        for name, text in (("r", ORDER_RETURN), ("b", BILLING), ("h", HOURS)):
            own = f"triggers:\n  - button: Тема {name}{n}\n  - words: [вернуть товар {name}{n}, акт сверки {name}{n}]\n"
            flows[f"{name}{n}"] = TRIGGERS.sub(own, text)
    return sources(**flows)


@pytest.mark.speed
def test_a_hundred_flows_load_within_a_second() -> None:
    files = hundred()
    assert len(files) == 101  # with _bot.yaml
    spent = []
    for _ in range(3):
        start = time.process_time()
        book, findings = load(files, DEPLOYMENT)
        spent.append(time.process_time() - start)
        assert book is not None, [finding.line("en") for finding in findings][:3]
    assert min(spent) < 1.0
