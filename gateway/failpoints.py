"""Named places where tests let the process die: `FRONTLINE_FAIL="outbox.after_send:kill@p=0.02;intake.after_commit:kill@n=3"`."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Point:
    """One armed place: dies with probability `p`, or at the `n`-th pass."""

    def __init__(self, rule: str) -> None:
        key, _, value = rule.partition("=")
        self.chance = float(value) if key == "p" else 0.0
        self.nth = int(value) if key == "n" else 0
        self.passed = 0

    def strike(self) -> bool:
        self.passed += 1
        return self.passed == self.nth or (self.chance > 0 and random.random() < self.chance)  # noqa: S311


def _parse(setting: str) -> dict[str, _Point]:
    points = {}
    for part in filter(None, setting.split(";")):
        name, _, rule = part.partition(":kill@")
        points[name.strip()] = _Point(rule)
    return points


def armed(setting: str) -> Callable[[str], None]:
    """The function to call at each place. Without a setting it does nothing and costs next to nothing."""
    points = _parse(setting)
    if not points:
        return lambda name: None

    def failpoint(name: str) -> None:
        point = points.get(name)
        if point is not None and point.strike():
            _kill()

    return failpoint


failpoint = armed(os.environ.get("FRONTLINE_FAIL", ""))
# How long the intake keeps turns out of its own transaction after an unclean stop; tests shorten or stretch it.
careful_seconds = float(os.environ.get("FRONTLINE_CAREFUL_SECONDS", "60"))
