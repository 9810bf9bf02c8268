"""What the docs show to integrators works as it stands there: events, calls, signing by Python and by a shell, an integrator."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from adapters.api.openapi import components
from core.events import Event, Message
from docs.generate import pages
from gateway.cli import execute
from gateway.config.channels import ApiSettings
from tests.adapters.api.conftest import House
from tests.emulators.api_secrets import SECRET
from tests.ports import free_port

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "api-channel.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def judge(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": components("#/$defs/{name}")})


@pytest.mark.parametrize("name", ["api-channel.md", "api-channel.openapi.json", "api-channel.schema.json"])
def test_the_documents_are_up_to_date(name: str) -> None:
    """`make docs` writes them."""
    assert (DOCS / name).read_text("utf-8") == pages()[name]


def test_the_published_documents_are_valid() -> None:
    validate(json.loads((DOCS / "api-channel.openapi.json").read_text("utf-8")))
    Draft202012Validator.check_schema(json.loads((DOCS / "api-channel.schema.json").read_text("utf-8")))


def test_the_events_and_the_call_of_the_page_fit_the_schema() -> None:
    events, call = map(json.loads, blocks("json"))
    judge("Batch").validate(events)
    judge("Send").validate(call)
    assert len({one["type"] for one in events["events"]}) == 8


async def test_the_events_of_the_page_are_taken(house: House, api: Any) -> None:
    raw = blocks("json")[0].encode()
    status, said, _ = await house.post(raw, api.delivery.sign_bytes("d1", raw))
    assert (status, said["accepted"], said["ignored"]) == (200, 10, 1)


def test_the_settings_of_the_page_are_settings() -> None:
    (shown,) = blocks("yaml")
    shop = yaml.safe_load(shown.replace("${SHOP_SECRET}", SECRET))["channels"]["shop"]
    found = ApiSettings(**shop)
    assert (found.on, found.button_label, found.capabilities.edit) == (True, 64, False)


async def ran(house: House, *command: str) -> str:
    environ = {**os.environ, "HOOK": house.hook, "CHANNEL_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, out.decode()
    return out.decode()


def heard(house: House) -> Event:
    (inbound,) = house.gate.inbounds
    return inbound.event


async def test_signing_by_python(house: House) -> None:
    out = await ran(house, sys.executable, "-c", blocks("python")[0])
    assert "'accepted': 1" in out
    event = heard(house)
    assert isinstance(event, Message)
    (photo,) = event.attachments
    assert (event.text, house.files[photo.file].name, photo.size) == ("Вот фото", "check.png", 33)


async def test_signing_by_a_shell(house: House) -> None:
    out = await ran(house, "sh", "-c", blocks("sh")[0])
    assert json.loads(out)["accepted"] == 1
    assert heard(house) == Message("Здравствуйте")


async def test_the_integrator_of_the_page_passes_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", blocks("python")[1], str(port), env={**os.environ, "CHANNEL_SECRET": SECRET}
    )
    try:
        async with asyncio.timeout(20):
            while not await listens(port):
                await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{port}/frontline"
        code = await asyncio.to_thread(execute, ["--lang", "en", "channel-test", url, "--secret", SECRET])
    finally:
        process.kill()
        await process.wait()
    out = capsys.readouterr().out
    assert code == 0, out


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
