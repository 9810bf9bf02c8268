"""Groups that a bot is put into: which of them hear now why it goes. People who play with it are not answered for ever."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from core.locale import n_

# A group that puts the bot back again and again is answered once a day, and all groups together a few times a minute.
GROUP_SECONDS = 86_400.0
MINUTE_SECONDS = 60.0
MOST_IN_A_MINUTE = 5
MOST_GROUPS = 1_000
GOODBYE = n_("I talk with each person alone. Write to me in a private chat; I leave this group now.")


class Groups:
    """`clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[int, float] = OrderedDict()

    def may_leave(self, group: int) -> bool:
        """Whether the group shall hear of it now; it counts as told."""
        now = self._clock()
        if now - self._left.get(group, -GROUP_SECONDS) < GROUP_SECONDS:
            return False
        if sum(now - at < MINUTE_SECONDS for at in self._left.values()) >= MOST_IN_A_MINUTE:
            return False
        self._left[group] = now
        self._left.move_to_end(group)
        while len(self._left) > MOST_GROUPS:
            self._left.popitem(last=False)
        return True
