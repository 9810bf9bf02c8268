"""How the emulated messenger brings events: signed by the specification's own library, repeated under the same id."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, FormData
from standardwebhooks.webhooks import Webhook

BACK_FLAWS = frozenset(("unsigned_back", "bad_events", "no_retry", "new_webhook_id", "early_retry", "endless"))
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)


class Delivery:
    """Deliveries on their way to `hook`, those of a chat in order. `factor` scales the pauses between repetitions."""

    def __init__(self, factor: float, secret: str, flaws: frozenset[str] = frozenset()) -> None:
        self.hook, self.secret, self._factor, self._flaws = "", secret, factor, flaws
        self.delivered = 0
        self.statuses: list[int] = []
        self.given_up: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self._number = 0
        self._tails: dict[str, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._client: ClientSession | None = None

    @property
    def waiting(self) -> int:
        """Deliveries that are not over."""
        return len(self._tasks)

    def push(self, body: dict[str, Any]) -> None:
        """One event or a batch, behind what waits for the same chat."""
        chat = str(body.get("chat", ""))
        before = self._tails.get(chat)
        task = asyncio.ensure_future(self._after(before, body))
        self._tails[chat] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after(self, before: asyncio.Task[Any] | None, body: dict[str, Any]) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self.deliver(body)

    async def deliver(self, body: dict[str, Any], always: int = 0, pause: float = 0.0) -> None:
        """With its repetitions. `always`: so many deliveries even though each was answered, `pause` seconds apart."""
        self._number += 1
        raw = orjson.dumps({**body, "chat": 7} if "bad_events" in self._flaws else body)
        left = 5 if "endless" in self._flaws else max(always, 1)
        for n in range(left + 1000):
            delivery = f"msg_{self._number}{f'_{n}' if 'new_webhook_id' in self._flaws else ''}"
            status, after = await self.post(delivery, raw)
            self.statuses.append(status)
            if status in {200, 400, 422}:
                self.delivered += status == 200
                left -= 1
                if not left:
                    break
                await asyncio.sleep(pause)
                continue
            if status in {401, 403, 413} or (status == 503 and "no_retry" in self._flaws):
                self.given_up.append(body)
                return
            if "early_retry" in self._flaws:
                after = 0.0
            await asyncio.sleep(after or PAUSES[min(n, len(PAUSES) - 1)] * self._factor)

    async def post(self, delivery: str, raw: bytes) -> tuple[int, float]:
        """One attempt: the status, 0 for none, and how long we are asked to wait."""
        headers = {"Content-Type": "application/json", **self.sign(delivery, raw.decode())}
        if "unsigned_back" in self._flaws:
            headers.pop("webhook-signature")
        try:
            async with self.http().post(self.hook, data=raw, headers=headers) as answer:
                self.answers.append({"status": answer.status, **(await answer.json(content_type=None) or {})})
                return answer.status, float(answer.headers.get("Retry-After", "0"))
        except (ClientError, TimeoutError, OSError, ValueError):
            return 0, 0.0

    async def upload(self, name: str, data: bytes) -> str:
        """The id of an uploaded file. Raises LookupError with the answer when it is refused."""
        form = FormData(quote_fields=False)
        form.add_field("file", data, filename=name)
        payload = form()
        raw = await _bytes(payload)
        self._number += 1
        headers = {"Content-Type": payload.content_type, **self.sign_bytes(f"file_{self._number}", raw)}
        async with self.http().post(f"{self.hook}/files", data=raw, headers=headers) as answer:
            said = await answer.json(content_type=None)
            if answer.status != 201:
                raise LookupError(f"{answer.status} {said}")
            return str(said["file"])

    def sign(self, delivery: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        signature = Webhook(self.secret).sign(delivery, now, body)
        return {"webhook-id": delivery, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    def sign_bytes(self, delivery: str, raw: bytes) -> dict[str, str]:
        """The specification's library signs text only; bytes are signed as its document says."""
        import base64
        import hashlib
        import hmac

        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        stamp = str(int(datetime.now(UTC).timestamp()))
        mac = hmac.new(key, f"{delivery}.{stamp}.".encode() + raw, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(mac).decode()
        return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": signature}

    async def idle(self) -> None:
        """Waits until no delivery is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def http(self) -> ClientSession:
        if self._client is None:
            self._client = ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=10))
        return self._client


class _Sink:
    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, piece: bytes) -> None:
        self.data += piece


async def _bytes(payload: Any) -> bytes:
    """A form as it goes over the wire."""
    sink = _Sink()
    await payload.write(sink)
    return bytes(sink.data)
