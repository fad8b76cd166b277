"""The host's side of the port: does what the core asks for, on the event loop, and answers."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import json
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from mosaic._convert import ConversionError, to_json
from mosaic.errors import Fatal, FatalCause
from mosaic.memory import Embed
from mosaic.tool import Tool, ToolContext
from mosaic.transport import HttpRequest, Transport

#: Threads for tools that are not async, in this process. Not asyncio's own: slow tools must not starve others of it.
_THREADS = 32
_executor: ThreadPoolExecutor | None = None
_executor_lock = threading.Lock()


class Port(Protocol):
    """What this module needs of the native port."""

    def respond(self, request: int, response: str, /) -> bool:
        """Answer."""
        ...

    def chunk(self, request: int, data: bytes, /) -> bool:
        """Answer with a piece of a body."""
        ...

    def fatal(self, request: int, class_name: str, message: str, exception: BaseException, /) -> bool:
        """Answer with an exception that ends the run."""
        ...


class Cancellable(Protocol):
    """A run."""

    def cancel(self, reason: str = ..., /) -> Awaitable[None]:
        """Stop it."""
        ...


class Host:
    """Runs the tools and carries the HTTP of one event loop."""

    def __init__(
        self, port: Port, transport: Transport | None, embedders: Mapping[int, Embed] | None = None
    ) -> None:
        self._port = port
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._handles = itertools.count(1)
        self._tools: dict[int, Tool[..., Any]] = {}
        self._embedders = dict(embedders or {})
        self._open: dict[int, asyncio.Task[None]] = {}
        self._credits: dict[int, _Credit] = {}
        #: Runs that the program holds, so that closing can cancel them.
        self.runs: weakref.WeakSet[Cancellable] = weakref.WeakSet()
        self._contexts: weakref.WeakValueDictionary[tuple[str, str], Starter] = weakref.WeakValueDictionary()

    def register(self, tool: Tool[..., Any]) -> int:
        """Give a tool the number by which the core names it. The core says when it may be forgotten."""
        handle = next(self._handles)
        self._tools[handle] = tool
        return handle

    def started(self, tenant: str, session: str) -> Starter:
        """Remember the context variables of whoever starts a run; its tools see them for as long as this is kept."""
        starter = Starter(contextvars.copy_context())
        self._contexts[tenant, session] = starter
        return starter

    def deliver(self, requests: str, buffers: list[bytes]) -> None:
        """Take a batch of requests from the core."""
        for request in json.loads(requests):
            self._take(request["id"], request, buffers)

    def _take(self, number: int, request: dict[str, Any], buffers: list[bytes]) -> None:
        match request["kind"]:
            case "tool.call":
                self._begin(number, self._call(number, request), self._context(request["session"]))
            case "http.open":
                place: int | None = request.get("body")
                body = b"" if place is None else buffers[place]
                credit = self._credits[number] = _Credit(request["window"])
                self._begin(number, self._carry(number, request, body, credit), contextvars.copy_context())
            case "embed":
                self._begin(number, self._embed(number, request), contextvars.copy_context())
            case "embed.release":
                self._embedders.pop(number, None)
            case "http.credit":
                if credit := self._credits.get(number):
                    credit.grant(request["bytes"])
            case "cancel":
                if task := self._open.get(number):
                    task.cancel()
            case "tool.release":
                self._tools.pop(number, None)
            case unknown:
                self._error(number, "PortError", f"this version of the package does not know `{unknown}`")

    def _begin(self, number: int, work: Coroutine[Any, Any, None], context: contextvars.Context) -> None:
        # `create_task(context=...)` would be Python 3.11; this way the task gets a copy, which is as good.
        task = context.run(self._loop.create_task, work)
        self._open[number] = task
        task.add_done_callback(lambda task: self._done(number, task))

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        self._open.pop(number, None)
        self._credits.pop(number, None)
        if task.cancelled():
            # Perhaps before its first step, so that nothing was answered. An answer too many is dropped.
            self._error(number, "CancelledError", "cancelled")

    def _context(self, session: dict[str, str]) -> contextvars.Context:
        starter = self._contexts.get((session["tenant"], session["name"]))
        return starter.context if starter else contextvars.copy_context()

    def _error(self, number: int, class_name: str, message: str) -> None:
        self._port.respond(number, json.dumps({"type": "error", "class": class_name, "message": message}))

    # Tools

    async def _call(self, number: int, request: dict[str, Any]) -> None:
        stop = threading.Event()
        context = ToolContext(
            session=request["session"]["name"],
            tenant=request["session"]["tenant"],
            user=request.get("user"),
            run=request["run"],
            call=request["call"],
            attempt=request["attempt"],
            idempotency_key=request["idempotency_key"],
            _show=lambda update: self._progress(number, update),
            _stop=stop,
        )
        try:
            tool = self._tools[request["handle"]]
            call = tool.bind(context, request["input"])
            result = await (call() if tool.is_async else _in_thread(call, stop))
            content = json.dumps({"type": "end", "content": _content(result)})
        except ConversionError as error:
            self._error(number, "ValueError", f"the arguments do not fit: {error}")
        except (FatalCause, Fatal) as error:
            original = error.exception if isinstance(error, FatalCause) else error
            self._port.fatal(number, _name(original), str(original), original)
        except asyncio.CancelledError as error:
            # Also when the tool cancelled itself: it did not end, so there is no result.
            self._error(number, "CancelledError", str(error) or "cancelled")
            raise
        except Exception as error:
            self._error(number, _name(error), str(error))
        except BaseException as error:
            # Ctrl-C and exit: the loop stops; so does the run.
            self._port.fatal(number, _name(error), str(error), error)
            raise
        else:
            self._port.respond(number, content)

    def _progress(self, number: int, update: Any) -> None:
        self._port.respond(number, json.dumps({"type": "progress", "update": to_json(update)}))

    # Embedding

    async def _embed(self, number: int, request: dict[str, Any]) -> None:
        try:
            embed, texts = self._embedders[request["handle"]], request["texts"]
            if inspect.iscoroutinefunction(embed):
                answer = await embed(texts)
            else:
                answer = await _in_thread(lambda: embed(texts), threading.Event())
                answer = await answer if inspect.isawaitable(answer) else answer
            vectors = [[float(each) for each in vector] for vector in answer]
            self._port.respond(number, json.dumps({"type": "vectors", "vectors": vectors}, allow_nan=False))
        except asyncio.CancelledError:
            self._error(number, "CancelledError", "cancelled")
            raise
        except Exception as error:
            self._error(number, _name(error), str(error))

    # HTTP

    async def _carry(self, number: int, request: dict[str, Any], body: bytes, credit: _Credit) -> None:
        limit = request.get("connect_timeout_ms")
        carried = HttpRequest(
            method=request["method"],
            url=request["url"],
            headers=[(header["name"], header["value"]) for header in request["headers"]],
            body=body,
            connect_timeout=None if limit is None else limit / 1000,
        )
        try:
            if self._transport is None:
                raise RuntimeError("the program gave no transport")
            async with self._transport.send(carried) as answer:
                headers = [{"name": name, "value": value} for name, value in answer.headers]
                head = {"type": "http.head", "status": answer.status, "headers": headers}
                self._port.respond(number, json.dumps(head))
                async for data in answer.body:
                    await self._pass_on(number, data, credit)
            self._port.respond(number, '{"type":"end"}')
        except asyncio.CancelledError:
            self._error(number, "CancelledError", "cancelled")
            raise
        except Exception as error:
            self._error(number, _name(error), str(error))

    async def _pass_on(self, number: int, data: bytes, credit: _Credit) -> None:
        start = 0
        while start < len(data):
            size = await credit.spend(len(data) - start)
            self._port.chunk(number, data if size == len(data) else bytes(data[start : start + size]))
            start += size


class Starter:
    """The context variables of whoever started a run."""

    def __init__(self, context: contextvars.Context) -> None:
        self.context = context


class _Credit:
    """Bytes that may still be sent."""

    def __init__(self, window: int) -> None:
        self._left = window
        self._granted = asyncio.Event()

    def grant(self, size: int) -> None:
        self._left += size
        self._granted.set()

    async def spend(self, wanted: int) -> int:
        """Wait for credit, and take as much as there is of what is wanted."""
        while self._left == 0:
            self._granted.clear()
            await self._granted.wait()
        size = min(wanted, self._left)
        self._left -= size
        return size


async def _in_thread(call: Callable[[], Any], stop: threading.Event) -> Any:
    global _executor
    with _executor_lock:
        _executor = _executor or ThreadPoolExecutor(_THREADS, thread_name_prefix="mosaic-tool")
        running = asyncio.wrap_future(_executor.submit(contextvars.copy_context().run, call))
    while True:
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if running.done():
                raise
            # A thread cannot be stopped: it is asked to, and its end awaited, for only then is the call over.
            stop.set()
            await asyncio.wait([running])
            raise


def _name(error: BaseException) -> str:
    return type(error).__qualname__


def _content(result: Any) -> list[dict[str, Any]]:
    """Give what a tool returned as the parts of a message: a text as it is, everything else as JSON."""
    if result is None:
        return []
    value = to_json(result)
    return [
        {"type": "text", "text": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
    ]
