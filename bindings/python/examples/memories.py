"""A program that asks what its agents remember, and what they did."""

import asyncio
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from mosaic import Agent, AgentLog, HashingEmbedder, Memory, Mosaic
from mosaic.testing import ScriptedModel

# In place of the embedder: Memory("openai:text-embedding-3-small")
memory = Memory(HashingEmbedder())
# In place of the script: model="openai:gpt-4o-mini"
script = ScriptedModel(["Noted.", "Noted."])
agent = Agent("butler", model=script, memory=True)


async def main(folder: Path) -> None:
    """Tell something, and look what became of it."""
    logs = AgentLog(folder / "logs", schedule="17 3 * * *")  # what is old moves there each night
    async with Mosaic.open(f"sqlite://{folder}/app.db", memory=memory, agent_log=logs) as mosaic:
        session = await mosaic.session("monday", agent, user="ann")
        await session.ask("I prefer green tea for breakfast.")
        await mosaic.idle()  # what follows a run happens in the background
        monday = datetime.now(timezone.utc)
        await session.ask("I prefer coffee for breakfast.")
        await mosaic.idle()

        memories = mosaic.memories
        found = await memories.search("What for breakfast?", user="ann", kinds=["preference"])
        for hit in found.hits:
            print(f"{hit.memory.text}, said in {hit.memory.sources[0].session}; {hit.explanation}")
        before = await memories.search("What for breakfast?", user="ann", kinds=["preference"], as_of=monday)
        print("on Monday:", before.hits[0].memory.value)

        # The program knows something, too. What is known already is not saved twice.
        saved = await memories.save("Ann's boat is called Miso.", user="ann")
        again = await memories.save("Ann's boat is called Miso.", user="ann")
        print(f"{saved.action}, then {again.action}: {again.reason}")

        for total in await mosaic.agent_log.totals(user="ann"):
            print(f"{total.kind}: {total.rows}, failed: {total.errors}")
        print(len([line async for line in memories.export(user="ann")]), "lines to hand out")


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder)))
