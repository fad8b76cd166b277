"""Programs that ask and tell memories themselves."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from mosaic import Agent, AgentLog, HashingEmbedder, HostEmbedder, Memory, Mosaic, blocking, errors
from mosaic.agent_log import LogKey, LogKind, LogOrder, LogStatus
from mosaic.memories import AsOf, Kind, Memories, Reach, Scope, SourceRef
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


async def test_what_all_know_is_seen_by_those_who_look_around() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        await mosaic.memories.save("The house has a red door.")
        await mosaic.memories.save("Bob's house has a red door.", user="bob")
        door = "Which house has a red door?"
        assert not (await mosaic.memories.search(door, user="ann")).hits
        (hit,) = (
            await mosaic.memories.search(
                door, user="ann", agent="butler", session="monday", reach="inherited"
            )
        ).hits
        assert hit.memory.scope == Scope("default")


async def test_a_fact_that_came_to_light_later_was_not_believed_before() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        may = datetime(2026, 5, 1, tzinfo=timezone(timedelta(hours=2)))
        await mosaic.memories.set_preference("drink", "coffee", valid_from=may, user="ann")

        async def drink(as_of: datetime | AsOf) -> list[str | None]:
            return [each.value for each in await mosaic.memories.list(user="ann", as_of=as_of)]

        assert await drink(AsOf(valid=may)) == ["coffee"]
        assert await drink(may) == [], "in May nobody knew"
        (memory,) = await mosaic.memories.list(user="ann")
        assert memory.valid_from == may
        assert memory.valid_from.utcoffset() == timedelta(0)


async def test_a_host_saves_as_agents_do() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        tea = await memories.set_preference("drink", "tea", user="ann")
        _now()
        coffee = await memories.set_preference("Drink", "coffee", user="ann")
        assert (tea.action, coffee.action, coffee.closed) == ("add", "supersede", (tea.memory,))
        boat = await memories.save("Ann's boat is called Miso.", importance=0.9, user="ann")
        again = await memories.save("Ann's boat is called Miso.", user="ann")
        assert (again.action, again.memory) == ("strengthen", boat.memory)
        assert boat.memory
        found = await memories.get(boat.memory, user="ann")
        assert found
        assert (found.kind, found.importance, found.accessed) == ("insight", 0.9, 1)
        _now()
        sold = await memories.save("Ann's boat was sold.", replaces=[boat.memory], user="ann")
        old = await memories.get(boat.memory)
        assert old
        assert (old.superseded_by, old.closed_at is None) == (sold.memory, False)
        source = [SourceRef("monday", 3)]
        secret = "The token is ghp_0123456789abcdefghijABCDEFGHIJ012345."
        kept = await memories.save(secret, source=source, user="ann")
        assert kept.memory
        found = await memories.get(kept.memory)
        assert found
        assert ("ghp_" in found.text, found.sources) == (False, tuple(source))
        assert len(await memories.list(user="ann")) == 3, "coffee, the sale, the token"
        assert (await memories.counts(user="bob")).memories == 0
        for bad, says in [({"text": " "}, "says nothing"), ({"importance": 2}, "from 0 to 1")]:
            with pytest.raises(errors.InvalidRequestError, match=says):
                await memories.save(**{"text": "Ann sails.", **bad})  # pyright: ignore[reportArgumentType]


async def test_pages_follow_one_another() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        for each in ("a boat", "a dog", "green tea"):
            await mosaic.memories.save(f"Ann likes {each}.", user="ann")
        first = await mosaic.memories.list(limit=2, user="ann")
        rest = await mosaic.memories.list(limit=2, after=first[-1].id, user="ann")
        assert (len(first), len(rest)) == (2, 1)
        assert {each.text[10:] for each in (*first, *rest)} == {"a boat.", "a dog.", "green tea."}
        assert await mosaic.memories.list(kinds=["preference"], user="ann") == []


async def test_a_filter_leaves_out_what_was_said_at_other_times_or_otherwise() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        may, june, july = (datetime(2026, month, 1, tzinfo=timezone.utc) for month in (5, 6, 7))
        await memories.set_preference("drink", "tea", valid_from=may, user="ann")
        await memories.set_preference("house", "red", valid_from=july, user="ann")
        assert [each.key for each in await memories.list(user="ann", since=june)] == ["house"]
        assert await memories.list(user="ann", since=may, before=may) == []
        hits = (await memories.search("tea in the house", user="ann", before=june)).hits
        assert [hit.memory.key for hit in hits] == ["drink"]
        (drink,) = await memories.list(user="ann", before=june)
        assert drink.key == "drink"
        why = drink.metadata["mosaic.written"]
        assert why["action"] == "add"
        assert len(await memories.list(user="ann", metadata={"mosaic.written": ["nothing", why]})) == 2
        assert await memories.list(user="ann", metadata={"mosaic.written": ["nothing"]}) == []


async def test_what_is_forgotten_is_not_found_any_more() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        ill = (await memories.save("Ann is ill.", user="ann")).memory
        assert ill
        with pytest.raises(errors.NotFoundError, match="user bob"):
            await memories.forget(ill, user="bob")
        for _ in range(2):
            await memories.forget(ill, user="ann")
        assert not (await memories.search("Who is ill?", user="ann")).hits
        assert await memories.get(ill, user="ann"), "the past is kept"
        await memories.forget(ill, remove=True, user="ann")
        assert await memories.get(ill, user="ann") is None
        for call in (memories.forget, memories.get):
            with pytest.raises(errors.InvalidRequestError, match="`id` is 'the first'"):
                await call("the first")


async def test_a_block_is_written_only_over_the_version_that_was_read() -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        first = await memories.put_block("persona", "A butler.", purpose="Who it is.", limit=40, user="ann")
        second = await memories.put_block("persona", "A sailor.", expected=first.version, user="ann")
        assert (second.version, second.purpose, second.limit) == (2, "Who it is.", 40)
        with pytest.raises(errors.ConflictError, match=r"version 2, not 1.*read it again"):
            await memories.put_block("persona", "A cook.", expected=first.version, user="ann")
        with pytest.raises(errors.InvalidRequestError, match="its limit is 40; shorten it"):
            await memories.put_block("persona", "A" * 41, user="ann")
        await memories.put_block("house", "Speak Norwegian.")
        assert await memories.blocks(user="ann") == [second]
        seen = await memories.blocks(user="ann", reach="inherited")
        assert [block.name for block in seen] == ["house", "persona"]
        agent = Agent("butler", model=(model := ScriptedModel([text("Aye.")])), memory=True)
        await (await mosaic.session("monday", agent, user="ann")).ask("Hello")
        assert "A sailor." in str(model.requests[0])
        await memories.remove_block("persona", user="ann")
        assert await memories.blocks(user="ann") == []


async def test_an_export_is_moved_elsewhere_whole(tmp_path: Path) -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        for n in range(300):
            await mosaic.memories.save(f"Fact {n} is about thing{n}.", user="ann")
        await mosaic.memories.put_block("persona", "A sailor.", user="ann")
        await mosaic.memories.save("Bob sails.", user="bob")
        lines = [line async for line in mosaic.memories.export(user="ann")]
        assert len(lines) == 301
        assert not any("Bob" in line for line in lines)
        before = await mosaic.memories.counts(user="ann")
    async with Mosaic.open(f"sqlite://{tmp_path}/app.db", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        with pytest.raises(errors.InvalidRequestError, match="user ann"):
            await memories.import_lines(lines, user="bob")
        done = await memories.import_lines(lines, user="ann")
        assert (done.added, done.present) == (301, 0)
        done = await memories.import_lines("\n".join(lines), user="ann")
        assert (done.added, done.present) == (0, 301)
        assert await memories.counts(user="ann") == before
        assert [line async for line in memories.export(user="ann")] == lines
        hit = (await memories.search("What is thing217?", user="ann", limit=1)).hits[0]
        assert hit.memory.text == "Fact 217 is about thing217."
        with pytest.raises(errors.DecodeError, match="line 2"):
            await memories.import_lines([lines[0], "{}"], user="ann")
        await mosaic.erase_user("ann")
        assert [line async for line in memories.export(user="ann")] == []


async def test_an_export_may_be_given_up_in_the_middle_of_a_read(tmp_path: Path) -> None:
    async with Mosaic.open(f"sqlite://{tmp_path}/app.db", memory=MEMORY) as mosaic:
        await mosaic.memories.save("Ann sails.", user="ann")
        (line,) = [line async for line in mosaic.memories.export()]
        record = json.loads(line)
        ids = (str(uuid4()) for _ in range(1_099))  # more than a page of the store
        lines = [json.dumps({**record, "memory": {**record["memory"], "id": each}}) for each in ids]
        await mosaic.memories.import_lines(lines)
        for tried in range(40):
            export = await mosaic.memories._native.export('{"tenant": "default"}')
            assert len(await export.next() or []) == len(await export.next() or []) == 256
            reading = asyncio.ensure_future(export.next())
            for _ in range(tried):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait([reading])
            # Here, on a thread of Python's, it lets go of the database.
            del export
        assert (await mosaic.memories.counts()).open == 1_100


async def test_an_embedder_that_fails_is_told_of_and_stops_what_must_be_compared() -> None:
    def embed(_: list[str]) -> list[list[float]]:
        raise ValueError("no such model")

    async with Mosaic.open("memory:", memory=Memory(HostEmbedder(embed, model="bad"))) as mosaic:
        found = await mosaic.memories.search("tea", user="ann")
        assert isinstance(found.without_vectors, errors.ServerError)
        assert "no such model" in str(found.without_vectors)
        with pytest.raises(errors.ServerError, match="no such model"):
            await mosaic.memories.save("Ann drinks tea.", user="ann")


def test_it_works_without_await() -> None:
    with blocking.Mosaic.open("memory:", memory=MEMORY) as mosaic:
        memories = mosaic.memories
        tea = memories.set_preference("drink", "tea", user="ann").memory
        assert tea
        assert memories.search("What to drink?", user="ann").hits[0].memory.id == tea
        assert [each.id for each in memories.list(user="ann")] == [tea]
        lines = list(memories.export(user="ann"))
        assert memories.put_block("persona", "A sailor.", user="ann") == memories.blocks(user="ann")[0]
        memories.forget(tea, remove=True, user="ann")
        assert memories.get(tea) is None
        assert memories.import_lines(lines, user="ann").added == len(lines) == 1
        assert memories.counts(user="ann").open == 1
        assert memories.save("Ann sails.", user="ann").action == "add"
        memories.remove_block("persona", user="ann")
        assert memories.search.__doc__ == Memories.search.__doc__
        with pytest.raises(errors.InvalidRequestError, match="time zone"):
            memories.search("tea", as_of=datetime(2026, 5, 1))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"as_of": datetime(2026, 5, 1)}, "`as_of` .* time zone"),
        ({"as_of": AsOf(recorded=datetime(2026, 5, 1))}, r"`as_of.recorded` .* time zone"),
        ({"since": datetime(1960, 1, 1, tzinfo=timezone.utc)}, "before 1970"),
        ({"kinds": ["dream"]}, "`search`.* `dream`.* `insight`"),
        ({"reach": "everywhere"}, "`everywhere`.* `inherited`"),
        ({"limit": -1}, "`limit` is -1; give"),
        ({"budget": 1.5}, "`budget` is 1.5; give"),
        ({"user": None}, "`user` is None"),
        ({"metadata": {"lang": "no"}}, "`lang`; give a list"),
        ({"metadata": {"score": [float("nan")]}}, "JSON: Out of range float"),
        ({"metadata": {"half": ["\ud83d"]}}, "JSON: .* surrogates"),
    ],
)
async def test_what_cannot_be_asked_is_said(asked: dict[str, Any], says: str) -> None:
    async with Mosaic.open("memory:", memory=MEMORY) as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=says):
            await mosaic.memories.search("tea", **asked)
        with pytest.raises(TypeError, match="usr"):
            await mosaic.memories.search("tea", usr="ann")  # pyright: ignore[reportCallIssue]


async def test_the_names_are_those_of_the_library() -> None:
    async with Mosaic.open("memory:", memory=MEMORY, agent_log=AgentLog(None)) as mosaic:
        log = mosaic.agent_log
        bad: Any = ["nonsense"]
        for asked, names in [
            (mosaic.memories.search("tea", kinds=bad), Kind),
            (mosaic.memories.search("tea", reach=bad[0]), Reach),
            (log.rows(kinds=bad), LogKind),
            (log.rows(statuses=bad), LogStatus),
            (log.rows(order=bad[0]), LogOrder),
            (log.totals(by=bad), LogKey),
        ]:
            with pytest.raises(errors.InvalidRequestError) as caught:
                await asked
            _, known = str(caught.value).split("expected")
            assert set(re.findall(r"`(\w+)`", known)) == set(get_args(names))


async def test_a_mosaic_without_a_memory_says_so() -> None:
    async with Mosaic.open("memory:") as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=r"remembers nothing.*memory=Memory"):
            await mosaic.memories.search("tea")
