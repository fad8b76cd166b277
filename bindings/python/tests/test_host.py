"""The host's side of the port, beside a port that only writes down what it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest
from mosaic import Fatal, HttpRequest, HttpResponse, Tool, ToolContext, fatal, tool
from mosaic._host import Host

USER = contextvars.ContextVar("USER", default="nobody")


class WrittenDown:
    """A port that writes down the answers."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.answered = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def _add(self, number: int, answer: Any) -> bool:
        self.answers.append((number, answer))
        self.loop.call_soon_threadsafe(self.answered.set)
        return True

    def respond(self, request: int, response: str, /) -> bool:
        return self._add(request, json.loads(response))

    def chunk(self, request: int, data: bytes, /) -> bool:
        return self._add(request, data)

    def fatal(self, request: int, class_name: str, message: str, exception: BaseException, /) -> bool:
        return self._add(request, (class_name, message, exception))

    async def until(self, done: Callable[[list[Any]], bool]) -> list[Any]:
        while not done([answer for _, answer in self.answers]):
            self.answered.clear()
            await asyncio.wait_for(self.answered.wait(), 10)
        return [answer for _, answer in self.answers]


def last(answers: list[Any]) -> bool:
    def ends(answer: Any) -> bool:
        return isinstance(answer, tuple) or (isinstance(answer, dict) and answer["type"] in ("end", "error"))  # pyright: ignore

    return any(map(ends, answers))


def request(number: int, kind: str, **more: Any) -> str:
    return json.dumps([{"id": number, "kind": kind, **more}])


def call_of(handle: int, number: int = 1, **arguments: Any) -> str:
    key = {"tenant": "default", "name": "s"}
    about = {"run": "r", "call": "c", "attempt": 1, "idempotency_key": "k", "session": key}
    return request(number, "tool.call", handle=handle, tool="t", input=arguments, **about)


async def call(made: Tool[..., Any], **arguments: Any) -> list[Any]:
    port = WrittenDown()
    host = Host(port, None)
    host.deliver(call_of(host.register(made), **arguments), [])
    return await port.until(last)


async def test_an_async_tool_runs_on_the_loop_and_a_sync_one_in_a_thread() -> None:
    threads: list[threading.Thread] = []

    @tool
    async def here(n: int) -> int:
        threads.append(threading.current_thread())
        return n + 1

    @tool
    def elsewhere(n: int) -> dict[str, int]:
        threads.append(threading.current_thread())
        return {"n": n}

    assert await call(here, n=1) == [{"type": "end", "content": [{"type": "text", "text": "2"}]}]
    assert await call(elsewhere, n=1) == [{"type": "end", "content": [{"type": "text", "text": '{"n": 1}'}]}]
    assert threads[0] is threading.current_thread()
    assert threads[1].name.startswith("mosaic-tool")


async def test_both_see_the_context_variables_of_whoever_started_the_run() -> None:
    @tool
    async def here() -> str:
        return USER.get()

    @tool
    def elsewhere() -> str:
        return USER.get()

    port = WrittenDown()
    host = Host(port, None)
    token = USER.set("ada")
    starter = host.started("default", "s")
    USER.reset(token)
    for number, made in enumerate((here, elsewhere)):
        host.deliver(call_of(host.register(made), number), [])
    answers = await port.until(lambda answers: len(answers) == 2)
    assert [answer["content"][0]["text"] for answer in answers] == ["ada", "ada"]
    del starter


async def test_progress_and_context_reach_a_tool_that_asks_for_them() -> None:
    @tool
    async def slow(ctx: ToolContext) -> str:
        ctx.progress({"percent": 50})
        return f"{ctx.session} {ctx.run} {ctx.call} {ctx.attempt} {ctx.idempotency_key}"

    progress, end = await call(slow)
    assert progress == {"type": "progress", "update": {"percent": 50}}
    assert end["content"][0]["text"] == "s r c 1 k"


class NoCityError(LookupError):
    pass


class AccountClosedError(Fatal):
    pass


async def test_an_exception_is_answered_with_its_class_and_a_fatal_one_with_itself() -> None:
    lost, closed = NoCityError("no such city"), AccountClosedError("closed")

    @tool
    def fails(how: str) -> None:
        raise {"plain": lost, "marked": closed, "wrapped": fatal(lost)}[how]

    assert await call(fails, how="plain") == [
        {"type": "error", "class": "NoCityError", "message": "no such city"}
    ]
    ((name, message, exception),) = await call(fails, how="marked")
    assert (name, message) == ("AccountClosedError", "closed")
    assert exception is closed
    ((name, message, exception),) = await call(fails, how="wrapped")
    assert (name, message) == ("NoCityError", "no such city")
    assert exception is lost


async def test_arguments_and_results_that_do_not_fit_are_told() -> None:
    @tool
    async def strict(n: int) -> complex:
        return complex(n)

    (wrong,) = await call(strict, n="x")
    assert wrong["message"] == 'the arguments do not fit: at `/n`: a whole number is wanted, not "x"'
    (unsaid,) = await call(strict, n=1)
    assert unsaid["class"] == "TypeError"
    assert "a complex cannot be written as JSON" in unsaid["message"]


async def test_a_cancel_reaches_an_async_tool_and_is_answered_when_it_has_let_go() -> None:
    began = asyncio.Event()
    tidied: list[bool] = []

    @tool
    async def waits() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(True)

    port = WrittenDown()
    host = Host(port, None)
    host.deliver(call_of(host.register(waits)), [])
    await began.wait()
    host.deliver(request(1, "cancel"), [])
    answers = await port.until(last)
    assert answers[0]["class"] == "CancelledError"
    assert tidied == [True]


