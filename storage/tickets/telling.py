"""Clients hear of every public change, once: where they were last, or where they can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.events import TicketChanged
from core.outbox import OutboxRow
from core.tickets import read_news_slot, usual_title
from storage.codec import decode_dict, encode
from storage.ledger import Ledger
from storage.rows import Row
from storage.tickets.marks import record, tell_people
from storage.tickets.tables import Way


@dataclass(frozen=True)
class News:
    """A change that clients hear of: the ticket as it is now, the place in its history, its status in words."""

    row: Row
    place: int
    status: str
    comment: str = ""

    @property
    def source(self) -> int:
        return int(self.row["number"])

    def event(self, own: Row) -> TicketChanged:
        """As the owner of a ticket hears it: under the number they know."""
        done, number = bool(self.row["done"]), int(own["number"])
        source = self.source if number != self.source else 0
        return TicketChanged(number, self.status, done, own["title"], self.comment, source, self.place)

    @property
    def key(self) -> str:
        return f"ticket:{self.source}:{self.place}"


def tell_clients(ledger: Ledger, news: News, but: int = 0) -> None:
    """Put the news into an inbox of every client concerned; `but` is who did it."""
    for own in _owners(ledger, news.row):
        if own["client"] == but:
            continue
        ways = ledger.rows.ways_to(own["client"])
        home = next((way for way in ways if way.reachable), None)
        if ways and home is not ways[0]:
            _note(ledger, news, own, ways[0], home, "unreachable")
        ledger.put_event(home.conversation if home else own["conversation"], news.event(own), news.key)


def _owners(ledger: Ledger, row: Row) -> Iterator[Row]:
    """A ticket of each client concerned: this one, and those joined to it; a client with several hears of one."""
    seen: set[int] = set()
    for own in (row, *ledger.rows.joined_tickets(row["number"])):
        if own["client"] not in seen:
            seen.add(own["client"])
            yield own


# --- the client was not there ----------------------------------------------------------------------------------------


def tell_elsewhere(ledger: Ledger, row: OutboxRow, why: str) -> None:
    """The message did not reach the client: they hear of the change in the next of their conversations, if there is one."""
    news = _news_of(ledger, row)
    own = ledger.rows.ticket_row(news[1]) if news is not None else None
    if news is None or own is None:
        return
    ways = ledger.rows.ways_to(own["client"])
    tried = {row.conversation, *_tried(ledger, news[0])}
    there = next((way for way in ways if way.reachable and way.conversation not in tried), None)
    here = next((way for way in ways if way.conversation == row.conversation), None)
    _note(ledger, news[0], own, here or Way(row.conversation, row.channel, False), there, why)
    if there is not None:
        ledger.put_event(there.conversation, news[0].event(own), news[0].key)


def tell_again(ledger: Ledger, row: OutboxRow) -> None:
    """Somebody took the talk over before the bot had said it: it is told once more, and then as a notice."""
    news = _news_of(ledger, row)
    own = ledger.rows.ticket_row(news[1]) if news is not None else None
    if news is not None and own is not None:
        ledger.put_event(row.conversation, news[0].event(own), f"{news[0].key}:again")


def _news_of(ledger: Ledger, row: OutboxRow) -> tuple[News, int] | None:
    """The change that a message told of, and the number under which the client knows the ticket."""
    stored = ledger.rows.outbox_row(row.id)
    said = read_news_slot(stored["slot"]) if stored is not None else None
    ticket = ledger.rows.ticket_row(said[0]) if said is not None else None
    if said is None or ticket is None:
        return None
    source, place, number = said
    entries = ledger.rows.ticket_entries(source)
    entry = decode_dict.decode(entries[place - 1]) if 0 < place <= len(entries) else {}
    title = str(entry.get("said") or usual_title(ticket["status"]))
    return News(ticket, place, title, str(entry.get("comment", "")) if entry.get("told", True) else ""), number


def _tried(ledger: Ledger, news: News) -> Iterator[int]:
    for stored in ledger.rows.ticket_entries(news.source):
        entry = decode_dict.decode(stored)
        if entry["what"] == "untold" and entry["place"] == news.place:
            yield int(entry["conversation"])


def _note(ledger: Ledger, news: News, own: Row, here: Way, there: Way | None, why: str) -> None:
    """In the history it says where the client could not be told, and where they are told instead."""
    elsewhere = there.channel if there is not None else ""
    entry: dict[str, Any] = {"at": ledger.clock(), "what": "untold", "place": news.place, "client": own["client"]}
    entry |= {"conversation": here.conversation, "channel": here.channel, "instead": elsewhere, "why": why[:200]}
    place = len(ledger.rows.ticket_entries(news.source)) + 1
    ledger.rows.insert("ticket_history", {"number": news.source, "place": place, "entry": encode(entry)})
    tell_people(ledger, news.row, ["untold"])
    record(ledger, news.row, "ticket_untold", channel=here.channel, instead=elsewhere)
