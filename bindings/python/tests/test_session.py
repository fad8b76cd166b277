"""Sessions and runs, end to end, with scripted models."""

from __future__ import annotations

import asyncio
import contextvars
import enum
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest
from mosaic import Agent, Fatal, Mosaic, MosaicError, Run, ToolContext, errors, events, fatal, tool
from mosaic.testing import ScriptedModel, call, fail, never, raw_call, text

USER = contextvars.ContextVar("USER", default="nobody")


@pytest.fixture
async def mosaic() -> AsyncGenerator[Mosaic]:
    async with Mosaic.open("memory:") as opened:
        yield opened


@tool(effect="read_only")
async def weather(city: str) -> str:
    """Weather of a city."""
    return f"rain in {city}"


async def test_a_run_streams_its_events_and_ends_in_a_reply(mosaic: Mosaic) -> None:
    model = ScriptedModel([call("weather", city="Oslo"), text("It ", "rains.")])
    session = await mosaic.session("s", Agent("a", model=model, instructions="Be brief.", tools=[weather]))
    run = await session.send("Rain in Oslo?")
    seen = [event async for event in run]
    reply = await run.finish()

    assert reply.text == "It rains."
    assert reply.end == "done"
    assert "".join(event.delta for event in seen if isinstance(event, events.Text)) == "It rains."
    kinds = [event.kind for event in seen if isinstance(event, events.Entry)]
    assert kinds == ["input", "assistant", "tool_start", "tool_end", "assistant", "run_end"]
    (end,) = (event for event in seen if isinstance(event, events.Entry) and event.kind == "tool_end")
    assert end.body["content"] == [{"type": "text", "text": "rain in Oslo"}]
    assert end.run == run.id
    first, second = model.requests
    assert (first["instructions"], first["tools"]) == ("Be brief.", ["weather"])
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert (await run.finish()) is reply, "asking again gives the same"


async def test_many_events_come_in_batches_and_none_is_lost(mosaic: Mosaic) -> None:
    pieces = [f"{n} " for n in range(1000)]
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([text(*pieces)])))
    run = await session.send("Count.")
    said = "".join([event.delta async for event in run if isinstance(event, events.Text)])
    assert said == "".join(pieces)


async def test_who_waits_for_events_does_not_take_them(mosaic: Mosaic) -> None:
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([text("It ", "rains.")])))
    run = await session.send("Rain?")
    native = run._native
    assert await native.wait() and await native.wait()
    seen = [event async for event in run]
    assert [event.kind for event in seen if isinstance(event, events.Entry)] == [
        "input",
        "assistant",
        "run_end",
    ]
    assert "".join(event.delta for event in seen if isinstance(event, events.Text)) == "It rains."
    assert not await native.wait(), "nothing comes after the end"
    assert native.ready(64) is None


async def test_a_session_goes_on_where_it_was_left_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'app.db'}"
    async with Mosaic.open(url) as mosaic:
        session = await mosaic.session("s", Agent("a", model=ScriptedModel(["One."])))
        assert await session.ask("First?") == "One."
    async with Mosaic.open(url) as mosaic:
        model = ScriptedModel(["Two."])
        agent = Agent("a", model=model)
        assert await mosaic.find_session("none", agent) is None
        found = await mosaic.find_session("s", agent)
        assert found is not None
        assert await found.resume() is None
        assert await found.ask("Second?") == "Two."
        assert [message["role"] for message in model.requests[0]["messages"]] == ["user", "assistant", "user"]
        assert (await found.entries(3))[0].seq == 3
        await mosaic.erase("s")
        assert await mosaic.find_session("s", agent) is None


@dataclass
class Plan:
    city: str
    days: list[int]


class Weekend(TypedDict):
    sunny: bool


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


async def test_an_answer_has_the_type_that_was_asked_for(mosaic: Mosaic) -> None:
    answers = [
        '{"city": "Oslo", "days": [6, 7]}',
        '{"sunny": true}',
        '{"value": "good"}',
        '{"value": [1, 2]}',
    ]
    model = ScriptedModel(answers)
    session = await mosaic.session("s", Agent("a", model=model))
    assert await session.ask("Plan?", Plan) == Plan("Oslo", [6, 7])
    assert await session.ask("Weekend?", output=Weekend) == {"sunny": True}
    assert await session.ask("Mood?", Mood) is Mood.GOOD
    assert await session.ask("Numbers?", list[int]) == [1, 2]
    assert model.requests[0]["output"]["name"] == "Plan"
    assert model.requests[0]["output"]["schema"]["required"] == ["city", "days"]


async def test_an_answer_that_never_fits_is_an_error(mosaic: Mosaic) -> None:
    session = await mosaic.session("s", Agent("a", model=ScriptedModel(["nonsense"] * 3)))
    with pytest.raises(MosaicError):
        await session.ask("Plan?", Plan)


class NoCityError(LookupError):
    pass