async def test_a_sync_tool_learns_of_the_cancel_and_is_answered_only_when_its_thread_is_done() -> None:
    began, let_go = threading.Event(), threading.Event()

    @tool
    def works(ctx: ToolContext) -> None:
        began.set()
        while not ctx.is_cancelled:
            let_go.wait(0.01)
        let_go.wait(10)

    port = WrittenDown()
    host = Host(port, None)
    host.deliver(call_of(host.register(works)), [])
    await asyncio.to_thread(began.wait, 10)
    host.deliver(request(1, "cancel"), [])
    for _ in range(20):
        await asyncio.sleep(0)
    assert port.answers == [], "the thread is still at work"
    let_go.set()
    answers = await port.until(last)
    assert answers[0]["class"] == "CancelledError"


async def test_a_call_that_is_cancelled_before_its_first_step_is_answered() -> None:
    @tool
    async def never() -> None: ...

    port = WrittenDown()
    host = Host(port, None)
    host.deliver(call_of(host.register(never)), [])
    host.deliver(request(1, "cancel"), [])
    answers = await port.until(last)
    assert answers[0]["class"] == "CancelledError"


async def test_a_tool_is_forgotten_when_the_core_says_so() -> None:
    @tool
    async def once() -> None: ...

    port = WrittenDown()
    host = Host(port, None)
    handle = host.register(once)
    host.deliver(request(handle, "tool.release"), [])
    host.deliver(call_of(handle), [])
    (answer,) = await port.until(last)
    assert (answer["type"], answer["class"]) == ("error", "KeyError")


class Served:
    """A transport that serves pieces."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.requests: list[HttpRequest] = []
        self.sent = 0
        self.closed = False

    @contextlib.asynccontextmanager
    async def send(self, request: HttpRequest) -> AsyncGenerator[HttpResponse]:
        self.requests.append(request)
        try:
            yield HttpResponse(200, [("content-type", "text/plain")], self._body())
        finally:
            self.closed = True

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.sent += 1
            yield piece
        if self.error:
            raise self.error


def open_of(window: int, **more: Any) -> str:
    headers = [{"name": "authorization", "value": "Bearer hidden", "secret": True}]
    return request(9, "http.open", method="POST", url="http://x/", headers=headers, window=window, **more)


async def test_http_is_carried_with_its_body_beside_the_json() -> None:
    port, served = WrittenDown(), Served(b"ab", b"cd")
    host = Host(port, served)
    host.deliver(open_of(100, body=1, connect_timeout_ms=1500), [b"other", b"body"])
    answers = await port.until(last)
    head = {"type": "http.head", "status": 200, "headers": [{"name": "content-type", "value": "text/plain"}]}
    assert answers == [head, b"ab", b"cd", {"type": "end"}]
    (carried,) = served.requests
    assert (carried.method, carried.url, carried.body, carried.connect_timeout) == (
        "POST",
        "http://x/",
        b"body",
        1.5,
    )
    assert carried.headers == [("authorization", "Bearer hidden")]
    assert "hidden" not in repr(carried)


async def test_a_body_waits_for_credit() -> None:
    port, served = WrittenDown(), Served(b"12345", b"67890", b"abc")
    host = Host(port, served)
    host.deliver(open_of(7), [])
    answers = await port.until(lambda answers: b"67" in answers)
    await asyncio.sleep(0)
    assert answers[1:] == [b"12345", b"67"]
    assert served.sent == 2, "what there is no room for is not even read"
    host.deliver(request(9, "http.credit", bytes=100), [])
    answers = await port.until(last)
    assert answers[1:] == [b"12345", b"67", b"890", b"abc", {"type": "end"}]


async def test_a_transport_that_fails_is_told_and_one_that_is_cancelled_is_left() -> None:
    port = WrittenDown()
    Host(port, Served(b"half", error=ConnectionResetError("reset"))).deliver(open_of(100), [])
    answers = await port.until(last)
    assert answers[-1] == {"type": "error", "class": "ConnectionResetError", "message": "reset"}

    port, served = WrittenDown(), Served(b"12345")
    host = Host(port, served)
    host.deliver(open_of(2), [])
    await port.until(lambda answers: b"12" in answers)
    host.deliver(request(9, "cancel"), [])
    answers = await port.until(last)
    assert answers[-1]["class"] == "CancelledError"
    assert served.closed


async def test_a_request_that_this_version_does_not_know_is_answered() -> None:
    port = WrittenDown()
    Host(port, None).deliver(request(5, "coffee.make"), [])
    assert port.answers[0][1]["message"] == "this version of the package does not know `coffee.make`"


@pytest.mark.parametrize("client", ["httpx", "aiohttp"])
async def test_httpx_and_aiohttp_carry_the_same(client: str) -> None:
    from mosaic import AiohttpTransport, HttpxTransport

    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.extend((head, await reader.readexactly(4)))
        writer.write(b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    carried = HttpRequest("POST", url, [("x-key", "k")], b"body", 3.0)
    async with contextlib.AsyncExitStack() as stack:
        if client == "httpx":
            httpx = pytest.importorskip("httpx")
            transport = HttpxTransport(await stack.enter_async_context(httpx.AsyncClient()))
        else:
            aiohttp = pytest.importorskip("aiohttp")
            transport = AiohttpTransport(await stack.enter_async_context(aiohttp.ClientSession()))
        answer = await stack.enter_async_context(transport.send(carried))
        assert answer.status == 429
        assert {name.lower(): value for name, value in answer.headers} == {"retry-after": "7"}
        assert b"".join([piece async for piece in answer.body]) == b"onetwo"
    server.close()
    await server.wait_closed()
    assert seen[0].startswith(b"POST /v1 HTTP/1.1")
    assert b"x-key: k" in seen[0].lower()
    assert seen[1] == b"body"
