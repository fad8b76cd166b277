"""Mosaic: agents with sessions that survive, tools, and many model providers.

```python
import asyncio
from mosaic import Agent, Mosaic, events, tool

@tool(effect="read_only", timeout=10)
async def weather(city: str) -> str:
    '''Weather of a city.'''
    return f"rain in {city}"

agent = Agent("assistant", model="anthropic:some-model", instructions="Be brief.", tools=[weather])

async def main() -> None:
    async with Mosaic.open("sqlite://app.db") as mosaic:
        session = await mosaic.session("user-42", agent)
        run = await session.send("Rain in Oslo?")
        async for event in run:
            if isinstance(event, events.Text):
                print(event.delta, end="")
        reply = await run.finish()
        print(reply.usage)

asyncio.run(main())
```

`mosaic.blocking` is the same without ``await``; `mosaic.testing` has models that follow a script.
"""

from __future__ import annotations

import atexit

from mosaic import _mosaic, agent_log, blocking, errors, events, memories, testing
from mosaic._mosaic import __version__
from mosaic._schema import SchemaError
from mosaic.agent import Agent, Limits, ModelParams
from mosaic.agent_log import AgentLog
from mosaic.app import Mosaic
from mosaic.errors import Fatal, MosaicError, fatal
from mosaic.memory import HashingEmbedder, HostEmbedder, Memory
from mosaic.run import Reply, Run, Usage
from mosaic.session import Session
from mosaic.tool import Tool, ToolContext, tool
from mosaic.transport import AiohttpTransport, HttpRequest, HttpResponse, HttpxTransport, Transport

# Before the interpreter goes, nothing of the native half may run any more.
atexit.register(_mosaic._shutdown)  # pyright: ignore[reportPrivateUsage]

__all__ = [
    "Agent",
    "AgentLog",
    "AiohttpTransport",
    "Fatal",
    "HashingEmbedder",
    "HostEmbedder",
    "HttpRequest",
    "HttpResponse",
    "HttpxTransport",
    "Limits",
    "Memory",
    "ModelParams",
    "Mosaic",
    "MosaicError",
    "Reply",
    "Run",
    "SchemaError",
    "Session",
    "Tool",
    "ToolContext",
    "Transport",
    "Usage",
    "__version__",
    "agent_log",
    "blocking",
    "errors",
    "events",
    "fatal",
    "memories",
    "testing",
    "tool",
]
