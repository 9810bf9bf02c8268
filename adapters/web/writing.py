"""Who is writing at the moment: a hint of a few seconds between the pages and the people who answer. Never stored."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from core.ports import Hints

SECONDS = 6.0  # a client counts as writing for so long after a page said so; pages repeat it every 3 s
AGAIN = 2.0  # … and what they say sooner is not passed on
KEYS = 10_000  # clients remembered at once


class Writing:
    """Conversations of one chat channel whose client is writing now.

    Pages say so over their sockets (`note`); other processes hear it by the topic `writing:<channel>`, data: the
    conversation's number. People who answer ask `now`.
    """

    def __init__(self, channel: str, hints: Hints | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._topic, self._hints, self._clock = f"writing:{channel}", hints, clock
        self._seen: OrderedDict[int, float] = OrderedDict()  # conversation → when it was said
        self._unlisten = hints.listen(self._topic, self._hear) if hints is not None else None

    def stop(self) -> None:
        """Hears nothing any more."""
        if self._unlisten is not None:
            self._unlisten()

    def note(self, conversation: int) -> None:
        """The client of the conversation is writing: tells all processes."""
        if self._clock() - self._seen.get(conversation, -AGAIN) < AGAIN:
            return
        self._mark(conversation)
        if self._hints is not None:
            self._hints.tell(self._topic, str(conversation))

    def end(self, conversation: int) -> None:
        """The message is here: nobody is writing it any more."""
        self._seen.pop(conversation, None)

    def now(self) -> frozenset[int]:
        """Conversations whose client is writing at the moment."""
        since = self._clock() - SECONDS
        return frozenset(conversation for conversation, at in self._seen.items() if at > since)

    def _hear(self, data: str) -> None:
        if data.isdecimal():  # nothing stands for «something may have been missed»
            self._mark(int(data))

    def _mark(self, conversation: int) -> None:
        self._seen.pop(conversation, None)
        self._seen[conversation] = self._clock()
        if len(self._seen) > KEYS:
            self._seen.popitem(last=False)
