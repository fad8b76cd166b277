"""Programs that ask and tell memories themselves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from mosaic import Agent, HashingEmbedder, Memory, Mosaic, errors
from mosaic.memories import AsOf, SourceRef
from mosaic.testing import ScriptedModel, text

MEMORY = Memory(HashingEmbedder(128))


async def _say(mosaic: Mosaic, session: str, user: str, *said: str) -> None:
    agent = Agent("butler", model=ScriptedModel([text("Noted.")] * len(said)), memory=True)
    opened = await mosaic.session(session, agent, user=user)
    for each in said:
        await opened.ask(each)
    await mosaic.idle()


def _now() -> datetime:
    """Give a time between what was and what comes: times are stored in milliseconds."""
    now = datetime.now(timezone.utc)
    while datetime.now(timezone.utc) - now < timedelta(milliseconds=5):
        pass
    return now


async def test_a_search_finds_what_was_learnt_in_another_session_and_says_why() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        await _say(mosaic, "monday", "ann", "I prefer green tea for breakfast.")
        await _say(mosaic, "tuesday", "bob", "I prefer black tea for breakfast.")
        found = await mosaic.memories.search("What tea for breakfast?", user="ann", kinds=["preference"])
        (hit,) = found.hits
        assert (hit.memory.text, hit.memory.key, hit.memory.value) == (
            "breakfast: green tea",
            "breakfast",
            "green tea",
        )
        assert (hit.memory.scope.user, hit.memory.sources) == ("ann", (SourceRef("monday", 3),))
        assert hit.score == pytest.approx(sum(share.points for share in hit.shares))
        assert "coverage" in hit.explanation
        assert (found.text, found.without_vectors) == ("- breakfast: green tea\n", None)
        said = await mosaic.memories.search("What tea for breakfast?", user="ann", kinds=["episode"], limit=1)
        place = said.hits[0].memory.place
        assert place
        assert (place.conversation, place.speaker) == ("monday", "ann")
        everybody = await mosaic.memories.search("What tea for breakfast?", kinds=["preference"])
        assert {hit.memory.scope.user for hit in everybody.hits} == {"ann", "bob"}
        assert not (await mosaic.memories.search("tea", user="ann", tenant="acme")).hits
        assert not (await mosaic.memories.search("What tea for breakfast?", user="ann", budget=1)).hits


async def test_what_was_believed_then_is_not_what_is_so_now() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        await _say(mosaic, "monday", "ann", "I prefer green tea for breakfast.")
        monday = _now()
        await _say(mosaic, "tuesday", "ann", "I prefer coffee for breakfast.")

        async def breakfast(as_of: datetime | AsOf | None) -> set[str | None]:
            found = await mosaic.memories.search(
                "What for breakfast?", user="ann", kinds=["preference"], as_of=as_of
            )
            return {hit.memory.value for hit in found.hits}

        assert await breakfast(None) == {"coffee"}
        assert await breakfast(monday) == {"green tea"}
        assert await breakfast(AsOf(valid=monday)) == {"green tea"}
        assert await breakfast(AsOf()) == {"green tea", "coffee"}
        assert await breakfast(AsOf(recorded=monday)) == {"green tea"}
        assert await breakfast(datetime(2000, 1, 1, tzinfo=timezone.utc)) == set()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"as_of": datetime(2026, 5, 1)}, "`as_of` .* time zone"),
        ({"as_of": AsOf(recorded=datetime(2026, 5, 1))}, r"`as_of.recorded` .* time zone"),
        ({"since": datetime(1960, 1, 1, tzinfo=timezone.utc)}, "before 1970"),
        ({"kinds": ["dream"]}, "`search`.* `dream`.* `insight`"),
        ({"reach": "everywhere"}, "`everywhere`.* `inherited`"),
        ({"limit": -1}, "-1"),
        ({"user": None}, "`user` is None"),
        ({"metadata": {"lang": "no"}}, "`lang`; give a list"),
    ],
)
async def test_what_cannot_be_asked_is_said(asked: dict[str, Any], says: str) -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=says):
            await mosaic.memories.search("tea", **asked)
        with pytest.raises(TypeError, match="usr"):
            await mosaic.memories.search("tea", usr="ann")  # pyright: ignore[reportCallIssue]


async def test_a_mosaic_without_a_memory_says_so() -> None:
    async with Mosaic.open("memory:") as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=r"remembers nothing.*memory=Memory"):
            await mosaic.memories.search("tea")
