"""Routes of the audit: what was done by whom, and whether the chain is whole."""

from __future__ import annotations

from datetime import UTC, datetime

from core.accounts import Audited
from gateway.api.models import Audit, AuditChecked, AuditPage, AuditRow
from gateway.api.paging import HIGHEST, cut, read_cursor
from gateway.api.problems import Problem
from gateway.api.route import ADMIN, Call, Route
from handoff.access import access_audit
from storage.accounts.search import AuditQuery, find_audited


def _audited(row: Audited) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=datetime.fromtimestamp(row.at, UTC),
        by=row.by,
        action=row.action,
        object=row.object,
        detail=row.detail,
        network=row.address,
        before=row.before,
        hash=row.hash,
    )


def _seconds(at: datetime | None, otherwise: float) -> float:
    if at is None:
        return otherwise
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


async def get_audit(call: Call) -> Audit:
    page: AuditPage = call.query
    before, sight = read_cursor(page.cursor) or HIGHEST, access_audit(call.who)
    wanted = AuditQuery(page.by, page.action, page.object, _seconds(page.since, 0.0), _seconds(page.until, 1e12))
    found = await call.floor.units.ask(lambda reads: find_audited(reads, sight, wanted, before, page.limit + 1))
    shown, cursor = cut(found, page.limit)
    return Audit(items=[_audited(it) for it in shown], next=cursor)


async def check_audit(call: Call) -> AuditChecked:
    if not access_audit(call.who).everything:
        raise Problem("not-allowed")
    found = await call.people.accounts.check_audit()
    return AuditChecked(
        whole=not found.broken,
        rows=found.rows,
        head=found.head,
        broken=found.broken or None,
        why=found.why,
        at=call.floor.now(),
    )


ROUTES = (
    Route(
        "GET", "/audit", get_audit, "What was done by whom", ADMIN, scope="audit:read", query=AuditPage, answer=Audit
    ),
    Route(
        *("GET", "/audit/check", check_audit, "Walk the chain of the audit: is it whole?", ADMIN),
        scope="audit:read",
        answer=AuditChecked,
    ),
)
