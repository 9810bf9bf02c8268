"""Tickets as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from core.ports import StoredFile
from core.tickets import Desk, Means
from gateway.api.models import moment
from gateway.api.models_tickets import (
    DeskView,
    Likely,
    StatusView,
    TicketComment,
    TicketDone,
    TicketEntry,
    TicketFile,
    TicketItem,
    TicketLink,
    TicketNote,
    TicketPageView,
)
from storage.codec import decode_dict, decode_strings
from storage.rows import Row
from storage.tickets.reading import TicketPage

_OWN = ("at", "what", "by", "key", "told", "of")  # of a line of the history: said elsewhere, or nobody's business


def means_of(row: Row) -> Means:
    """The group of a ticket's status."""
    return "done" if row["done"] else "waiting" if row["waiting"] else "open"


def desk_of(desks: Mapping[str, Desk], row: Row) -> Desk:
    """The desk; one that is gone from the configuration is called by its name."""
    return desks.get(row["desk"]) or Desk(row["desk"], row["desk"])


def desk_view(desk: Desk) -> DeskView:
    return DeskView(
        desk=desk.id,
        title=desk.title,
        outer=desk.outer,
        needs=list(desk.needs),
        categories=list(desk.categories),
        statuses=[StatusView(word=it.word, title=it.title, means=it.means) for it in desk.statuses],
    )


def item(desks: Mapping[str, Desk], row: Row) -> TicketItem:
    """A ticket in a list."""
    return TicketItem(**_item(desks, row))


def _item(desks: Mapping[str, Desk], row: Row) -> dict[str, Any]:
    plain = ("number", "desk", "title", "status", "priority", "category", "assignee", "line", "client", "conversation")
    return {
        **{name: row[name] for name in (*plain, "master", "rating", "version")},
        **{name: moment(row[name]) for name in ("created_at", "updated_at", "deadline", "solved_at")},
        "status_title": desk_of(desks, row).status(row["status"], bool(row["done"])).title,
        "means": means_of(row),
    }


def page_view(desks: Mapping[str, Desk], page: TicketPage, files: list[StoredFile]) -> TicketPageView:
    """A ticket with all that belongs to it."""
    row = page.row
    return TicketPageView(
        **_item(desks, row),
        **{name: row[name] for name in ("text", "author", "outer_number", "outer_link")},
        fields={label: str(text) for label, text in decode_dict.decode(row["fields"]).items()},
        private=list(decode_strings.decode(row["private"])),
        outer=desk_of(desks, row).outer,
        files=[TicketFile(id=it.id, name=it.name, mime=it.mime, size=it.size, error=it.error) for it in files],
        comments=[_comment(row, entry) for entry in page.entries if entry.get("comment")],
        notes=[TicketNote(id=it["id"], at=_at(it["at"]), by=it["author"], text=it["text"]) for it in page.notes],
        history=[_entry(entry) for entry in page.entries if "of" not in entry],
        sessions=[_link(it) for it in page.links],
        joined=[item(desks, it) for it in page.joined],
        likely=likely(desks, page.likely),
    )


def likely(desks: Mapping[str, Desk], found: list[tuple[Row, float]]) -> list[Likely]:
    """Possible duplicates."""
    return [
        Likely(
            number=row["number"],
            title=row["title"],
            status_title=desk_of(desks, row).status(row["status"], bool(row["done"])).title,
            means=means_of(row),
            likeness=round(score, 2),
        )
        for row, score in found
    ]


def done(row: Row, found: list[Likely] | None = None) -> TicketDone:
    """A ticket after a deed."""
    return TicketDone(
        number=row["number"], version=row["version"], status=row["status"], means=means_of(row), likely=found or []
    )


def _at(at: float) -> Any:
    return cast(Any, moment(at) or moment(1e-3))


def _comment(row: Row, entry: dict[str, Any]) -> TicketComment:
    return TicketComment(
        at=_at(entry["at"]),
        by=str(entry.get("by", "")),
        text=str(entry["comment"]),
        ticket=int(entry["of"] if "of" in entry else row["number"]),
    )


def _entry(entry: dict[str, Any]) -> TicketEntry:
    data = {name: value for name, value in entry.items() if name not in _OWN}
    return TicketEntry(at=_at(entry["at"]), what=str(entry["what"]), by=str(entry.get("by", "")), data=data)


def _link(row: Row) -> TicketLink:
    return TicketLink(
        conversation=row["conversation"],
        session=row["session"],
        **{name: str(row[name] or "") for name in ("channel", "line", "status")},
    )
