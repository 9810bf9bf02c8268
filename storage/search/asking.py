"""The questions of the search, with the filter of what somebody may see inside their SQL: the same for both engines.

Documents hold words only. What they belong to now, and so who may see them, is asked of the tables that know it: a join or a
transfer needs no new index.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    FromClause,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
)

from core.access import Sight
from storage.asked import Asked
from storage.rows import Row
from storage.search.port import Hit, Wanted
from storage.search.words import snippet
from storage.tables import tickets
from storage.work.schema import sessions
from storage.work.sessions import SEEN, sight_values

ENDLESS = 1e18  # later than any moment
_nothing: ColumnElement[str] = literal_column("''")
_current = sessions.c.current == literal_column("1")


class Questions(NamedTuple):
    """By what a document belongs to: its conversation, a client, a ticket."""

    homes: Select[Any]
    clients: Select[Any]
    tickets: Select[Any]


def documents_table(name: str) -> Table:
    """The documents of an engine, in a set of its own: no migration of both engines makes it."""
    return Table(
        name,
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        *(Column(it, Text) for it in ("kind", "text")),
        *(Column(it, BigInteger) for it in ("home", "number")),
        Column("at", Float(53)),
    )


def build_questions(docs: Table, found: ColumnElement[bool]) -> Questions:
    """`found` says whether a document holds the words that are asked for."""
    at, id = bindparam("at", type_=Float(53)), bindparam("id", type_=BigInteger)
    where = (
        found,
        or_(bindparam("kind", type_=Text) == _nothing, docs.c.kind == bindparam("kind", type_=Text)),
        docs.c.at >= bindparam("since", type_=Float(53)),
        docs.c.at < bindparam("until", type_=Float(53)),
        or_(docs.c.at < at, and_(docs.c.at == at, docs.c.id < id)),
    )
    theirs = and_(_current, SEEN, _wanted("line"), _wanted("channel"))

    def of_home() -> Select[Any]:
        asked = select(*docs.columns, sessions.c.conversation, sessions.c.client, sessions.c.channel, sessions.c.line)
        joined = asked.select_from(docs.join(sessions, sessions.c.conversation == docs.c.home))
        return joined.where(docs.c.home > literal_column("0"), theirs, *where)

    def of_client(kind: str, client: ColumnElement[int], origin: FromClause) -> Select[Any]:
        """Of a client's conversations the one that was moved last stands for them."""
        newest = (
            select(sessions.c.conversation)
            .where(sessions.c.client == client, theirs)
            .order_by(sessions.c.moved_at.desc(), sessions.c.conversation.desc())
            .limit(literal_column("1"))
            .offset(literal_column("0"))
            .correlate(docs, tickets)
            .scalar_subquery()
        )
        here = sessions.alias("here")
        on = and_(here.c.conversation == newest, here.c.current == literal_column("1"))
        asked = select(*docs.columns, here.c.conversation, here.c.client, here.c.channel, here.c.line)
        return asked.select_from(origin.join(here, on)).where(docs.c.kind == literal_column(f"'{kind}'"), *where)

    of_ticket = docs.join(tickets, tickets.c.number == docs.c.number)
    asked = of_home(), of_client("client", docs.c.number, docs), of_client("ticket", tickets.c.client, of_ticket)
    return Questions(*(_page(it, docs) for it in asked))


def _wanted(name: str) -> ColumnElement[bool]:
    return or_(bindparam(name, type_=Text) == _nothing, sessions.c[name] == bindparam(name, type_=Text))


def _page(asked: Select[Any], docs: Table) -> Select[Any]:
    ordered = asked.order_by(docs.c.at.desc(), docs.c.id.desc())
    return ordered.limit(bindparam("n", type_=BigInteger)).offset(literal_column("0"))


def ask(reads: Asked, questions: Questions, wanted: Wanted, sight: Sight, match: str) -> list[Row]:
    """A page of documents, the newest first."""
    at, id = wanted.before or (ENDLESS, 0)
    values = {
        **sight_values(sight),
        "match": match,
        "kind": wanted.kind,
        "line": wanted.line,
        "channel": wanted.channel,
        "since": wanted.since,
        "until": wanted.until or ENDLESS,
        "at": at,
        "id": id,
        "n": wanted.limit,
    }
    asked = [questions.clients] if wanted.kind == "client" else [questions.tickets] if wanted.kind == "ticket" else []
    asked = asked or ([questions.homes] if wanted.kind else list(questions))
    rows = [row for question in asked for row in reads.all(question, **values)]
    return sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=True)[: wanted.limit]


def hit_of(row: Row, words: list[str], number: str) -> Hit:
    """A document as it is shown."""
    text, marks = snippet(row["text"], words, number)
    return Hit(
        id=row["id"],
        kind=row["kind"],
        conversation=row["conversation"],
        number=row["number"],
        at=row["at"],
        client=row["client"],
        channel=row["channel"],
        line=row["line"],
        text=text,
        marks=tuple(marks),
    )
