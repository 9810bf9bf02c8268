"""Drafts: kept on the server by version, apart for reply and note, gone with what was sent."""

from __future__ import annotations

import asyncio

from storage.tools.drafts import find_draft
from tests.acceptance.people.desk import Desk
from tests.gateway.api.house import Answer


async def put(desk: Desk, text: str, version: int = 0, kind: str = "reply") -> Answer:
    body = {"kind": kind, "version": version, "text": text}
    return await desk.browser.ask("PUT", f"/conversations/{desk.home}/draft", body)


async def kept(desk: Desk, kind: str = "reply") -> tuple[str, int]:
    found = await desk.look(f"draft?kind={kind}")
    return found["text"], found["version"]


async def test_reply_and_note_have_drafts_of_their_own(desk: Desk) -> None:
    assert await kept(desk) == ("", 0)
    reply, note = (await put(desk, "Здравс")).body, (await put(desk, "он груб", kind="note")).body
    assert await kept(desk) == ("Здравс", reply["version"])
    assert await kept(desk, "note") == ("он груб", note["version"])
    longer = (await put(desk, "Здравствуйте", reply["version"])).body
    assert longer["version"] > reply["version"]


async def test_whoever_has_not_seen_the_newest_is_told(desk: Desk) -> None:
    first = (await put(desk, "раз")).body["version"]
    assert (await put(desk, "два", first)).status == 200
    for seen in (0, first, first + 10_000_000):
        late = await put(desk, "старое", seen)
        assert (late.status, late.kind) == (409, "draft-changed")
    assert (await kept(desk))[0] == "два"


async def test_two_devices_at_once(desk: Desk) -> None:
    first = (await put(desk, "раз")).body["version"]
    answers = await asyncio.gather(*(put(desk, f"устройство {n}", first) for n in range(6)))
    assert sorted(it.status for it in answers) == [200, *[409] * 5]
    won = next(it for it in answers if it.status == 200)
    assert await kept(desk) == (won.body["text"], won.body["version"])


async def test_what_is_sent_ends_its_draft(desk: Desk) -> None:
    version = (await put(desk, "Готово")).body["version"]
    assert (await desk.do("reply", {"epoch": 2, "text": "Готово", "draft": version})).status == 200
    assert await kept(desk) == ("", 0)
    late = await put(desk, "Готово, и ещё", version)
    assert late.kind == "draft-changed", "a late device does not bring back what was sent"
    desk.house.clock.at += 1
    again = (await put(desk, "Снова")).body["version"]
    assert again > version


async def test_what_was_written_since_stays(desk: Desk) -> None:
    version = (await put(desk, "Готово")).body["version"]
    newer = (await put(desk, "Готово, и ещё", version)).body["version"]
    assert (await desk.do("reply", {"epoch": 2, "text": "Готово", "draft": version})).status == 200
    assert await kept(desk) == ("Готово, и ещё", newer)
    assert (await desk.browser.ask("DELETE", f"/conversations/{desk.home}/draft?version={newer}")).status == 204
    assert await kept(desk) == ("", 0)


async def test_a_note_is_not_sent_as_a_reply(desk: Desk) -> None:
    """A draft for the colleagues does not go to the client by a wrong press."""
    version = (await put(desk, "он груб", kind="note")).body["version"]
    answer = await desk.do("reply", {"epoch": 2, "text": "он груб", "draft": version})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/draft")
    await desk.house.quiet()
    assert "он груб" not in desk.house.channel.texts
    assert (await desk.do("note", {"text": "он груб", "draft": version})).status == 200
    assert await kept(desk, "note") == ("", 0)


async def test_a_refused_reply_keeps_its_draft(desk: Desk) -> None:
    version = (await put(desk, "Готово")).body["version"]
    assert (await desk.do("reply", {"epoch": 1, "text": "Готово", "draft": version})).kind == "stale"
    assert await kept(desk) == ("Готово", version)


async def test_drafts_are_one_s_own(desk: Desk) -> None:
    await put(desk, "моё")
    await desk.house.add("boris", support="operator")
    await desk.house.add("carl", billing="operator")
    boris, carl = await desk.house.browser("boris"), await desk.house.browser("carl")
    assert (await boris.ask("GET", f"/conversations/{desk.home}/draft")).body["text"] == ""
    for method, body in (("GET", None), ("PUT", {"text": "x"})):
        assert (await carl.ask(method, f"/conversations/{desk.home}/draft", body)).status == 404
    assert (await carl.ask("DELETE", f"/conversations/{desk.home}/draft?version=1")).status == 404


async def test_a_draft_is_in_the_store_when_it_is_answered(desk: Desk) -> None:
    """It survives whatever happens to the process: the answer comes after the commit."""
    version = (await put(desk, "живой")).body["version"]
    user, home = desk.anna.id, desk.home

    row = await desk.house.gateway.floor.units.ask(lambda reads: find_draft(reads, user, home, "reply"))
    assert row is not None
    assert (row["text"], row["version"]) == ("живой", version)
