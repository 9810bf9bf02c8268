"""The console as people feel it: pages that are opened for the first time on a slow network, a message until it is on the screen.

The demo's gateway runs on the bot's core with two weeks of invented clients in its store; Chromium is on the other core. The slow
profile is Lighthouse's "Slow 4G" (https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md); the processor is
slowed down four times in a second reading, as Lighthouse does for a phone.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import TimeoutError as TimedOut
from rich.console import Console

from bench.machine import BOT, ROOT, free_port, running
from bench.stats import Bar, median, percentile

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
# What is there when a page can be worked with.
PAGES = {
    "work?view=all": ".list [role=option]",
    "tickets": "main table tbody tr, main .ticket",
    "lines": "main .card",
    "reports": "main canvas",
    "flows": "main table tbody tr, main .card",
    "clients": "main table tbody tr, main .card, main li",
}
LOAD_BAR, OPEN_BAR, SCREEN_BAR = 2.0, 0.15, 0.3  # seconds, people.md §5
OPENINGS, MESSAGES = 200, 30
START_SECONDS, LOAD_SECONDS, APPEARS_SECONDS = 180.0, 60.0, 10.0
OBSERVE = """(() => {
    window.seen = {lcp: 0, cls: 0, blocked: 0};
    const watch = (type, each) =>
        new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({type, buffered: true});
    watch("largest-contentful-paint", (one) => (window.seen.lcp = one.startTime));
    watch("layout-shift", (one) => (window.seen.cls += one.hadRecentInput ? 0 : one.value));
    watch("longtask", (one) => (window.seen.blocked += Math.max(0, one.duration - 50)));
})()"""
# The page notes itself when the frame with what it waits for is on the screen: who asks from outside asks every half second.
WAIT = """((wanted) => (window.ready = new Promise((done) => {
    const painted = (call) => requestAnimationFrame(() => requestAnimationFrame(call));
    const watch = new MutationObserver(() => {
        if (!document.querySelector(wanted)) return;
        watch.disconnect();
        painted(() => done(performance.now()));
    });
    watch.observe(document, {childList: true, subtree: true});
})))"""
READ = """async () => {
    const ready = await window.ready;
    const files = performance.getEntriesByType("resource"), paint = performance.getEntriesByName("first-contentful-paint")[0];
    const bytes = files.reduce((sum, one) => sum + one.transferSize, 0);
    return {...window.seen, ready, fcp: paint ? paint.startTime : 0, files: files.length, bytes};
}"""
# The moment, in milliseconds since the epoch, of the frame in which words are on the screen.
APPEARS = """(words) => new Promise((done) => {
    const shown = () => requestAnimationFrame(() => done(performance.timeOrigin + performance.now()));
    const there = () => document.querySelector(".stream")?.innerText.includes(words);
    const watch = new MutationObserver(() => there() && (watch.disconnect(), shown()));
    watch.observe(document.body, {childList: true, subtree: true, characterData: true});
})"""


@dataclass
class Loaded:
    """One page opened with an empty cache. Times in milliseconds from the address; `cls` has no unit."""

    page: str
    ready: float
    fcp: float
    lcp: float
    blocked: float
    cls: float
    files: int
    bytes: int


@asynccontextmanager
async def demo() -> AsyncIterator[tuple[str, str]]:
    """A demo's gateway: its address, and the password of its supervisor."""
    with tempfile.TemporaryDirectory(prefix="frontline-console-") as name:
        folder, port = Path(name), free_port()
        shutil.copytree(ROOT / "flows", folder / "flows")
        shutil.copy(ROOT / "config.yaml", folder)
        log = folder / "log"
        command = [sys.executable, "-m", "gateway", "--config", str(folder / "config.yaml")]
        with running([*command, "run", "--demo", "--http", f"127.0.0.1:{port}"], {"PYTHONPATH": str(ROOT)}, log, BOT):
            yield f"http://127.0.0.1:{port}", await _password(log)


