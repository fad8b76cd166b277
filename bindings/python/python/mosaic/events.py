"""What a program sees of a run: finished things, numbered, and what is being said right now.

>>> from mosaic import events
>>> event = events.from_json({"type": "text", "step": 1, "part": 0, "delta": "Hel"})
>>> match event:
...     case events.Text(delta=delta):
...         print(delta)
Hel
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Text:
    """More text of the answer that is being written."""

    step: int
    part: int
    delta: str


@dataclass(frozen=True)
class Reasoning:
    """More of what the model thinks before it answers."""

    step: int
    part: int
    delta: str


@dataclass(frozen=True)
class Arguments:
    """More arguments of a tool call that is being written: a piece of JSON text, not checked yet."""

    step: int
    part: int
    name: str
    delta: str


@dataclass(frozen=True)
class Route:
    """Where a model call went, and why: of an agent with fallbacks.

    It comes when a model begins to answer, and again with what the answer took. The entry of the step holds the last.
    """

    step: int
    #: Who was "chosen", the "attempts" in order, and who was "rejected" for what reason.
    decision: dict[str, Any]


@dataclass(frozen=True)
class Restarted:
    """The pieces since the last entry are void: the answer begins anew."""

    step: int


@dataclass(frozen=True)
class Progress:
    """A tool shows how far it is."""

    call: str
    update: Any


@dataclass(frozen=True)
class Entry:
    """Something finished: an entry of the session's log. It is stored; the other events are not."""

    #: Its place in the log.
    seq: int
    #: When it was written: milliseconds since 1970.
    at: int
    #: The run that it belongs to.
    run: str | None
    #: What happened, as in the log: "input", "assistant", "tool_start", "tool_end", "run_end" and others.
    kind: str
    #: The rest of what the log says of it.
    body: dict[str, Any]


@dataclass(frozen=True)
class Unknown:
    """An event of a newer version of the library."""

    data: dict[str, Any]


Event: TypeAlias = "Text | Reasoning | Arguments | Route | Restarted | Progress | Entry | Unknown"

_KINDS: dict[str, Any] = {
    "text": Text,
    "reasoning": Reasoning,
    "arguments": Arguments,
    "route": Route,
    "restarted": Restarted,
    "progress": Progress,
}


def entry_from_json(data: dict[str, Any]) -> Entry:
    """Make an entry of what the log says."""
    body = dict(data["body"])
    kind = body.pop("type")
    return Entry(data["seq"], data["at"], data.get("run"), kind, body)


def from_json(data: dict[str, Any]) -> Event:
    """Make an event of its JSON."""
    kind = data["type"]
    if kind == "text":
        # Nearly all events of a stream are these; this way takes half the time of the one below.
        return Text(data["step"], data["part"], data["delta"])
    if kind == "entry":
        return entry_from_json(data)
    known = _KINDS.get(kind)
    if known is None:
        return Unknown(data)
    members = dict(data)
    del members["type"]
    return known(**members)
