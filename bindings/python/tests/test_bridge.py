"""Between tokio and asyncio: nothing hangs, nothing crashes, nothing is printed that nobody asked for."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import weakref

import mosaic
import pytest
from mosaic import _mosaic


def run_script(code: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


async def test_a_panic_becomes_an_exception_and_others_go_on(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(mosaic.errors.InternalError, match="Mosaic panicked: oh no"):
        await _mosaic._panic("oh no")
    assert await _mosaic._panic("") is None
    assert "oh no" in capfd.readouterr().err


def test_a_call_without_an_event_loop_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"`mosaic\.blocking`"):
        _mosaic._panic("")


async def test_many_at_once_all_come_back() -> None:
    done = await asyncio.gather(*(_mosaic._panic("") for _ in range(2000)))
    assert done == [None] * 2000


def test_event_loops_come_and_go_in_one_thread_and_in_several() -> None:
    async def work() -> None:
        await asyncio.gather(*(_mosaic._panic("") for _ in range(50)))

    for _ in range(3):
        asyncio.run(work())
    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_uvloop_works_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def work() -> None:
        await asyncio.gather(*(_mosaic._panic("") for _ in range(50)))

    uvloop.run(work())


def test_a_loop_that_its_program_let_go_of_goes() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_soon())
    gone = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert gone() is None


async def _soon() -> None:
    await _mosaic._panic("")


def test_what_comes_after_the_loop_was_closed_is_dropped_in_silence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for _ in range(20):
        loop = asyncio.new_event_loop()
        loop.call_soon(lambda: [_mosaic._panic("") for _ in range(5)])
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
    asyncio.run(_soon())
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_gets_a_clear_error_at_once() -> None:
    done = run_script(
        """
        import asyncio, os, signal, warnings
        from mosaic import _mosaic
        warnings.simplefilter("ignore")
        async def use(): await _mosaic._panic("")
        asyncio.run(use())
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # a hang would end the child with this signal
            try:
                asyncio.run(use())
            except RuntimeError as error:
                print(error, flush=True)
                raise SystemExit(7)  # through `atexit`, as a child of its own would
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
        asyncio.run(use())  # the parent goes on
        """
    )
    assert done.stderr == ""
    message, code = done.stdout.splitlines()
    assert "cannot be used in its forked child" in message
    assert "spawn" in message
    assert code == "7"


def test_a_child_that_is_spawned_works() -> None:
    done = run_script(
        """
        import subprocess, sys
        from mosaic import _mosaic
        use = "async def use(): await _mosaic._panic('')"
        code = f"import asyncio; from mosaic import _mosaic\\n{use}\\nasyncio.run(use())"
        subprocess.run([sys.executable, "-c", code], check=True)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
