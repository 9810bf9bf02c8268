"""Signs of clients at their pages: who is writing now, what was seen. Hints for the people who answer; never stored."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from core.ports import Hints

SECONDS = 6.0  # a client counts as writing for so long after a page said so; pages repeat it every 3 s
AGAIN = 2.0  # … and what they say sooner is not passed on
Sign = TypeVar("Sign", int, float)
KEYS = 10_000  # conversations remembered at once; those without a sign for the longest time are forgotten first


class Signs:
    """The signs of one chat channel's clients, by conversation.

    Pages give them over their sockets; other processes hear them by the topic `signs:<channel>`, data: the conversation's
    number, and after a space the place up to which all was seen (none: the client is writing).
    """

    def __init__(self, channel: str, hints: Hints | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._topic, self._hints, self._clock = f"signs:{channel}", hints, clock
        self._writing: OrderedDict[int, float] = OrderedDict()  # conversation → when it was said
        self._seen: OrderedDict[int, int] = OrderedDict()  # conversation → place in the history
        self._unlisten = hints.listen(self._topic, self._hear) if hints is not None else None

    def stop(self) -> None:
        """Hears nothing any more."""
        if self._unlisten is not None:
            self._unlisten()

    def writes(self, conversation: int) -> None:
        """The client of the conversation is writing: tells all processes."""
        if self._clock() - self._writing.get(conversation, -AGAIN) >= AGAIN:
            self._tell(str(conversation))

    def saw(self, conversation: int, seq: int) -> None:
        """The client has seen everything up to a place of the history: tells all processes."""
        if seq > self._seen.get(conversation, 0):
            self._tell(f"{conversation} {seq}")

    def said(self, conversation: int) -> None:
        """The message is here: nobody is writing it any more."""
        self._writing.pop(conversation, None)

    def writing(self) -> frozenset[int]:
        """Conversations whose client is writing now."""
        since = self._clock() - SECONDS
        return frozenset(conversation for conversation, at in self._writing.items() if at > since)

    def seen(self, conversation: int) -> int:
        """The place up to which the client has seen everything, as far as is known here; 0 when nothing is."""
        return self._seen.get(conversation, 0)

    def _tell(self, data: str) -> None:
        self._hear(data)
        if self._hints is not None:
            self._hints.tell(self._topic, data)

    def _hear(self, data: str) -> None:
        conversation, _, seq = data.partition(" ")
        if not conversation.isdecimal():  # nothing stands for «something may have been missed»
            return
        if seq:
            _note(self._seen, int(conversation), max(int(seq), self.seen(int(conversation))))
        else:
            _note(self._writing, int(conversation), self._clock())


def _note(signs: OrderedDict[int, Sign], conversation: int, value: Sign) -> None:
    signs[conversation] = value
    signs.move_to_end(conversation)
    if len(signs) > KEYS:
        signs.popitem(last=False)
