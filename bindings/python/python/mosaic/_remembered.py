"""What memories are, as programs see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mosaic._asking import Scope, milliseconds, moment, moment_or_none, scope_from_json
from mosaic.errors import InvalidRequestError, MosaicError, error_from_report

#: What a memory is: what somebody likes or wants, what is so, or what was said.
Kind = Literal["preference", "insight", "episode"]
#: How far a read reaches: to what is kept in the scope, or also to what is kept more widely and so holds there too.
#: What a session's agent sees is "inherited", with the user, the agent and the session named: a part that is left out
#: is no limit.
Reach = Literal["within", "inherited"]
#: Values by name: what a memory's metadata must have, under each name one of the values.
Metadata = Mapping[str, list[Any] | tuple[Any, ...]]


@dataclass(frozen=True)
class AsOf:
    """Of which times an answer is. ``AsOf()``: what is believed now, whenever it is so."""

    #: Only what is so at this time; None: at any time.
    valid: datetime | None = None
    #: What was believed at this time; None: what is believed now.
    recorded: datetime | None = None


@dataclass(frozen=True)
class SourceRef:
    """An entry of a session's log that a memory came from."""

    session: str
    seq: int


@dataclass(frozen=True)
class Span:
    """A part of a session's log, both ends in it."""

    session: str
    first: int
    last: int


@dataclass(frozen=True)
class Place:
    """Where in a conversation something was said."""

    conversation: str
    position: int
    speaker: str | None = None
    said_at: datetime | None = None
    #: What a picture that came with it shows.
    caption: str | None = None


@dataclass(frozen=True)
class MemoryItem:
    """Something that is remembered."""

    #: A UUID.
    id: str
    scope: Scope
    kind: Kind
    #: What it says; a preference as "key: value".
    text: str
    #: Of a preference: of what.
    key: str | None
    #: Of a preference: which.
    value: str | None
    #: Of a preference: how sure that is, from 0 to 1.
    confidence: float | None
    #: Of a summary: the part of the log that it stands for.
    span: Span | None
    #: The entries that it came from.
    sources: tuple[SourceRef, ...]
    #: Where it was said.
    place: Place | None
    #: From when on it is so.
    valid_from: datetime
    #: Until when it is so; None where nobody knows of an end.
    valid_to: datetime | None
    #: Since when it is believed.
    recorded_at: datetime
    #: Until when it was believed; None where it still is.
    closed_at: datetime | None
    #: The memory that is believed instead.
    superseded_by: str | None
    #: How much it matters, from 0 to 1.
    importance: float
    #: How often it was used.
    accessed: int
    accessed_at: datetime | None
    metadata: dict[str, Any]


@dataclass(frozen=True)
class MemoryBlock:
    """A core block: a small, named text that is always in the prompt."""

    scope: Scope
    name: str
    #: What it says. May be empty.
    text: str
    #: What it is for, in words for the model.
    purpose: str
    #: At most so many characters.
    limit: int
    #: How often it was written.
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class Decision:
    """What became of what was to be written."""

    #: Added; merged with what said less; put in the place of what is so no longer; found there already; dropped.
    action: Literal["add", "merge", "supersede", "strengthen", "drop"]
    #: Why.
    reason: str
    #: The memory that says it now.
    memory: str | None
    #: Memories that are believed no longer because of it.
    closed: tuple[str, ...]


@dataclass(frozen=True)
class MemoryCounts:
    """How much there is."""

    #: Memories, also those that are believed no longer.
    memories: int
    #: Those that are believed.
    open: int
    #: Vectors, by the names of their models.
    vectors: dict[str, int]
    #: Core blocks.
    blocks: int


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    #: Memories and blocks that were added.
    added: int
    #: Memories and blocks of which there was one already. They were left as they are.
    present: int


@dataclass(frozen=True)
class Share:
    """What one signal did for a hit."""

    #: Which: "words", "meaning", "coverage" ...
    signal: str
    #: What was measured, from 0 to 1.
    value: float
    #: What it weighs.
    weight: float
    #: What it adds to the score.
    points: float


