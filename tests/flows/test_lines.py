"""The shipped flows and the lines together: the queue, the way out of it, `busy`, the night, and our own failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.conversation import Conversation
from core.effects import CreateTicket, Queue, Send, StartTimer, Unqueue
from core.events import ColleagueReply, Event, Message, OperatorAct, Poisoned, Press, TimerFired
from core.locale import texts
from core.turn import Facts, Turn
from gateway.deployment import build_house
from gateway.turns import run_turn
from handoff.decision import WAIT_TIMER
from handoff.lines import line_facts
from tests.flows.test_shipped import book, config

NOON = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # Wednesday, noon in Moscow
NIGHT = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)
T = texts("ru")


class Client:
    """A client of the web chat, with the phone known."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.house = build_house(config(), book().bot.words)
        self.conversation = Conversation(1, "site", "site", "c1", 1, "web")
        self.last = Turn(self.conversation)

    def go(self, event: Event) -> str:
        """What the client reads after the event."""
        self.now += timedelta(seconds=1)
        facts = Facts({"id": 1, "phone": "+79161234567"}, line_facts(self.house, self.now), "support", 7)
        self.last = run_turn(book(), self.house, self.conversation, event, self.now, facts)
        self.conversation = self.last.conversation
        return "\n".join(one.message.body.text for one in self.last.effects if isinstance(one, Send))

    def write(self, text: str) -> str:
        return self.go(Message(text))

    @property
    def owner(self) -> str:
        return self.conversation.session.owner

    def timer(self) -> TimerFired:
        (found,) = [one for one in self.last.effects if isinstance(one, StartTimer) and one.key == WAIT_TIMER]
        return TimerFired(found.key, found.data)


def test_an_operator_is_called_by_day() -> None:
    client = Client()
    assert "Поддержка" in client.write("оператор")
    assert client.owner == "queue"
    assert [one.line for one in client.last.effects if isinstance(one, Queue)] == ["support"]
    assert client.write("вернуть товар") == ""
    assert client.owner == "queue"


def test_nobody_comes_and_the_flow_makes_a_ticket() -> None:
    client = Client()
    client.write("оператор")
    busy = client.timer()
    client.now += timedelta(minutes=10)
    assert "заняты" in client.go(busy)
    assert client.owner == "bot"
    assert "Заявка 7" in client.write("Хочу оптовую скидку")
    assert client.go(busy) == ""


def test_the_way_out_of_the_queue() -> None:
    client = Client()
    client.write("оператор")
    assert T("Leave the queue?") in client.write("отмена")
    assert client.go(Press("q.1.n")) == T("Fine, you keep your place in the queue.")
    client.write("меню")
    assert "Чем помочь" in client.go(Press("q.1.y"))
    assert client.owner == "bot"
    assert any(isinstance(one, Unqueue) for one in client.last.effects)


def test_at_night_a_ticket_instead_of_the_queue() -> None:
    client = Client(NIGHT)
    assert "откроется" in client.write("оператор")
    assert client.owner == "bot"
    assert "Заявка 7" in client.write("Не приходит чек")
    assert [one.desk for one in client.last.effects if isinstance(one, CreateTicket)] == ["general"]


def test_the_bot_is_silent_from_the_takeover_on_and_comes_back() -> None:
    client = Client()
    client.write("Вопрос по оплате")
    assert client.go(OperatorAct("anna", "take", epoch=client.conversation.session.epoch)) == ""
    assert client.write("Другое") == ""
    assert (
        client.go(OperatorAct("anna", "reply", "Здравствуйте!", client.conversation.session.epoch)) == "Здравствуйте!"
    )
    assert "О чём вопрос" in client.go(OperatorAct("anna", "to_bot", epoch=client.conversation.session.epoch))
    assert client.owner == "bot"


def test_after_a_close_the_next_message_opens_the_next_session() -> None:
    client = Client()
    client.write("оператор")
    client.go(OperatorAct("anna", "take", epoch=client.conversation.session.epoch))
    said = client.go(OperatorAct("anna", "close", epoch=client.conversation.session.epoch))
    over, rating = said.split("\n")
    assert over == T("The conversation is over. Write here any time, and we will go on.")
    assert rating == T("How did we do? Choose from 1 (bad) to 5 (very well).")
    epoch = client.conversation.session.epoch
    assert "номер заказа" in client.write("где мой заказ")
    assert (client.conversation.session.number, client.conversation.session.epoch) == (2, epoch)


def test_a_poisoned_event_brings_people_even_at_night() -> None:
    client = Client(NIGHT)
    client.write("где мой заказ")
    assert "Поддержка" in client.go(Poisoned(5, "ValueError"))
    assert client.owner == "queue"


def test_a_colleague_in_the_messenger_silences_the_form() -> None:
    """In the middle of a form somebody answers by hand: the bot says nothing more until the talk is over."""
    client = Client()
    client.write("хочу вернуть товар")
    assert client.go(ColleagueReply("vk:77", "Я помогу")) == ""
    assert client.write("123456") == ""
    assert client.owner == "operator"
