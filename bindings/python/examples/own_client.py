"""All HTTP over the program's own client: its proxies, its certificates, its instrumentation."""

import asyncio

import httpx
from mosaic import Agent, HttpxTransport, Mosaic

STREAM = (
    'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Over your client."},"finish_reason":null}]}\n\n'
    'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    "data: [DONE]\n\n"
)


def provider(request: httpx.Request) -> httpx.Response:
    """Answer in a provider's place, so that this runs offline."""
    print(f"{request.method} {request.url}")
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=STREAM)


async def main() -> None:
    """Ask one question."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(provider)) as client,
        Mosaic.open(
            "memory:", transport=HttpxTransport(client), providers={"lab": "http://lab.test/v1"}
        ) as mosaic,
    ):
        session = await mosaic.session("user-42", Agent("assistant", model="lab:some-model"))
        print(await session.ask("How did this get here?"))


asyncio.run(main())
