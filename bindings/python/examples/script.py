"""The library in a script, without `await`."""

from mosaic import Agent, tool
from mosaic.blocking import Mosaic
from mosaic.testing import ScriptedModel, call


@tool(effect="read_only")
def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: One.
        b: The other.
    """
    return a + b


agent = Agent("calculator", model=ScriptedModel([call("add", a=2, b=2), "Four."]), tools=[add])

with Mosaic.open("memory:") as mosaic:
    print(mosaic.session("user-42", agent).ask("2 + 2?"))
