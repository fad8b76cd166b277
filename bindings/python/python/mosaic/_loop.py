"""The event loop of all that blocks."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: Seconds between two looks for Ctrl-C, on systems where a wait without end does not see it.
_SLICE = 0.1
#: Seconds that a callback on the loop may take to end at exit.
_AT_EXIT = 2.0


class Loop:
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
        here = self.get()
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

        here.call_soon_threadsafe(lambda: tasks.append(context.run(here.create_task, settle())))
        try:
            while True:
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    return done.result(_SLICE)
                if done.done():
                    return done.result()
        except BaseException:
            if not done.done():
                # Ctrl-C: the work is cancelled, and its end awaited.
                here.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
                concurrent.futures.wait([done])
            raise


#: The one of this process.
loop = Loop()
