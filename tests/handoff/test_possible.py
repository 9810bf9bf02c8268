"""What the console offers: the acts that would be done as things are, and no other; words that lack are asked for later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from core.conversation import Conversation, Session
from core.events import LoanBegun, Message
from core.turn import Facts
from handoff.acts import ACTS
from handoff.decision import Decision
from handoff.lines import line_facts
from handoff.possible import OF_MESSAGES, possible
from tests.handoff.test_acts import BOSS, HOUSE, act, closed, owned, queued, refused, step, waiting
from tests.handoff.test_decide import DAY, NIGHT, fresh

OWNER, COLLEAGUE = "user:1", "user:2"
OWNERS = {"reply", "note", "return", "transfer", "hold", "loan", "to_bot", "close", "priority", "set_field", "ticket"}


def offered(on: Conversation, operator: str = OWNER, *, supervises: bool = False, now: Any = DAY) -> list[str]:
    return possible(Decision(HOUSE, on, now, Facts({}, line_facts(HOUSE, now), "support")), operator, supervises)


def held() -> Conversation:
    return act(owned(), "hold").conversation


def lent() -> Conversation:
    return step(owned(), LoanBegun("ask_order", OWNER)).conversation


def handed_on() -> Conversation:
    """Transferred by a colleague to the owner."""
    data: dict[str, Any] = {"line": "plain", "person": OWNER, "present": True}
    return act(owned(operator=COLLEAGUE), "transfer", COLLEAGUE, "ваш клиент", **data).conversation


def unwritten() -> Conversation:
    return msgspec.structs.replace(fresh(), session=Session())


PLACES = {
    "bot": fresh,
    "queued": queued,
    "owned": owned,
    "waiting": waiting,
    "held": held,
    "lent": lent,
    "handed on": handed_on,
    "closed": closed,
    "unwritten": unwritten,
}


# --- who is offered what ----------------------------------------------------------------------------------------------


def test_whoever_has_it_is_offered_all_that_one_does_with_a_client() -> None:
    assert set(offered(owned())) == OWNERS
    assert set(offered(waiting())) == OWNERS


def test_a_colleague_looks_on() -> None:
    assert offered(owned(), COLLEAGUE) == ["note", "ticket"]
    assert offered(fresh(), COLLEAGUE) == ["take", "note", "ticket"], "the bot's is everybody's to take"
    assert offered(queued(), COLLEAGUE) == ["take", "note", "priority", "ticket"]


def test_a_supervisor_is_offered_what_moves_a_colleagues_session_and_not_the_colleagues_words() -> None:
    more = ["take", "assign", "note", "release", "transfer", "priority", "ticket"]
    assert offered(owned(), "user:9", supervises=True) == more
    assert offered(queued(), "user:9", supervises=True) == [it for it in more if it != "release"]
    assert offered(fresh(), "user:9", supervises=True) == ["take", "assign", "note", "ticket"]


def test_a_supervisor_does_not_take_their_own_session_from_themselves() -> None:
    found = offered(owned(), OWNER, supervises=True)
    assert set(found) == OWNERS | {"assign", "release"}


def test_what_the_session_is_in_the_middle_of_is_what_one_may_end() -> None:
    assert ("unhold" in offered(held()), "unhold" in offered(owned())) == (True, False)
    assert ("end_loan" in offered(lent()), "end_loan" in offered(waiting())) == (True, False)
    assert "loan" not in offered(lent())
    assert {"accept", "send_back"} <= set(offered(handed_on()))
    assert not {"accept", "send_back"} & set(offered(owned()))
    assert not {"accept", "send_back"} & set(offered(handed_on(), COLLEAGUE)), "the sender waits"


@pytest.mark.parametrize("supervises", [False, True])
def test_of_a_talk_that_is_over_only_notes_are_kept(supervises: bool) -> None:
    assert offered(closed(), supervises=supervises) == ["note"]


def test_a_client_who_has_not_written_yet_may_be_waited_for() -> None:
    assert offered(unwritten()) == ["take", "note"]


def test_what_one_may_follows_the_session_as_it_moves() -> None:
    passed_on = act(owned(), "take", "user:9", **BOSS).conversation
    assert offered(passed_on) == ["note", "ticket"]
    assert set(offered(passed_on, "user:9")) == OWNERS
    back = step(held(), Message("я тут")).conversation
    assert "unhold" not in offered(back)


# --- an offer is a promise --------------------------------------------------------------------------------------------


def test_the_night_takes_away_nothing_that_needs_a_line_named_first() -> None:
    assert offered(owned(), now=NIGHT) == offered(owned())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("operator", "supervises"), [(OWNER, False), (COLLEAGUE, False), ("user:9", True)])
def test_what_is_offered_is_done_when_all_words_are_there_and_nothing_else_is(
    place: str, operator: str, supervises: bool
) -> None:
    on = PLACES[place]()
    found = offered(on, operator, supervises=supervises)
    assert found == [name for name in ACTS if name in found], "in one order"
    assert not OF_MESSAGES & set(found), "these are asked of each message"
    for name in set(ACTS) - OF_MESSAGES - {"ticket"}:  # the desk brings a ticket's words
        turn = act(on, name, operator, "потому", **words(on, name), **(BOSS if supervises else {}))
        done = not any(one.kind == "refused" for one in turn.trace)
        if (place, name) != (
            "unwritten",
            "assign",
        ):  # would be done, and is not offered: nobody is there yet to give away
            assert done == (name in found), name


def words(on: Conversation, name: str) -> dict[str, Any]:
    """All that an act may ask for besides."""
    known: dict[str, Any] = {"to": "user:5", "flow": "ask_order", "priority": "high"}
    if on.session.line == "support":
        known["category"] = "Возврат"
    line = "billing" if on.session.line != "billing" else "plain"
    packet = {"Номер заказа": "1", "ИНН": "2"}
    return known | {"line": line, "packet": packet, "present": True, "label": "Номер заказа"}


def test_what_lacks_a_word_is_offered_for_the_act_asks_for_it() -> None:
    for name, lacks in (("reply", "empty"), ("transfer", "line"), ("loan", "flow"), ("close", "category")):
        assert name in offered(owned())
        assert refused(act(owned(), name)) == lacks
    soon = (DAY - timedelta(minutes=1)).timestamp()
    assert refused(act(owned(), "hold", until=soon)) == "until"


def test_asking_what_is_possible_changes_nothing() -> None:
    on = Decision(HOUSE, owned(), DAY, Facts({}, line_facts(HOUSE, DAY), "support"))
    possible(on, OWNER, True)
    assert (on.conversation, on.effects, on.trace) == (owned(), [], [])
