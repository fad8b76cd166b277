"""The library without `await`."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import textwrap
import threading

import pytest
from mosaic import Agent, events, tool
from mosaic.blocking import Mosaic
from mosaic.testing import ScriptedModel, call, text

USER = contextvars.ContextVar("USER", default="nobody")


def test_a_script_needs_no_event_loop() -> None:
    with Mosaic.open("memory:") as mosaic:
        model = ScriptedModel([text("He", "llo."), '{"value": [1, 2]}'])
        session = mosaic.session("s", Agent("a", model=model))
        run = session.send("Hi.")
        assert "".join(event.delta for event in run if isinstance(event, events.Text)) == "Hello."
        assert run.finish().text == "Hello."
        assert session.ask("Numbers?", list[int]) == [1, 2]
        assert session.resume() is None
        assert session.entries()[-1].kind == "run_end"
        assert mosaic.find_session("none", Agent("a", model=model)) is None


def test_tools_may_be_async_and_see_the_callers_context_variables() -> None:
    @tool
    async def who() -> str:
        """Who asks."""
        await asyncio.sleep(0)
        return USER.get()

    model = ScriptedModel([call("who"), "Done."])
    token = USER.set("ada")
    with Mosaic.open("memory:") as mosaic:
        mosaic.session("s", Agent("a", model=model, tools=[who])).ask("Who?")
    USER.reset(token)
    assert model.requests[1]["messages"][-1]["result"]["content"][0]["text"] == "ada"


def test_an_exception_is_the_same_object() -> None:
    lost = LookupError("no city")

    @tool
    def fails() -> None:
        """Fail."""
        from mosaic import fatal

        raise fatal(lost)

    with Mosaic.open("memory:") as mosaic, pytest.raises(LookupError) as caught:
        mosaic.session("s", Agent("a", model=ScriptedModel([call("fails")]), tools=[fails])).ask("Go.")
    assert caught.value is lost


async def test_it_works_where_a_loop_runs_already() -> None:
    # As in a notebook; it blocks that loop, which is what was asked for.
    with Mosaic.open("memory:") as mosaic:
        assert mosaic.session("s", Agent("a", model=ScriptedModel(["Hi."]))).ask("Hello?") == "Hi."


def test_threads_may_share_it() -> None:
    with Mosaic.open("memory:") as mosaic:
        said: list[str] = []

        def work(name: str) -> None:
            said.append(mosaic.session(name, Agent("a", model=ScriptedModel([name]))).ask("Who?"))

        threads = [threading.Thread(target=work, args=(f"s{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(said) == [f"s{n}" for n in range(8)]


def test_an_async_tool_that_blocks_its_own_loop_is_told_and_does_not_hang() -> None:
    with Mosaic.open("memory:") as mosaic:

        @tool
        async def nested() -> str:
            """Ask another session."""
            return mosaic.session("t", Agent("b", model=ScriptedModel(["Hi."]))).ask("Hello?")

        model = ScriptedModel([call("nested"), "Sorry."])
        assert mosaic.session("s", Agent("a", model=model, tools=[nested])).ask("Go.") == "Sorry."
    shown = model.requests[1]["messages"][-1]["result"]["content"][0]["text"]
    assert "must not block the loop" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send here")
def test_ctrl_c_cancels_the_run_and_its_tool() -> None:
    script = """
        import asyncio, os, signal, sys, threading
        from mosaic import Agent, tool
        from mosaic.blocking import Mosaic
        from mosaic.testing import ScriptedModel, call

        finishing = threading.Event()

        def main_waits():
            frame = sys._current_frames()[threading.main_thread().ident]
            return finishing.is_set() and frame.f_code.co_name == "wait"

        @tool
        async def slow() -> str:
            "Wait."
            while not main_waits():
                await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("tool cancelled", flush=True)
                raise
            return ""

        with Mosaic.open("memory:") as mosaic:
            session = mosaic.session("s", Agent("a", model=ScriptedModel([call("slow")]), tools=[slow]))
            run = session.send("Wait.")
            try:
                finishing.set()
                run.finish()
            except KeyboardInterrupt:
                print("interrupted", session.entries()[-1].body["end"]["type"], flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("tool cancelled\ninterrupted cancelled\n", "", 0)
