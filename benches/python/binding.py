"""The same work through the Python package `mosaic`.

    python benches/python/binding.py C --url http://127.0.0.1:PORT
"""

from __future__ import annotations

import argparse
import asyncio

import mosaic

import scenario
from measure import Meter, check, report


@mosaic.tool(effect="read_only")
def weather(city: str) -> str:
    """The weather of a city."""
    check("city", city, "Oslo")
    return scenario.TOOL_OUTPUT


def agent(model: str) -> mosaic.Agent:
    """An agent whose model is the mock's."""
    return mosaic.Agent(
        "bench", model=f"mock:{model}", instructions=scenario.INSTRUCTIONS, tools=[weather]
    )


async def turn(session: mosaic.Session, number: int) -> None:
    """A question, a tool call, its result, a text."""
    run = await session.send(scenario.question(number))
    reply = await run.finish()
    check("text", reply.text, scenario.SHORT_TEXT)


async def tool_turns(app: mosaic.Mosaic) -> dict[str, float]:
    """C."""
    caller = agent(scenario.TOOL_MODEL)
    await turn(await app.session("warm", caller), 0)
    session = await app.session("bench", caller)
    meter = Meter()
    for number in range(scenario.TURNS):
        await turn(session, number)
    measured = meter.stop(scenario.TURNS)
    said = [entry.kind for entry in await session.entries()]
    check("questions", said.count("input"), scenario.TURNS)
    check("answers", said.count("assistant"), 2 * scenario.TURNS)
    check("results", said.count("tool_end"), scenario.TURNS)
    return measured


async def stream(app: mosaic.Mosaic) -> dict[str, float]:
    """D."""
    await turn(await app.session("warm", agent(scenario.TEXT_MODEL)), 0)
    session = await app.session("bench", agent(scenario.STREAM_MODEL))
    meter = Meter()
    size = events = 0
    run = await session.send(scenario.question(0))
    async for event in run:
        if isinstance(event, mosaic.events.Text):
            size += len(event.delta)
            events += 1
    reply = await run.finish()
    measured = meter.stop(scenario.CHUNKS)
    check("bytes", (size, len(reply.text)), (8 * scenario.CHUNKS, 8 * scenario.CHUNKS))
    check("tokens", reply.usage.output, scenario.CHUNKS)
    return measured | {"extra": {"events": events}}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=["C", "D"])
    parser.add_argument("--url", required=True)
    options = parser.parse_args()
    providers = {"mock": f"{options.url}/v1"}
    async with mosaic.Mosaic.open("memory:", providers=providers, keys={"mock": "none"}) as app:
        report(await {"C": tool_turns, "D": stream}[options.workload](app))


if __name__ == "__main__":
    asyncio.run(main())
