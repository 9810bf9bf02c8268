"""The emulator itself: a broken call is noticed, the delivery behaves as the real server's."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import aiogram
import aiohttp
import orjson
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import web
from pydantic import BaseModel

from tests.emulators.fixtures import TOKEN
from tests.emulators.telegram import TelegramEmulator

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture(scope="module", autouse=True)
def whole_models() -> None:
    """Our adapter imports aiogram without its schemas (adapters/telegram/library.py); aiogram's own session needs them."""
    for module in (aiogram.types, aiogram.methods):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, BaseModel):
                model.model_rebuild(_types_namespace=vars(aiogram.types))


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator(token=TOKEN) as emulator:
        emulator.person(7)
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def call(
    http: aiohttp.ClientSession, telegram: TelegramEmulator, method: str, *, token: str = TOKEN, **params: Any
) -> tuple[int, dict[str, Any]]:
    async with http.post(f"{telegram.url}/bot{token}/{method}", json=params) as response:
        return response.status, orjson.loads(await response.read())


BUTTON = {"text": "a", "callback_data": "b"}
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("sendMessage", {"chat_id": 7}, "text is missing"),
    ("sendMessage", {"chat_id": 7, "text": 5}, "text is 5"),
    ("sendMessage", {"chat_id": 7, "text": "a", "colour": "red"}, "colour is not a field"),
    ("sendMessage", {"chat_id": 7, "text": "a", "disable_notification": 1}, "disable_notification is 1"),
    ("sendMessage", {"chat_id": 7, "text": "x" * 4097}, "message is too long"),
    ("sendMessage", {"chat_id": 7, "text": "  "}, "message text is empty"),
    ("sendMessage", {"chat_id": 7, "text": "a", "entities": [{"type": "bold", "offset": 0}]}, "length is missing"),
    ("sendMessage", {"chat_id": 7, "text": "😀", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, "entity bold"),
    ("sendMessage", {"chat_id": 7, "text": "a", "entities": [{"type": "bold", "offset": 0, "length": 2}]}, "entity bold"),
    (
        "sendMessage",
        {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[{"callback_data": "b"}]]}},
        "text is missing",
    ),
    ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}}, "does 0 things"),
    ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[]]}}, "a row of it is empty"),
    ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[BUTTON] * 9]}}, "8 in a row"),
    ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[BUTTON]] * 101}}, "100 buttons"),
    (
        "sendMessage",
        {"chat_id": 7, "text": "a", "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "ы" * 33}]]}},
        "BUTTON_DATA_INVALID",
    ),
    ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": {"keyboard": [["a"]]}}, "reply_markup.keyboard"),
    ("sendPhoto", {"chat_id": 7, "photo": "x", "caption": "x" * 1025}, "caption is too long"),
    ("sendMediaGroup", {"chat_id": 7, "media": [{"type": "photo", "media": "x"}]}, "a media group of 1"),
    ("editMessageText", {"chat_id": 7, "message_id": "5", "text": "a"}, "message_id is '5'"),
    ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "more than 200"),
    ("sendNonsense", {"chat_id": 7}, "no such method"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params", "words"), BROKEN)
async def test_a_broken_call_fails_the_test_that_made_it(
    telegram: TelegramEmulator, http: aiohttp.ClientSession, method: str, params: dict[str, Any], words: str
) -> None:
    status, answer = await call(http, telegram, method, **params)
    assert (status, answer["ok"]) == (400, False)
    with pytest.raises(AssertionError, match=words):
        telegram.check()


async def test_what_aiogram_sends_is_valid(telegram: TelegramEmulator) -> None:
    """Forms and multipart; and what we answer passes aiogram's strict response models."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
    bot = Bot(TOKEN, session=session)
    keys = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Да", callback_data="1")]])
    message = await bot.send_message(7, "Привет", reply_markup=keys)
    document = await bot.send_document(7, BufferedInputFile(b"abc", "a.txt"), caption="файл")
    photo = await bot.send_photo(7, BufferedInputFile(b"abc", "a.jpg"))
    assert photo.photo
    await bot.edit_message_text("Пока", chat_id=7, message_id=message.message_id)
    assert document.document is not None
    assert (await bot.download(document.document.file_id)).read() == b"abc"  # type: ignore[union-attr]
    telegram.say(7, "/start x")
    telegram.photo(7)
    telegram.contact(7, "79990000000")
    telegram.block(7)
    assert len(await bot.get_updates()) == 4
    await bot.session.close()
    telegram.check()


async def test_errors_of_the_real_server(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> None:
    assert (await call(http, telegram, "getMe", token="1:wrong"))[0] == 401
    assert (await call(http, telegram, "sendMessage", chat_id=99, text="a"))[1][
        "description"
    ] == "Bad Request: chat not found"
    telegram.block(7)
    assert (await call(http, telegram, "sendMessage", chat_id=7, text="a"))[0] == 403
    telegram.unblock(7)
    _, sent = await call(http, telegram, "sendMessage", chat_id=7, text="a")
    message_id = sent["result"]["message_id"]
    _, same = await call(http, telegram, "editMessageText", chat_id=7, message_id=message_id, text="a")
    assert "message is not modified" in same["description"]
    gone: dict[str, Any] = {"chat_id": 7, "text": "b", "reply_markup": {"remove_keyboard": True}}
    _, fixed = await call(http, telegram, "sendMessage", **gone)
    _, answer = await call(
        http, telegram, "editMessageText", chat_id=7, message_id=fixed["result"]["message_id"], text="c"
    )
    assert "can't be edited" in answer["description"]
    _, old = await call(http, telegram, "answerCallbackQuery", callback_query_id="1")
    assert "query is too old" in old["description"]
    telegram.check()


async def test_a_button_is_answered_once(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> None:
    await call(http, telegram, "sendMessage", chat_id=7, text="a", reply_markup={"inline_keyboard": [[BUTTON]]})
    query = telegram.press(7)["callback_query"]["id"]
    assert [(await call(http, telegram, "answerCallbackQuery", callback_query_id=query))[0] for _ in range(2)] == [
        200,
        400,
    ]


async def test_offsets_confirm(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> None:
    ids = [telegram.say(7, str(number))["update_id"] for number in range(5)]

    async def get(**params: int) -> list[int]:
        return [update["update_id"] for update in (await call(http, telegram, "getUpdates", **params))[1]["result"]]  # type: ignore[arg-type]

    assert await get(limit=2) == ids[:2]
    assert await get() == ids
    assert await get(offset=ids[2]) == ids[2:]
    assert await get(offset=0) == ids[2:]
    assert await get(offset=-1) == ids[-1:]
    assert await get() == ids[-1:]


async def test_conflicts(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> None:
    first = asyncio.create_task(call(http, telegram, "getUpdates", timeout=20))
    await telegram.wait_call("getUpdates")
    second = asyncio.create_task(call(http, telegram, "getUpdates", timeout=20))
    status, answer = await first
    assert (status, answer["description"][:22]) == (409, "Conflict: terminated b")
    telegram.say(7, "a")
    assert len((await second)[1]["result"]) == 1
    await call(http, telegram, "setWebhook", url="http://127.0.0.1:9/x")
    assert "webhook is active" in (await call(http, telegram, "getUpdates"))[1]["description"]


class Bot200:
    """A bot's webhook that answers from a list of statuses, then 200, and remembers what it got."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.got, self.headers = list(statuses), list[Any](), list[Any]()
        self.news = asyncio.Condition()
        self.body: bytes = b""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.get(HEADER))
        status = self.statuses.pop(0) if self.statuses else 200
        self.got.append((status, orjson.loads(await request.read())))
        async with self.news:
            self.news.notify_all()
        return web.Response(status=status, body=self.body, content_type="application/json")

    async def until(self, ids: Collection[int]) -> None:
        """Waits until it has said 200 to all of these updates."""

        def all_taken() -> bool:
            return set(ids) <= {update["update_id"] for status, update in self.got if status == 200}

        async with asyncio.timeout(5), self.news:
            await self.news.wait_for(all_taken)


