"""Numbers from lives: what counts, what does not, and that a session's time is split without gap or overlap."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Sight
from core.conversation import Session
from core.effects import Record
from handoff.metrics import METRICS, REPORTS, Report
from handoff.metrics_facts import FACTS
from handoff.metrics_life import WHOSE, Fact, Life, build_life
from handoff.metrics_tables import Question, Tally, make_cell, nearest_rank, period_of
from handoff.session import LIFE, move

ROOT = Path(__file__).resolve().parents[2]
T0 = datetime(2026, 3, 4, 9, 0, tzinfo=UTC).timestamp()
OPENED = {"session": 1, "channel": "telegram", "client": 5, "line": "support", "seq": 0}


def life_of(*told: tuple[float, str, dict[str, Any]], messages: dict[str, int] | None = None) -> Life:
    """A life from facts at seconds after its beginning."""
    facts = [Fact(T0, "session_opened", OPENED), *(Fact(T0 + at, kind, data) for at, kind, data in told)]
    life = build_life(1, 1, facts, T0, messages)
    assert life is not None
    return life


class Story:
    """Tells a session's moves as the product makes them, and keeps what it records."""

    def __init__(self) -> None:
        self.session = Session(number=1, opened_at=T0)
        self.told: list[tuple[float, str, dict[str, Any]]] = []

    def __call__(self, at: float, name: str, who: str = "user:7", why: str = "", **changes: Any) -> Story:
        moved = move(self.session, name, datetime.fromtimestamp(T0 + at, UTC), who, why or name, **changes)
        self.session = moved.session
        return self.mark(at, moved.record)

    def mark(self, at: float, record: Record) -> Story:
        self.told.append((at, record.kind, record.data))
        return self

    def life(self) -> Life:
        return life_of(*self.told)


def handed(line: str = "support") -> Story:
    return Story()(60, "queue", "flow", line=line)


def taken(by: str = "user:7") -> Story:
    return handed()(100, "take", by, operator=by)


def values(name: str, life: Life) -> list[float]:
    return [measure.value for measure in METRICS[name].of(life)]


def places(name: str, life: Life) -> list[tuple[float, str, str]]:
    return [(measure.value, measure.line, measure.operator) for measure in METRICS[name].of(life)]


# --- the bot and the ways to people ----------------------------------------------------------------------------------


def test_a_session_of_the_bot_alone_is_contained() -> None:
    life = Story().life()
    assert (values("contained", life), values("to_people", life), values("abandoned", life)) == ([1.0], [], [])


def test_who_met_a_closed_line_is_not_contained() -> None:
    life = Story().mark(5, Record("line_closed", {"session": 1, "line": "billing"})).life()
    assert values("contained", life) == [0.0]
    assert places("line_closed", life) == [(1.0, "billing", "")]


@pytest.mark.parametrize(("ending", "name"), [("busy", "busy"), ("leave", "left")])
def test_who_waited_in_vain_is_abandoned(ending: str, name: str) -> None:
    life = handed()(360, ending, "clock", line="").life()
    assert (values("contained", life), values("abandoned", life), values(name, life)) == ([0.0], [1.0], [1.0])
    assert places("abandoned", life)[0][1] == "support"
    assert values("queue_time", life) == []


def test_who_came_back_to_people_is_not_abandoned() -> None:
    life = handed()(90, "leave", "client", line="")(200, "queue", "flow", line="support")(
        210, "take", operator="user:7"
    ).life()
    assert (values("abandoned", life), values("left", life)) == ([0.0], [])


def test_silence_is_an_abandonment_and_no_resolution() -> None:
    life = taken()(120, "reply")(4000, "close", "clock", "idle", operator="").life()
    assert (values("abandoned", life), values("idle", life)) == ([1.0], [1.0])
    assert (values("closed", life), values("resolution", life)) == ([], [])


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_each_stay_in_a_queue_counts_for_its_line() -> None:
    life = taken()(200, "transfer", line="billing", operator="")(260, "take", "user:8", operator="user:8").life()
    assert places("queue_time", life) == [(40.0, "support", "user:7"), (60.0, "billing", "user:8")]
    assert places("queued", life) == [(1.0, "support", ""), (1.0, "billing", "")]


