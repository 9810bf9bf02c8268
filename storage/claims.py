"""Which conversations a claim may take: the oldest with pending events, none of which is put off."""

from __future__ import annotations

from sqlalchemy import bindparam as _p
from sqlalchemy import exists, func, select

from storage.queries import ZERO
from storage.tables import inbox

WINDOW = 20  # pending events that are looked at first, for each conversation that is wanted

_oldest = (
    select(inbox.c.id, inbox.c.conversation)
    .where(inbox.c.state == ZERO, inbox.c.attempts >= ZERO)  # as `ix_inbox_oldest` has it
    .order_by(inbox.c.id)
    .limit(_p("window"))
    .offset(ZERO)
    .subquery()
)
_put_off = inbox.alias("put_off")
# Among the oldest events only, so that it costs the same however many wait behind them.
READY_FIRST = (
    select(_oldest.c.conversation)
    .where(
        ~exists().where(
            _put_off.c.conversation == _oldest.c.conversation,
            _put_off.c.state == ZERO,
            _put_off.c.not_before > _p("now"),
        )
    )
    .group_by(_oldest.c.conversation)
    .order_by(func.min(_oldest.c.id))
    .limit(_p("n"))
    .offset(ZERO)
)
# Among all of them.
READY = (
    select(inbox.c.conversation)
    .where(inbox.c.state == ZERO)
    .group_by(inbox.c.conversation)
    .having(func.max(inbox.c.not_before) <= _p("now"))
    .order_by(func.min(inbox.c.id))
    .limit(_p("n"))
    .offset(ZERO)
)
