"""The OpenAPI document: valid, complete, and what a fuzzer makes of it in three roles."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from core.access import Role
from gateway.accounts.people import Place
from gateway.api.build import build_api
from gateway.api.openapi import build_document
from gateway.api.origin import HEADER
from gateway.api.table import PREFIX, ROUTES
from tests.gateway.api.house import PASSWORD, House, open_house

DOCUMENT = build_document(ROUTES, "1.0", "https://desk.example.org")
# The parts of schemathesis that hold for any HTTP API.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method"
)
FUZZED: tuple[Role, ...] = ("operator", "supervisor", "admin")
SEEDED = 3  # ids up to this are asked for: most of them are there
EXAMPLES = "3"  # random ones for each operation
ENDING = ("/api/v1/logout", "/api/v1/me/devices/{id}")  # these would end the session that all the others need
SECONDS = 150  # for each role, where all cores are busy


def test_the_document_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    validate(DOCUMENT)


def test_every_route_is_in_it() -> None:
    found = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert found == {(it.method, PREFIX + it.path) for it in ROUTES}


def test_operations_have_names_of_their_own() -> None:
    names = [it["operationId"] for item in DOCUMENT["paths"].values() for it in item.values()]
    assert len(names) == len(set(names)) == len(ROUTES)


def test_roles_and_scopes_are_told() -> None:
    add = DOCUMENT["paths"]["/api/v1/users"]["post"]
    assert (add["x-roles"], add["x-scope"], add["security"]) == (
        ["admin"],
        "users:write",
        [{"cookie": []}, {"token": []}],
    )
    assert DOCUMENT["paths"]["/api/v1/login"]["post"]["security"] == []


def test_no_answer_holds_a_password_that_was_given() -> None:
    given = {"SignIn", "PasswordChange", "TotpBegin", "TotpStop", "NewUser", "UserChange"}
    schemas = DOCUMENT["components"]["schemas"]
    secret = {name for name, it in schemas.items() if '"writeOnly": true' in json.dumps(it)}
    assert secret == given


async def test_it_is_served(house: House) -> None:
    answer = await (await house.browser()).ask("GET", "/openapi.json")
    assert (answer.status, answer.body["info"]["title"]) == (200, "frontline")
    # the document, the schema of live messages, and what answers for all other paths
    assert len(build_api(house.people, house.gateway.floor, "")) == len(ROUTES) + 3


async def seed(house: House) -> None:
    """Accounts, two clients, a session in each owner's hands, a ticket, a canned reply: so that ids lead somewhere."""
    for role in FUZZED:
        await house.add(role, role, support="supervisor" if role == "supervisor" else "operator")
    admin = await house.browser("admin")
    await house.client("человек", "1")
    await house.client("человек", "2")
    await house.client("привет", "3")
    reply = {"scope": "all", "shortcut": "да", "title": "Да", "text": "Да, {{ client.name }}"}
    made = [
        await admin.ask("POST", "/conversations/1/take", {"epoch": 1}),
        await admin.ask("POST", "/conversations/1/reply", {"epoch": 2, "text": "Слушаю"}),
        await admin.ask("POST", "/conversations/1/tickets", {"desk": "general", "title": "Течёт кран"}),
        await admin.ask("POST", "/replies", reply),
        await admin.ask("POST", "/clients/1/notes", {"text": "перезвонить"}),
    ]
    assert all(it.status < 300 for it in made), [it.body for it in made]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """The API in a thread of its own: its address, and sessions by role."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    told: dict[str, str] = {}

    async def serve() -> None:
        async for house in open_house():
            await seed(house)
            for role in FUZZED:
                told[role] = (await house.people.sign_in(role, PASSWORD, "", Place())).secret
            told["address"] = str(house.server.make_url("/"))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(60)
    yield told["address"], told
    loop.call_soon_threadsafe(over.set)
    thread.join(20)
    loop.close()


def for_the_fuzzer() -> dict[str, Any]:
    """The document without the cookie, which stands in every request: else the fuzzer believes that it left it out. Ids
    are small, so that most of them are there."""
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    for item in document["paths"].values():
        for operation in item.values():
            del operation["security"]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["schema"]["type"] == "integer":
                    parameter["schema"]["maximum"] = SEEDED
    return document


@pytest.mark.parametrize("role", FUZZED)
def test_a_fuzzer_finds_no_error_of_ours(served: tuple[str, dict[str, str]], role: str, tmp_path: Path) -> None:
    """No 5xx, and nothing that the document does not say."""
    address, sessions = served
    headers = [f"{HEADER}: 1", *([f"Cookie: frontline={sessions[role]}"] if role in sessions else [])]
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(for_the_fuzzer()))
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", str(document), "--url", address),
        *("--checks", CHECKS, "--phases", "fuzzing", "--max-examples", EXAMPLES, "--seed", "7", "--no-color"),
        *("--generation-database", "none", "--request-timeout", "10"),
        *(part for path in ENDING for part in ("--exclude-path", path)),
        *(part for header in headers for part in ("-H", header)),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"Tested: {len(ROUTES) - len(ENDING)}" in done.stdout