class AccountClosedError(Fatal):
    def __init__(self, account: int) -> None:
        super().__init__(f"account {account} is closed")
        self.account = account


async def test_the_model_sees_a_tools_exception_with_its_class(mosaic: Mosaic) -> None:
    @tool
    def lookup(city: str) -> str:
        """Look a city up."""
        raise NoCityError(f"no {city}")

    model = ScriptedModel([call("lookup", city="Oslo"), "Sorry."])
    session = await mosaic.session("s", Agent("a", model=model, tools=[lookup]))
    assert await session.ask("Where?") == "Sorry."
    result = model.requests[1]["messages"][-1]["result"]
    assert result["status"] == "error"
    assert result["content"] == [{"type": "text", "text": "NoCityError: no Oslo"}]


async def test_a_fatal_exception_ends_the_run_and_is_the_same_object(mosaic: Mosaic) -> None:
    closed, lost = AccountClosedError(7), NoCityError("no city")

    @tool
    async def pay(how: str) -> str:
        """Pay."""
        raise closed if how == "marked" else fatal(lost)

    model = ScriptedModel([call("pay", how="marked"), call("pay", how="wrapped")])
    session = await mosaic.session("s", Agent("a", model=model, tools=[pay]))
    with pytest.raises(AccountClosedError) as caught:
        await session.ask("Pay.")
    assert caught.value is closed
    assert caught.value.account == 7
    with pytest.raises(NoCityError) as also:
        await session.ask("Pay.")
    assert also.value is lost


async def test_what_a_model_gets_wrong_it_is_told(mosaic: Mosaic) -> None:
    script = [raw_call("weather", "{}"), call("nowhere", a=1), raw_call("weather", '{"ci'), "Sorry."]
    model = ScriptedModel(script)
    session = await mosaic.session("s", Agent("a", model=model, tools=[weather]))
    assert await session.ask("Rain?") == "Sorry."
    statuses = [request["messages"][-1]["result"]["status"] for request in model.requests[1:]]
    assert set(statuses) <= {"rejected", "not_run"}


async def test_errors_have_the_class_of_their_kind(mosaic: Mosaic) -> None:
    model = ScriptedModel([fail("auth", "the key is wrong")])
    session = await mosaic.session("s", Agent("a", model=model))
    with pytest.raises(errors.AuthError, match="the key is wrong") as caught:
        await session.ask("Hello?")
    assert not caught.value.retryable
    with pytest.raises(errors.NotFoundError, match="nobody"):
        await mosaic.session("t", Agent("a", model="nobody:model"))
    with pytest.raises(errors.InvalidRequestError, match="two tools are named `weather`"):
        await mosaic.session("t", Agent("a", model=ScriptedModel(), tools=[weather, weather]))
    with pytest.raises(errors.InvalidRequestError, match="`gpt`"):
        await mosaic.session("t", Agent("a", model="gpt"))
    with pytest.raises(MosaicError, match="redis"):
        await Mosaic.open("redis://localhost")


async def test_tools_see_the_context_variables_of_whoever_sent(mosaic: Mosaic) -> None:
    @tool
    async def who() -> str:
        """Who asks."""
        return USER.get()

    @tool
    def who_else() -> str:
        """Who asks, in a thread."""
        return USER.get()

    model = ScriptedModel([call("who") + call("who_else"), "Done."])
    session = await mosaic.session("s", Agent("a", model=model, tools=[who, who_else]))
    USER.set("ada")
    await session.ask("Who?")
    results = [
        m["result"]["content"][0]["text"] for m in model.requests[1]["messages"] if m["role"] == "tool"
    ]
    assert results == ["ada", "ada"]


async def test_progress_reaches_the_events(mosaic: Mosaic) -> None:
    shown = asyncio.Event()

    @tool
    async def slow(ctx: ToolContext) -> str:
        """Work."""
        ctx.progress({"percent": 50})
        await asyncio.wait_for(shown.wait(), 10)
        return ctx.session

    session = await mosaic.session(
        "s", Agent("a", model=ScriptedModel([call("slow"), "Done."]), tools=[slow])
    )
    run = await session.send("Work.")
    async for event in run:
        if isinstance(event, events.Progress):
            assert event.update == {"percent": 50}
            shown.set()
    assert shown.is_set()


