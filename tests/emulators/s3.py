"""An S3 for tests: a real HTTP server with buckets, conditions, uploads in parts and lists, that checks every signature.

What it checks: Signature Version 4 (Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header"),
the hash of every body, that parts but the last have 5 MiB, that lists go on where they ended. A call that S3 would not
know is a mistake, and `check` tells it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
LEAST_PART = 5 << 20
MOST_LISTED = 1000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class Kept:
    """An object of a bucket."""

    data: bytes
    at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data).hexdigest()}"'


@dataclass
class Upload:
    """An upload in parts that has not ended."""

    name: str
    parts: dict[int, bytes] = field(default_factory=dict)


class Wrong(Exception):
    """An answer that is an error of S3."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class S3Emulator:
    """Buckets by name; `url` is the endpoint. `page` is how many objects a list tells at once."""

    def __init__(
        self, *buckets: str, page: int = MOST_LISTED, conditions: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        self.buckets: dict[str, dict[str, Kept]] = {name: {} for name in buckets}
        self.uploads: dict[str, Upload] = {}
        self.calls: list[tuple[str, str]] = []
        self.mistakes: list[str] = []
        self.faults: list[Wrong] = []  # answers instead of the next ones
        self.hold: asyncio.Event | None = None  # nothing is answered until it is set
        self.secret = SECRET
        self.host_style = False
        self._page, self._conditions, self._tls = page, conditions, tls
        self._runner, self._port = None, 0

    _runner: web.AppRunner | None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def objects(self) -> dict[str, Kept]:
        """Of the first bucket."""
        return next(iter(self.buckets.values()))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None:
            self.check()

    async def start(self) -> None:
        """Listens, after a stop on the same port."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Goes away: connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def check(self) -> None:
        """Raises AssertionError when a call was none of S3."""
        assert self.mistakes == []

    # --- one call ------------------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.calls.append((request.method, request.path_qs))
        if self.hold is not None:
            await self.hold.wait()
        try:
            if self.faults:
                raise self.faults.pop(0)
            self._verify(request, body)
            return self._serve(request, body)
        except Wrong as wrong:
            text = f"<Error><Code>{wrong.code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>"
            return web.Response(status=wrong.status, text=text, content_type="application/xml")

    def _serve(self, request: web.Request, body: bytes) -> web.Response:
        name, _, key = unquote(request.path.lstrip("/")).partition("/")
        bucket = self.buckets.get(name)
        if bucket is None:
            raise Wrong(404, "NoSuchBucket")
        known = set(request.query)
        for method, parameters, serve in self._operations():
            if (
                request.method == method
                and known >= parameters
                and bool(key) is (serve not in {self._list, self._delete_many})
            ):
                return serve(bucket, key, request, body)
        self.mistakes.append(f"{request.method} {request.path_qs}")
        raise Wrong(501, "NotImplemented")

    def _operations(self) -> list[tuple[str, set[str], Callable[..., web.Response]]]:
        return [
            ("POST", {"uploads"}, self._begin),
            ("POST", {"uploadId"}, self._complete),
            ("POST", {"delete"}, self._delete_many),
            ("PUT", {"partNumber", "uploadId"}, self._part),
            ("DELETE", {"uploadId"}, self._abort),
            ("GET", {"list-type"}, self._list),
            ("PUT", set(), self._put),
            ("GET", set(), self._get),
            ("HEAD", set(), self._get),
            ("DELETE", set(), self._delete),
        ]

    def _put(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        if request.headers.get("If-None-Match") == "*":
            if not self._conditions:
                raise Wrong(501, "NotImplemented")
            if key in bucket:
                raise Wrong(412, "PreconditionFailed")
        bucket[key] = Kept(body, datetime.now(UTC))
        return web.Response(headers={"ETag": bucket[key].etag})

    def _get(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        kept = bucket.get(key)
        if kept is None:
            raise Wrong(404, "NoSuchKey")
        headers = {"ETag": kept.etag, "Last-Modified": kept.at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        return web.Response(body=kept.data, headers=headers, content_type="application/octet-stream")

    def _delete(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        bucket.pop(key, None)
        return web.Response(status=204)

    def _delete_many(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        names = [one.text or "" for one in ElementTree.fromstring(body).iter() if one.tag.rpartition("}")[2] == "Key"]
        for name in names:
            bucket.pop(name, None)
        return _xml("DeleteResult", "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in names))

    def _list(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        query = request.query
        after = query.get("continuation-token", query.get("start-after", ""))
        names = sorted(name for name in bucket if name.startswith(query.get("prefix", "")) and name > after)
        page = names[: self._page]
        more = len(names) > len(page)
        told = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(bucket[name].data)}</Size><ETag>{bucket[name].etag}</ETag>"
            f"<LastModified>{bucket[name].at.isoformat()}</LastModified></Contents>"
            for name in page
        )
        next_page = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        truncated = str(more).lower()
        return _xml(
            "ListBucketResult",
            f"<Name>b</Name><KeyCount>{len(page)}</KeyCount><IsTruncated>{truncated}</IsTruncated>{next_page}{told}",
        )

    # --- uploads in parts ----------------------------------------------------------------------------------------------

    def _begin(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        id = f"upload-{len(self.uploads)}-{len(self.calls)}"
        self.uploads[id] = Upload(key)
        return _xml("InitiateMultipartUploadResult", f"<UploadId>{id}</UploadId>")

    def _upload(self, key: str, request: web.Request) -> Upload:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None or upload.name != key:
            raise Wrong(404, "NoSuchUpload")
        return upload

    def _part(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        self._upload(key, request).parts[int(request.query["partNumber"])] = body
        return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def _complete(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        upload = self._upload(key, request)
        pieces = [upload.parts[number] for number in sorted(upload.parts)]
        if any(len(piece) < LEAST_PART for piece in pieces[:-1]):
            raise Wrong(400, "EntityTooSmall")
        bucket[key] = Kept(b"".join(pieces), datetime.now(UTC))
        del self.uploads[request.query["uploadId"]]
        return _xml("CompleteMultipartUploadResult", f"<ETag>{escape(bucket[key].etag)}</ETag>")

    def _abort(self, bucket: dict[str, Kept], key: str, request: web.Request, body: bytes) -> web.Response:
        self._upload(key, request)
        del self.uploads[request.query["uploadId"]]
        return web.Response(status=204)

    # --- signatures ----------------------------------------------------------------------------------------------------

    def _verify(self, request: web.Request, body: bytes) -> None:
        """Raises Wrong for a call that is not signed with our key, is older than 15 minutes or came with another body."""
        algorithm, _, rest = request.headers.get("Authorization", "").partition(" ")
        if algorithm != "AWS4-HMAC-SHA256":
            raise Wrong(403, "AccessDenied")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        access_key, date, region, service, last = given["Credential"].split("/")
        if (access_key, service, last) != (KEY, "s3", "aws4_request"):
            raise Wrong(403, "InvalidAccessKeyId")
        stamp, claimed = request.headers["x-amz-date"], request.headers["x-amz-content-sha256"]
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((datetime.now(UTC) - at).total_seconds()) > 900 or not stamp.startswith(date):
            raise Wrong(403, "RequestTimeTooSkewed")
        if claimed not in {"UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()}:
            raise Wrong(400, "XAmzContentSHA256Mismatch")
        names = given["SignedHeaders"].split(";")
        if not {"host", "x-amz-content-sha256", "x-amz-date"} <= set(names):
            raise Wrong(403, "AccessDenied")
        expected = self._signature(_canonical(request, names, claimed), stamp, f"{date}/{region}/s3/aws4_request")
        if not hmac.compare_digest(expected, given["Signature"]):
            raise Wrong(403, "SignatureDoesNotMatch")

    def _signature(self, canonical: str, stamp: str, scope: str) -> str:
        signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()


def _canonical(request: web.Request, names: list[str], body_hash: str) -> str:
    """The canonical request: method, path, sorted query, signed headers, hash of the body."""
    pairs = sorted((_coded(name), _coded(value)) for name, value in request.query.items())
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    path = quote(unquote(request.rel_url.raw_path), safe="/-_.~")
    return "\n".join((request.method, path, query, headers, ";".join(names), body_hash))


def _coded(text: str) -> str:
    return quote(text, safe="-_.~")


def _xml(name: str, inside: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{inside}</{name}>'
    return web.Response(text=text, content_type="application/xml")
