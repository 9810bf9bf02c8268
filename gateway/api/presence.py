"""Routes of presence: what people set themselves, whom supervisors take off, and the limits that they set."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.accounts import Deed, operator_id
from core.presence import Presence
from gateway.api.models import moment
from gateway.api.models_queue import CapacityChange, PresenceChange, PresenceView, TakenOff
from gateway.api.problems import Problem
from gateway.api.route import EVERYBODY, Call, Route
from gateway.dispatch.view import View, look_at
from handoff.access import access_users


async def get_presence(call: Call) -> PresenceView:
    return await _view(call, call.me.id)


async def set_presence(call: Call) -> PresenceView:
    """One's own word; routing hears of it at once."""
    body: PresenceChange = call.body
    await call.floor.presence.say(call.me.id, body.state)
    return await _view(call, call.me.id)


async def take_off(call: Call) -> PresenceView:
    """A supervisor's word for somebody who forgot to say theirs; no sign of life of them."""
    body: TakenOff = call.body
    await _note(call, "presence_set", {"state": body.state})
    await call.floor.presence.take_off(call.id, body.state, call.me.id)
    return await _view(call, call.id)


async def set_capacity(call: Call) -> PresenceView:
    body: CapacityChange = call.body
    await _note(call, "capacity_set", {"max_sessions": body.max_sessions, "today": body.today})
    until = _midnight(call) if body.today and body.max_sessions else 0.0
    await call.floor.presence.set_capacity(call.id, body.max_sessions, until)
    return await _view(call, call.id)


async def _note(call: Call, action: str, detail: dict[str, Any]) -> None:
    """What is about to be done to somebody, into the audit. Raises `Problem` for those whom one does not see."""
    found = await call.people.accounts.users(access_users(call.who), call.id - 1, 1)
    if not found or found[0].id != call.id:
        raise Problem("not-found")
    deed = call.deed(action, f"user:{call.id}")
    await call.people.accounts.note(Deed(deed.by, deed.action, deed.object, detail, deed.address), call.people.now())


def _midnight(call: Call) -> float:
    """The end of the day in the time zone of the deployment."""
    zone = ZoneInfo(call.floor.config.timezone)
    tomorrow = call.floor.now().astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).timestamp()


async def _view(call: Call, user: int) -> PresenceView:
    presence, view = await call.floor.presence.of(user), await look_at(call.floor)
    return PresenceView(
        user=user,
        state=presence.now(view.house.now, call.floor.config.presence.grace),
        said=presence.state,
        since=moment(presence.since),
        seen_at=moment(presence.seen_at),
        load=view.loads.get(operator_id(user), 0.0),
        max_sessions=limit_of(view, presence),
        sessions=view.having.get(operator_id(user), 0),
        own_limit=presence.limit(view.house.now),
        grace=call.floor.config.presence.grace,
    )


def limit_of(view: View, presence: Presence) -> float:
    """The smallest limit that holds for somebody, 0 for none."""
    lines = view.roles.get(operator_id(presence.user), {})
    limits = [view.house.lines[line].max_sessions for line in lines if line in view.house.lines]
    return min((it for it in (float(presence.limit(view.house.now)), *limits) if it), default=0.0)


ROUTES = (
    Route("GET", "/me/presence", get_presence, "Whether one counts as being there", EVERYBODY, answer=PresenceView),
    Route(
        *("PUT", "/me/presence", set_presence, "Say whether one is there", EVERYBODY),
        body=PresenceChange,
        answer=PresenceView,
        keyed=True,
    ),
    Route(
        *("PUT", "/users/{id}/presence", take_off, "Take somebody off: they are given nothing for now"),
        ("supervisor", "admin"),
        scope="users:write",
        body=TakenOff,
        answer=PresenceView,
        keyed=True,
        problems=("not-found",),
    ),
    Route(
        *("PUT", "/users/{id}/capacity", set_capacity, "Limit how many sessions somebody is given"),
        ("supervisor", "admin"),
        scope="users:write",
        body=CapacityChange,
        answer=PresenceView,
        keyed=True,
        problems=("not-found",),
    ),
)
