"""The worker: builds the facts, runs the pure turn of each pending event, keeps one bad event from stopping the rest."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from bot.book import Book
from core.conversation import Conversation
from core.effects import CreateTicket, Effect, FetchFile, Queue, Send, UpdateClient
from core.events import ColleagueReply, Edited, Event, Message, Press
from core.locale import texts
from core.messages import Attachment, Outgoing
from core.ports import Done, Pending, Result, Work
from core.rich import plain
from core.turn import Facts, LineFacts, Trace
from gateway.desks import Opening
from gateway.failpoints import failpoint
from gateway.flood import FloodShare
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.turns import run_turn
from handoff.lines import House, line_facts

log = logger()
encode = msgspec.json.Encoder().encode
ALBUM = 10  # parts of one album, of any messenger


class FloodGuard:
    """Counts a client's messages in a sliding window; kept in memory only, a restart forgives.

    `shared` knows what other processes count, where there are others.
    """

    shared: FloodShare | None = None

    def __init__(self, limit: int, seconds: float, remembered: int = 10_000) -> None:
        self.limit, self.seconds, self.remembered = limit, seconds, remembered
        self._seen: OrderedDict[int, deque[float]] = OrderedDict()
        self._over: dict[int, float] = {}  # conversation → its last message over the limit
        self._albums: OrderedDict[int, tuple[str, int]] = OrderedDict()  # conversation → its last album, parts so far

    def over(self, conversation: int, at: float) -> int:
        """How many messages over the limit this one is; 0 when it is fine. `limit` 0 switches the guard off."""
        if not self.limit:
            return 0
        seen = self._seen.setdefault(conversation, deque())
        self._seen.move_to_end(conversation)
        while seen and seen[0] <= at - self.seconds:
            seen.popleft()
        seen.append(at)
        while len(self._seen) > self.remembered:
            self._over.pop(self._seen.popitem(last=False)[0], None)
        count = len(seen)
        if self.shared is not None:
            count += self.shared.elsewhere(conversation, count, at)
        return max(0, count - self.limit)

    def is_part(self, conversation: int, album: str) -> bool:
        """Whether this is a further part of the album that came last: the client sent it once. Of more than messengers put
        into one album, each counts."""
        known, parts = self._albums.get(conversation, ("", 0))
        self._albums[conversation] = album, parts + 1 if album == known else 1
        self._albums.move_to_end(conversation)
        while len(self._albums) > self.remembered:
            self._albums.popitem(last=False)
        return bool(album) and album == known and parts < ALBUM

    def begins(self, conversation: int, at: float) -> bool:
        """Whether a message over the limit is the first of its wave; a wave ends when a whole window was fine."""
        before, self._over[conversation] = self._over.get(conversation), at
        first = before is None or before <= at - self.seconds
        return first if self.shared is None else self.shared.begins(conversation, at) and first


class Worker:
    """`decide` is what the store calls with claimed work. Nothing in it waits or reads; all it needs is here."""

    def __init__(
        self,
        house: Callable[[], House],
        book: Callable[[], Book],
        channel_lines: dict[str, str],
        timezone: str,
        metrics: Metrics,
        flood: FloodGuard,
        opening: Opening | None = None,
    ) -> None:
        self.house, self.book = house, book
        self.opening = opening or Opening({}, house, channel_lines)
        self.channel_lines = channel_lines
        self.zone = ZoneInfo(timezone)
        self.metrics, self.flood = metrics, flood
        self.starting = False
        self._lines: tuple[int, House | None, dict[str, LineFacts]] = (0, None, {})

    def decide(self, work: Work) -> Result:
        """The turns of a conversation's pending events, in order. An event whose step raises stops the batch there."""
        failpoint("worker.claimed")
        result = Result(work.conversation, [])
        client, number = work.client, work.ticket_number
        for pending in work.events:
            try:
                done = self._one(result.conversation, client, number, pending)
            except Exception as error:
                self.metrics.poisoned.inc()
                log.error(
                    "step_failed",
                    conversation=work.conversation.id,
                    event_id=pending.id,
                    attempts=pending.attempts + 1,
                    error_type=type(error).__name__,
                    exc_info=True,
                )
                result.failed, result.error = pending, type(error).__name__
                break
            result.conversation = done[0]
            result.done.append(done[1])
            client, number = self._after(done[1].effects, client, number)
        failpoint("worker.decided")
        return result

    def _one(
        self, conversation: Conversation, client: dict[str, object], number: int, pending: Pending
    ) -> tuple[Conversation, Done]:
        event, fetches = with_file_ids(pending)
        over = self._flooded(conversation, event, pending)
        if over:
            return conversation, self._refuse_flood(conversation, pending, over)
        now = pending.at.astimezone(self.zone)
        facts = Facts(
            client=client,
            lines=self._line_facts(now),
            line=self.channel_lines.get(conversation.channel, ""),
            ticket_number=number,
            starting=self.starting,
        )
        began = time.perf_counter()
        turn = run_turn(self.book(), self.house(), conversation, event, now, facts)
        self.metrics.step.observe(time.perf_counter() - began)
        effects = self.opening.complete(fetches + turn.effects if fetches else turn.effects, turn.conversation, now)
        seen = pending if event is pending.event else msgspec.structs.replace(pending, event=event)
        return turn.conversation, Done(seen, effects, turn.trace, encode(facts), turn.conversation.session.epoch)

    def _flooded(self, conversation: Conversation, event: Event, pending: Pending) -> int:
        if not isinstance(event, Message | Press) or pending.attempts:  # another attempt is not another message
            return 0
        if isinstance(event, Message) and event.album and self.flood.is_part(conversation.id, event.album):
            return 0
        return self.flood.over(conversation.id, pending.at.timestamp())

    def _refuse_flood(self, conversation: Conversation, pending: Pending, over: int) -> Done:
        """The message is kept in the history; the flow does not see it; the client is told once a wave."""
        self.metrics.flooded.labels(conversation.channel).inc()
        notice: tuple[Effect, ...] = ()
        if self.flood.begins(conversation.id, pending.at.timestamp()):
            t = texts(self.book().language)
            said = t("You are writing faster than I can read. Your messages are kept; please wait a few seconds.")
            notice = (Send(Outgoing(plain(said)), author="notice"),)
        return Done(pending, notice, (Trace("flood", {"over": over}),), b"", conversation.session.epoch)

    def _line_facts(self, now: datetime) -> dict[str, LineFacts]:
        """Lines are open or closed by the minute: one calculation serves all messages of that minute."""
        minute, house = int(now.timestamp() // 60), self.house()
        if self._lines[0] != minute or self._lines[1] is not house:
            self._lines = (minute, house, line_facts(house, now))
        return self._lines[2]

    def _after(
        self, effects: tuple[Effect, ...], client: dict[str, object], number: int
    ) -> tuple[dict[str, object], int]:
        """What the next event of the batch must know of this one: the card and the next ticket number."""
        for effect in effects:
            if isinstance(effect, CreateTicket):
                number = max(number, effect.number + 1)
                self.metrics.tickets.labels(effect.desk).inc()
            elif isinstance(effect, Queue):
                self.metrics.handoffs.labels(effect.line).inc()
            elif isinstance(effect, UpdateClient):
                verified = sorted({*client.get("verified", ()), *effect.verified})  # type: ignore[misc]
                client = {**client, **effect.values, "verified": verified}
        return client, number


def with_file_ids(pending: Pending) -> tuple[Event, tuple[Effect, ...]]:
    """A message's attachments get our file ids, the same at every retry, and the effects that bring their bytes."""
    event = pending.event
    if not isinstance(event, Message | ColleagueReply | Edited) or not event.attachments:
        return event, ()
    named: list[Attachment] = []
    fetches: list[Effect] = []
    for n, attachment in enumerate(event.attachments):
        if attachment.file:  # ours already
            named.append(attachment)
            continue
        fresh = msgspec.structs.replace(attachment, file=f"f{pending.id}-{n}")
        named.append(fresh)
        fetches.append(FetchFile(fresh))
    return msgspec.structs.replace(event, attachments=tuple(named)), tuple(fetches)
