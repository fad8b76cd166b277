"""The work by hand: aiohttp and json.

    python benches/python/floor.py C --url http://127.0.0.1:PORT
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

import scenario
from measure import Meter, check, report

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": scenario.TOOL,
            "description": scenario.TOOL_DESCRIPTION,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "The city's name."}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]

Message = dict[str, Any]


class Client:
    """One request: write it, send it, read the stream."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/v1/chat/completions"

    async def ask(
        self, model: str, messages: list[Message], on_text: Callable[[str], None] | None = None
    ) -> tuple[str, list[Message]]:
        """The text and the calls of the answer."""
        body = {
            "model": model,
            "messages": messages,
            "tools": TOOLS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        texts: list[str] = []
        calls: list[Message] = []
        usage = None
        async with self._http.post(
            self._url, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
        ) as response:
            response.raise_for_status()
            rest = b""
            async for piece in response.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if not line.startswith(b"data: ") or line == b"data: [DONE]":
                        continue
                    event = json.loads(line[6:])
                    usage = event.get("usage") or usage
                    for choice in event["choices"]:
                        delta = choice["delta"]
                        if text := delta.get("content"):
                            texts.append(text)
                            if on_text:
                                on_text(text)
                        for new in delta.get("tool_calls", ()):
                            if new["index"] == len(calls):
                                calls.append(new | {"function": dict(new["function"])})
                            else:
                                calls[new["index"]]["function"]["arguments"] += new["function"]["arguments"]
        if usage is None:
            raise AssertionError("the stream ended early")
        return "".join(texts), calls


def weather(city: str) -> str:
    """The tool."""
    check("city", city, "Oslo")
    return scenario.TOOL_OUTPUT


async def turn(client: Client, messages: list[Message], number: int) -> None:
    """A question, a tool call, its result, a text."""
    messages.append({"role": "user", "content": scenario.question(number)})
    _, calls = await client.ask(scenario.TOOL_MODEL, messages)
    check("calls", len(calls), 1)
    messages.append(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": call["id"], "type": "function", "function": call["function"]} for call in calls
            ],
        }
    )
    for call in calls:
        result = weather(**json.loads(call["function"]["arguments"]))
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    text, _ = await client.ask(scenario.TOOL_MODEL, messages)
    check("text", text, scenario.SHORT_TEXT)
    messages.append({"role": "assistant", "content": text})


def conversation() -> list[Message]:
    """A conversation in which nobody spoke yet."""
    return [{"role": "system", "content": scenario.INSTRUCTIONS}]


async def tool_turns(client: Client) -> dict[str, float]:
    """C."""
    await turn(client, conversation(), 0)
    messages = conversation()
    meter = Meter()
    for number in range(scenario.TURNS):
        await turn(client, messages, number)
    measured = meter.stop(scenario.TURNS)
    check("messages", len(messages), 1 + 4 * scenario.TURNS)
    return measured


async def stream(client: Client) -> dict[str, float]:
    """D."""
    messages = [{"role": "user", "content": scenario.question(0)}]
    await client.ask(scenario.TEXT_MODEL, messages)
    seen: list[str] = []
    meter = Meter()
    text, _ = await client.ask(scenario.STREAM_MODEL, messages, seen.append)
    measured = meter.stop(scenario.CHUNKS)
    check("bytes", (len(text), len(seen)), (8 * scenario.CHUNKS, scenario.CHUNKS))
    return measured


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=["C", "D"])
    parser.add_argument("--url", required=True)
    options = parser.parse_args()
    async with aiohttp.ClientSession() as http:
        client = Client(http, options.url)
        report(await {"C": tool_turns, "D": stream}[options.workload](client))


if __name__ == "__main__":
    asyncio.run(main())
