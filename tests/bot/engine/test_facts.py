"""What happened is told of the step at which it happened, by the name that reports know: the called flow's, not the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.actions.ask import Ask
from bot.graph import draw
from tests.bot.engine.play import Play, build
from tests.bot.engine.shop import SHOP

if TYPE_CHECKING:
    from bot.compile import CompiledFlow

NAMED = """
flow: Поиск
fields:
  номер: {label: Номер, type: text, ask: Какой номер?}
steps:
  - ask: номер
    step: номер заказа
  - end: найдено
"""
CALLER = """
flow: Жалоба
triggers:
  - words: [жалоба]
steps:
  - call: named
  - end: готово
"""
BOOK = build(**SHOP, named=NAMED, caller=CALLER)


@pytest.mark.parametrize(("said", "kind"), [("отмена", "cancelled"), ("оператор", "digressed")])
def test_a_fact_names_the_flow_and_the_step_that_waited(said: str, kind: str) -> None:
    play = Play(BOOK)
    play.say("жалоба")
    play.say(said)
    facts = [it.data for it in play.records if it.kind in (kind, "step_entered")]
    assert (facts[0]["flow"], facts[0]["step"]) == ("named", "номер заказа")
    assert facts[1] == {"flow": "named", "step": "номер заказа"}


def counted(flow: CompiledFlow) -> set[str]:
    return {node.step for node in flow.nodes.values() if not node.policy and not node.id.startswith("!")}


@pytest.mark.parametrize("name", sorted(BOOK.library.flows))
def test_a_diagram_apart_has_a_box_for_each_question_that_is_counted(name: str) -> None:
    flow = BOOK.flows[name]
    whole, apart = (draw(flow.flow, BOOK.library, "ru", apart=it) for it in (False, True))
    asked = [box.field for box in apart.boxes.values() if box.field]
    several = [it.action.fields for it in whole.boxes.values() if isinstance(it.action, Ask) and not it.action.step]
    assert len(apart.boxes) - len(whole.boxes) == sum(len(fields) - 1 for fields in several)
    steps = {node.step for node in flow.nodes.values() if node.field is not None and node.field.name in asked}
    assert steps <= counted(flow)
    assert {it for source, target, _ in apart.arrows for it in (source, target)} <= set(apart.boxes)
    reached, more = {1}, {1}
    while more:
        more = {target for source, target, _ in apart.arrows if source in more} - reached
        reached |= more
    assert reached == set(apart.boxes)
