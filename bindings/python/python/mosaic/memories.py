"""Memories: what is remembered, for programs that ask and tell themselves.

```python
ann = await mosaic.memories.search("What does she drink?", user="ann", limit=3)
for hit in ann.hits:
    print(hit.memory.text, hit.explanation)

await mosaic.memories.set_preference("drink", "green tea", user="ann")
```

Whose memories are meant the keywords ``tenant``, ``user``, ``agent`` and ``session`` say. One that is left out means
all of them: without a user a search finds what any user said. Times are datetimes with a time zone.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mosaic import _mosaic
from mosaic._asking import Scope, Whose, milliseconds, natural, request, scope, uuid
from mosaic._remembered import (
    AsOf,
    Decision,
    Hit,
    Imported,
    Kind,
    MemoryBlock,
    MemoryCounts,
    MemoryItem,
    Metadata,
    Place,
    Reach,
    Recalled,
    Share,
    SourceRef,
    Span,
    block,
    item,
    recalled,
    which,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "AsOf",
    "Decision",
    "Hit",
    "Imported",
    "Kind",
    "Memories",
    "MemoryBlock",
    "MemoryCounts",
    "MemoryItem",
    "Metadata",
    "Place",
    "Reach",
    "Recalled",
    "Scope",
    "Share",
    "SourceRef",
    "Span",
    "Whose",
]


class Memories:
    """What is remembered: `Mosaic.memories`."""

    def __init__(self, native: _mosaic.Memories) -> None:
        """Hold memories. For `Mosaic`."""
        self._native = native

    async def search(
        self,
        text: str,
        *,
        limit: int = 10,
        budget: int | None = None,
        kinds: Sequence[Kind] = (),
        as_of: datetime | AsOf | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        metadata: Metadata | None = None,
        reach: Reach = "within",
        **whose: Unpack[Whose],
    ) -> Recalled:
        """Find what bears on a question, the best first.

        Args:
            text: The question, or whatever the memories are to bear on.
            limit: At most so many hits.
            budget: At most so many tokens of text.
            kinds: Only of these kinds; of all, if there are none.
            as_of: What was believed at that time to be so then; None: what is so now. See `AsOf` for more.
            since: Only what was said, or became so, at this time or later.
            before: Only what was said, or became so, before this time.
            metadata: Only what has, under each of these names, one of these values.
            reach: How far around.
            whose: Whose memories.

        Raises:
            InvalidRequestError: Something of this cannot be asked; it says what.
        """
        asked = {
            "scope": scope(whose),
            "reach": reach,
            "text": text,
            "which": which(kinds, as_of, since, before, metadata),
            "limit": natural("limit", limit),
            "budget": natural("budget", budget),
        }
        return recalled(json.loads(await self._native.search(request(asked))))

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        kinds: Sequence[Kind] = (),
        as_of: datetime | AsOf | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        metadata: Metadata | None = None,
        **whose: Unpack[Whose],
    ) -> builtins.list[MemoryItem]:
        """Give a page of memories, in the order of their ids.

        Args:
            limit: At most so many.
            after: Only those after this id: the last one of the page before.
            kinds: As in `search`; so with the others.
            as_of: What was believed then.
            since: Said at this time or later.
            before: Said before this time.
            metadata: With these metadata.
            whose: Whose memories.
        """
        asked = {
            "scope": scope(whose),
            "which": which(kinds, as_of, since, before, metadata),
            "after": None if after is None else _id("after", after),
            "limit": natural("limit", limit),
        }
        return [item(each) for each in json.loads(await self._native.list(request(asked)))]

    async def get(self, id: str, **whose: Unpack[Whose]) -> MemoryItem | None:  # noqa: A002
        """Give a memory, also one that is believed no longer; None where there is none."""
        found = await self._native.get(request({"scope": scope(whose), "id": _id("id", id)}))
        return None if found is None else item(json.loads(found))

    async def save(
        self,
        text: str,
        *,
        importance: float = 0.5,
        valid_from: datetime | None = None,
        source: Sequence[SourceRef] = (),
        replaces: Sequence[str] = (),
        **whose: Unpack[Whose],
    ) -> Decision:
        """Write an insight, as agents do: without secrets, and compared with what is there.

        Without a user it is filed with the tenant, and all of its agents and users see it.

        Args:
            text: In a sentence.
            importance: How much it matters, from 0 to 1.
            valid_from: From when on it is so; None: from now on.
            source: The entries of logs that it came from.
            replaces: Ids of memories that are no longer so because of it.
            whose: With whom it is filed.

        Raises:
            InvalidRequestError: It cannot or must not be stored.
        """
        body = {"type": "insight", "text": text}
        return await self._write(body, importance, valid_from, source, replaces, whose)

    async def set_preference(
        self,
        key: str,
        value: str,
        *,
        confidence: float = 1.0,
        importance: float = 0.5,
        valid_from: datetime | None = None,
        source: Sequence[SourceRef] = (),
        **whose: Unpack[Whose],
    ) -> Decision:
        """Write what somebody likes, uses or wants, in place of what was known under that key.

        Args:
            key: Of what.
            value: Which.
            confidence: How sure that is, from 0 to 1. What is much surer stays.
            importance: As in `save`; so with the others.
            valid_from: From when on.
            source: Where it came from.
            whose: With whom it is filed.

        Raises:
            InvalidRequestError: It cannot or must not be stored.
        """
        body = {"type": "preference", "key": key, "value": value, "confidence": confidence}
        return await self._write(body, importance, valid_from, source, (), whose)

    async def _write(
        self,
        body: dict[str, Any],
        importance: float,
        valid_from: datetime | None,
        source: Sequence[SourceRef],
        replaces: Sequence[str],
        whose: Whose,
    ) -> Decision:
        draft = {
            "body": body,
            "importance": importance,
            "source": [{"session": each.session, "seq": each.seq} for each in source],
            "valid_from": milliseconds("valid_from", valid_from),
            "replaces": [_id("replaces", each) for each in replaces],
        }
        done = json.loads(await self._native.save(request({"scope": scope(whose), "draft": draft})))
        return Decision(done["action"], done["reason"], done["memory"], tuple(done["closed"]))

    async def forget(self, id: str, *, remove: bool = False, **whose: Unpack[Whose]) -> None:  # noqa: A002
        """Believe a memory no longer. Saying so twice is no error.

        Args:
            id: Which.
            remove: Whether nothing gives it any more, not even a question about the past. That no copy stays in the
                database's files, only `Mosaic.erase_user` promises.
            whose: Where it is looked for.

        Raises:
            NotFoundError: There is no such memory to be believed no longer.
        """
        await self._native.forget(request({"scope": scope(whose), "id": _id("id", id), "remove": remove}))

    async def blocks(self, *, reach: Reach = "within", **whose: Unpack[Whose]) -> builtins.list[MemoryBlock]:
        """Give the core blocks that a scope sees, those of wider scopes first, then by name."""
        found = await self._native.blocks(request({"scope": scope(whose), "reach": reach}))
        return [block(each) for each in json.loads(found)]

    async def put_block(
        self,
        name: str,
        text: str,
        *,
        purpose: str | None = None,
        limit: int | None = None,
        expected: int | None = None,
        **whose: Unpack[Whose],
    ) -> MemoryBlock:
        """Write a core block of exactly this scope, without secrets, and give it as it is now.

        Args:
            name: Its name.
            text: What it says.
            purpose: What it is for, in words for the model. None: as it is.
            limit: At most so many characters. None: as it is; 2,000 of a new one.
            expected: Only if it has this version; 0 stands for "there is none". None: whatever it has.
            whose: Whose block.

        Raises:
            ConflictError: It has another version: somebody else wrote it. Read it again.
            InvalidRequestError: It is too long, or must not be stored.
        """
        asked = {
            "scope": scope(whose),
            "name": name,
            "text": text,
            "purpose": purpose,
            "limit": natural("limit", limit),
            "expected": natural("expected", expected),
        }
        return block(json.loads(await self._native.put_block(request(asked))))

    async def remove_block(self, name: str, **whose: Unpack[Whose]) -> None:
        """Remove a core block of exactly this scope, if there is one."""
        await self._native.remove_block(request({"scope": scope(whose), "name": name}))

    async def counts(self, **whose: Unpack[Whose]) -> MemoryCounts:
        """Tell how much there is."""
        return MemoryCounts(**json.loads(await self._native.counts(request(scope(whose)))))

    async def export(self, **whose: Unpack[Whose]) -> AsyncGenerator[str, None]:
        """Give all that is kept, as lines of JSON: memories, with their vectors, and core blocks."""
        lines = await self._native.export(request(scope(whose)))
        while (batch := await lines.next()) is not None:
            for line in batch:
                yield line

    async def import_lines(self, lines: str | Iterable[str], **whose: Unpack[Whose]) -> Imported:
        """Add what an export holds. What is there already stays, so one that was interrupted is simply done again.

        Raises:
            DecodeError: A line is not one of an export. Those before it, in steps of some hundred, were added.
            InvalidRequestError: A line is of another scope.
        """
        text = lines if isinstance(lines, str) else "\n".join(lines)
        return Imported(**json.loads(await self._native.import_lines(request(scope(whose)), text)))


def _id(what: str, text: str) -> str:
    return uuid(what, "a memory", text)
