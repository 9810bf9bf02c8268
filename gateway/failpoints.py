"""Named places where tests let the process die: `FRONTLINE_FAIL="outbox.after_send:kill@p=0.02;intake.after_commit:kill@n=3"`."""

from __future__ import annotations

import os
import random
import signal


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


_points: dict[str, _Point] = {}


def arm(setting: str) -> None:
    """Arms the places of a setting and disarms all others. Raises ValueError for a rule that is neither `p=` nor `n=`."""
    _points.clear()
    _points.update(_parse(setting))


def failpoint(name: str) -> None:
    """A place where the process may die; while nothing is armed it costs a look at an empty dictionary."""
    if _points and (point := _points.get(name)) is not None and point.strike():
        _kill()


def careful_seconds() -> float:
    """How long the intake keeps turns out of its own transaction after an unclean stop; tests shorten or stretch it."""
    return float(os.environ.get("FRONTLINE_CAREFUL_SECONDS", "60"))


arm(os.environ.get("FRONTLINE_FAIL", ""))