def test_moving_between_queues_ends_one_stay() -> None:
    life = handed()(90, "queue", "flow", line="billing")(100, "take", operator="user:7").life()
    assert places("queue_time", life) == [(10.0, "billing", "user:7")]


def test_the_first_reply_counts_once_from_the_first_queue() -> None:
    life = taken()(150, "reply")(200, "return", operator="")(300, "take", operator="user:8")(400, "reply").life()
    assert places("first_reply", life) == [(90.0, "support", "user:7")]


def test_next_replies_count_from_the_first_unanswered_word() -> None:
    told = taken()(150, "reply")(200, "client", "client")(230, "client", "client")(260, "reply")(270, "reply")
    assert values("next_reply", told(300, "client", "client").life()) == [60.0]


def test_words_before_the_first_reply_are_no_next_reply() -> None:
    assert values("next_reply", taken()(120, "client", "client")(150, "reply").life()) == []


# --- the end ---------------------------------------------------------------------------------------------------------


def test_a_resolution_reaches_from_people_to_the_close() -> None:
    life = taken()(150, "reply")(660, "close", operator="").life()
    assert places("resolution", life) == [(600.0, "support", "user:7")]
    assert (values("closed", life), life.closed_at) == ([1.0], T0 + 660)


def test_a_rating_counts_for_who_had_it_last() -> None:
    told = taken()(150, "reply")(660, "close", operator="")
    about = {"session": 1, "line": "support", "operator": "user:7"}
    told.mark(700, Record("rated", {**about, "rating": 4}))
    assert places("rating", told.life()) == [(4.0, "support", "user:7")]


def promise(at: float, kind: str, name: str, **more: Any) -> tuple[float, str, dict[str, Any]]:
    about = {"session": 1, "promise": name, "line": "support", "operator": "user:7", "due": T0 + 100}
    return at, kind, {**about, **more}


def stopped(at: float, name: str, outcome: str) -> tuple[float, str, dict[str, Any]]:
    return promise(at, "sla_stopped", name, outcome=outcome)


def test_promises_are_kept_or_broken_once() -> None:
    late = (promise(200, "sla_missed", "next_reply"), stopped(250, "next_reply", "missed"))
    kept = (promise(110, "sla_met", "first_reply"), stopped(110, "first_reply", "met"))
    life = life_of(*kept, *late, stopped(300, "next_reply", "met"), stopped(300, "resolve", "ended"))
    assert (values("sla_first_reply", life), values("sla_next_reply", life), values("sla_resolve", life)) == (
        [1.0],
        [0.0, 1.0],
        [],
    )


def test_a_broken_promise_that_is_still_owed_counts_at_once() -> None:
    assert places("sla_resolve", life_of(promise(200, "sla_missed", "resolve"))) == [(0.0, "support", "user:7")]


def test_a_deadline_that_was_moved_away_is_not_broken_any_more() -> None:
    missed = promise(200, "sla_missed", "resolve")
    moved = promise(300, "sla_recalculated", "resolve", due=T0 + 900, was=T0 + 100, why="hours")
    still = promise(300, "sla_recalculated", "resolve", due=T0 + 250, was=T0 + 100, why="hours")
    assert (values("sla_resolve", life_of(missed, moved)), values("sla_resolve", life_of(missed, still))) == ([], [0.0])


def transfer(at: float, **more: Any) -> tuple[float, str, dict[str, Any]]:
    about = {"session": 1, "from_line": "support", "line": "billing", "to": "", "by": "user:7", "missing": []}
    return at, "transferred", {**about, **more}


def test_transfers_count_for_the_sender() -> None:
    back = {"session": 1, "from_line": "support", "line": "billing", "by": "user:8", "why": "не наше"}
    life = life_of(transfer(200), (300, "transfer_returned", back), transfer(400, missing=["Номер заказа"]))
    assert places("transfers", life) == [(1.0, "support", "user:7")] * 2
    assert places("returned", life) == [(1.0, "support", "user:7"), (0.0, "support", "user:7")]
    assert values("incomplete", life) == [0.0, 1.0]


