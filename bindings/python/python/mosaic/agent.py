"""Agents: instructions, a model, tools and limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from mosaic.tool import Tool

if TYPE_CHECKING:
    from mosaic.testing import ScriptedModel


@dataclass(frozen=True)
class Limits:
    """What a run may take. What is None is as in the library: every run ends."""

    #: Model calls.
    max_steps: int | None = None
    #: Tries of one model call, the first included.
    max_attempts: int | None = None
    #: Tries to get an answer of the wanted type, the first included.
    max_output_tries: int | None = None
    #: Tokens, prompts and answers together.
    max_tokens: int | None = None
    #: Seconds from the run's start to its end.
    run_timeout: float | None = None
    #: Seconds of a tool call whose tool states none.
    tool_timeout: float | None = None
    #: Tool calls at one time.
    parallel_tools: int | None = None
    #: Bytes of a tool's result that the model sees.
    max_result_bytes: int | None = None


@dataclass(frozen=True)
class ModelParams:
    """Settings of model calls. What is None is left to the provider."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: Sequence[str] = ()
    #: Members added to the request as they are, for what only one provider knows.
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


class Agent:
    """Instructions, a model, tools and limits. Plain data: making one costs nothing, and sessions share it.

    >>> agent = Agent("assistant", model="openai:gpt-4o-mini", instructions="Be brief.")
    >>> agent
    <Agent assistant>
    """

    def __init__(
        self,
        name: str,
        *,
        model: str | ScriptedModel,
        fallback: Sequence[str | ScriptedModel] = (),
        instructions: str = "",
        tools: Sequence[Tool[..., Any] | Callable[..., Any]] = (),
        params: ModelParams | None = None,
        limits: Limits | None = None,
        memory: bool = False,
    ) -> None:
        """Make an agent.

        Args:
            name: Its name, kept in the sessions' logs.
            model: "provider:model", or a model of `mosaic.testing`.
            fallback: Models that are asked when it is down, limited or too small, in order. One that is not known to
                do what a request needs (tools, images) is passed over.
            instructions: The system prompt.
            tools: What the model may call; a plain function becomes a tool with no options.
            params: Settings of its model calls.
            limits: What a run may take.
            memory: Whether it remembers, with the memory that `Mosaic.open` was given: recall before a run, tools, and
                learning after it.
        """
        self.name = name
        self.model = model
        if isinstance(fallback, str):
            raise TypeError(f'fallback is a list of models; write fallback=["{fallback}"]')
        self.fallback = tuple(fallback)
        self.instructions = instructions
        self.tools: tuple[Tool[..., Any], ...] = tuple(
            cast("Tool[..., Any]", each) if isinstance(each, Tool) else Tool(each) for each in tools
        )
        self.params = params or ModelParams()
        self.limits = limits or Limits()
        self.memory = memory

    def __repr__(self) -> str:
        """Show the name."""
        return f"<Agent {self.name}>"

    def with_tool(self, *tools: Tool[..., Any] | Callable[..., Any]) -> Agent:
        """Give the same agent with more tools."""
        return Agent(
            self.name,
            model=self.model,
            fallback=self.fallback,
            instructions=self.instructions,
            tools=(*self.tools, *tools),
            params=self.params,
            limits=self.limits,
            memory=self.memory,
        )
