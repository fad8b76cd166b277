"""Agents that remember."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mosaic import (
    Agent,
    HashingEmbedder,
    HostEmbedder,
    Memory,
    Mosaic,
    MosaicError,
    ToolContext,
    blocking,
    errors,
    tool,
)
from mosaic.testing import ScriptedModel, call, text


def _seen(model: ScriptedModel, request: int = 0) -> str:
    return json.dumps(model.requests[request])


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def _butler(*answers: Any) -> tuple[Agent, ScriptedModel]:
    model = ScriptedModel(list(answers))
    return Agent("butler", model=model, memory=True), model


async def test_what_one_process_learnt_the_next_one_knows(tmp_path: Path) -> None:
    url, memory = f"sqlite://{tmp_path}/app.db", Memory(HashingEmbedder(128))
    async with Mosaic.open(url, memory=memory) as mosaic:
        session = await mosaic.session("monday", _butler(text("Noted."))[0], user="ann")
        await session.ask("I prefer green tea for breakfast.")
        await mosaic.idle()
    async with Mosaic.open(url, memory=memory) as mosaic:
        agent, model = _butler(text("Tea?"), text("Who are you?"))
        session = await mosaic.session("tuesday", agent, user="ann")
        await session.ask("What shall there be for breakfast?")
        assert "- breakfast: green tea" in _seen(model)
        session = await mosaic.session("wednesday", agent, user="bob")
        await session.ask("What shall there be for breakfast?")
        assert "green tea" not in _seen(model, 1)
        with pytest.raises(errors.InvalidRequestError, match="`ann`"):
            await mosaic.session("tuesday", agent, user="bob")
        kinds = [entry.kind for entry in await session.entries()]
        assert kinds == ["created", "bound", "input", "context_start", "context", "assistant", "run_end"]


async def test_a_function_of_the_program_embeds() -> None:
    asked: list[str] = []

    async def embed(texts: list[str]) -> list[list[float]]:
        asked.extend(texts)
        return [[float("boat" in text), float("tea" in text), 0.1] for text in texts]

    memory = Memory(HostEmbedder(embed, model="three-words"), recalled=1, preferences=0)
    async with Mosaic.open("memory:", memory=memory) as mosaic:
        agent, model = _butler(text("Noted."), text("Miso."))
        session = await mosaic.session("monday", agent, user="ann")
        await session.ask("The boat is called Miso.")
        await mosaic.idle()
        assert any("called Miso" in each for each in asked)
        session = await mosaic.session("tuesday", agent, user="ann")
        await session.ask("What of my boat?")
        assert "called Miso" in _seen(model, 1)


@pytest.mark.parametrize("answer", [[], [[float("nan")]], ["text"], None, ValueError("no such model")])
async def test_a_function_that_embeds_badly_costs_the_meaning_and_not_the_run(answer: Any) -> None:
    def embed(_: list[str]) -> list[list[float]]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with Mosaic.open("memory:", memory=Memory(HostEmbedder(embed, model="bad"))) as mosaic:
        agent, _ = _butler(text("Noted."), text("I see."))
        session = await mosaic.session("monday", agent, user="ann")
        assert await session.ask("The boat is called Miso.") == "Noted."
        (context,) = (entry for entry in await session.entries() if entry.kind == "context")
        assert "errors" not in context.body, "words find memories too"


async def test_a_model_finds_what_is_worth_remembering() -> None:
    found = {
        "preferences": [
            {
                "key": "boat",
                "value": "Miso",
                "confidence": 1,
                "importance": 0.9,
                "sources": [1],
                "replaces": [],
            }
        ],
        "insights": [],
    }
    extracting = ScriptedModel([text(json.dumps(found))])
    async with Mosaic.open("memory:", memory=Memory(HashingEmbedder(), extract_with=extracting)) as mosaic:
        agent, model = _butler(text("Noted."), text("Miso."))
        await (await mosaic.session("monday", agent, user="ann")).ask("Miso floats.")
        await mosaic.idle()
        await (await mosaic.session("tuesday", agent, user="ann")).ask("Hello")
        assert "- boat: Miso" in _seen(model, 1)


async def test_a_tool_is_told_whose_session_it_is() -> None:
    @tool(effect="read_only")
    def who(context: ToolContext) -> str:
        """Who asks."""
        return str(context.user)

    model = ScriptedModel([call("who"), text("You are Ann.")])
    async with Mosaic.open("memory:") as mosaic:
        session = await mosaic.session("s", Agent("a", model=model, tools=[who]), user="ann")
        await session.ask("Who am I?")
    assert '"ann"' in json.dumps(model.requests[1]["messages"])


async def test_what_is_missing_is_said() -> None:
    async with Mosaic.open("memory:") as mosaic:
        with pytest.raises(errors.InvalidRequestError, match="remembers nothing"):
            await mosaic.session("s", _butler()[0])
    with pytest.raises(MosaicError, match="nobody"):
        await Mosaic.open("memory:", memory=Memory("nobody:embed"))


def test_it_works_without_await() -> None:
    with blocking.Mosaic.open("memory:", memory=Memory(HashingEmbedder())) as mosaic:
        agent, model = _butler(text("Noted."), text("Tea?"))
        mosaic.session("monday", agent, user="ann").ask("I prefer green tea for breakfast.")
        mosaic.idle()
        mosaic.session("tuesday", agent, user="ann").ask("Breakfast?")
        assert "- breakfast: green tea" in _seen(model, 1)


async def test_a_user_is_erased(tmp_path: Path) -> None:
    async with Mosaic.open(f"sqlite://{tmp_path}/app.db", memory=Memory(HashingEmbedder())) as mosaic:
        agent, model = _butler(text("Noted."), text("Who are you?"))
        session = await mosaic.session("monday", agent, user="ann")
        await session.ask("I prefer xylophones for breakfast.")
        await mosaic.idle()
        del session
        erased = await mosaic.erase_user("ann")
        assert (erased.sessions, erased.memories) == (1, 3)
        assert await mosaic.find_session("monday", agent, user="ann") is None
        assert b"xylophone" not in _bytes(tmp_path)
        assert (await mosaic.erase_user("nobody")).memories == 0
        await (await mosaic.session("tuesday", agent, user="ann")).ask("What do I prefer?")
        assert "xylophone" not in _seen(model, 1)


async def test_a_model_summarises_sessions() -> None:
    claims = {"claims": [{"text": "Ann owns the boat Miso.", "cites": [3]}]}
    model = ScriptedModel([text(json.dumps(claims))] * 4)
    memory = Memory(HashingEmbedder(), summarize_with=model)
    async with Mosaic.open("memory:", memory=memory) as mosaic:
        agent, _ = _butler(*[text("I see.")] * 4)
        session = await mosaic.session("monday", agent, user="ann")
        for _ in range(4):
            await session.ask("My boat is called Miso.")
        await mosaic.idle()
        assert model.requests