class Slow:
    """A tool that waits until it is cancelled, and says so."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = False
        self.tool = tool(name="slow")(self.wait)

    async def wait(self) -> str:
        """Wait."""
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "never"


async def until_text(run: Run) -> None:
    async for event in run:
        if isinstance(event, events.Text):
            return


async def drain(run: Run) -> None:
    async for _ in run:
        pass


@pytest.mark.parametrize("how", ["finish", "iterate"])
async def test_a_cancelled_task_cancels_the_host_tool_and_waits_for_it(mosaic: Mosaic, how: str) -> None:
    slow = Slow()
    model = ScriptedModel([call("slow")])
    session = await mosaic.session("s", Agent("a", model=model, tools=[slow.tool]))
    run = await session.send("Wait.")
    task = asyncio.create_task(run.finish() if how == "finish" else drain(run))
    await slow.began.wait()
    await asyncio.sleep(0)  # so that the task has begun to wait
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.cancelled, "the tool was stopped before the task ended"
    assert (await run.finish()).end == "cancelled"
    end = (await session.entries())[-1]
    assert (end.kind, end.body["end"]["type"]) == ("run_end", "cancelled")


@pytest.mark.parametrize("how", ["finish", "iterate"])
async def test_a_cancelled_task_cancels_the_model_stream_and_what_was_said_is_kept(
    mosaic: Mosaic, how: str
) -> None:
    model = ScriptedModel([text("Half of ") + never()])
    session = await mosaic.session("s", Agent("a", model=model))
    run = await session.send("Talk.")
    await until_text(run)
    task = asyncio.create_task(run.finish() if how == "finish" else drain(run))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.cancelled == 1, "the model stream was dropped before the task ended"
    assert (await run.finish()).text == "Half of "


async def test_a_time_limit_of_asyncio_cancels_too(mosaic: Mosaic) -> None:
    slow = Slow()
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([call("slow")]), tools=[slow.tool]))
    run = await session.send("Wait.")
    await slow.began.wait()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(run.finish(), 0.01)
    assert slow.cancelled


async def test_run_cancel_stops_the_run_from_elsewhere(mosaic: Mosaic) -> None:
    slow = Slow()
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([call("slow")]), tools=[slow.tool]))
    run = await session.send("Wait.")
    waiting = asyncio.create_task(run.finish())
    await slow.began.wait()
    await run.cancel("enough")
    reply = await waiting
    assert reply.end == "cancelled"
    assert slow.cancelled


async def test_letting_go_of_a_run_lets_it_go_on(mosaic: Mosaic) -> None:
    session = await mosaic.session("s", Agent("a", model=ScriptedModel(["One.", "Two."])))
    await session.send("First.")
    assert await session.ask("Second.") == "Two."
    kinds = [entry.kind for entry in await session.entries()]
    assert kinds.count("run_end") == 2


async def test_an_exception_that_leaves_the_block_cancels_what_runs() -> None:
    slow = Slow()
    run = None
    with pytest.raises(ZeroDivisionError):
        async with Mosaic.open("memory:") as mosaic:
            agent = Agent("a", model=ScriptedModel([call("slow")]), tools=[slow.tool])
            run = await (await mosaic.session("s", agent)).send("Wait.")
            await slow.began.wait()
            raise ZeroDivisionError
    assert slow.cancelled
    assert run is not None


async def test_after_the_close_everything_says_that_it_is_closed() -> None:
    mosaic = await Mosaic.open("memory:")
    agent = Agent("a", model=ScriptedModel(["Hi."]))
    session = await mosaic.session("s", agent)
    assert await mosaic.close() == []
    with pytest.raises(MosaicError, match="closed"):
        await session.send("Hello?")
    with pytest.raises(MosaicError, match="closed"):
        await mosaic.session("t", agent)


def test_a_mosaic_of_another_loop_is_refused_with_the_way_out() -> None:
    async def opened() -> Mosaic:
        return await Mosaic.open("memory:")

    async def used(mosaic: Mosaic) -> None:
        await mosaic.session("s", Agent("a", model=ScriptedModel()))

    mosaic = asyncio.run(opened())
    with pytest.raises(RuntimeError, match=r"another event loop.*`mosaic\.blocking`"):
        asyncio.run(used(mosaic))


async def test_a_fallback_answers_and_the_run_shows_it(mosaic: Mosaic) -> None:
    bad = ScriptedModel([fail("auth", "the key is wrong")])
    good = ScriptedModel(["here", "again"])
    agent = Agent("a", model=bad, fallback=[good])
    run = await (await mosaic.session("s", agent)).send("Hi.")
    seen = [event async for event in run]

    assert (await run.finish()).text == "here"
    route = [event for event in seen if isinstance(event, events.Route)][-1]
    assert route.step == 1
    assert [attempt["outcome"]["type"] for attempt in route.decision["attempts"]] == ["failed", "answered"]
    (entry,) = (event for event in seen if isinstance(event, events.Entry) and event.kind == "assistant")
    assert entry.body["route"] == route.decision

    other = await mosaic.session("other", Agent("b", model=bad, fallback=[good]))
    assert (await (await other.send("Hi.")).finish()).text == "again"
    assert len(bad.requests) == 1, "what one session learnt of a model counts for all"


async def test_a_fallback_that_nobody_knows_is_an_error(mosaic: Mosaic) -> None:
    agent = Agent("a", model=ScriptedModel(), fallback=["nowhere:model"])
    with pytest.raises(errors.NotFoundError, match="nowhere"):
        await mosaic.session("s", agent)
    with pytest.raises(TypeError, match="list"):
        Agent("a", model="one:a", fallback="two:b")
