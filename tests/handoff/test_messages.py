"""Messages that are out: who may edit, take back or send again which of them, while the channel lets us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest

from core.conversation import Conversation
from core.delivery import Able, Delivery, DeliveryState
from core.effects import Change, Effect, Recall, Resend, Send
from core.turn import Turn
from handoff.acts.delivery import against_retry
from handoff.acts.editing import against_edit, against_recall
from tests.handoff.test_acts import act, closed, facts, owned, queued, refused
from tests.handoff.test_decide import DAY, of

NOW = DAY.timestamp()
SENT = Delivery(7, 70, "operator", "user:1", "sent", at=NOW - 100, settled_at=NOW - 60)
ABLE = Able(edit=True, delete=True, edit_seconds=60, delete_seconds=60)


def but(**changes: Any) -> Delivery:
    return msgspec.structs.replace(SENT, **changes)


def both(it: Delivery, able: Able = ABLE, operator: str = "user:1", now: float = NOW) -> tuple[str, str]:
    """What speaks against an edit, and against a recall."""
    return against_edit(it, able, operator, now), against_recall(it, able, operator, now)


def on_message(name: str, on: Conversation, it: Delivery = SENT, *, operator: str = "user:1", **more: Any) -> Turn:
    """The act as the desk asks for it: with the message as it was found."""
    more = {"text": "иначе", "able": ABLE, **more}
    given = {"able": msgspec.to_builtins(more.pop("able")), "delivery": msgspec.to_builtins(it)}
    return act(on, name, operator, more.pop("text"), **given, **more)


def gone_out(turn: Turn) -> list[Effect]:
    return [effect for kind in (Change, Recall, Resend, Send) for effect in of(turn, cast(Any, kind))]


# --- what may be put right or taken back ------------------------------------------------------------------------------


def test_ones_own_message_may_be_put_right_also_before_it_is_out() -> None:
    assert both(SENT) == ("", "")
    assert both(but(state="waiting", settled_at=0.0, at=NOW)) == ("", "")


@pytest.mark.parametrize(
    "changes", [{"author": "bot"}, {"author": "client"}, {"author": "notice"}, {"operator": "user:2"}, {"row": 0}]
)
def test_what_somebody_else_said_is_not_ones_own(changes: dict[str, Any]) -> None:
    assert both(but(**changes)) == ("not_own", "not_own")


@pytest.mark.parametrize("state", ["failed", "unknown", "refused"])
def test_what_did_not_surely_come_is_not_put_right(state: DeliveryState) -> None:
    assert both(but(state=state)) == ("not_sent", "not_sent")


def test_what_was_taken_back_is_gone_for_good() -> None:
    assert both(but(removed=True)) == ("gone", "gone")
    assert both(but(removed=True, state="failed")) == ("gone", "gone")


def test_the_channel_says_what_it_can_for_each() -> None:
    assert both(SENT, Able()) == ("cannot", "cannot")
    assert both(SENT, Able(edit=True)) == ("", "cannot")
    assert both(SENT, Able(delete=True)) == ("cannot", "")


def test_the_channel_says_for_how_long_for_each() -> None:
    assert both(SENT) == ("", ""), "to the last second"
    assert both(SENT, now=NOW + 0.5) == ("too_old", "too_old")
    assert both(SENT, Able(True, True, 61, 59)) == ("", "too_old")
    assert both(SENT, Able(True, True, 59, 61)) == ("too_old", "")
    assert both(SENT, Able(True, True), now=NOW + 10_000_000) == ("", ""), "0 is without end"


def test_the_age_counts_from_when_it_came_and_else_from_when_it_was_written() -> None:
    assert both(but(settled_at=0.0)) == ("too_old", "too_old")
    assert both(but(settled_at=0.0, at=NOW - 60)) == ("", "")


def test_whose_it_is_comes_before_what_the_channel_can() -> None:
    """A colleague learns nothing else of it."""
    assert both(but(operator="user:2", removed=True, state="failed"), Able()) == ("not_own", "not_own")


# --- what is done -----------------------------------------------------------------------------------------------------


def test_an_edit_goes_to_the_row_of_the_message_with_a_clean_text() -> None:
    before = owned()
    turn = on_message("edit", before, text="Завтра\u202e в 10\r\n")
    assert gone_out(turn) == [Change(7, 70, "Завтра в 10\n")]
    assert turn.conversation == before, "the client does not have the word anew"
    assert (turn.trace[-1].kind, turn.trace[-1].data) == ("edit", {"seq": 7})


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u202e"])
def test_an_edit_to_nothing_is_refused(text: str) -> None:
    turn = on_message("edit", owned(), text=text)
    assert refused(turn) == "empty"
    assert gone_out(turn) == []


def test_only_who_has_the_session_edits_but_a_slip_is_taken_back_by_whoever_made_it() -> None:
    for on in (owned(operator="user:2"), queued(), closed()):
        assert refused(on_message("edit", on)) == "owner"
        turn = on_message("recall", on)
        assert gone_out(turn) == [Recall(7, 70)]
        assert turn.conversation == on
    assert refused(on_message("recall", owned(), operator="user:2")) == "not_own"


def test_a_supervisor_does_not_put_words_into_a_colleagues_mouth() -> None:
    boss: dict[str, Any] = {"operator": "user:9", "right": "supervisor"}
    assert refused(on_message("edit", owned(), **boss)) == "owner"
    assert refused(on_message("recall", owned(), **boss)) == "not_own"


def test_time_runs_while_one_makes_up_ones_mind() -> None:
    """What the desk allowed when the menu opened is asked again when it is done."""
    late = DAY + timedelta(seconds=1)
    for name in ("edit", "recall"):
        assert gone_out(on_message(name, owned()))
        turn = on_message(name, owned(), now=late)
        assert refused(turn) == "too_old"
        assert gone_out(turn) == []
        assert refused(on_message(name, owned(), able=Able())) == "cannot"
    assert facts(turn, "operator_refused") == [{"act": "recall", "operator": "user:1", "why": "too_old"}]


# --- once more by hand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "against", "even_if_twice"),
    [
        ({"state": "failed"}, "", ""),
        ({"state": "unknown"}, "unconfirmed", ""),
        ({"state": "sent"}, "not_failed", "not_failed"),
        ({"state": "waiting"}, "not_failed", "not_failed"),
        ({"state": "refused"}, "not_failed", "not_failed"),
        ({"state": "failed", "removed": True}, "not_failed", "not_failed"),
        ({"state": "failed", "author": "bot"}, "not_own", "not_own"),
        ({"state": "unknown", "author": "bot"}, "not_own", "not_own"),
        ({"state": "failed", "row": 0}, "not_own", "not_own"),
    ],
)
def test_only_what_is_surely_or_knowingly_not_there_is_sent_again(
    changes: dict[str, Any], against: str, even_if_twice: str
) -> None:
    it = but(**changes)
    assert (against_retry(it, even_if_twice=False), against_retry(it, even_if_twice=True)) == (against, even_if_twice)


def test_a_failed_message_goes_out_once_more() -> None:
    before, failed = owned(), but(state="failed")
    turn = on_message("retry", before, failed)
    assert gone_out(turn) == [Resend(7, 70)]
    assert turn.conversation == before
    assert turn.trace[-1].data == {"seq": 7, "row": 70, "was": "failed"}
    assert refused(on_message("retry", before)) == "not_failed"


def test_who_has_the_session_now_sends_what_a_colleague_could_not() -> None:
    failed = but(state="failed", operator="user:5")
    assert gone_out(on_message("retry", owned(), failed)) == [Resend(7, 70)]
    assert refused(on_message("retry", owned(), failed, operator="user:5")) == "owner"
    assert refused(on_message("retry", queued(), failed)) == "owner"


def test_a_message_that_may_have_come_is_sent_twice_only_knowingly() -> None:
    unknown = but(state="unknown")
    turn = on_message("retry", owned(), unknown)
    assert refused(turn) == "unconfirmed"
    assert gone_out(turn) == []
    assert gone_out(on_message("retry", owned(), unknown, even_if_twice=True)) == [Resend(7, 70)]