@pytest.fixture
async def hook(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> AsyncIterator[Bot200]:
    bot = Bot200()
    app = web.Application()
    app.router.add_post("/hook", bot.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await call(http, telegram, "setWebhook", url=url, secret_token="word")
    yield bot
    await runner.cleanup()


async def test_a_refused_update_holds_its_chat_and_no_other(telegram: TelegramEmulator, hook: Bot200) -> None:
    hook.statuses = [500, 500, 500]
    ids = [telegram.say(7, "один")["update_id"], telegram.say(7, "два")["update_id"]]
    await hook.until(ids)
    assert [update["update_id"] for _, update in hook.got] == [ids[0]] * 4 + [ids[1]]
    assert set(hook.headers) == {"word"}


async def test_a_button_does_not_wait_for_messages(
    telegram: TelegramEmulator, hook: Bot200, http: aiohttp.ClientSession
) -> None:
    await call(http, telegram, "sendMessage", chat_id=7, text="a", reply_markup={"inline_keyboard": [[BUTTON]]})
    hook.body = orjson.dumps({"method": "sendMessage", "chat_id": 7, "text": "в ответе"})
    await hook.until([telegram.press(7)["update_id"]])
    await telegram.wait(7, 2)
    assert telegram.texts(7) == ["a", "в ответе"]


async def test_updates_that_wait_go_to_a_new_webhook_and_back(
    telegram: TelegramEmulator, http: aiohttp.ClientSession, hook: Bot200
) -> None:
    hook.statuses = [500] * 1000
    telegram.say(7, "стойко")
    await call(http, telegram, "deleteWebhook")
    _, answer = await call(http, telegram, "getUpdates", timeout=5)
    assert [update["message"]["text"] for update in answer["result"]] == ["стойко"]


async def test_disturbed_delivery(telegram: TelegramEmulator, hook: Bot200) -> None:
    telegram.disturb(duplicate=0.3, reorder=0.3, delay=0.01)
    ids = [telegram.say(7, str(number))["update_id"] for number in range(50)]
    await hook.until(ids)
    got = [update["update_id"] for _, update in hook.got]
    assert set(got) == set(ids)
    assert got != sorted(got)


async def test_its_own_rates(http: aiohttp.ClientSession) -> None:
    async with TelegramEmulator(rates=True) as telegram:
        telegram.person(-7)
        answers = [await call(http, telegram, "sendMessage", chat_id=-7, text="a") for _ in range(22)]
        assert [status for status, _ in answers] == [200] * 20 + [429] * 2, "20 a minute into a group"
        assert answers[-1][1]["parameters"] == {"retry_after": 3}


async def test_faults(telegram: TelegramEmulator, http: aiohttp.ClientSession) -> None:
    telegram.fail(kind="429", method="sendMessage", retry_after=9)
    status, answer = await call(http, telegram, "sendMessage", chat_id=7, text="a")
    assert (status, answer["parameters"]) == (429, {"retry_after": 9})
    telegram.fail(kind="hang", seconds=0.05)
    telegram.fail(kind="lost")
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await call(http, telegram, "sendMessage", chat_id=7, text="b")
    assert telegram.texts(7) == ["b"], "a lost answer was carried out, a hang was not"
    began = time.monotonic()
    telegram.fail(kind="slow", seconds=0.05)
    assert (await call(http, telegram, "sendMessage", chat_id=7, text="c"))[0] == 200
    assert time.monotonic() - began >= 0.05


async def test_as_a_process_of_its_own(http: aiohttp.ClientSession) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.emulators.telegram", "--port", "0", "--fast",
        cwd=Path(__file__).parent.parent.parent, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    url = line.decode().split()[1]

    async def control(deed: str, **keywords: Any) -> Any:
        async with http.post(f"{url}/control/{deed}", json=keywords) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    said = await control("say", chat=7, text="привет")
    assert said["message"]["text"] == "привет"
    await control("document", chat=7, name="a.txt", content=base64.b64encode(b"abc").decode())
    async with http.post(f"{url}/bot{TOKEN}/sendMessage", data={"chat_id": "7", "text": "здравствуйте"}) as response:
        assert response.status == 200
    (sent,) = await control("wait", chat=7, count=1)
    assert sent["params"]["text"] == "здравствуйте"
    assert (await control("state"))["waiting"] == 2
    async with http.get(f"{url}/control/sent?chat=7") as response:
        assert len(await response.json()) == 1
    async with http.post(f"{url}/control/press", json={"chat": 7, "label": "нет такой"}) as response:
        assert response.status == 400
    process.terminate()
    await process.wait()
