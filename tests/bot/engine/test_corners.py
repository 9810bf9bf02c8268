"""Rare ways through the engine: unclear answers, broken states, bots without words of their own."""

from __future__ import annotations

from bot.book import load
from bot.engine.names import Names
from bot.engine.walk import Walk
from core.effects import Send
from core.events import CallDone, Opened, Press
from core.locale import texts
from core.turn import Facts
from tests.bot.engine.play import BOT, DEPLOYMENT, NOW, Play, build, sources
from tests.bot.engine.shop import SHOP

T = texts("ru")
BOOK = build(**SHOP)
BROKEN = T("Something went wrong on our side. Write again, or ask for an operator.")

TIME = """
flow: Время
triggers: [{words: [назначить время]}]
fields:
  время: {label: Время, type: time, ask: "Во сколько?"}
  ещё: {label: Ещё, ask: "Ещё?"}
steps:
  - ask: [время, ещё]
  - end: готово
"""


def test_an_unclear_time_is_asked_back_and_no_attempt_is_counted() -> None:
    play = Play(build(time=TIME))
    play.say("назначить время")
    play.say("в 7")
    assert len(play.labels) == 2
    assert play.why("unclear")
    assert not [record for record in play.records if record.kind == "wrong"]
    label = play.labels[1]
    assert play.press(label) == ["Ещё?"]
    assert play.value("время") == label


def test_an_unclear_answer_may_be_given_anew() -> None:
    play = Play(build(time=TIME))
    play.say("назначить время")
    play.say("в 7")
    assert play.say("19:30") == ["Ещё?"]
    assert play.value("время") == "19:30"


def test_an_edge_that_does_not_exist_breaks_off_honestly() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    walk = Walk(BOOK, play.conversation, NOW, Facts({}, play.lines, "support"))
    walk.go("nonsense")
    walk.advance()
    assert walk.talk.run is None
    assert [e.message.body.text for e in walk.effects if isinstance(e, Send)] == [BROKEN]


def test_a_flow_that_cannot_be_called_breaks_off_honestly() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    walk = Walk(BOOK, play.conversation, NOW, Facts({}, play.lines, "support"))
    walk.push("no such flow", {})
    assert walk.talk.run is None


def test_calls_that_go_too_deep_break_off() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    walk = Walk(BOOK, play.conversation, NOW, Facts({}, play.lines, "support"))
    for _ in range(30):
        if walk.talk.run is not None:
            walk.push("find_order", {})
    assert walk.talk.run is None


def test_a_question_that_nobody_remembers_breaks_off() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    for _ in range(3):
        play.say("абвгд")
    run = play.conversation.talk.run
    assert run is not None
    run.frames[0].memory.clear()
    assert play.answer("returned") == [BROKEN]


def test_names_that_are_not_there() -> None:
    play = Play(BOOK)
    play.say("двойное списание")
    names = Names({"имя": "Аня"}, Walk(BOOK, play.conversation, NOW, Facts({}, play.lines, "support")))
    assert names.get("нет", 5) == 5
    assert names["имя"] == "Аня"
    assert names.get("chat") == {"channel": "site", "kind": "web"}
    assert "нет" not in names


def test_the_twenty_first_snapshot_pushes_the_first_out() -> None:
    fields = "".join(f"  п{n}: {{label: П{n}, ask: 'П{n}?'}}\n" for n in range(25))
    names = ", ".join(f"п{n}" for n in range(25))
    head = f"flow: Долго\ntriggers: [{{words: [долгая анкета]}}]\nfields:\n{fields}"
    flow = f"{head}steps:\n  - ask: [{names}]\n  - end: готово\n"
    play = Play(build(long=flow))
    play.say("долгая анкета")
    for n in range(24):
        play.say(f"ответ {n}")
    run = play.conversation.talk.run
    assert run is not None
    assert len(run.snapshots) == 20
    for _ in range(20):
        play.say("назад")
    assert play.state == "ask.п4"
    assert play.say("назад")[0] == T("You cannot go back any further.")


def test_held_messages_are_replayed_after_a_digression_too() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.say("123456")
    play.say("8 912 345-67-89")
    play.say("Не подошло")
    play.happen(Opened("vozvrat-qr"))
    run = play.conversation.talk.run
    assert run is not None
    key = run.pending
    play.say("оператор")
    play.happen(CallDone(key, "ok", {"номер": "123456", "дней_с_доставки": 1}))
    assert play.answer("returned") == [
        T("Back to: “{title}”", title="Возврат товара"),
        "Почему возвращаете?",
        "Опишите, что случилось.",
    ]


def test_a_suspended_runs_old_token_that_means_nothing_is_out_of_date() -> None:
    play = Play(BOOK)
    play.say("вернуть товар")
    play.happen(Press("junk", "Вопрос по оплате"))
    play.say("да")
    assert play.happen(Press("1.5.5"))[0] == T("This button is out of date.")
    assert play.state == "ask.тема"
    assert play.conversation.talk.suspended is not None


def test_the_policy_of_wrong_answers_may_be_missing() -> None:
    play = Play(build(_bot=BOT.replace("  wrong: Не получилось разобрать ответ.\n", ""), **SHOP))
    play.say("вернуть товар")
    assert len(play.say("ой")) == 1


def test_errors_of_the_files_give_no_book() -> None:
    book, findings = load({"menu.yaml": "flow: x"}, DEPLOYMENT)
    assert book is None
    assert findings
    book, findings = load(sources(bad="flow: Плохо\nsteps: [{goto: нет}]"), DEPLOYMENT)
    assert book is None
    assert any(finding.code == "L104" for finding in findings)


def test_machines_hold_only_legal_moves() -> None:
    for flow in BOOK.flows.values():
        for event, source, target in flow.machine.edges:
            assert source in flow.nodes
            assert target in flow.nodes
            word = event.rstrip("0123456789")
            assert word in {
                "next",
                "yes",
                "no",
                "pick",
                "missing",
                "failed",
                "closed",
                "busy",
                "too_many",
                "timeout",
            }
    nodes = BOOK.flows["order_return"].nodes.values()
    assert len({node.key for node in nodes}) == len(nodes)
    assert [node.index for node in nodes] == list(range(len(nodes)))


def test_state_ids_do_not_move_when_a_step_is_added() -> None:
    longer = SHOP["billing"].replace("steps:\n", "steps:\n  - say: Здравствуйте.\n")
    before, after = list(BOOK.flows["billing"].nodes), list(build(**{**SHOP, "billing": longer}).flows["billing"].nodes)
    assert [id for id in after if id in before] == before
