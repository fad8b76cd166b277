"""A run: one turn of work, from an input to its end."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from mosaic import _mosaic
from mosaic._host import Host, Starter
from mosaic.events import Event, from_json

T = TypeVar("T")

#: Events of one crossing from the core.
_BATCH = 64


@dataclass(frozen=True)
class Usage:
    """Tokens. A figure that the provider does not report is 0, never an estimate."""

    #: All tokens of the prompts; cached ones are counted in.
    input: int = 0
    #: All tokens of the answers; reasoning is counted in.
    output: int = 0
    #: Of ``input``: read from the provider's cache.
    cached_input: int = 0
    #: Of ``input``: written to the provider's cache.
    cache_write: int = 0
    #: Of ``cache_write``: to be kept for an hour.
    cache_write_1h: int = 0
    #: Of ``output``: spent on reasoning.
    reasoning: int = 0


@dataclass(frozen=True)
class Reply:
    """What a run came to."""

    #: The text of the last answer.
    text: str
    #: The parts of the last answer, as in the log.
    parts: list[dict[str, Any]]
    #: How the run ended: "done" or "cancelled".
    end: str
    #: What all its model calls took.
    usage: Usage
    #: What they cost in US dollars, where prices are known.
    cost: float | None
    #: The numbers of its first and its last entry in the log.
    entries: tuple[int, int]


class Run:
    """One turn of work, from an input to its end. Read its events with ``async for``, or wait with `finish`.

    Cancelling the task that does either cancels the run: its model stream and its tools, which are awaited.
    Letting go of a run detaches from it: it goes on.
    """

    def __init__(self, native: _mosaic.Run, host: Host, starter: Starter) -> None:
        """Hold a run. For `Session`."""
        self._native = native
        self._starter = starter
        self._events: deque[Event] = deque()
        self._reply: Reply | None = None
        host.runs.add(self)

    @property
    def id(self) -> str:
        """Its id, a UUID."""
        return self._native.id()

    def __repr__(self) -> str:
        """Show the id."""
        return f"<Run {self.id}>"

    def __aiter__(self) -> Run:
        """Read the events."""
        return self

    async def __anext__(self) -> Event:
        """Give the next event."""
        while not self._events:
            batch = self._native.ready(_BATCH)
            if batch is not None:
                self._events.extend(map(from_json, json.loads(batch)))
            elif not await self._watched(self._native.wait()):
                raise StopAsyncIteration
        return self._events.popleft()

    async def finish(self) -> Reply:
        """Wait for the end.

        Raises:
            MosaicError: The run failed or met a limit; the class says what it was.
            Exception: The exception of a tool that was marked fatal, as the same object.
        """
        if self._reply is None:
            self._reply = _reply(json.loads(await self._watched(self._native.finish())))
        return self._reply

    def cancel(self, reason: str = "cancelled by the program") -> Awaitable[None]:
        """Stop the run: model, tools and transports are cancelled, what was said is kept and marked.

        It begins at once. Awaiting it is needed only to know that the decision is safe in the store; `finish`
        waits until nothing runs.
        """
        return self._native.cancel(reason)

    async def _watched(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except asyncio.CancelledError:
            # Nothing that the task began may outlive it. What cannot be stopped is abandoned after some seconds.
            stopped = self._native.stop("the task that waited for the run was cancelled")
            await asyncio.shield(stopped)
            raise


def _reply(data: dict[str, Any]) -> Reply:
    cost = data["cost"]
    first, last = data["entries"]
    return Reply(
        text=data["text"],
        parts=data["parts"],
        end=data["end"],
        usage=Usage(**data["usage"]),
        cost=None if cost is None else cost / 1_000_000,
        entries=(first, last),
    )
