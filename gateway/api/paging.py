"""Pages of a list: an opaque cursor says behind which id the next one begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from core.locale import n_
from gateway.api.problems import Problem

HIGHEST = 2**53


def read_cursor(cursor: str) -> int:
    """The id in a cursor, 0 for none. Raises `Problem` for one that we have not made."""
    if not cursor:
        return 0
    try:
        said = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
        id = int(said.removeprefix("id:")) if said.startswith("id:") else -1
    except (ValueError, binascii.Error):
        id = -1
    if not 0 < id <= HIGHEST or write_cursor(id) != cursor:
        raise Problem("invalid", errors=[{"pointer": "cursor", "detail": n_("this is no cursor of ours")}])
    return id


def write_cursor(id: int) -> str:
    """The cursor of the page behind an id."""
    return base64.urlsafe_b64encode(f"id:{id}".encode()).decode().rstrip("=")


def cut(found: Sequence[Any], limit: int) -> tuple[Sequence[Any], str | None]:
    """A page of rows that were asked for with one more than `limit`, and the cursor of the next page."""
    if len(found) <= limit:
        return found, None
    page = found[:limit]
    return page, write_cursor(page[-1].id)
