"""`@tool` makes of a function what the model is told of it."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import pytest
from mosaic import Agent, SchemaError, Tool, ToolContext, tool


@tool
def plain(city: str, unit: Literal["c", "f"] = "c") -> str:
    """Weather of a city.

    In any unit,
    at any time.

    Args:
        city: Name of the city,
            as on a map.
        unit (str): Celsius or
            Fahrenheit.

    Returns:
        city: not a parameter
    """
    return f"{city} in {unit}"


@tool(name="other", effect="idempotent", timeout=1.5, approval="always", description="Something.")
async def with_options(ctx: ToolContext, what: Annotated[str, "Described here."]) -> None: ...


def test_hints_and_docstring_become_schema_and_description() -> None:
    assert plain.name == "plain"
    assert plain.description == "Weather of a city.\n\nIn any unit,\nat any time."
    assert plain.input_schema == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city, as on a map."},
            "unit": {
                "type": "string",
                "enum": ["c", "f"],
                "description": "Celsius or Fahrenheit.",
                "default": "c",
            },
        },
        "required": ["city"],
        "additionalProperties": False,
    }
    assert (plain.effect, plain.timeout, plain.approval) == ("once", None, "never")


def test_a_tool_is_still_the_function_that_it_was() -> None:
    assert plain("Oslo", unit="f") == "Oslo in f"
    assert plain.__name__ == "plain"
    assert plain.__doc__ is not None


def test_options_are_kept_and_the_context_is_not_shown_to_the_model() -> None:
    spec = with_options.spec()
    assert spec == {
        "name": "other",
        "description": "Something.",
        "input_schema": {
            "type": "object",
            "properties": {"what": {"type": "string", "description": "Described here."}},
            "required": ["what"],
            "additionalProperties": False,
        },
        "effect": "idempotent",
        "approval": "always",
        "timeout": {"secs": 1, "nanos": 500_000_000},
    }
    assert Tool(plain.function, timeout=datetime.timedelta(minutes=2)).timeout == 120


def test_a_plain_function_in_an_agent_becomes_a_tool() -> None:
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    (made,) = Agent("a", model="x:y", tools=[add]).tools
    assert made.name == "add"
    assert made.input_schema["properties"]["b"] == {"type": "integer", "default": 1}


def no_hint(a) -> None: ...  # type: ignore[no-untyped-def] # pyright: ignore
def by_place(a: int, /) -> None: ...
def many(*a: int) -> None: ...
def strange(a: bytes) -> None: ...
def unknown(a: Nowhere) -> None: ...  # noqa: F821 # pyright: ignore


WRONG: list[tuple[Any, str]] = [
    (no_hint, "parameter `a` needs a type hint"),
    (by_place, "parameter `a` must be one that can be given by name"),
    (many, "parameter `a` must be one that can be given by name"),
    (strange, "`bytes` has no JSON Schema"),
    (unknown, "a type hint names something that is not there"),
]


@pytest.mark.parametrize(("function", "reason"), WRONG)
def test_a_function_that_cannot_be_a_tool_says_why(function: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=f"tool `{function.__name__}`: .*{reason}"):
        tool(function)
