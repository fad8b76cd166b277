"""An agent with a tool: its events as they come, and a session that is kept in a file."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from mosaic import Agent, Mosaic, events, tool
from mosaic.testing import ScriptedModel, call, text


@tool(effect="read_only", timeout=10)
async def weather(city: Annotated[str, "Name of the city."], unit: Literal["c", "f"] = "c") -> str:
    """Weather of a city."""
    return f"8 °{unit.upper()} and rain in {city}"


# In place of the script: model="anthropic:some-model"
script = ScriptedModel([call("weather", city="Oslo"), text("Take ", "an ", "umbrella.")])
agent = Agent("assistant", model=script, instructions="Be brief.", tools=[weather])


async def main(database: Path) -> None:
    """Ask one question."""
    async with Mosaic.open(f"sqlite://{database}") as mosaic:
        session = await mosaic.session("user-42", agent)  # creates or opens; runs nothing
        run = await session.send("Rain in Oslo?")  # durable when this returns
        async for event in run:
            match event:
                case events.Text(delta=delta):
                    print(delta, end="", flush=True)
                case events.Entry(kind="tool_end", body=body):
                    print(f"[{body['content'][0]['text']}]")
                case _:
                    pass
        reply = await run.finish()
        print(f"\n{reply.usage.input + reply.usage.output} tokens, entries {reply.entries}")


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder) / "app.db"))
