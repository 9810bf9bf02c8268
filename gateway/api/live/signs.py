"""What lasts for seconds and is nowhere written down: who looks at a conversation, who answers, whether the client types.

Between processes these travel as hints of ids: `<process> look <user> <conversation>`, `<process> unlook …`,
`<process> answer …`. A hint may be lost, so what is told of others lasts for `BELIEVED` seconds unless it is told again.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable

from core.ports import Hints

TOPIC = "live"
BELIEVED = 25.0  # seconds that a look of another process is believed in
AGAIN = 10.0  # seconds after which one's own looks are told again
TYPING = 6.0  # seconds that a word of typing lasts
Told = Callable[[int], None]  # the conversation


class Signs:
    """`looked` hears of a conversation whose lookers have changed, `answers` of (conversation, user), all processes'."""

    def __init__(
        self, hints: Hints, clock: Callable[[], float], looked: Told, answers: Callable[[int, int], None]
    ) -> None:
        self._hints, self._clock, self._looked, self._answers = hints, clock, looked, answers
        self._me = secrets.token_hex(4)
        self._own: defaultdict[int, dict[int, int]] = defaultdict(dict)  # conversation → user → sockets
        self._others: dict[tuple[str, int, int], float] = {}  # (process, conversation, user) → believed until
        self._told = 0.0
        self._unlisten: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._unlisten = self._hints.listen(TOPIC, self._heard)

    def stop(self) -> None:
        self._unlisten()

    # --- of this process ---

    def look(self, conversation: int, user: int) -> None:
        """One more socket of somebody shows the conversation."""
        lookers = self._own[conversation]
        lookers[user] = lookers.get(user, 0) + 1
        if lookers[user] == 1:
            self._tell("look", user, conversation)
            self._looked(conversation)

    def unlook(self, conversation: int, user: int) -> None:
        """One socket less."""
        lookers = self._own[conversation]
        left = lookers.get(user, 0) - 1
        if left > 0:
            lookers[user] = left
            return
        lookers.pop(user, None)
        if not lookers:
            del self._own[conversation]
        self._tell("unlook", user, conversation)
        self._looked(conversation)

    def answer(self, conversation: int, user: int) -> None:
        """Somebody writes an answer."""
        self._tell("answer", user, conversation)
        self._answers(conversation, user)

    def lookers(self, conversation: int) -> list[int]:
        """Who has the conversation open anywhere, by id."""
        others = {
            user for (_, home, user), until in self._others.items() if home == conversation and until > self._clock()
        }
        return sorted({*self._own.get(conversation, ()), *others})

    def beat(self) -> None:
        """Called about once a second: tells one's own looks again, forgets those of processes that went silent."""
        now = self._clock()
        for key in [key for key, until in self._others.items() if until <= now]:
            del self._others[key]
            self._looked(key[1])
        if now - self._told >= AGAIN:
            self._told = now
            for conversation, lookers in self._own.items():
                for user in lookers:
                    self._tell("look", user, conversation)

    # --- of other processes ---

    def _tell(self, word: str, user: int, conversation: int) -> None:
        self._hints.tell(TOPIC, f"{self._me} {word} {user} {conversation}")

    def _heard(self, data: str) -> None:
        """Only what looks like ours is believed: what stands in Redis may be anybody's."""
        parts = data.split(" ")
        if len(parts) != 4 or parts[0] == self._me or not (_is_id(parts[2]) and _is_id(parts[3])):
            return
        process, word, user, conversation = parts[0][:16], parts[1], int(parts[2]), int(parts[3])
        if word == "answer":
            self._answers(conversation, user)
        elif word == "look":
            new = (process, conversation, user) not in self._others
            self._others[process, conversation, user] = self._clock() + BELIEVED
            if new:
                self._looked(conversation)
        elif self._others.pop((process, conversation, user), None) is not None:
            self._looked(conversation)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16