@dataclass(frozen=True)
class Hit:
    """A memory that may answer, and why it stands where it stands."""

    memory: MemoryItem
    #: The sum of its shares.
    score: float
    #: What each signal did, the greatest first.
    shares: tuple[Share, ...]
    #: The same in a line.
    explanation: str


@dataclass(frozen=True)
class Recalled:
    """What a search found."""

    #: The best first.
    hits: tuple[Hit, ...]
    #: The hits for a prompt: a line each, in the order in which they were said.
    text: str
    #: How many tokens the text has.
    tokens: int
    #: How many of the best were left out because the budget had no room for them.
    too_long: int
    #: How many memories were looked at.
    admitted: int
    #: Why the question was not embedded, if it was not; words found all of this.
    without_vectors: MosaicError | None


def which(
    kinds: Sequence[Kind],
    as_of: datetime | AsOf | None,
    since: datetime | None,
    before: datetime | None,
    metadata: Metadata | None,
) -> dict[str, Any]:
    for name, values in (metadata or {}).items():
        # A text is a sequence, too: of letters.
        if not isinstance(values, (list, tuple)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequestError(
                f"`metadata` has one value under `{name}`; give a list of those that will do"
            )
    if isinstance(as_of, AsOf):
        times = {
            "valid": milliseconds("as_of.valid", as_of.valid),
            "recorded": milliseconds("as_of.recorded", as_of.recorded),
        }
    else:
        at = milliseconds("as_of", as_of)
        times = {"valid": at, "recorded": at}
    found = {
        "kinds": list(kinds),
        "as_of": times,
        "since": milliseconds("since", since),
        "before": milliseconds("before", before),
        "metadata": {name: list(values) for name, values in (metadata or {}).items()},
    }
    return {"filter": found, "now": as_of is None}


def item(data: dict[str, Any]) -> MemoryItem:
    body = data["body"]
    span, place = body.get("span"), data.get("place")
    return MemoryItem(
        id=data["id"],
        scope=scope_from_json(data["scope"]),
        kind=body["type"],
        text=data["text"],
        key=body.get("key"),
        value=body.get("value"),
        confidence=body.get("confidence"),
        span=span and Span(span["session"], span["from"], span["to"]),
        sources=tuple(SourceRef(each["session"], each["seq"]) for each in data.get("source", ())),
        place=place and _place(place),
        valid_from=moment(data["valid_from"]),
        valid_to=moment_or_none(data.get("valid_to")),
        recorded_at=moment(data["recorded_at"]),
        closed_at=moment_or_none(data.get("closed_at")),
        superseded_by=data.get("superseded_by"),
        importance=data["importance"],
        accessed=data.get("accessed", 0),
        accessed_at=moment_or_none(data.get("accessed_at")),
        metadata=data.get("metadata", {}),
    )


def _place(data: dict[str, Any]) -> Place:
    return Place(
        conversation=data["conversation"],
        position=data["position"],
        speaker=data.get("speaker"),
        said_at=moment_or_none(data.get("said_at")),
        caption=data.get("caption"),
    )


def _hit(data: dict[str, Any]) -> Hit:
    shares = tuple(Share(**share) for share in data["shares"])
    return Hit(item(data["memory"]), data["score"], shares, data["explanation"])


def recalled(data: dict[str, Any]) -> Recalled:
    missing = data["without_vectors"]
    return Recalled(
        hits=tuple(map(_hit, data["hits"])),
        text=data["text"],
        tokens=data["tokens"],
        too_long=data["too_long"],
        admitted=data["admitted"],
        without_vectors=missing and error_from_report(json.dumps(missing)),
    )


def block(data: dict[str, Any]) -> MemoryBlock:
    return MemoryBlock(
        scope=scope_from_json(data["scope"]),
        name=data["name"],
        text=data["text"],
        purpose=data.get("purpose", ""),
        limit=data["limit"],
        version=data["version"],
        updated_at=moment(data["updated_at"]),
    )
