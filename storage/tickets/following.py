"""After the settings of a desk changed: stored tickets belong to the groups that its map says now."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, case, literal_column, select, update

from core.tickets import Desk
from storage.ledger import Ledger
from storage.tables import tickets
from storage.work.units import asked

_zero, _one = literal_column("0", tickets.c.done.type), literal_column("1", tickets.c.done.type)
KINDS = select(tickets.c.desk, tickets.c.status, tickets.c.done, tickets.c.waiting).distinct()
REGROUP = (
    update(tickets)
    .where(tickets.c.desk == bindparam("the_desk"), tickets.c.status == bindparam("the_status"))
    .where((tickets.c.done != bindparam("ended")) | (tickets.c.waiting != bindparam("stuck")))
    .values(
        done=bindparam("ended"),
        waiting=bindparam("stuck"),
        version=tickets.c.version + _one,
        # When it was solved is not known; that it was changed then is.
        solved_at=case((bindparam("ended", type_=tickets.c.done.type) == _one, tickets.c.updated_at), else_=_zero),
    )
)


def follow_desks(ledger: Ledger, desks: Mapping[str, Desk]) -> int:
    """Regroup tickets whose status means something else now; how many kinds of them there were. Nobody is told: nothing
    happened to them. Words that a map does not hold keep their group."""
    run, changed = asked(ledger), 0
    for row in run.all(KINDS):
        desk = desks.get(row["desk"])
        status = desk.known(row["status"]) if desk is not None else None
        if status is None:
            continue
        ended, stuck = int(status.means == "done"), int(status.means == "waiting")
        if (ended, stuck) != (row["done"], row["waiting"]):
            values = {"the_desk": row["desk"], "the_status": row["status"], "ended": ended, "stuck": stuck}
            run.run(REGROUP, **values)
            changed += 1
    return changed
