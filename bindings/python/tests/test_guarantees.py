"""What holds whatever happens: a killed process, a tool that takes too long, a tool that does not let go."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from mosaic import Agent, Mosaic, tool
from mosaic.testing import ScriptedModel, call
from mosaic.tool import Effect

KILLED = """
import asyncio, sys
from mosaic import Agent, Mosaic, tool
from mosaic.testing import ScriptedModel, call

async def work() -> str:
    "Work."
    print("began", flush=True)
    await asyncio.Event().wait()
    return ""

async def main(url, effect):
    mosaic = await Mosaic.open(url)
    made = tool(name="work", effect=effect)(work)
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([call("work")]), tools=[made]))
    await (await session.send("Work.")).finish()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(("effect", "again", "told"), [("once", 0, "unknown"), ("read_only", 1, "ok")])
async def test_a_killed_process_is_resumed_and_a_tool_runs_again_only_if_it_may(
    tmp_path: Path, effect: Effect, again: int, told: str
) -> None:
    url = f"sqlite://{tmp_path / 'app.db'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, url, effect, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"began\n"
    process.kill()
    await process.wait()
    runs = 0

    @tool(effect=effect)
    async def work() -> str:
        """Work."""
        nonlocal runs
        runs += 1
        return "worked"

    model = ScriptedModel(["I see."])
    async with Mosaic.open(url) as mosaic:
        session = await mosaic.find_session("s", Agent("a", model=model, tools=[work]))
        assert session is not None
        run = await session.resume()
        assert run is not None
        assert (await run.finish()).text == "I see."
    assert runs == again
    assert model.requests[0]["messages"][-1]["result"]["status"] == told


async def test_a_tool_that_takes_too_long_is_cancelled_and_the_model_told() -> None:
    cancelled = asyncio.Event()

    @tool(timeout=0.02)
    async def slow() -> None:
        """Wait."""
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    model = ScriptedModel([call("slow"), "Sorry."])
    async with Mosaic.open("memory:") as mosaic:
        session = await mosaic.session("s", Agent("a", model=model, tools=[slow]))
        assert await session.ask("Go.") == "Sorry."
        await asyncio.wait_for(cancelled.wait(), 10)
    assert model.requests[1]["messages"][-1]["result"]["status"] == "timed_out"


async def test_a_tool_that_does_not_let_go_is_abandoned_after_five_seconds_and_named() -> None:
    began, let_go = asyncio.Event(), asyncio.Event()

    @tool
    async def deaf() -> None:
        """Wait, whatever is said."""
        began.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    mosaic = await Mosaic.open("memory:")
    session = await mosaic.session("s", Agent("a", model=ScriptedModel([call("deaf")]), tools=[deaf]))
    run = await session.send("Go.")
    await began.wait()
    await run.cancel()
    assert (await run.finish()).end == "cancelled"
    (end,) = [entry for entry in await session.entries() if entry.kind == "tool_end"]
    assert end.body["status"] == "unknown"
    assert await mosaic.close() == ["tool `deaf`"]
    let_go.set()
