"""The program's own HTTP client carries the providers' HTTP: end to end, over a loopback server, under credits."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from mosaic import (
    Agent,
    AiohttpTransport,
    HttpRequest,
    HttpResponse,
    HttpxTransport,
    Mosaic,
    Transport,
    errors,
    events,
    tool,
)
from mosaic.run import Run

WINDOW = 256 * 1024


def sse(*deltas: dict[str, Any], finish: str = "stop") -> list[bytes]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        about = {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
        return f"data: {json.dumps(about)}\n\n".encode()

    return [*(chunk(delta) for delta in deltas), chunk({}, finish), b"data: [DONE]\n\n"]


@dataclass
class Server:
    """A server that speaks as much of OpenAI's API as these tests need."""

    answers: list[Callable[[asyncio.StreamWriter], Any]]
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncGenerator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
            body = json.loads(await reader.readexactly(int(length.split(":")[1])))
            self.requests.append((head, body))
            await self.answers.pop(0)(writer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.gone.set()


def ok(pieces: list[bytes], *, then: asyncio.Event | None = None) -> Callable[[asyncio.StreamWriter], Any]:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then:
            # Until the other side hangs up.
            while not then.is_set():
                writer.write(b": still here\n\n")
                await writer.drain()
                await asyncio.sleep(0.01)

    return answer


@contextlib.asynccontextmanager
async def transport_of(client: str) -> AsyncGenerator[Transport]:
    if client == "httpx":
        httpx = pytest.importorskip("httpx")
        async with httpx.AsyncClient() as made:
            yield HttpxTransport(made)
    else:
        aiohttp = pytest.importorskip("aiohttp")
        async with aiohttp.ClientSession() as made:
            yield AiohttpTransport(made)


@tool(effect="read_only")
async def weather(city: str) -> str:
    """Weather of a city."""
    return f"rain in {city}"


@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
async def test_a_turn_with_a_tool_goes_over_the_programs_client(client: str) -> None:
    call = {
        "index": 0,
        "id": "w1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
    }
    first = sse({"role": "assistant", "tool_calls": [call]}, finish="tool_calls")
    whole = b"".join(sse({"role": "assistant", "content": "R\u00e6gn "}, {"content": "i Oslo."}))
    in_bytes = [bytes([each]) for each in whole]
    async with (
        Server([ok(first), ok(in_bytes)]).serving() as server,
        transport_of(client) as transport,
        Mosaic.open("memory:", transport=transport, providers={"lab": server.url}) as mosaic,
    ):
        session = await mosaic.session("s", Agent("a", model="lab:m", tools=[weather]))
        run = await session.send("Rain in Oslo?")
        said = [event.delta async for event in run if isinstance(event, events.Text)]
        assert (await run.finish()).text == "".join(said) == "R\u00e6gn i Oslo."
    head, body = server.requests[1]
    assert head.startswith("POST /v1/chat/completions")
    assert body["messages"][-1]["content"] == "rain in Oslo"


async def test_without_a_transport_the_librarys_own_client_does_the_same() -> None:
    async with (
        Server([ok(sse({"content": "Hi."}))]).serving() as server,
        Mosaic.open("memory:", providers={"lab": server.url}) as mosaic,
    ):
        assert await (await mosaic.session("s", Agent("a", model="lab:m"))).ask("Hello?") == "Hi."


@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
async def test_a_cancelled_task_closes_the_connection_to_the_provider(client: str) -> None:
    hung_up = asyncio.Event()
    async with (
        Server([ok(sse({"content": "Half of "})[:1], then=hung_up)]).serving() as server,
        transport_of(client) as transport,
        Mosaic.open("memory:", transport=transport, providers={"lab": server.url}) as mosaic,
    ):
        session = await mosaic.session("s", Agent("a", model="lab:m"))
        run = await session.send("Talk.")
        began = asyncio.Event()
        task = asyncio.create_task(read(run, began))
        await asyncio.wait_for(began.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), 10)
        assert (await run.finish()).text == "Half of "
    hung_up.set()


