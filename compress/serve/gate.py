"""In front of every request: Host, token, size of the body, how many at once, time, headers, counts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from compress.serve.access import Access
from compress.serve.answers import LOG, failure

LARGEST_BODY = 64 * 1024
MOST_AT_ONCE = 64
"""Requests that are being answered; one more is told to come again."""
ANSWER_SECONDS = 20.0
OPEN_PATHS = frozenset({"/", "/page.css", "/page.js", "/healthz"})
"""What needs no token even where other machines may ask: nothing here says what is in the collection."""
_CHANGES = frozenset({"POST /v1/videos", "DELETE /v1/videos"})
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Gate:
    """The ASGI application around the application.

    Args:
        app: answers what passes.
        access: who may ask.
        pictures: origins that the page may load pictures from, for the Content-Security-Policy.
        registry: keeps the counts.
    """

    def __init__(
        self, app: Any, access: Access, pictures: tuple[str, ...], registry: CollectorRegistry
    ) -> None:
        self._app, self._access, self._busy = app, access, 0
        sources = " ".join(["'self'", "data:", *pictures])
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            f"img-src {sources}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        headers = {**_HEADERS, "content-security-policy": policy}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._answered = Counter(
            "compress_requests", "Answered requests.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram("compress_request_seconds", "Time to answer.", ["route"], registry=registry)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        self._busy += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._pass(scope, receive, sending)
        except TimeoutError:
            if status == 0:
                await failure(503, "took too long", **{"retry-after": "1"})(scope, receive, sending)
        except Exception:
            LOG.exception("a mistake in compress: %s", scope["path"].encode("ascii", "backslashreplace"))
            if status == 0:
                await failure(500, "a mistake in the service; its log says more")(scope, receive, sending)
        finally:
            self._busy -= 1
            route = getattr(scope.get("route"), "path", "other")
            self._answered.labels(route, str(status)).inc()
            self._seconds.labels(route).observe(time.monotonic() - started)

    async def _pass(self, scope: Any, receive: Any, send: Any) -> None:
        refused = self._refusal(scope)
        if refused is None:
            body = await _body(scope, receive)
            if body is None:
                refused = failure(413, f"a body has at most {LARGEST_BODY:,} bytes", connection="close")
        if refused is not None:
            await refused(scope, receive, send)
            return
        bodies = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def received() -> Any:
            return next(bodies, None) or await receive()

        await self._app(scope, received, send)

    def _refusal(self, scope: Any) -> Any:
        headers = dict(scope["headers"])  # HTTP/1.1 with two of Host never comes so far
        if not self._access.knows_host(headers.get(b"host", b"")):
            return failure(400, "this service does not go by that Host; `--allow-host NAME` adds a name")
        if self._busy > MOST_AT_ONCE:
            return failure(503, "too many requests at once", **{"retry-after": "1"})
        changes = f"{scope['method']} {scope['path']}" in _CHANGES
        if changes and self._access.token is None:
            return failure(403, "this service takes no changes: it was started without a token")
        closed = self._access.remote and scope["path"] not in OPEN_PATHS
        if (changes or closed) and not self._access.knows_token(headers.get(b"authorization", b"")):
            return failure(401, "needs the token of this service", **{"www-authenticate": "Bearer"})
        return None


async def _body(scope: Any, receive: Any) -> bytes | None:
    """The whole body; None, as soon as that is known, where it is too large."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or len(told) > 18 or int(told) > LARGEST_BODY:
        return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # the other side left
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)
