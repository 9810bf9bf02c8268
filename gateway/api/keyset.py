"""Cursors of lists that change: behind which place of which order the next page begins."""

from __future__ import annotations

import base64
import binascii
import math

from core.locale import n_
from gateway.api.paging import HIGHEST
from gateway.api.problems import Problem


def write_place(order: str, place: float, id: int) -> str:
    """The cursor of the page behind a row. `order` is what the list is ordered by: a cursor is good for that alone."""
    return base64.urlsafe_b64encode(f"{order}|{place!r}|{id}".encode()).decode().rstrip("=")


def read_place(cursor: str, order: str) -> tuple[float, int] | None:
    """The place in a cursor, None for an empty one. Raises `Problem` for one that we have not made for this order."""
    if not cursor:
        return None
    try:
        said = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
        known, place, id = said.split("|")
        found = float(place), int(id)
    except (ValueError, binascii.Error):
        raise bad_cursor() from None
    if known != order or not math.isfinite(found[0]) or not 0 < found[1] <= HIGHEST:
        raise bad_cursor()
    if write_place(order, *found) != cursor:
        raise bad_cursor()
    return found


def bad_cursor() -> Problem:
    return Problem("invalid", errors=[{"pointer": "cursor", "detail": n_("this is no cursor of this list")}])