async def read(run: Run, began: asyncio.Event) -> None:
    async for event in run:
        if isinstance(event, events.Text):
            began.set()


@dataclass
class Made:
    """A transport that makes its answer up, and knows how far ahead of the library it is."""

    make: Callable[[], AsyncIterator[bytes]]
    status: int = 200

    @contextlib.asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncGenerator[HttpResponse]:
        assert request.method == "POST"
        yield HttpResponse(self.status, [("content-type", "text/event-stream")], self.make())


async def test_a_transport_that_is_faster_than_the_library_is_held_back() -> None:
    total, size = 32 * 1024 * 1024, 100_000
    filler = b": " + b"x" * (size - 4) + b"\n\n"

    async def flood() -> AsyncIterator[bytes]:
        for _ in range(total // size):
            yield filler
        for piece in sse({"content": "Done."}):
            yield piece

    async with Mosaic.open("memory:", transport=Made(flood), providers={"lab": "http://lab/v1"}) as mosaic:
        assert await (await mosaic.session("s", Agent("a", model="lab:m"))).ask("Go.") == "Done."
        stats = json.loads(mosaic._native.port().stats())
    print(f"{total} bytes carried, {stats['buffered_peak']} in flight at most (window {WINDOW})")
    assert 0 < stats["buffered_peak"] <= WINDOW
    assert stats["buffered"] == 0


async def test_a_slow_transport_slows_the_server_down_instead_of_filling_memory() -> None:
    total, size = 64 * 1024 * 1024, 65_536
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for _ in range(total // size):
            writer.write(b": " + b"x" * (size - 4) + b"\n\n")
            await writer.drain()
            sent += size

    class Slow:
        """Reads on only when the server can send no more."""

        def __init__(self, inner: Transport) -> None:
            self.inner = inner
            self.read = 0
            self.ahead = 0
            self.seen = asyncio.Event()

        @contextlib.asynccontextmanager
        async def send(self, request: HttpRequest) -> AsyncGenerator[HttpResponse]:
            async with self.inner.send(request) as answer:
                yield HttpResponse(answer.status, answer.headers, self.slowly(answer.body))

        async def slowly(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
            async for piece in body:
                before = -1
                while before != sent and sent < total:
                    before = sent
                    await asyncio.sleep(0.002)
                self.read += len(piece)
                self.ahead = max(self.ahead, sent - self.read)
                yield piece
                if self.read > total // 16:
                    self.seen.set()

    async with Server([flood]).serving() as server, transport_of("httpx") as transport:
        slow = Slow(transport)
        async with Mosaic.open("memory:", transport=slow, providers={"lab": server.url}) as mosaic:
            session = await mosaic.session("s", Agent("a", model="lab:m"))
            run = await session.send("Go.")
            await asyncio.wait_for(slow.seen.wait(), 60)
            await run.cancel()
            await run.finish()
            stats = json.loads(mosaic._native.port().stats())
    print(
        f"the server was {slow.ahead} bytes ahead at most, of {total}; in the library {stats['buffered_peak']}"
    )
    assert slow.ahead < total // 2, (
        "the rest stayed in the server: sockets hold some megabytes, nobody holds all"
    )
    assert stats["buffered_peak"] <= WINDOW


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.AuthError), (400, errors.InvalidRequestError), (404, errors.MosaicError)],
)
async def test_an_answer_that_is_no_success_becomes_the_error_of_its_kind(
    status: int, kind: type[errors.MosaicError]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"error": {"message": "no, because", "type": "x"}}'

    made = Made(body, status)
    async with Mosaic.open("memory:", transport=made, providers={"lab": "http://lab/v1"}) as mosaic:
        session = await mosaic.session("s", Agent("a", model="lab:m"))
        with pytest.raises(kind, match="no, because") as caught:
            await session.ask("Hello?")
        assert caught.value.status == status
