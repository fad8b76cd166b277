"""Tools: functions that a model may call.

>>> from typing import Annotated, Literal
>>> import mosaic
>>> @mosaic.tool(effect="read_only", timeout=10)
... def weather(city: str, unit: Literal["c", "f"] = "c") -> str:
...     '''Weather of a city.
...
...     Args:
...         city: Name of the city.
...     '''
...     return f"rain in {city}"
>>> weather.name, weather.description
('weather', 'Weather of a city.')
>>> weather.input_schema["properties"]["city"]
{'type': 'string', 'description': 'Name of the city.'}
>>> weather("Oslo")
'rain in Oslo'
"""

from __future__ import annotations

import datetime
import functools
import inspect
import threading
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from mosaic._convert import convert
from mosaic._docstring import describe
from mosaic._schema import Builder, Field, JsonSchema, SchemaError, json_default

P = ParamSpec("P")
R = TypeVar("R")

#: What running a tool a second time would do: nothing, the same again (with the same idempotency key), or more.
Effect = Literal["read_only", "idempotent", "once"]
#: Whether a human is asked before a tool runs.
Approval = Literal["never", "always"]


@dataclass(frozen=True)
class ToolContext:
    """What a tool is told about its call. A parameter with this annotation gets it; the model does not see it."""

    #: The session's name.
    session: str
    #: Whose data it is.
    tenant: str
    #: The run.
    run: str
    #: The call.
    call: str
    #: From 1; more only for tools that may run again.
    attempt: int
    #: The same for every attempt of this call, and for no other call.
    idempotency_key: str
    #: Whose session it is, where the program said so.
    user: str | None = None
    _show: Callable[[Any], None] = field(default=lambda _: None, repr=False, compare=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def progress(self, update: Any) -> None:
        """Show an update, anything that JSON can say, to whoever follows the run. From any thread."""
        self._show(update)

    @property
    def is_cancelled(self) -> bool:
        """Whether the call is cancelled. For tools that are not async: they cannot be stopped from outside."""
        return self._stop.is_set()


class Tool(Generic[P, R]):
    """A function that a model may call. Made by `tool`; calling it calls the function."""

    __name__: str

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        description: str | None = None,
        effect: Effect = "once",
        timeout: float | datetime.timedelta | None = None,
        approval: Approval = "never",
    ) -> None:
        """Make a tool; see `tool` for what the options mean."""
        functools.update_wrapper(self, function)
        about, described = describe(function)
        self.function = function
        self.name: str = name or function.__name__
        self.description: str = about if description is None else description
        self.effect: Effect = effect
        self.approval: Approval = approval
        self.timeout: float | None = (
            timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
        )
        self.is_async: bool = inspect.iscoroutinefunction(function)
        self._parameters, self._context = _parameters(function, self.name, described)
        builder = Builder(f"tool `{self.name}`")
        self.input_schema: JsonSchema = builder.finish(builder.object_of(self._parameters))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        """Show the name."""
        return f"<Tool {self.name}>"

    def spec(self) -> dict[str, Any]:
        """Give what the library is told of the tool."""
        timeout = None
        if self.timeout is not None:
            seconds, rest = divmod(self.timeout, 1)
            timeout = {"secs": int(seconds), "nanos": round(rest * 1e9)}
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.input_schema,
            "effect": self.effect,
            "approval": self.approval,
            "timeout": timeout,
        }

    def bind(self, context: ToolContext, arguments: dict[str, Any]) -> Callable[[], Any]:
        """Prepare a call with arguments from JSON."""
        made = {
            each.name: convert(each.hint, arguments[each.name], f"/{each.name}")
            for each in self._parameters
            if each.name in arguments
        }
        if self._context:
            made[self._context] = context
        function: Callable[..., Any] = self.function
        return functools.partial(function, **made)


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = "once",
    timeout: float | datetime.timedelta | None = None,
    approval: Approval = "never",
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a tool of a function, async or not. Type hints and docstring become what the model is told.

    An async function runs on the event loop and is cancelled with its run. Any other runs in a thread, so that it does
    not stop the loop; it can ask `ToolContext.is_cancelled`. Both see the context variables of whoever started the run.

    Args:
        function: The function, when the decorator is used without options.
        options: `name` and `description` instead of the function's own. `effect`: what running it a second time would
            do; with "once", the default, it is never run again without being told to. `timeout` in seconds.
            `approval`: "always" asks a human first.
    """
    if function is not None:
        return Tool(function, **options)
    return functools.partial(Tool[..., Any], **options)


def _parameters(
    function: Callable[..., Any], tool_name: str, described: dict[str, str]
) -> tuple[list[Field], str | None]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise SchemaError(
            f"tool `{tool_name}`: a type hint names something that is not there: {error}"
        ) from error
    members: list[Field] = []
    context = None
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise SchemaError(f"tool `{tool_name}`: parameter `{name}` must be one that can be given by name")
        if name not in hints:
            raise SchemaError(f"tool `{tool_name}`: parameter `{name}` needs a type hint")
        if hints[name] is ToolContext or ToolContext in typing.get_args(hints[name]):
            context = name
            continue
        required = parameter.default is parameter.empty
        default = json_default(parameter.default)
        description = described.get(name, "")
        members.append(
            Field(name, hints[name], required, description) if required
            else Field(name, hints[name], required, description, default)
        )  # fmt: skip
    return members, context
