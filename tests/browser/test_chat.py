"""The chat page in a real browser: writing, buttons, files, history, lost connections, hostile texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from core.messages import Button, Outgoing
from core.rich import Mark, Rich, plain
from tests.adapters.web.corpus import FILE_NAMES, XSS
from tests.adapters.web.pictures import png
from tests.browser.conftest import Server, Watched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_new_chat_is_greeted_once_and_answers(chat: Watched, server: Server) -> None:
    await chat.say("good morning")
    assert await chat.until(3) == ["Hello!", "good morning", "Echo: good morning"]
    await expect(chat.page.locator('.client .meta [aria-label="Delivered"]')).to_have_count(1)
    assert server.house.accepted[0].external_id == f"{server.visitor}:open"


async def test_enter_sends_and_shift_enter_breaks_the_line(chat: Watched) -> None:
    await chat.page.focus("#text")
    await chat.page.keyboard.type("one")
    await chat.page.keyboard.press("Shift+Enter")
    await chat.page.keyboard.type("two")
    await chat.page.keyboard.press("Enter")
    assert (await chat.until(3))[1:] == ["one\ntwo", "Echo: one\ntwo"]


async def test_a_button_is_used_once_and_shows_what_was_chosen(chat: Watched) -> None:
    await chat.page.get_by_role("button", name="Yes").click()
    assert (await chat.until(3))[1:] == ["Yes", "You pressed Yes"]
    await expect(chat.page.get_by_role("button", name="Yes")).to_be_disabled()
    await expect(chat.page.get_by_role("button", name="No", exact=True)).to_be_disabled()
    await expect(chat.page.locator(".press.chosen")).to_have_text("Yes")
    await chat.page.reload()
    await expect(chat.page.locator(".press.chosen")).to_have_text("Yes")


async def test_the_same_buttons_asked_again_are_fresh(chat: Watched) -> None:
    await chat.say("menu")
    await chat.page.get_by_role("button", name="Return").click()
    await chat.until(5)
    await chat.say("menu")
    await chat.until(7)
    fresh = chat.page.get_by_role("button", name="Return")
    await expect(fresh.first).to_be_disabled()
    await expect(fresh.last).to_be_enabled()


async def test_links_and_marks_are_nodes(chat: Watched) -> None:
    await chat.say("bold")
    await chat.until(3)
    last = chat.page.locator("#list .text").last
    await expect(last.locator("strong")).to_have_text("bold")
    link = last.locator("a")
    await expect(link).to_have_text("link")
    assert await link.get_attribute("href") == "https://example.org/"
    assert "noopener" in (await link.get_attribute("rel") or "")
    assert await link.get_attribute("target") == "_blank"


async def test_a_phone_is_asked_for_in_place(chat: Watched) -> None:
    await chat.say("menu")
    await chat.page.get_by_role("button", name="Share the phone").click()
    await chat.page.get_by_label("Your phone number").fill("+7 900 000-00-00")
    await chat.page.get_by_role("button", name="Send the number").click()
    assert (await chat.until(5))[-1] == "Phone +7 900 000-00-00"
    await expect(chat.page.locator(".press.chosen")).to_have_text("Share the phone")


async def test_a_place_comes_from_the_browser(chat: Watched, context: BrowserContext) -> None:
    await context.grant_permissions(["geolocation"])
    await context.set_geolocation({"latitude": 59.94, "longitude": 30.31})
    await chat.say("menu")
    await chat.page.get_by_role("button", name="Share the place").click()
    assert (await chat.until(5))[-1] == "Place 59.94 30.31"


async def test_a_refused_place_is_asked_for_in_words(chat: Watched, context: BrowserContext) -> None:
    await context.clear_permissions()
    await chat.say("menu")
    await chat.page.get_by_role("button", name="Share the place").click()
    await expect(chat.page.locator(".hint")).to_contain_text("Please write the address")


async def test_pictures_and_papers_go_out_and_come_back(chat: Watched, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(40, 30))
    (tmp_path / "bill.pdf").write_bytes(b"%PDF-1.7 text")
    await chat.page.set_input_files("#picker", [tmp_path / "cat.png", tmp_path / "bill.pdf"])
    await expect(chat.page.locator("#tray li")).to_have_count(2)
    await expect(chat.page.locator("#send")).to_be_enabled()
    await chat.page.click("#send")
    assert (await chat.until(3))[-1] == "Files: 2"
    await chat.page.reload()
    await chat.until(3)
    await chat.page.wait_for_function("() => document.querySelector('.photo img')?.naturalWidth === 40")
    async with chat.page.expect_download() as coming:
        await chat.page.locator(".file").click()
    download = await coming.value
    assert download.suggested_filename == "bill.pdf"
    await download.save_as(tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == b"%PDF-1.7 text"
    await chat.page.locator(".photo").click()
    await expect(chat.page.locator("#viewer")).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.locator("#viewer")).to_be_hidden()


async def test_files_can_be_pasted_dropped_and_taken_away(chat: Watched) -> None:
    put = """([type, where]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array([37, 80, 68, 70, 45])], type + ".pdf", {type: "application/pdf"}));
        const event = type === "paste" ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
            : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        document.querySelector(where).dispatchEvent(event);
    }"""
    await chat.page.evaluate(put, ["paste", "#text"])
    await chat.page.evaluate(put, ["drop", "#scroll"])
    await expect(chat.page.locator("#tray li")).to_have_count(2)
    await chat.page.get_by_role("button", name="Remove the file paste.pdf").click()
    await expect(chat.page.locator("#tray b")).to_have_text(["drop.pdf"])


async def test_a_picture_in_name_only_is_a_download(chat: Watched, tmp_path: Path) -> None:
    (tmp_path / "evil.png").write_bytes(b"<html><script>window.pwned=1</script>")
    (tmp_path / "evil.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned=1'/>")
    await chat.page.set_input_files("#picker", [tmp_path / "evil.png", tmp_path / "evil.svg"])
    await expect(chat.page.locator("#send")).to_be_enabled()
    await chat.page.click("#send")
    await chat.until(3)
    await expect(chat.page.locator("#list .file")).to_have_count(2)
    await expect(chat.page.locator("#list .photo")).to_have_count(0)


async def test_a_wall_passes_and_more_is_told(chat: Watched) -> None:
    await chat.page.fill("#text", "w" * 4097)
    await expect(chat.page.locator("#trouble")).to_contain_text("4096")
    await expect(chat.page.locator("#send")).to_be_disabled()
    await chat.say("w" * 4096)
    assert (await chat.until(3))[1] == "w" * 4096


async def test_reload_keeps_everything_exactly_once(chat: Watched) -> None:
    for number in range(5):
        await chat.say(f"message {number}")
        await chat.until(3 + number * 2)
    before = await chat.texts()
    await chat.page.reload()
    assert await chat.until(11) == before


async def test_a_long_past_is_loaded_in_steps(chat: Watched, server: Server) -> None:
    await server.house.say(server.visitor, *[Outgoing(plain(f"news {n}")) for n in range(150)])
    await chat.until(151)
    await chat.page.reload()
    await chat.until(90)
    assert "Hello!" not in await chat.texts()
    await chat.page.get_by_role("button", name="Show earlier messages").click()
    texts = await chat.until(151)
    assert texts == ["Hello!", *[f"news {n}" for n in range(150)]]
    await expect(chat.page.locator("#earlier")).to_be_hidden()


async def test_tabs_of_one_browser_are_one_chat(chat: Watched, server: Server, context: BrowserContext) -> None:
    other = Watched(await context.new_page())
    await other.page.goto(server.url)
    await other.until(1)
    await other.online()
    await chat.say("from the first")
    assert await other.until(3) == ["Hello!", "from the first", "Echo: from the first"]
    await other.say("from the second")
    assert await chat.until(5) == await other.until(5)
    assert other.troubles == []


async def test_what_is_written_while_the_server_is_away_goes_out_once(chat: Watched, server: Server) -> None:
    await server.stop()
    await chat.page.wait_for_selector('#status:not([data-state="online"])')
    await chat.say("are you there")
    await chat.say("hello?")
    await expect(chat.page.locator('.client .meta [aria-label="Sending"]')).to_have_count(2)
    await expect(chat.page.locator("#banner")).to_be_visible()
    await server.start()
    texts = await chat.until(5)
    assert sorted(texts[1:]) == sorted(["are you there", "Echo: are you there", "hello?", "Echo: hello?"])
    assert [text for text in texts if not text.startswith(("Echo", "Hello!"))] == ["are you there", "hello?"]
    await expect(chat.page.locator("#banner")).to_be_hidden()
    await expect(chat.page.locator('.client .meta [aria-label="Delivered"]')).to_have_count(2)


async def test_unsent_messages_survive_a_reload(chat: Watched, server: Server) -> None:
    server.house.full = True
    await chat.say("keep me")
    await expect(chat.page.locator('.client .meta [aria-label="Sending"]')).to_have_count(1)
    await chat.page.reload()
    await expect(chat.page.locator(".client .text")).to_have_text("keep me")
    server.house.full = False
    assert await chat.until(3) == ["Hello!", "keep me", "Echo: keep me"]
    chat.troubles.clear()  # the browser logs each 503


async def test_an_answer_lost_on_the_way_is_no_second_message(chat: Watched, context: BrowserContext) -> None:
    lost: list[object] = []

    async def lose(route: object) -> None:
        if not lost:
            lost.append(route)
            await route.fetch()  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await context.route("**/messages", lose)
    await chat.say("only once")
    assert await chat.until(3) == ["Hello!", "only once", "Echo: only once"]
    await expect(chat.page.locator('.client .meta [aria-label="Delivered"]')).to_have_count(1)
    await chat.page.wait_for_function("() => !Object.keys(localStorage).some(key => key.includes(':out:'))")
    assert await chat.texts() == ["Hello!", "only once", "Echo: only once"]
    chat.troubles = [trouble for trouble in chat.troubles if "ERR_FAILED" not in trouble]


async def test_messages_missed_while_offline_come_in_order(
    chat: Watched, server: Server, context: BrowserContext
) -> None:
    await server.stop()
    await server.house.channel.start(server.house)
    await server.house.say(server.visitor, Outgoing(plain("one")), Outgoing(plain("two")))
    await server.start()
    assert await chat.until(3) == ["Hello!", "one", "two"]


async def test_a_chat_the_server_forgot_begins_anew(chat: Watched) -> None:
    await chat.page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.endsWith('token')) localStorage[key] = 'lost'"
    )
    await chat.page.reload()
    await expect(chat.page.locator("#banner")).to_contain_text("a new one was opened")
    assert await chat.until(1) == ["Hello!"]


@pytest.mark.parametrize("sign", ["?", "#"])
async def test_a_deep_link_opens_its_flow_once(server: Server, context: BrowserContext, sign: str) -> None:
    watched = Watched(await context.new_page())
    await watched.page.goto(f"{server.url}{sign}start=return-qr")
    assert await watched.until(1) == ["Hello! return-qr"]
    assert "start" not in watched.page.url
    await watched.page.reload()
    await watched.online()
    assert await watched.until(1) == ["Hello! return-qr"]
    assert watched.troubles == []


async def test_a_link_behind_the_fragment_opens_in_an_open_chat(chat: Watched, server: Server) -> None:
    """A one-time code comes so: no server and no log sees what stands behind the `#`."""
    await chat.page.goto(f"{server.url}#start=go-7KMPXQ2WT5")
    assert (await chat.until(2))[-1] == "Hello! go-7KMPXQ2WT5"
    assert "start" not in chat.page.url


async def test_edits_change_the_message_in_its_place(chat: Watched, server: Server) -> None:
    await server.house.say(server.visitor, Outgoing(plain("You are number 3")), slot="queue")
    await chat.until(2)
    await server.house.say(server.visitor, Outgoing(plain("You are number 2")), slot="queue", replace=True)
    await expect(chat.page.locator("#list .text").last).to_have_text("You are number 2")
    assert await chat.texts() == ["Hello!", "You are number 2"]


async def test_dots_while_the_answer_is_made(chat: Watched, server: Server) -> None:
    server.house.asleep = True
    await chat.say("think")
    await expect(chat.page.locator("#typing")).to_be_visible()
    await server.house.wake()
    await chat.until(3)
    await expect(chat.page.locator("#typing")).to_be_hidden()


async def test_hostile_texts_stay_texts(chat: Watched, server: Server) -> None:
    marks = [(Mark("link", 0, 3, text), Mark("bold", 1, 5)) for text in XSS]
    buttons = [((Button(text[:60], f"9.9.{n}"), Button("u", url=text)),) for n, text in enumerate(XSS)]
    hostile = [Outgoing(Rich(text, mark), rows) for text, mark, rows in zip(XSS, marks, buttons, strict=True)]
    for start in range(0, len(hostile), 40):
        await server.house.say(server.visitor, *hostile[start : start + 40])
    await chat.until(1 + len(XSS))
    assert (await chat.texts())[1:] == list(XSS)
    await chat.page.evaluate("""() => {
        for (const each of document.querySelectorAll('#list *')) {
            for (const type of ['mouseover', 'pointerenter', 'focus']) each.dispatchEvent(new Event(type, {bubbles: true}));
        }
    }""")
    await expect(chat.page.locator("#list :is(script, iframe, object, embed, svg[onload], form, img)")).to_have_count(0)
    kinds = await chat.page.evaluate("[...document.querySelectorAll('#list a')].map(a => a.protocol)")
    assert set(kinds) <= {"http:", "https:", "mailto:", "tel:"}


async def test_a_clients_own_hostile_words_stay_texts(chat: Watched) -> None:
    for count, text in enumerate(XSS[10:18]):
        await chat.say(text)
        await chat.until(3 + 2 * count)
    texts = await chat.texts()
    assert texts[1::2] == [text.strip() for text in XSS[10:18]]


async def test_hostile_file_names_stay_names(chat: Watched, server: Server) -> None:
    names = [name for name in FILE_NAMES if "\0" not in name]
    await chat.page.evaluate(
        """async ([names, base]) => {
        const token = localStorage[Object.keys(localStorage).find(key => key.endsWith('token'))];
        const headers = {Authorization: 'Bearer ' + token};
        const files = [];
        for (const name of names) {
            const body = new FormData();
            body.append('file', new Blob(['x']), name);
            const answer = await fetch(base + '/files', {method: 'POST', body, headers});
            files.push((await answer.json()).id);
        }
        headers['Content-Type'] = 'application/json';
        for (const part of [files.slice(0, 8), files.slice(8)]) {
            const body = JSON.stringify({client_id: 'names' + part.length, files: part});
            await fetch(base + '/messages', {method: 'POST', body, headers});
        }
    }""",
        [names, server.url],
    )
    await chat.until(5)
    await expect(chat.page.locator("#list .file")).to_have_count(len(names))
    shown = await chat.page.locator("#list .file b").all_text_contents()
    assert not [name for name in shown if set(name) & set("/\\\u202e\r\n")]


async def test_the_page_fits_a_phone_and_speaks_russian_when_asked(server: Server, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.goto(f"{server.url}?language=ru")
    await page.wait_for_selector("#list .item")
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    assert await page.evaluate("document.documentElement.lang") == "ru"
    box = await page.locator("#text").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 640


async def test_the_keyboard_reaches_everything(chat: Watched) -> None:
    await chat.page.focus("#scroll")
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    reached = []
    for _ in range(4):
        await chat.page.keyboard.press("Tab")
        reached.append(await chat.page.evaluate(focused))
    assert reached == ["Yes", "No", "Attach files", "Write a message"]


async def test_screen_readers_hear_the_log(chat: Watched) -> None:
    log = chat.page.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(log).to_have_attribute("aria-busy", "false")
    await expect(log).to_contain_text("Assistant")


async def test_a_reader_of_old_messages_is_not_dragged_down(chat: Watched, server: Server) -> None:
    await server.house.say(server.visitor, *[Outgoing(plain(f"news {n}")) for n in range(60)])
    await chat.until(61)
    await expect(chat.page.locator("#list .item").last).to_be_in_viewport()
    await chat.page.evaluate("() => { document.getElementById('scroll').scrollTop = 0 }")
    await expect(chat.page.locator("#latest")).to_be_visible()
    await server.house.say(server.visitor, Outgoing(plain("breaking")))
    await expect(chat.page.locator("#latest-count")).to_have_text("1")
    assert await chat.page.evaluate("() => document.getElementById('scroll').scrollTop") == 0
    await chat.page.locator("#latest").click()
    await expect(chat.page.locator("#list .item").last).to_be_in_viewport()
    await expect(chat.page.locator("#latest")).to_be_hidden()


async def test_the_end_stays_in_sight_while_messages_come(chat: Watched, server: Server) -> None:
    for number in range(12):
        await chat.say(f"message {number}")
    await chat.until(25)
    await expect(chat.page.locator("#list .item").last).to_be_in_viewport()
    await expect(chat.page.locator("#latest")).to_be_hidden()
