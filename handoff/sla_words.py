"""Clocks in words: what counted and what did not, and why a deadline moved."""

from __future__ import annotations

from collections.abc import Mapping

from core.locale import Texts, n_
from handoff.sla import Cause, Change, Clock

ORDER: tuple[Cause, ...] = ("counted", "client", "hold", "hours")
CAUSES: dict[str, str] = {
    "counted": n_("counted {time}"),
    "client": n_("waiting for the client {time}"),
    "hold": n_("on hold {time}"),
    "hours": n_("outside hours {time}"),
}
PROMISES: dict[str, str] = {
    "first_reply": n_("first reply"),
    "next_reply": n_("next reply"),
    "resolve": n_("end of the matter"),
}
WHYS: dict[str, str] = {
    "hours": n_("The hours or the promises of the line were edited."),
    "priority": n_("The priority was changed."),
    "line": n_("The session went to a line with other hours."),
}


def render_time(t: Texts, seconds: float) -> str:
    """A length of time as short as people say it: `8 h`, `1 h 5 m`, `40 m`, `20 s`. Hours are not made days."""
    whole = round(seconds)
    if whole < 60:
        return t("{n} s", n=whole)
    hours, minutes = divmod(round(whole / 60), 60)
    said = [t("{n} h", n=hours)] if hours else []
    return " ".join([*said, t("{n} m", n=minutes)] if minutes else said)


def render_ledger(t: Texts, spent: Mapping[Cause, float]) -> str:
    """`counted 12 m · waiting for the client 40 m · outside hours 8 h`; empty for a clock that has just been opened."""
    known = [cause for cause in ORDER if spent.get(cause)]
    return " · ".join(t(CAUSES[cause], time=render_time(t, spent[cause])) for cause in known)


def render_change(t: Texts, change: Change) -> str:
    """Why a deadline moved, and by how much."""
    said = t(WHYS.get(change.why, WHYS["hours"]))
    if not change.was or not change.due:
        return said
    by = render_time(t, abs(change.due - change.was))
    moved = (
        t("The deadline is {time} later.", time=by)
        if change.due > change.was
        else t("The deadline is {time} sooner.", time=by)
    )
    return f"{said} {moved}"


def render_promise(t: Texts, clock: Clock) -> str:
    """What was promised: `first reply in 5 m`."""
    return t("{promise} in {time}", promise=t(PROMISES[clock.promise]), time=render_time(t, clock.target))