def test_messages_count_by_author() -> None:
    life = life_of(messages={"client": 3, "bot": 2, "notice": 4})
    assert (values("client_messages", life), values("bot_messages", life), values("operator_messages", life)) == (
        [3.0],
        [2.0],
        [],
    )


# --- whose time ------------------------------------------------------------------------------------------------------


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fact], float]:
    """Any walk through the machine of sessions, with times that may stand still or go back, and a present."""
    session = Session(number=1, opened_at=T0)
    facts, at = [Fact(T0, "session_opened", OPENED)], T0
    for _ in range(draw(st.integers(0, 12))):
        names = sorted({name for name in (*MOVES,) if LIFE.target(session.status, name) is not None})
        if not names:
            break
        at += draw(st.sampled_from([0.0, 0.5, 7.0, 3600.0, -3.0]))
        operator = draw(st.sampled_from(["user:7", "user:8"]))
        after = LIFE.target(session.status, name := draw(st.sampled_from(names)))
        changes = {"operator": operator if after in ("assigned", "waiting", "held") else ""}
        changes["line"] = draw(st.sampled_from(["support", "billing"])) if after != "bot" else ""
        moved = move(session, name, datetime.fromtimestamp(at, UTC), "user:7", "x", **changes)
        session = moved.session
        facts.append(Fact(at, moved.record.kind, moved.record.data))
    return facts, at + draw(st.sampled_from([0.0, 60.0, -60.0]))


MOVES = (
    *(
        "queue",
        "leave",
        "busy",
        "take",
        "assign",
        "reply",
        "client",
        "hold",
        "unhold",
        "loan",
        "loan_over",
        "take_over",
    ),
    *("return", "release", "transfer", "send_back", "to_bot", "close"),
)


@settings(deadline=None)
@given(stories())
def test_spans_tile_a_life(story: tuple[list[Fact], float]) -> None:
    """No gap, no overlap: one after the other from the beginning to the end, and sums are equal."""
    facts, now = story
    life = build_life(1, 1, facts, now)
    assert life is not None
    end = life.closed_at or max([now, *(fact.at for fact in facts)])
    edges = [life.opened_at, *(span.until for span in life.spans)]
    assert [span.since for span in life.spans] == edges[:-1]
    assert not life.spans or edges[-1] == end
    assert all(span.seconds > 0 for span in life.spans)
    assert sum(span.seconds for span in life.spans) == pytest.approx(end - life.opened_at)
    assert bool(life.closed_at) == (life.moves != () and life.moves[-1].after == "closed")


@settings(deadline=None)
@given(stories())
def test_times_of_owners_are_never_mixed(story: tuple[list[Fact], float]) -> None:
    """At each moment within a span the status was the one whose time it is said to be."""
    facts, now = story
    life = build_life(1, 1, facts, now)
    assert life is not None
    for span in life.spans:
        before = [move.after for move in life.moves if move.at <= span.since]
        assert WHOSE[before[-1] if before else "bot"] == span.whose
    spent = [
        value for whose in ("bot", "queue", "operator", "client", "held") for value in values(f"time_{whose}", life)
    ]
    assert sum(spent) == pytest.approx(sum(span.seconds for span in life.spans if span.ended))


def test_time_that_lasts_is_not_counted_yet() -> None:
    life = build_life(1, 1, [Fact(T0, "session_opened", OPENED)], T0 + 500)
    assert life is not None
    assert ([span.seconds for span in life.spans], values("time_bot", life)) == ([500.0], [])


def test_without_a_beginning_there_is_no_life() -> None:
    assert build_life(1, 1, [Fact(T0, "line_closed", {"session": 1, "line": "support"})], T0) is None


# --- tables ----------------------------------------------------------------------------------------------------------

OVERVIEW = REPORTS["overview"]


def table(lives: list[Life], **asked: Any) -> dict[str, dict[str, Any]]:
    tally = Tally(Question(**{"report": OVERVIEW, "by": "line", "zone": UTC, **asked}))
    tally.add(lives)
    made = tally.table()
    return {
        row.key: dict(zip(made.report.metrics, (cell.value for cell in row.cells), strict=True))
        for row in (*made.rows, made.total)
    }


