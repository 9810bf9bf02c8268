"""One chat of an invented client: what was asked of them, and what they say to it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from core.events import Event, Message, Press
from core.messages import Attachment, Outgoing
from gateway.demo.cast import UNCAUGHT, Client, Rule, Story, stories

MOST = 2  # times that the same question is answered in one story
PHOTO = "photo:"
PRESS = "> "
THANKS = "Хорошо, спасибо!"


@dataclass
class Chat:
    """`home` is the conversation, 0 before the first word. `alone`: no colleague acts here. `told` is the place in the story's
    talk, `expects` what the client answers to a line of it; `patience` replaces what the story says of leaving."""

    client: Client
    channel: str
    account: str
    dice: random.Random
    story: Story
    home: int = 0
    told: int = 0
    count: int = 0
    stars: int = 5
    patience: int = 0
    alone: bool = False
    busy: bool = False
    thanked: bool = False
    answered: Counter[str] = field(default_factory=Counter)
    expects: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The chat as the channel calls it."""
        return f"demo-{self.client.number}"

    @property
    def done(self) -> bool:
        """Whether they answer nothing any more."""
        return 0 < (self.patience or self.story.leaves) <= self.count

    def begin(self, story: Story) -> tuple[str, ...]:
        """A new story: the client's first messages."""
        self.story, self.told, self.count, self.alone, self.busy, self.thanked = story, 0, 0, False, False, False
        self.patience = 0
        self.answered.clear()
        self.expects.clear()
        self.stars = self.dice.choice(story.stars)
        opens = self.dice.choice(story.opens)
        if opens == (UNCAUGHT,):
            opens = (self.dice.choice(stories().uncaught),)
        return tuple(self.words(text) for text in opens)

    @property
    def talk(self) -> tuple[dict[str, Any], ...]:
        """What passes with a person."""
        return self.story.talk or stories().talk

    def words(self, text: str) -> str:
        return self.client.says(text, self.stars)

    def expect(self, them: str, us: str) -> None:
        """A colleague is about to say it."""
        self.expects[them] = self.words(us)

    def answer(self, message: Outgoing, person: bool) -> str:
        """What the client says to a message, of a person or of the bot; empty for nothing."""
        text = message.body.text
        if text in self.expects:
            return self.expects.pop(text)
        if self.done:
            return ""
        rule = self._rule(text, (*self.story.answers, *stories().answers))
        if rule is not None:
            self.answered[rule[0].pattern] += 1
            self.count += 1
            return self.words(rule[1])
        return self._to_person() if person else ""

    def _rule(self, text: str, rules: tuple[Rule, ...]) -> Rule | None:
        return next((it for it in rules if it[0].search(text) and self.answered[it[0].pattern] < MOST), None)

    def _to_person(self) -> str:
        """Somebody who looks at the demo has answered in their own words: the story goes on as it can."""
        while self.told < len(self.talk):
            entry = self.talk[self.told]
            self.told += 1
            if "us" in entry:
                return self.words(entry["us"])
        if self.thanked:
            return ""
        self.thanked = True
        return THANKS


def read_reply(reply: str, message: Outgoing, photo: Attachment | None) -> Event:
    """A reply as an event: a button pressed, a photo, words."""
    if reply.startswith(PHOTO):
        return Message(reply.removeprefix(PHOTO).strip(), (photo,) if photo is not None else ())
    if not reply.startswith(PRESS):
        return Message(reply)
    labels = reply.removeprefix(PRESS).split("|")
    buttons = [button for row in message.rows for button in row if button.token]
    for label in labels:
        for button in buttons:
            if button.label.lower().startswith(label.strip().lower()):
                return Press(button.token, button.label)
    return Message(labels[0].strip())
