"""The same without ``await``: for scripts, notebooks and threads.

```python
from mosaic.blocking import Mosaic

with Mosaic.open("sqlite://app.db") as mosaic:
    session = mosaic.session("user-42", agent)
    print(session.ask("Rain in Oslo?"))
```

The work happens on an event loop of the library's own, on a thread of its own; so it also works where a loop runs
already (in a notebook, say), tools may be async, and Ctrl-C reaches the thread that waits. Tools see the context
variables of the caller.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from mosaic import app
from mosaic import run as run_
from mosaic import session as session_
from mosaic._scope import DEFAULT_TENANT
from mosaic.events import Entry, Event
from mosaic.run import Reply
from mosaic.session import Delivery, Said

if TYPE_CHECKING:
    from mosaic.agent import Agent
    from mosaic.memory import Memory
    from mosaic.transport import Transport

T = TypeVar("T")

#: Seconds between two looks for Ctrl-C, on systems where a wait without end does not see it.
_SLICE = 0.1
#: Seconds that a callback on the loop may take to end at exit.
_AT_EXIT = 2.0


class _Loop:
    """The event loop of all that blocks, on a thread of its own. One a process, made when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._owner = 0

    def get(self) -> asyncio.AbstractEventLoop:
        if self._owner not in (0, os.getpid()):
            raise RuntimeError(
                f"Mosaic was started in process {self._owner} and cannot be used in its forked child {os.getpid()}: "
                "threads do not survive a fork. Start child processes with the method `spawn`"
            )
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._owner = os.getpid()
                # A daemon: it must not keep the program from ending.
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="mosaic-blocking", daemon=True
                )
                self._thread.start()
                # Registered after the native half's own: it runs before that.
                atexit.register(self.stop)
            return self._loop

    def stop(self) -> None:
        """End the thread, so that nothing of it runs while the interpreter goes."""
        if self._loop and self._thread and self._owner == os.getpid():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_AT_EXIT)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something on the loop and wait for it, with the caller's context variables."""
        loop = self.get()
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "an async tool must not block the loop that it runs on; use the async API there"
            )
        context = contextvars.copy_context()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        tasks: list[asyncio.Task[None]] = []

        async def settle() -> None:
            try:
                result = await work()
            except asyncio.CancelledError as error:
                # Not `done.cancel()`: whoever waits for a cancelled future is not told.
                done.set_exception(error)
                raise
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(result)

        loop.call_soon_threadsafe(lambda: tasks.append(context.run(loop.create_task, settle())))
        try:
            while True:
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    return done.result(_SLICE)
                if done.done():
                    return done.result()
        except BaseException:
            if not done.done():
                # Ctrl-C: the work is cancelled, and its end awaited.
                loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
                concurrent.futures.wait([done])
            raise


_loop = _Loop()


class Run:
    """One turn of work, from an input to its end: `mosaic.Run` without ``await``."""

    def __init__(self, inner: run_.Run) -> None:
        """Hold a run. For `Session`."""
        self._inner = inner

    @property
    def id(self) -> str:
        """Its id, a UUID."""
        return self._inner.id

    def __iter__(self) -> Iterator[Event]:
        """Read the events."""
        while (event := _loop.run(self._next)) is not None:
            yield event

    async def _next(self) -> Event | None:
        return await anext(self._inner, None)

    def finish(self) -> Reply:
        """Wait for the end. Ctrl-C cancels the run."""
        return _loop.run(self._inner.finish)

    def cancel(self, reason: str = "cancelled by the program") -> None:
        """Stop the run; may be called from another thread than the one that waits for it."""

        async def work() -> None:
            await self._inner.cancel(reason)

        _loop.run(work)


class Session:
    """A session: `mosaic.Session` without ``await``."""

    def __init__(self, inner: session_.Session) -> None:
        """Hold a session. For `Mosaic`."""
        self._inner = inner

    @property
    def name(self) -> str:
        """Its name."""
        return self._inner.name

    def send(self, said: Said, *, delivery: Delivery = "start") -> Run:
        """Say something. When this returns, it is safe and a run works on it."""
        return Run(_loop.run(lambda: self._inner.send(said, delivery=delivery)))

    @overload
    def ask(self, said: Said) -> str: ...

    @overload
    def ask(self, said: Said, output: type[T]) -> T: ...

    def ask(self, said: Said, output: Any = None) -> Any:
        """Say something and wait for the answer: its text, or a value of a type."""
        return _loop.run(lambda: self._inner.ask(said, output))

    def resume(self) -> Run | None:
        """Go on with what a crash or a restart interrupted; None when nothing was."""
        run = _loop.run(self._inner.resume)
        return None if run is None else Run(run)

    def entries(self, start: int = 1) -> list[Entry]:
        """Read the log from an entry on, as it is stored."""
        return _loop.run(lambda: self._inner.entries(start))


class Mosaic:
    """The library, opened over a store: `mosaic.Mosaic` without ``await``. May be used from any thread."""

    def __init__(self, inner: app.Mosaic) -> None:
        """Hold an opened library. For `Mosaic.open`."""
        self._inner = inner

    @staticmethod
    def open(
        url: str,
        *,
        transport: Transport | None = None,
        providers: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        memory: Memory | None = None,
    ) -> Mosaic:
        """Open a store: ``sqlite://app.db``, or ``memory:`` for tests."""

        async def work() -> app.Mosaic:
            return await app.Mosaic.open(
                url, transport=transport, providers=providers, keys=keys, memory=memory
            )

        return Mosaic(_loop.run(work))

    def __enter__(self) -> Mosaic:
        """Use it for the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it; runs that are going on are waited for, or cancelled if an exception leaves the block."""
        self.close(cancel=kind is not None)

    def session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session:
        """Open a session, or create it. Runs nothing."""
        return Session(_loop.run(lambda: self._inner.session(name, agent, tenant=tenant, user=user)))

    def find_session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session | None:
        """Open a session that exists; None when it does not."""
        found = _loop.run(lambda: self._inner.find_session(name, agent, tenant=tenant, user=user))
        return None if found is None else Session(found)

    def erase(self, name: str, *, tenant: str = DEFAULT_TENANT) -> None:
        """Remove a session and every trace of it."""
        _loop.run(lambda: self._inner.erase(name, tenant=tenant))

    def erase_user(self, user: str, *, tenant: str = DEFAULT_TENANT, sessions: bool = True) -> app.Erased:
        """Erase a user: all that is remembered, and the logs of the user's sessions."""
        return _loop.run(lambda: self._inner.erase_user(user, tenant=tenant, sessions=sessions))

    def idle(self) -> None:
        """Wait until what follows the runs that have ended is done."""
        _loop.run(self._inner.idle)

    def close(self, *, cancel: bool = False) -> list[str]:
        """Return when nothing runs any more; ``cancel`` cancels what is going on. Names what was abandoned."""
        return _loop.run(lambda: self._inner.close(cancel=cancel))
