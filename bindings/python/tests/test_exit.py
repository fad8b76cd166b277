"""How a process ends: with its exit code, and with nothing on stderr that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

AGENT = """
import asyncio
from mosaic import Agent, Mosaic, tool
from mosaic.testing import ScriptedModel, call, never, text

@tool
async def here() -> str:
    "On the loop."
    return "x"

@tool
def elsewhere() -> str:
    "In a thread."
    return "y"

def agent(*more):
    script = [call("here") + call("elsewhere"), text("a", "b"), *more]
    return Agent("a", model=ScriptedModel(script), tools=[here, elsewhere])
"""

SCRIPTS = {
    "closed": """
async def main():
    async with Mosaic.open("memory:") as mosaic:
        await (await mosaic.session("s", agent())).ask("Go.")
asyncio.run(main())
""",
    "never closed": """
async def main():
    mosaic = await Mosaic.open("memory:")
    await (await mosaic.session("s", agent())).ask("Go.")
asyncio.run(main())
""",
    "a run still going on": """
async def main():
    mosaic = await Mosaic.open("memory:")
    session = await mosaic.session("s", agent(text("half") + never()))
    await session.ask("Go.")
    await session.send("Talk.")
asyncio.run(main())
""",
    "kept in a global": """
async def main():
    global kept
    kept = await Mosaic.open("memory:"), []
    kept[1].append(await (await kept[0].session("s", agent())).send("Go."))
asyncio.run(main())
""",
    "without await": """
from mosaic import blocking
mosaic = blocking.Mosaic.open("memory:")
mosaic.session("s", agent()).ask("Go.")
""",
}


def start(script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", AGENT + script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_script_that_ends_right_after_its_last_await_exits_clean_50_times_of_50() -> None:
    exits_clean("never closed", 50)


@pytest.mark.parametrize("name", SCRIPTS)
def test_so_does_every_other_kind_of_script(name: str) -> None:
    exits_clean(name, 10)


def exits_clean(name: str, times: int) -> None:
    ends: list[tuple[int, str]] = []
    # Several at once: under load it is that a race at exit shows.
    for _ in range(times // 5):
        for process in [start(SCRIPTS[name]) for _ in range(5)]:
            _, errors = process.communicate(timeout=60)
            ends.append((process.returncode, errors))
    clean = ends.count((0, ""))
    print(f"{name}: {clean} of {len(ends)} with exit code 0 and empty stderr")
    assert [end for end in ends if end != (0, "")] == []
    assert clean == times


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_of_a_program_that_holds_a_session_gets_a_clear_error_at_once() -> None:
    script = """
import os, signal, warnings
warnings.simplefilter("ignore")
async def main():
    mosaic = await Mosaic.open("memory:")
    session = await mosaic.session("s", agent("Still here."))
    await session.ask("Go.")
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # a hang would end the child with this signal
        another = lambda: mosaic.session("t", agent())
        for attempt in (lambda: session.send("Hi."), another, lambda: Mosaic.open("memory:")):
            try:
                await attempt()
            except RuntimeError as error:
                print(error, flush=True)
        os._exit(7)  # not through asyncio, whose selector parent and child share
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
    print(await session.ask("And now?"))
asyncio.run(main())
"""
    out, errors = start(textwrap.dedent(script)).communicate(timeout=60)
    assert errors == ""
    *refused, code, said = out.splitlines()
    assert len(refused) == 3
    assert all("cannot be used in its forked child" in each and "spawn" in each for each in refused)
    assert (code, said) == ("7", "Still here.")
