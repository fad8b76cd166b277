"""The library, opened over a store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from mosaic import _mosaic
from mosaic._asking import DEFAULT_TENANT
from mosaic._host import Host
from mosaic.agent import Agent, Limits, ModelParams
from mosaic.agent_log import AgentLog, AgentLogs
from mosaic.memories import Memories
from mosaic.memory import Embed, Memory
from mosaic.session import Session
from mosaic.testing import ScriptedModel
from mosaic.transport import Transport


@dataclass(frozen=True)
class Erased:
    """What was erased with a user."""

    #: Sessions whose logs were erased.
    sessions: int
    #: Jobs that were about the user.
    jobs: int
    #: Memories: insights, preferences, turns, and the summaries that were made of them.
    memories: int
    #: Core blocks.
    blocks: int
    #: Rows of agent logs, also those in the archive.
    log_rows: int


class Mosaic:
    """The library, opened over a store. It belongs to the event loop on which it was opened.

    ```python
    async with Mosaic.open("sqlite://app.db") as mosaic:
        session = await mosaic.session("user-42", agent)
    ```
    """

    def __init__(self, native: _mosaic.Engine, host: Host) -> None:
        """Hold an engine. For `Mosaic.open`."""
        self._native = native
        self._host = host
        self._loop = asyncio.get_running_loop()

    @staticmethod
    def open(
        url: str,
        *,
        transport: Transport | None = None,
        providers: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        memory: Memory | None = None,
        agent_log: AgentLog | None = None,
    ) -> Opening:
        """Open a store: ``sqlite://app.db``, or ``memory:`` for tests. Await it, or use ``async with``.

        Args:
            url: The store. A file that is not there is made.
            transport: Carries the HTTP of all model calls, instead of the library's own client.
            providers: More providers: names, and base URLs of servers that speak OpenAI's API. With
                ``{"lab": "http://127.0.0.1:8080/v1"}`` a model is "lab:some-model".
            keys: Keys of providers, in place of their environment variables.
            memory: Lets agents remember; those that are made with ``memory=True`` do.
            agent_log: Keeps what agents did as rows.

        Raises:
            StorageError: The store cannot be opened.
            NotFoundError: Nobody knows the memory's embedder or model.
            AuthError: The key of its provider is missing.
            InvalidRequestError: A setting makes no sense; it says which.
        """
        return Opening(url, transport, providers or {}, keys or {}, memory, agent_log)

    @property
    def memories(self) -> Memories:
        """What is remembered, for programs that ask and tell themselves.

        Raises:
            InvalidRequestError: This Mosaic was opened without a memory.
        """
        return Memories(self._native.memories())

    @property
    def agent_log(self) -> AgentLogs:
        """What agents did, for programs that ask.

        Raises:
            InvalidRequestError: This Mosaic was opened without agent logs.
        """
        return AgentLogs(self._native.agent_log())

    async def session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session:
        """Open a session, or create it. Runs nothing.

        Args:
            name: Its name.
            agent: Who answers in it.
            tenant: Whose data it is.
            user: Whose session it is. It stays theirs: nobody opens it for another. What agents remember is kept with
                the user.

        Raises:
            NotFoundError: Nobody knows the agent's model.
            AuthError: The key of the model's provider is missing.
            InvalidRequestError: The session is another user's, or the agent remembers and this Mosaic does not.
        """
        native = await self._native.session(tenant, name, self._bind(agent), user)
        return Session(native, self._host, tenant, name, agent)

    async def find_session(
        self, name: str, agent: Agent, *, tenant: str = DEFAULT_TENANT, user: str | None = None
    ) -> Session | None:
        """Open a session that exists; None when it does not."""
        native = await self._native.find_session(tenant, name, self._bind(agent), user)
        return None if native is None else Session(native, self._host, tenant, name, agent)

    async def erase(self, name: str, *, tenant: str = DEFAULT_TENANT) -> None:
        """Remove a session and every trace of it."""
        await self._native.erase(tenant, name)

    async def erase_user(self, user: str, *, tenant: str = DEFAULT_TENANT, sessions: bool = True) -> Erased:
        """Erase a user: memories, rows of agent logs, jobs about the user, and the logs of the user's sessions.

        What has returned leaves no trace in the database's files. End the user's runs first.

        Args:
            user: Who.
            tenant: Whose data it is.
            sessions: Whether the logs of the user's sessions go, too.

        Raises:
            ConflictError: A run of one of the sessions goes on.
        """
        return Erased(**json.loads(await self._native.erase_user(tenant, user, sessions)))

    async def idle(self) -> None:
        """Wait until what follows the runs that have ended is done: what was learnt from them, for one."""
        await self._native.idle()

    async def close(self, *, cancel: bool = False) -> list[str]:
        """Return when nothing runs any more.

        Runs that are going on are waited for. With ``cancel``, or when an exception leaves the ``async with`` block,
        they are cancelled first. Gives the names of calls that did not stop when they were cancelled: they are
        abandoned.
        """
        if cancel:
            await asyncio.gather(*(run.cancel("Mosaic is being closed") for run in list(self._host.runs)))
        return await self._native.close()

    def _bind(self, agent: Agent) -> _mosaic.Agent:
        # First: in a forked child asyncio denies that a loop runs.
        _mosaic.assert_same_process()
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                "this Mosaic was opened on another event loop, where its tools run; open one for each loop, "
                "or use `mosaic.blocking` from any thread"
            )
        scripted: list[_mosaic.ScriptedModel] = []

        def described_model(model: str | ScriptedModel) -> str | int:
            if isinstance(model, str):
                return model
            scripted.append(model.native)
            return len(scripted) - 1

        tools = [{"handle": self._host.register(tool), "spec": tool.spec()} for tool in agent.tools]
        described = {
            "name": agent.name,
            "model": described_model(agent.model),
            "fallback": [described_model(model) for model in agent.fallback],
            "instructions": agent.instructions,
            "tools": tools,
            "params": _params(agent.params),
            "limits": _limits(agent.limits),
            "memory": agent.memory,
        }
        return self._native.agent(json.dumps(described), scripted)


class Opening:
    """A Mosaic that is being opened: to be awaited, or entered with ``async with``."""

    def __init__(
        self,
        url: str,
        transport: Transport | None,
        providers: Mapping[str, str],
        keys: Mapping[str, str],
        memory: Memory | None,
        agent_log: AgentLog | None,
    ) -> None:
        """Keep what is to be opened."""
        self._url = url
        self._keys = keys
        self._providers = providers
        self._transport = transport
        self._memory = memory
        self._agent_log = agent_log
        self._opened: Mosaic | None = None

    def __await__(self) -> Generator[Any, None, Mosaic]:
        """Open it."""
        return self._open().__await__()

    async def __aenter__(self) -> Mosaic:
        """Open it for the block."""
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        if self._opened:
            await self._opened.close(cancel=error is not None)

    async def _open(self) -> Mosaic:
        scripted: list[_mosaic.ScriptedModel] = []
        embedders: dict[int, Embed] = {}
        memory = self._memory and json.dumps(self._memory.described(embedders, scripted))
        native = await _mosaic.open(
            self._url,
            list(self._providers.items()),
            list(self._keys.items()),
            self._transport is not None,
            memory,
            self._agent_log and json.dumps(self._agent_log.described(self._url)),
            scripted,
        )
        host = Host(native.port(), self._transport, embedders)
        native.port().start(host.deliver)
        return Mosaic(native, host)


def _params(params: ModelParams) -> dict[str, Any]:
    given = {
        "max_output_tokens": params.max_output_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "seed": params.seed,
        "stop": list(params.stop),
        "extra": params.extra,
    }
    return {name: value for name, value in given.items() if value is not None}


def _limits(limits: Limits) -> dict[str, Any]:
    given = {
        "max_steps": limits.max_steps,
        "max_attempts": limits.max_attempts,
        "max_output_tries": limits.max_output_tries,
        "max_tokens": limits.max_tokens,
        "run_timeout": duration(limits.run_timeout),
        "tool_timeout": duration(limits.tool_timeout),
        "parallel_tools": limits.parallel_tools,
        "max_result_bytes": limits.max_result_bytes,
    }
    return {name: value for name, value in given.items() if value is not None}


def duration(seconds: float | None) -> dict[str, int] | None:
    """Give seconds as the library writes a duration."""
    if seconds is None:
        return None
    whole = int(seconds)
    return {"secs": whole, "nanos": round((seconds - whole) * 1e9)}
