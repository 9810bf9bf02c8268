"""What is counted and how: every number of every report, defined once. The same registry computes them and is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.locale import n_
from handoff import metrics_counting as of
from handoff import metrics_tickets as tickets
from handoff.metrics_counting import Measure

# `count` is a sum, `different` how many different ones, `share` a part of one, `mean` an average, `seconds` a duration.
Unit = Literal["count", "different", "share", "mean", "seconds"]


@dataclass(frozen=True)
class Metric:
    """A number. `about` is its published definition; `of` gives what a life adds to it, nothing where it does not count: that of
    a session (`Life`) or of a ticket (`TicketLife`)."""

    name: str
    title: str
    unit: Unit
    about: str
    of: Callable[[Any], Iterable[Measure]]


_ALL: tuple[Metric, ...] = (
    Metric("sessions", n_("Sessions"), "count", n_("Sessions that began in the period."), of.count_session),
    Metric(
        "clients",
        n_("Clients"),
        "different",
        n_("Different clients with a session that began in the period."),
        of.name_client,
    ),
    Metric(
        "client_messages",
        n_("Messages of clients"),
        "count",
        n_("Messages and pressed buttons of clients in these sessions."),
        of.said_by("client"),
    ),
    Metric(
        "bot_messages",
        n_("Messages of the bot"),
        "count",
        n_("Messages of the bot in these sessions."),
        of.said_by("bot"),
    ),
    Metric(
        "operator_messages",
        n_("Messages of people"),
        "count",
        n_("Messages of operators in these sessions. Notices of the house (`notice`) count for nobody."),
        of.said_by("operator"),
    ),
    Metric(
        "contained",
        n_("Contained by the bot"),
        "share",
        n_(
            "Of all sessions those that the bot alone had: never in a queue, never with a person, and no line was closed for the"
            " client. Who was told `busy` or left the queue was in a queue."
        ),
        of.contained,
    ),
    Metric(
        "to_people",
        n_("Went to people"),
        "count",
        n_("Sessions that came into a queue or to a person, on the line where that first happened."),
        of.to_people,
    ),
    Metric(
        "line_closed",
        n_("Met a closed line"),
        "count",
        n_("Sessions in which the client was told that a line is closed, on the line that was closed first."),
        of.line_closed,
    ),
    Metric(
        "queued",
        n_("Came into the queue"),
        "count",
        n_("Times that a session came into the queue of a line."),
        of.queue_entries,
    ),
    Metric(
        "queue_time",
        n_("Queue time"),
        "seconds",
        n_(
            "Each stay in the queue of one line that ended with a person having the session; on that line, for that person."
        ),
        of.queue_time,
    ),
    Metric(
        "first_reply",
        n_("First reply"),
        "seconds",
        n_(
            "From the moment when a session first came into a queue or to a person to the first reply of a person, once per"
            " session, on the line of the reply. Calendar time; promises in working time are the share of SLA."
        ),
        of.first_reply,
    ),
    Metric(
        "next_reply",
        n_("Next reply"),
        "seconds",
        n_(
            "After the first reply: from the first message of the client that nobody has answered yet, or from the end of what"
            " the bot asked for the person, to the next reply of a person."
        ),
        of.next_reply,
    ),
    Metric(
        "closed",
        n_("Closed"),
        "count",
        n_("Sessions that ended, those aside whose client said nothing more (`idle`)."),
        of.solved,
    ),
    Metric(
        "resolution",
        n_("Resolution"),
        "seconds",
        n_(
            "From the moment when a session first came into a queue or to a person to its close, those aside whose client said"
            " nothing more (`idle`); on the line that closed it."
        ),
        of.resolution,
    ),
    Metric(
        "abandoned",
        n_("Abandoned"),
        "share",
        n_(
            "Of the sessions that went to people those that ended without them: the client left the queue, nobody took it in time"
            " (`busy`), or it was closed because the client said nothing more. Who came back to people in the same session is not"
            " abandoned."
        ),
        of.abandonment,
    ),
    Metric(
        "left",
        n_("Left the queue"),
        "count",
        n_("Abandoned sessions whose client left the queue."),
        of.abandoned_by("leave"),
    ),
    Metric(
        "busy",
        n_("Nobody took it"),
        "count",
        n_("Abandoned sessions that nobody took in time."),
        of.abandoned_by("busy"),
    ),
    Metric(
        "idle",
        n_("Client fell silent"),
        "count",
        n_("Sessions that were closed because the client said nothing more; no part of `closed` and of `resolution`."),
        of.abandoned_by(of.IDLE),
    ),
    Metric(
        "sla_first_reply",
        n_("SLA of the first reply"),
        "share",
        n_(
            "Of the promises of a first reply that were kept or broken those that were kept, in working time of the line. A"
            " promise that ended otherwise, with the session in the bot's hands or on another line, counts for nobody."
        ),
        of.kept("first_reply"),
    ),
    Metric(
        "sla_next_reply",
        n_("SLA of next replies"),
        "share",
        n_(
            "Of the promises of a next reply that were kept or broken those that were kept, in working time of the line. A"
            " promise that ended otherwise, with the session in the bot's hands or on another line, counts for nobody."
        ),
        of.kept("next_reply"),
    ),
    Metric(
        "sla_resolve",
        n_("SLA of the resolution"),
        "share",
        n_(
            "Of the promises of a resolution that were kept or broken those that were kept, in working time of the line. A"
            " promise that ended otherwise, with the session in the bot's hands or on another line, counts for nobody."
        ),
        of.kept("resolve"),
    ),
    Metric(
        "rating",
        n_("Rating"),
        "mean",
        n_("The mean of the ratings, 1 to 5, for the line and the person that closed the session."),
        of.ratings,
    ),
    Metric(
        "transfers",
        n_("Transfers"),
        "count",
        n_("Transfers to another line or person, for the line and the person that sent them."),
        of.sent_on,
    ),
    Metric(
        "returned",
        n_("Transfers sent back"),
        "share",
        n_("Of the transfers those that the receiver sent back, for the line that sent them."),
        of.sent_back,
    ),
    Metric(
        "incomplete",
        n_("Incomplete transfers"),
        "share",
        n_(
            "Of the transfers those that went as urgent without all that the receiving line wants to know, for the line that sent"
            " them."
        ),
        of.incomplete,
    ),
    Metric(
        "time_bot", n_("Time of the bot"), "seconds", n_("Stretches in which the bot had a session."), of.time_of("bot")
    ),
    Metric(
        "time_queue",
        n_("Time in queues"),
        "seconds",
        n_("Stretches in which a session waited in a queue."),
        of.time_of("queue"),
    ),
    Metric(
        "time_operator",
        n_("Time of operators"),
        "seconds",
        n_("Stretches in which a person had a session and the word was theirs."),
        of.time_of("operator"),
    ),
    Metric(
        "time_client",
        n_("Time of clients"),
        "seconds",
        n_(
            "Stretches in which a person had a session and waited for the client, also while the bot asked something for them."
        ),
        of.time_of("client"),
    ),
    Metric(
        "time_held",
        n_("Time on hold"),
        "seconds",
        n_("Stretches in which a person had put a session aside."),
        of.time_of("held"),
    ),
    Metric(
        "tickets",
        n_("Tickets"),
        "count",
        n_(
            "Tickets that were created in the period, for their line and whoever has them now. Those that were joined to another"
            " count here and nowhere else."
        ),
        tickets.count_ticket,
    ),
    Metric("tickets_solved", n_("Solved tickets"), "count", n_("Those of them that are solved."), tickets.solved),
    Metric(
        "ticket_first_answer",
        n_("First answer of a ticket"),
        "seconds",
        n_(
            "From the creation of a ticket to the first comment of a person or of the outer desk that the client was told, for"
            " whoever gave it. Calendar time."
        ),
        tickets.first_answer,
    ),
    Metric(
        "ticket_resolution",
        n_("Resolution of tickets"),
        "seconds",
        n_("From the creation of a ticket to the moment since when it is solved. Calendar time."),
        tickets.resolution,
    ),
    Metric(
        "tickets_reopened",
        n_("Reopened tickets"),
        "share",
        n_("Of the tickets that were ever solved those that went on afterwards."),
        tickets.reopened,
    ),
    Metric(
        "tickets_overdue",
        n_("Overdue tickets"),
        "share",
        n_(
            "Of the tickets with a deadline those that were open when it passed. The clock of a ticket that waits for its client"
            " stands."
        ),
        tickets.overdue,
    ),
    Metric(
        "ticket_rating",
        n_("Rating of tickets"),
        "mean",
        n_("The mean of the ratings of tickets, 1 to 5."),
        tickets.ratings,
    ),
)
METRICS: Mapping[str, Metric] = {it.name: it for it in _ALL}


@dataclass(frozen=True)
class Report:
    """Numbers that are read together, split by `by` unless somebody asks otherwise; `of` is what began in the period."""

    name: str
    title: str
    metrics: tuple[str, ...]
    by: str = "line"
    of: Literal["sessions", "tickets"] = "sessions"

    @property
    def needs_messages(self) -> bool:
        return any(name.endswith("_messages") for name in self.metrics)


_REPORTS: tuple[Report, ...] = (
    Report(
        "overview",
        n_("Overview"),
        (
            *("sessions", "clients", "contained", "to_people", "queue_time", "first_reply", "resolution", "abandoned"),
            *("sla_first_reply", "sla_resolve", "rating"),
        ),
    ),
    Report(
        "volume",
        n_("Volume"),
        ("sessions", "clients", "client_messages", "bot_messages", "operator_messages"),
        "day",
    ),
    Report("bot", n_("The bot's share"), ("sessions", "contained", "to_people", "line_closed", "busy", "left"), "day"),
    Report(
        "waiting",
        n_("Waiting"),
        ("queued", "queue_time", "first_reply", "next_reply", "abandoned", "left", "busy", "idle"),
    ),
    Report(
        "service", n_("Quality"), ("closed", "resolution", "sla_first_reply", "sla_next_reply", "sla_resolve", "rating")
    ),
    Report("transfers", n_("Transfers"), ("transfers", "returned", "incomplete")),
    Report("time", n_("Whose time"), ("time_bot", "time_queue", "time_operator", "time_client", "time_held")),
    Report("load", n_("Load by hour"), ("sessions", "queued", "to_people", "closed"), "hour"),
    Report(
        "tickets",
        n_("Tickets"),
        (
            *("tickets", "tickets_solved", "ticket_first_answer", "ticket_resolution"),
            *("tickets_reopened", "tickets_overdue", "ticket_rating"),
        ),
        "desk",
        "tickets",
    ),
)
REPORTS: Mapping[str, Report] = {it.name: it for it in _REPORTS}