async def _password(log: Path) -> str:
    """As it is told when the gateway listens. Raises TimeoutError."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            found = re.search(r": supervisor, \S+ (\S+)", await asyncio.to_thread(log.read_text, "utf-8"))
            if found:
                return found[1]
            await asyncio.sleep(0.2)


# --- pages -----------------------------------------------------------------------------------------------------------


async def sign_in(browser: Browser, url: str, password: str) -> BrowserContext:
    """A browser of its own, with nothing in its cache."""
    context = await browser.new_context(locale="ru-RU", viewport={"width": 1280, "height": 800})
    await context.add_init_script(OBSERVE)
    data = {"name": "supervisor", "password": password, "code": ""}
    answer = await context.request.post(f"{url}/api/v1/login", data=data, headers={"X-Frontline": "1"})
    if not answer.ok:
        raise ChildProcessError(f"nobody could sign in: {answer.status}")
    return context


async def load(browser: Browser, url: str, password: str, page: str, slower: int) -> Loaded:
    """Open a page once on the slow profile."""
    context = await sign_in(browser, url, password)
    opened = await context.new_page()
    await opened.add_init_script(f"{WAIT}({PAGES[page]!r})")
    wire = await context.new_cdp_session(opened)
    await wire.send("Network.enable")
    await wire.send("Network.emulateNetworkConditions", SLOW)
    await wire.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    await opened.goto(f"{url}/console/{page}", wait_until="commit")
    async with asyncio.timeout(LOAD_SECONDS):
        found: dict[str, Any] = await opened.evaluate(READ)
    await context.close()
    return Loaded(page, **found)


async def loads(browser: Browser, url: str, password: str, rounds: int, slower: int) -> list[Loaded]:
    """The middle round of each page."""
    middle = []
    for page in PAGES:
        found = [await load(browser, url, password, page, slower) for _ in range(rounds)]
        middle.append(sorted(found, key=lambda one: one.ready)[rounds // 2])
    return middle


# --- the server, and the way to the screen ------------------------------------------------------------------------------


async def openings(context: BrowserContext, url: str) -> list[float]:
    """Seconds until a conversation is there with its messages, one after another, as the server takes them."""
    cookies = {one["name"]: one["value"] for one in await context.cookies()}
    took, homes = [], await newest(context, url)
    async with aiohttp.ClientSession(f"{url}/api/v1/", cookies=cookies, headers={"X-Frontline": "1"}) as http:
        for n in range(OPENINGS):
            began = time.perf_counter()
            for path in (f"conversations/{homes[n % len(homes)]}", f"conversations/{homes[n % len(homes)]}/messages"):
                async with http.get(path) as answer:
                    await answer.read()
            took.append(time.perf_counter() - began)
    return took


async def newest(context: BrowserContext, url: str) -> list[int]:
    """Conversations in which something was said last."""
    answer = await context.request.get(f"{url}/api/v1/conversations?view=all&sort=last&limit=100")
    return [row["conversation"] for row in (await answer.json())["items"]]


async def said_in(context: BrowserContext, url: str, words: str) -> int:
    """The conversation in which something was said a moment ago; the demo's clients talk meanwhile. Raises TimeoutError."""
    async with asyncio.timeout(APPEARS_SECONDS):
        while True:
            for home in await newest(context, url):
                answer = await context.request.get(f"{url}/api/v1/conversations/{home}/messages")
                if words in await answer.text():
                    return home


async def take(context: BrowserContext, url: str, home: int) -> None:
    """From the bot: what is said to people is not folded away. Raises ChildProcessError when it cannot be had."""
    place = f"{url}/api/v1/conversations/{home}"
    epoch = (await (await context.request.get(place)).json())["epoch"]
    headers = {"X-Frontline": "1", "Idempotency-Key": f"bench-{home}"}
    answer = await context.request.post(f"{place}/take", data={"epoch": epoch}, headers=headers)
    if not answer.ok:
        raise ChildProcessError(f"the talk could not be taken: {answer.status}")


