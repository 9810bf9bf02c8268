"""Tickets as the API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from core.ports import StoredFile
from core.tickets import Desk, Means, stands_since
from gateway.api.models import moment
from gateway.api.models_tickets import (
    DeadlineMove,
    DeskView,
    LedgerPart,
    LedgerSums,
    Likely,
    PushState,
    StatusView,
    TicketComment,
    TicketCount,
    TicketDone,
    TicketEntry,
    TicketFile,
    TicketItem,
    TicketLedger,
    TicketLink,
    TicketNote,
    TicketPageView,
)
from gateway.api.route import Call
from gateway.api.showing import client_short, links_of, user_of
from handoff.hours import Hours, worked
from handoff.lines import Line
from handoff.ticket_clock import moves, stretches, sums
from storage.asked import Asked
from storage.codec import decode_dict, decode_strings
from storage.lists.details import titles
from storage.rows import WAITING, Row
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


@dataclass
class Faces:
    """What is needed to show tickets: the desks, kinds of channels, titles of people by account."""

    desks: Mapping[str, Desk]
    kinds: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)

    def title(self, id: str) -> str:
        """What others read of an account; empty for anybody else."""
        return self.names.get(user_of(id), "")


def faces(call: Call, reads: Asked, people: Iterable[str]) -> Faces:
    """With the titles of these people (`user:7`; anybody else is passed over)."""
    wanted = sorted({user for user in map(user_of, people) if user})
    kinds = {name: channel.kind for name, channel in call.floor.config.channels.items()}
    return Faces(call.floor.desks, kinds, titles(reads, wanted) if wanted else {})


def item(known: Faces, row: Row) -> TicketItem:
    """A ticket in a list."""
    return TicketItem(**_item(known, row))


def _item(known: Faces, row: Row) -> dict[str, Any]:
    plain = ("number", "desk", "title", "status", "priority", "category", "assignee", "line", "client", "conversation")
    channel = row.get("channel") or ""
    return {
        **{name: row[name] for name in (*plain, "master", "rating", "version")},
        **{name: moment(row[name]) for name in ("created_at", "updated_at", "deadline", "solved_at")},
        "status_title": desk_of(known.desks, row).status(row["status"], bool(row["done"])).title,
        "means": means_of(row),
        "assignee_title": known.title(row["assignee"]),
        "client_name": client_short(row["client"], row.get("card")).name,
        "channel": channel,
        "kind": known.kinds.get(channel, ""),
    }


def count_view(desks: Mapping[str, Desk], row: Row) -> TicketCount:
    """How many tickets are of this kind."""
    title = desk_of(desks, row).status(row["status"], bool(row["done"])).title
    return TicketCount(desk=row["desk"], status=row["status"], status_title=title, means=means_of(row), count=row["n"])


def people_of(page: TicketPage) -> set[str]:
    """Everybody who is named on a page."""
    rows = [page.row, *page.joined, *([page.master] if page.master else [])]
    told = {str(entry.get(name, "")) for entry in page.entries for name in ("by", "assignee")}
    return told | {row["assignee"] for row in rows} | {page.row["author"]} | {note["author"] for note in page.notes}


def file_view(call: Call, it: StoredFile) -> TicketFile:
    url, small = links_of(call, it)
    return TicketFile(id=it.id, name=it.name, mime=it.mime, size=it.size, url=url, small=small, error=it.error)


def page_view(known: Faces, page: TicketPage, files: list[TicketFile], ledger: TicketLedger) -> TicketPageView:
    """A ticket with all that belongs to it."""
    row, desk = page.row, desk_of(known.desks, page.row)
    return TicketPageView(
        **_item(known, row),
        **{name: row[name] for name in ("text", "author", "outer_number", "outer_link")},
        author_title=known.title(row["author"]),
        fields={label: str(text) for label, text in decode_dict.decode(row["fields"]).items()},
        private=list(decode_strings.decode(row["private"])),
        outer=desk.outer,
        files=files,
        comments=[_comment(known, row, entry) for entry in page.entries if entry.get("comment")],
        notes=[_note(known, it) for it in page.notes],
        history=[_entry(known, entry) for entry in page.entries if "of" not in entry],
        sessions=[_link(it) for it in page.links],
        master_ticket=item(known, page.master) if page.master else None,
        joined=[item(known, it) for it in page.joined],
        likely=likely(known.desks, page.likely),
        ledger=ledger,
        push=_push(page.push) if desk.outer else None,
    )


def ledger_view(known: Faces, page: TicketPage, line: Line | None, now: float) -> TicketLedger:
    """Why the deadline is what it is, by the hours of now."""
    row, own = page.row, [entry for entry in page.entries if "of" not in entry]
    hours = line.hours if line is not None else None
    parts = stretches(own, hours, now)
    until = stands_since(own) or now
    return TicketLedger(
        promised=desk_of(known.desks, row).resolve,
        line=line.id if line is not None else "",
        due=moment(row["deadline"]),
        late=0 < row["deadline"] <= until,
        left=None if not row["deadline"] or row["done"] or row["waiting"] else _left(now, row["deadline"], hours),
        spent=LedgerSums(**{cause: round(seconds, 3) for cause, seconds in sums(parts).items()}),
        entries=[
            LedgerPart(since=_at(it.since), until=_at(it.until), cause=it.cause, seconds=round(it.seconds, 3))
            for it in parts
        ],
        moves=[
            DeadlineMove(
                **{"at": _at(it.at), "by": it.by, "by_title": known.title(it.by), "stood": round(it.stood, 3)},
                was=moment(it.was),
                due=moment(it.due),
            )
            for it in moves(own)
        ],
    )


def _left(now: float, due: float, hours: Hours | None) -> float:
    if due <= now:
        return 0.0
    if hours is None:
        return round(due - now, 3)
    start, end = (datetime.fromtimestamp(at, UTC) for at in (now, due))
    return round(worked(start, end, hours) * 60, 3)


def _push(row: Row | None) -> PushState:
    if row is None:
        return PushState(state="taken")
    if row["state"] == WAITING:
        told = {"attempts": row["attempts"], "reason": row["reason"], "next_at": moment(row["not_before"])}
        return PushState(state="waiting", **told)
    return PushState(state="refused", attempts=row["attempts"], reason=row["reason"])


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


def _comment(known: Faces, row: Row, entry: dict[str, Any]) -> TicketComment:
    by = str(entry.get("by", ""))
    return TicketComment(
        at=_at(entry["at"]),
        by=by,
        by_title=known.title(by),
        text=str(entry["comment"]),
        ticket=int(entry["of"] if "of" in entry else row["number"]),
    )


def _note(known: Faces, row: Row) -> TicketNote:
    by = row["author"]
    return TicketNote(id=row["id"], at=_at(row["at"]), by=by, by_title=known.title(by), text=row["text"])


def _entry(known: Faces, entry: dict[str, Any]) -> TicketEntry:
    data = {name: value for name, value in entry.items() if name not in _OWN}
    if known.title(str(data.get("assignee", ""))):
        data["assignee_title"] = known.title(str(data["assignee"]))
    by = str(entry.get("by", ""))
    return TicketEntry(at=_at(entry["at"]), what=str(entry["what"]), by=by, by_title=known.title(by), data=data)


def _link(row: Row) -> TicketLink:
    return TicketLink(
        conversation=row["conversation"],
        session=row["session"],
        **{name: str(row[name] or "") for name in ("channel", "line", "status")},
    )
