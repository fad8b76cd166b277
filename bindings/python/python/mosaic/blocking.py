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

import functools
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from mosaic import agent_log as agent_log_
from mosaic import app
from mosaic import memories as memories_
from mosaic import run as run_
from mosaic import session as session_
from mosaic._asking import DEFAULT_TENANT, Whose
from mosaic._loop import loop
from mosaic.events import Entry, Event
from mosaic.run import Reply
from mosaic.session import Delivery, Said

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from mosaic.agent import Agent
    from mosaic.memory import Memory
    from mosaic.transport import Transport

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


class _Twin(Generic[S]):
    """What has the methods of another thing without ``await``."""

    def __init__(self, inner: S) -> None:
        """Hold the other. For `Mosaic`."""
        self._inner = inner


def _twin(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[_Twin[S], P], T]:
    """Make the same method without ``await``: its words and its parameters are those of the other."""

    @functools.wraps(method)
    def blocking(self: _Twin[S], *args: P.args, **kwargs: P.kwargs) -> T:
        inner = self._inner  # pyright: ignore[reportPrivateUsage]
        return loop.run(lambda: method(inner, *args, **kwargs))

    return blocking


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
        while (event := loop.run(self._next)) is not None:
            yield event

    async def _next(self) -> Event | None:
        return await anext(self._inner, None)

    def finish(self) -> Reply:
        """Wait for the end. Ctrl-C cancels the run."""
        return loop.run(self._inner.finish)

    def cancel(self, reason: str = "cancelled by the program") -> None:
        """Stop the run; may be called from another thread than the one that waits for it."""

        async def work() -> None:
            await self._inner.cancel(reason)

        loop.run(work)


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
        return Run(loop.run(lambda: self._inner.send(said, delivery=delivery)))

    @overload
    def ask(self, said: Said) -> str: ...

    @overload
    def ask(self, said: Said, output: type[T]) -> T: ...

    def ask(self, said: Said, output: Any = None) -> Any:
        """Say something and wait for the answer: its text, or a value of a type."""
        return loop.run(lambda: self._inner.ask(said, output))

    def resume(self) -> Run | None:
        """Go on with what a crash or a restart interrupted; None when nothing was."""
        run = loop.run(self._inner.resume)
        return None if run is None else Run(run)

    def entries(self, start: int = 1) -> list[Entry]:
        """Read the log from an entry on, as it is stored."""
        return loop.run(lambda: self._inner.entries(start))


class Memories(_Twin[memories_.Memories]):
    """What is remembered: `mosaic.memories.Memories` without ``await``."""

    search = _twin(memories_.Memories.search)
    list = _twin(memories_.Memories.list)
    get = _twin(memories_.Memories.get)
    save = _twin(memories_.Memories.save)
    set_preference = _twin(memories_.Memories.set_preference)
    forget = _twin(memories_.Memories.forget)
    blocks = _twin(memories_.Memories.blocks)
    put_block = _twin(memories_.Memories.put_block)
    remove_block = _twin(memories_.Memories.remove_block)
    counts = _twin(memories_.Memories.counts)
    import_lines = _twin(memories_.Memories.import_lines)

    def export(self, **whose: Unpack[Whose]) -> Iterator[str]:
        """Give all that is kept, as lines of JSON: memories, with their vectors, and core blocks."""
        lines = self._inner.export(**whose)

        async def following() -> str | None:
            return await anext(lines, None)

        while (line := loop.run(following)) is not None:
            yield line


class AgentLogs(_Twin[agent_log_.AgentLogs]):
    """What agents did: `mosaic.agent_log.AgentLogs` without ``await``."""

    rows = _twin(agent_log_.AgentLogs.rows)
    totals = _twin(agent_log_.AgentLogs.totals)
    tier = _twin(agent_log_.AgentLogs.tier)
    export_lines = _twin(agent_log_.AgentLogs.export_lines)
    import_lines = _twin(agent_log_.AgentLogs.import_lines)


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
        agent_log: agent_log_.AgentLog | None = None,
    ) -> Mosaic:
        """Open a store: ``sqlite://app.db``, or ``memory:`` for tests."""

        async def work() -> app.Mosaic:
            return await app.Mosaic.open(
                url, transport=transport, providers=providers, keys=keys, memory=memory, agent_log=agent_log
            )

        return Mosaic(loop.run(work))

    def __enter__(self) -> Mosaic:
        """Use it for the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close it; runs that are going on are waited for, or cancelled if an exception leaves the block."""
        self.close(cancel=kind is not None)

    @property
    def memories(self) -> Memories:
        """What is remembered, for programs that ask and tell themselves."""
        return Memories(self._inner.memories)

    @property
    def agent_log(self) -> AgentLogs:
        """What agents did, for programs that ask."""
        return AgentLogs(self._inner.agent_log)

    def session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session:
        """Open a session, or create it. Runs nothing."""
        return Session(loop.run(lambda: self._inner.session(name, agent, tenant=tenant, user=user)))

    def find_session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session | None:
        """Open a session that exists; None when it does not."""
        found = loop.run(lambda: self._inner.find_session(name, agent, tenant=tenant, user=user))
        return None if found is None else Session(found)

    def erase(self, name: str, *, tenant: str = DEFAULT_TENANT) -> None:
        """Remove a session and every trace of it."""
        loop.run(lambda: self._inner.erase(name, tenant=tenant))

    def erase_user(self, user: str, *, tenant: str = DEFAULT_TENANT, sessions: bool = True) -> app.Erased:
        """Erase a user: all that is remembered, and the logs of the user's sessions."""
        return loop.run(lambda: self._inner.erase_user(user, tenant=tenant, sessions=sessions))

    def idle(self) -> None:
        """Wait until what follows the runs that have ended is done."""
        loop.run(self._inner.idle)

    def close(self, *, cancel: bool = False) -> list[str]:
        """Return when nothing runs any more; ``cancel`` cancels what is going on. Names what was abandoned."""
        return loop.run(lambda: self._inner.close(cancel=cancel))
