"""Who may see what: a table of every role, and what nobody thought of is denied."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from core.access import ROLES, Role, Sight, Who
from handoff import access
from handoff.access import (
    access_audit,
    access_conversations,
    access_lines,
    access_numbers,
    access_tokens,
    access_users,
)

ALL, NONE, OWN = Sight(everything=True), Sight(), Sight(user=7)
LINES: dict[str, Role] = {"support": "operator", "billing": "supervisor"}

TABLE: list[tuple[Callable[[Who], Sight], dict[Role, Sight]]] = [
    (
        access_lines,
        {
            "operator": Sight(lines=("billing", "support")),
            "supervisor": Sight(lines=("billing", "support")),
            "analyst": NONE,
            "admin": ALL,
        },
    ),
    (
        access_conversations,
        {
            "operator": Sight(lines=("billing", "support"), user=7),
            "supervisor": Sight(lines=("billing", "support"), user=7),
            "analyst": NONE,
            "admin": ALL,
        },
    ),
    (
        access_numbers,
        {
            "operator": Sight(lines=("billing",)),
            "supervisor": Sight(lines=("billing",)),
            "analyst": ALL,
            "admin": ALL,
        },
    ),
    (
        access_users,
        {
            "operator": Sight(lines=("billing",), user=7),
            "supervisor": Sight(lines=("billing",), user=7),
            "analyst": OWN,
            "admin": ALL,
        },
    ),
    (access_tokens, {"operator": OWN, "supervisor": OWN, "analyst": OWN, "admin": ALL}),
    (access_audit, {"operator": NONE, "supervisor": NONE, "analyst": NONE, "admin": ALL}),
]


@pytest.mark.parametrize(("asked", "expected"), TABLE, ids=lambda it: getattr(it, "__name__", ""))
def test_table(asked: Callable[[Who], Sight], expected: dict[Role, Sight]) -> None:
    assert {role: asked(Who(7, role, LINES)) for role in ROLES} == expected


def test_every_function_has_a_row() -> None:
    functions = {name for name in vars(access) if name.startswith("access_")}
    assert functions == {asked.__name__ for asked, _ in TABLE}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("asked", [asked for asked, _ in TABLE], ids=lambda it: it.__name__)
def test_who_is_deactivated_sees_nothing(asked: Callable[[Who], Sight], role: Role) -> None:
    assert asked(Who(7, role, LINES, active=False)) == NONE


@pytest.mark.parametrize("asked", [asked for asked, _ in TABLE], ids=lambda it: it.__name__)
def test_an_unknown_role_sees_no_more_than_its_own(asked: Callable[[Who], Sight]) -> None:
    strange = msgspec.structs.replace(Who(7, "operator", LINES), role="owner")
    assert asked(strange) in (NONE, OWN)


def test_an_operator_without_lines_has_only_what_is_theirs() -> None:
    assert access_conversations(Who(7, "operator")) == OWN


def test_lines_where_somebody_is_more_than_an_operator() -> None:
    who = Who(7, "operator", LINES)
    assert access_lines(who, "supervisor") == Sight(lines=("billing",))
    assert access_lines(who, "analyst") == NONE