def test_a_table_has_a_row_for_each_and_one_for_all() -> None:
    lives = [Story().life(), taken()(150, "reply").life(), handed("billing").life()]
    found = table(lives)
    assert {key: row["sessions"] for key, row in found.items()} == {"billing": 1.0, "support": 2.0, "": 3.0}
    assert found[""]["contained"] == pytest.approx(1 / 3)
    assert (found["support"]["first_reply"], found["billing"]["first_reply"]) == (90.0, None)


def test_a_client_counts_once_however_many_sessions() -> None:
    assert table([Story().life(), Story().life()])[""]["clients"] == 1.0


def test_who_sees_a_line_sees_what_happened_on_it_only() -> None:
    life = taken()(200, "transfer", line="billing", operator="")(260, "take", "user:8", operator="user:8").life()
    found = table([life], sight=Sight(lines=("support",)))
    assert (found[""]["queue_time"], found[""]["sessions"]) == (40.0, 0.0)  # it ended with billing
    assert table([life], sight=Sight())[""]["sessions"] == 0.0


def test_filters_let_through_what_is_asked_for() -> None:
    lives = [taken().life(), taken("user:8").life()]
    assert table(lives, operator="user:8")[""]["sessions"] == 1.0
    assert table(lives, channel="vk")[""]["sessions"] == 0.0
    assert table(lives, line="billing")[""]["sessions"] == 0.0


def test_periods_begin_in_the_zone_of_the_deployment() -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC).timestamp()
    assert period_of(late, "day", UTC) == "2026-03-31"
    assert period_of(late, "day", ZoneInfo("Europe/Moscow")) == "2026-04-01"
    assert period_of(late, "month", ZoneInfo("Europe/Moscow")) == "2026-04"
    assert period_of(datetime(2027, 1, 1, tzinfo=UTC).timestamp(), "week", UTC) == "2026-W53"


def test_the_load_is_split_by_the_hour_in_which_it_came() -> None:
    tally = Tally(Question(REPORTS["load"], "hour", UTC))
    tally.add([Story()(3700, "queue", "flow", line="support").life()])
    assert [row.key for row in tally.table().rows] == ["09", "10"]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(numbers: list[float]) -> None:
    ordered = sorted(numbers)
    median = nearest_rank(ordered, 0.5)
    assert median in numbers
    assert sum(it <= median for it in numbers) >= len(numbers) / 2 >= sum(it < median for it in numbers)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.randoms())
def test_numbers_do_not_depend_on_the_order(numbers: list[float], random: Any) -> None:
    mixed = random.sample(numbers, len(numbers))
    assert make_cell("seconds", numbers) == make_cell("seconds", mixed)


def test_nothing_to_divide_is_none() -> None:
    assert (make_cell("share", []).value, make_cell("count", []).value) == (None, 0.0)


# --- the registry ----------------------------------------------------------------------------------------------------


def recorded(room: str) -> dict[str, str]:
    """Every kind of fact that the product records, and where."""
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called, wanted = ast.unparse(node.func), 1
            if called == "Record":
                wanted = 2
            elif not called.endswith((".record", "._record")):
                continue
            if (isinstance(node.args[0].value, str) and len(node.args) == wanted) or "_record" in called:
                found[str(node.args[0].value)] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def test_every_fact_is_in_the_registry() -> None:
    """A fact that nobody has defined cannot be counted rightly: give it a line in `handoff/metrics_facts.py`."""
    found = recorded("bot") | recorded("handoff") | recorded("gateway") | recorded("storage")
    assert {"session_opened", "session_moved", "line_closed", "uncaught", "operator_refused"} <= set(found)
    assert {kind: place for kind, place in found.items() if kind not in FACTS} == {}


def test_what_the_product_records_has_the_fields_of_the_registry() -> None:
    for _, kind, data in taken()(150, "reply")(660, "close", operator="").told:
        assert set(data) <= set(FACTS[kind].fields), kind


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_reports_are_made_of_known_numbers(report: Report) -> None:
    assert set(report.metrics) <= set(METRICS)


def test_every_number_is_in_a_report() -> None:
    assert {name for report in REPORTS.values() for name in report.metrics} == set(METRICS)
