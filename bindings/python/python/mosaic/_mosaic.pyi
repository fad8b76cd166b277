# Made of bindings/python/src by `cargo xtask gen`; do not edit.
# Everything here is internal: handles and conversions, no conveniences. What crosses as `str` is JSON; its shapes are
# those of bindings/port.schema.json, of the log, and of the structs in bindings/python/src.
import collections.abc
from typing import Final, final

__all__ = ["__version__", "Agent", "AgentLog", "Engine", "Lines", "Memories", "Port", "Run", "ScriptedModel", "Session", "_panic", "_shutdown", "assert_same_process", "error_kinds", "open"]

__version__: Final[str]
"""
The version of the library.
"""

@final
class Agent:
    """
    An agent.
    """

@final
class AgentLog:
    """
    What agents did.
    """
    def export_lines(self, /, scope: str) -> "collections.abc.Awaitable[str]":
        """
        All rows of a scope as JSON lines.
        """
    def import_lines(self, /, scope: str, lines: str) -> "collections.abc.Awaitable[int]":
        """
        Adds the rows of an export. Says how many were new.
        """
    def rows(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        A page of rows.
        """
    def tier(self, /, tenant: str) -> "collections.abc.Awaitable[str]":
        """
        Moves what has grown old of a tenant, and tells what that came to.
        """
    def totals(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        What rows come to.
        """

@final
class Engine:
    """
    The library, opened over a store.
    """
    def agent(self, /, agent: str, scripted: "list[ScriptedModel]") -> Agent:
        """
        Makes an agent of its description in JSON, and of the scripted models that it names by their places.
        """
    def agent_log(self, /) -> AgentLog:
        """
        What agents did.
        """
    def close(self, /) -> "collections.abc.Awaitable[list[str]]":
        """
        Waits until nothing runs, and closes. Names what would not stop.
        """
    def erase(self, /, tenant: str, name: str) -> "collections.abc.Awaitable[None]":
        """
        Removes a session and every trace of it.
        """
    def erase_user(self, /, tenant: str, user: str, sessions: bool) -> "collections.abc.Awaitable[str]":
        """
        Erases a user. Gives what was erased as JSON.
        """
    def find_session(self, /, tenant: str, name: str, agent: Agent, user: "str | None") -> "collections.abc.Awaitable[Session | None]":
        """
        Opens a session that exists.
        """
    def idle(self, /) -> "collections.abc.Awaitable[None]":
        """
        Waits until no job is due or runs.
        """
    def memories(self, /) -> Memories:
        """
        What is remembered.
        """
    def port(self, /) -> Port:
        """
        The host port.
        """
    def session(self, /, tenant: str, name: str, agent: Agent, user: "str | None") -> "collections.abc.Awaitable[Session]":
        """
        Opens a session, or creates it.
        """

@final
class Lines:
    """
    The lines of an export.
    """
    def next(self, /) -> "collections.abc.Awaitable[list[str] | None]":
        """
        Some lines more; None after the last.
        """

@final
class Memories:
    """
    What is remembered.
    """
    def blocks(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        The core blocks that a scope sees.
        """
    def counts(self, /, scope: str) -> "collections.abc.Awaitable[str]":
        """
        How much there is in a scope.
        """
    def export(self, /, scope: str) -> "collections.abc.Awaitable[Lines]":
        """
        Begins to give all of a scope.
        """
    def forget(self, /, request: str) -> "collections.abc.Awaitable[None]":
        """
        Believes a memory no longer, or removes it.
        """
    def get(self, /, request: str) -> "collections.abc.Awaitable[str | None]":
        """
        A memory.
        """
    def import_lines(self, /, scope: str, lines: str) -> "collections.abc.Awaitable[str]":
        """
        Adds the lines of an export.
        """
    def list(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        A page of memories.
        """
    def put_block(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        Writes a core block, and gives it.
        """
    def remove_block(self, /, request: str) -> "collections.abc.Awaitable[None]":
        """
        Removes a core block.
        """
    def save(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        Writes a draft, and tells what became of it.
        """
    def search(self, /, request: str) -> "collections.abc.Awaitable[str]":
        """
        Searches.
        """

@final
class Port:
    """
    The port between the core and one event loop.
    """
    def chunk(self, /, id: "int", data: bytes) -> "bool":
        """
        Answers with a piece of an HTTP body. Whether somebody waited for it.
        """
    def fatal(self, /, id: "int", class_name: str, message: str, exception: BaseException) -> "bool":
        """
        Answers with an exception that ends the run, and is raised again where the run is awaited.
        """
    def respond(self, /, id: "int", response: str) -> "bool":
        """
        Answers a request with a response in JSON. Whether somebody waited for it.
        """
    def start(self, /, handler: "collections.abc.Callable[[str, list[bytes]], None]") -> "None":
        """
        Delivers the requests of the core to `handler(requests, buffers)` on the running loop: `requests` is a JSON
        array, `buffers` the bodies it refers to. The next batch comes after the handler has returned.
        """
    def stats(self, /) -> str:
        """
        What is and was under way, as JSON.
        """

@final
class Run:
    """
    A run. Whoever reads its events or waits for its end holds the lock meanwhile.
    """
    def cancel(self, /, reason: str) -> "collections.abc.Awaitable[None]":
        """
        Begins to cancel it; done when that is safe.
        """
    def finish(self, /) -> "collections.abc.Awaitable[str]":
        """
        Waits for the end; gives the reply as JSON.
        """
    def id(self, /) -> str:
        """
        Its id.
        """
    def ready(self, /, max: "int") -> "str | None":
        """
        The events that are there already, at most `max`, as a JSON array; None when there are none.
        """
    def stop(self, /, reason: str) -> "collections.abc.Awaitable[None]":
        """
        Cancels it and waits until nothing of it runs, whatever becomes of the caller.
        """
    def wait(self, /) -> "collections.abc.Awaitable[bool]":
        """
        Waits until there are events to be taken with `ready`. Whether there will be any: not so after the end.

        They are taken on the event loop's thread, when it gets there, and not here: a stream goes on while the loop wakes
        up, and what it says meanwhile comes with the same crossing.
        """

@final
class ScriptedModel:
    """
    A model that follows a script.
    """
    def __new__(cls, /) -> ScriptedModel: ...
    def cancelled(self, /) -> int:
        """
        How many answers were cancelled before their end.
        """
    def push(self, /, answer: str) -> None:
        """
        Adds an answer, in JSON.
        """
    def requests(self, /) -> str:
        """
        What it was asked, as JSON.
        """

@final
class Session:
    """
    A session.
    """
    def answer(self, /, question: "int", by: str, decision: str) -> "collections.abc.Awaitable[None]":
        """
        Answers a question with a decision in JSON.
        """
    def entries(self, /, start: "int") -> "collections.abc.Awaitable[str]":
        """
        The log from an entry on, as JSON.
        """
    def record(self, /, kind: str, data: str) -> "collections.abc.Awaitable[int]":
        """
        Writes something of the host, in JSON, into the log.
        """
    def resume(self, /) -> "collections.abc.Awaitable[Run | None]":
        """
        Goes on with what was interrupted.
        """
    def rewind(self, /, to: "int") -> "collections.abc.Awaitable[int]":
        """
        Goes on from an earlier entry.
        """
    def send(self, /, input: str) -> "collections.abc.Awaitable[Run]":
        """
        Says something, in JSON.
        """

def _panic(message: str) -> "collections.abc.Awaitable[None]":
    """
    An awaitable whose work panics.
    """

def _shutdown() -> None:
    """
    Stops everything: the dispatcher first, so that nothing touches Python any more, then tokio. Run by `atexit`.
    """

def assert_same_process() -> None:
    """
    Threads do not survive a fork, and locks may be held by threads that are gone: say so before anything hangs.
    """

def error_kinds() -> list[str]:
    """
    Every kind of error, by name.
    """

def open(url: str, providers: "list[tuple[str, str]]", keys: "list[tuple[str, str]]", host_transport: bool, memory: "str | None", agent_log: "str | None", scripted: "list[ScriptedModel]") -> "collections.abc.Awaitable[Engine]":
    """
    Opens a store. `providers` are names and base URLs of servers that speak OpenAI's API, `keys` those of providers; `memory` and
    `agent_log` are descriptions in JSON, with the scripted models that they name by their places.
    """