async def arrivals(page: Page, url: str) -> list[float]:
    """Seconds from a client's post in the web chat to the words on the screen of the operator who has the talk.

    It is taken first: of what is said to the bot lists alone are told, and not at once.
    """
    took, first = [], f"проба {time.time_ns()}"
    async with aiohttp.ClientSession(url) as http:
        async with http.post("/chat/site/session", json={}) as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        await _post(http, headers, first)
        home = await said_in(page.context, url, first)
        await take(page.context, url, home)
        await page.goto(f"{url}/console/work/{home}?view=mine")
        await page.locator("textarea[name=reply]").wait_for()
        for n in range(MESSAGES + 1):
            appears = asyncio.ensure_future(page.evaluate(APPEARS, f"проба {n}."))
            await asyncio.sleep(0.3)
            began = time.time()
            await _post(http, headers, f"проба {n}.")
            took.append(await asyncio.wait_for(appears, APPEARS_SECONDS) / 1000 - began)
    return took[1:]  # the first one may have come before the live line was there


async def _post(http: aiohttp.ClientSession, headers: dict[str, str], text: str) -> None:
    body = {"client_id": f"m{time.time_ns()}", "text": text}
    async with http.post("/chat/site/messages", json=body, headers=headers) as answer:
        answer.raise_for_status()


# --- the report --------------------------------------------------------------------------------------------------------


async def run_console(rounds: int, console: Console) -> list[str]:
    """The lines of the report."""
    async with AsyncExitStack() as stack:
        console.print("making the demo …")
        url, password = await stack.enter_async_context(demo())
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        console.print("pages on a slow network …")
        network = await loads(browser, url, password, rounds, 1)
        phone = await loads(browser, url, password, rounds, 4)
        console.print("conversations and messages …")
        context = await sign_in(browser, url, password)
        opened = await openings(context, url)
        seen = list[float]()
        with suppress(TimeoutError, TimedOut):  # then it is said that nobody measured it
            seen = await arrivals(await context.new_page(), url)
        await browser.close()
    return told(network, phone, opened, seen)


def told(network: list[Loaded], phone: list[Loaded], opened: list[float], seen: list[float]) -> list[str]:
    """A run as lines of the report, with its bars."""
    first = network[0].ready / 1000
    bars = [
        Bar("first load of the working window, slow network ≤ 2 s", f"{first:.2f} s", first <= LOAD_BAR),
        Bar("a conversation is open at the server, p95 ≤ 150 ms",
            f"p50 {median(opened) * 1000:.0f} ms, p95 {percentile(opened, 0.95) * 1000:.0f} ms",
            bool(opened) and percentile(opened, 0.95) <= OPEN_BAR),
        Bar("a message is on the screen ≤ 300 ms after it came in",
            f"p50 {median(seen) * 1000:.0f} ms, p95 {percentile(seen, 0.95) * 1000:.0f} ms" if seen else "",
            percentile(seen, 0.95) <= SCREEN_BAR if seen else None),
    ]  # fmt: skip
    lines = [*(f"- {bar.line}" for bar in bars), ""]
    return [
        *lines,
        *page_table("Slow network", network),
        "",
        *page_table("Slow network, processor four times slower", phone),
    ]


def page_table(title: str, found: list[Loaded]) -> list[str]:
    """Pages with an empty cache. Paint and ready in ms from the address; blocked is what tasks take beyond 50 ms."""
    rows = [
        f"| `{one.page}` | {one.fcp:.0f} | {one.lcp:.0f} | {one.ready:.0f} | {one.blocked:.0f} "
        f"| {one.cls:.3f} | {one.files} | {one.bytes / 1024:.0f} |"
        for one in found
    ]
    heads = "| page | first paint | largest paint | ready | blocked | layout shift | requests | KiB |"
    return [f"**{title}**", "", heads, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", *rows]
