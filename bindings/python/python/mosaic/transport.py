"""Transports: how bytes reach a model provider, when the program brings its own HTTP client.

Without one, the library's own client is used. With one, every request to a provider goes through it: proxies, client
certificates, instrumentation and connection limits are the program's own. Bodies are streamed, and a reader that is
slow slows the client down.

```python
async with httpx.AsyncClient(proxy="http://proxy:3128") as client:
    async with Mosaic.open("sqlite://app.db", transport=HttpxTransport(client)) as mosaic:
        ...
```
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import aiohttp
    import httpx

# What the client has undone is no longer true of the body that is passed on.
_UNDONE = {"content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class HttpRequest:
    """A request to carry. Do not log the values of its headers: they hold keys."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    #: Seconds that making a connection may take.
    connect_timeout: float | None

    def __repr__(self) -> str:
        """Show neither headers nor body."""
        return f"<HttpRequest {self.method} {self.url}>"


@dataclass(frozen=True)
class HttpResponse:
    """The head of an answer, and its body as it comes."""

    #: Anything but 2xx is an answer like any other, not an error.
    status: int
    headers: list[tuple[str, str]]
    #: Pulled; not decoded beyond what `headers` says.
    body: AsyncIterator[bytes]


class Transport(Protocol):
    """Carries HTTP. Redirects are not followed, nothing is retried; leaving the block ends the exchange."""

    def send(self, request: HttpRequest) -> contextlib.AbstractAsyncContextManager[HttpResponse]:
        """Send a request; the block begins when the head of the answer is there."""
        ...


class HttpxTransport:
    """Carries HTTP with an ``httpx.AsyncClient``, which stays the program's own to configure and to close."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Use a client."""
        self._client = client

    @contextlib.asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncGenerator[HttpResponse]:
        """Send a request."""
        # Only the connection has a limit here: silence within an answer is measured by the library.
        timeout = {"connect": request.connect_timeout, "read": None, "write": None, "pool": None}
        async with self._client.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            timeout=(request.connect_timeout, None, None, None),
            follow_redirects=False,
            extensions={"timeout": timeout},
        ) as response:
            yield HttpResponse(
                response.status_code, _passed_on(response.headers.multi_items()), response.aiter_bytes()
            )


class AiohttpTransport:
    """Carries HTTP with an ``aiohttp.ClientSession``, which stays the program's own to configure and to close."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Use a session."""
        self._session = session

    @contextlib.asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncGenerator[HttpResponse]:
        """Send a request."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=request.connect_timeout)
        async with self._session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body or None,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            yield HttpResponse(
                response.status, _passed_on(list(response.headers.items())), response.content.iter_any()
            )


def _passed_on(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _UNDONE]
