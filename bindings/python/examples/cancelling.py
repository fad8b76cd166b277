"""A time limit: cancelling the task cancels the model and the tools, and waits until they have stopped."""

import asyncio

from mosaic import Agent, Mosaic, tool
from mosaic.testing import ScriptedModel, call


@tool
async def dig(metres: int) -> str:
    """Dig a hole."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("the digger stops")
        raise
    return f"{metres} m deep"


agent = Agent("worker", model=ScriptedModel([call("dig", metres=100)]), tools=[dig])


async def main() -> None:
    """Ask for more than there is time for."""
    async with Mosaic.open("memory:") as mosaic:
        session = await mosaic.session("user-42", agent)
        run = await session.send("Dig.")
        try:
            await asyncio.wait_for(run.finish(), timeout=0.5)
        except asyncio.TimeoutError:
            print("time is up")
        reply = await run.finish()
        print(f"the run ended: {reply.end}")


asyncio.run(main())
