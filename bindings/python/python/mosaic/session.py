"""A session: an append-only log that an agent is bound to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from mosaic import _mosaic
from mosaic._convert import ConversionError, convert
from mosaic._host import Host
from mosaic._schema import schema_of
from mosaic.errors import DecodeError
from mosaic.events import Entry, entry_from_json
from mosaic.run import Run

if TYPE_CHECKING:
    from mosaic.agent import Agent

T = TypeVar("T")

#: How an input meets a run that is going on: as soon as it can, or when it is done.
Delivery = Literal["start", "steer", "follow_up"]
#: What is said: a text, or parts as the log writes them.
Said = str | Sequence[dict[str, Any]]


class Session:
    """A session. Made by `Mosaic.session`; everything in it is safe in the store."""

    def __init__(self, native: _mosaic.Session, host: Host, tenant: str, name: str, agent: Agent) -> None:
        """Hold a session. For `Mosaic`."""
        self._native = native
        self._host = host
        self.tenant = tenant
        self.name = name
        self.agent = agent

    def __repr__(self) -> str:
        """Show the key."""
        return f"<Session {self.tenant}/{self.name}>"

    async def send(self, said: Said, *, delivery: Delivery = "start") -> Run:
        """Say something. When this returns, it is safe and a run works on it.

        Raises:
            ConflictError: Another process runs the session.
        """
        return await self._send(said, delivery, None)

    @overload
    async def ask(self, said: Said) -> str: ...

    @overload
    async def ask(self, said: Said, output: type[T]) -> T: ...

    async def ask(self, said: Said, output: Any = None) -> Any:
        """Say something and wait for the answer: its text, or a value of a type.

        The type may be a dataclass, a TypedDict, an Enum, a pydantic model, or made of these and of JSON's types.

        Raises:
            DecodeError: The answer does not fit the type.
        """
        if output is None:
            return (await (await self.send(said)).finish()).text
        name = getattr(output, "__name__", "answer")
        schema = schema_of(output, f"the answer `{name}`")
        # Providers take objects only; anything else is put into one.
        wrapped = schema.get("type") != "object"
        if wrapped:
            defs = {"$defs": schema.pop("$defs")} if "$defs" in schema else {}
            schema = {
                "type": "object",
                "properties": {"value": schema},
                "required": ["value"],
                "additionalProperties": False,
                **defs,
            }
        run = await self._send(said, "start", {"name": _plain(name), "schema": schema})
        reply = await run.finish()
        try:
            value = json.loads(reply.text)
            return convert(output, value["value"] if wrapped else value)
        except (ConversionError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise DecodeError(f"the answer does not fit `{name}`: {error}") from error

    async def resume(self) -> Run | None:
        """Go on with what a crash or a restart interrupted; None when nothing was.

        Raises:
            ConflictError: Another process runs the session.
        """
        starter = self._host.started(self.tenant, self.name)
        native = await self._native.resume()
        return None if native is None else Run(native, self._host, starter)

    async def entries(self, start: int = 1) -> list[Entry]:
        """Read the log from an entry on, as it is stored."""
        return [entry_from_json(each) for each in json.loads(await self._native.entries(start))]

    async def answer(self, question: int, decision: dict[str, Any], *, by: str = "host") -> None:
        """Answer a question that a run waits for: the number of its entry, and a decision as the log writes it."""
        await self._native.answer(question, by, json.dumps(decision))

    async def rewind(self, to: int) -> int:
        """Undo: the conversation goes on from an earlier entry. Nothing is removed from the log."""
        return await self._native.rewind(to)

    async def record(self, kind: str, data: Any) -> int:
        """Write something of the program into the log; the model does not see it. Gives the entry's number."""
        return await self._native.record(kind, json.dumps(data))

    async def _send(self, said: Said, delivery: Delivery, output: dict[str, Any] | None) -> Run:
        parts = [{"type": "text", "text": said}] if isinstance(said, str) else list(said)
        starter = self._host.started(self.tenant, self.name)
        native = await self._native.send(json.dumps({"parts": parts, "delivery": delivery, "output": output}))
        return Run(native, self._host, starter)


def _plain(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "_-") else "_" for each in name)[:64]
