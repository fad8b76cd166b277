"""The examples run, and the examples in docstrings say the truth."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SAID = {
    "quickstart.py": "Take an umbrella.",
    "script.py": "Four.",
    "structured.py": "3 nights in Bergen",
    "own_client.py": "Over your client.",
    "cancelling.py": "the digger stops\ntime is up\nthe run ended: cancelled",
    "memories.py": "on Monday: green tea\nadd, then strengthen: it was said again\nrun: 2, failed: 0\n",
    "fatal.py": "account 7 is closed (7)",
}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_an_example_runs_offline(name: str) -> None:
    if name == "own_client.py":
        pytest.importorskip("httpx")
    command = [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert SAID[name] in done.stdout


def test_the_readme_runs(tmp_path: Path) -> None:
    readme = (EXAMPLES.parent / "README.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL))
    assert code.count('"anthropic:some-model"') == 1
    script = 'ScriptedModel([call("weather", city="Oslo"), "It rains.", "Still."])'
    code = "from mosaic.testing import ScriptedModel, call\n" + code.replace('"anthropic:some-model"', script)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr, done.returncode) == ("It rains.Still.\n", "", 0)
    assert (tmp_path / "app.db").is_file()


@pytest.mark.parametrize("name", ["agent", "errors", "events", "testing", "tool"])
def test_docstrings_say_the_truth(name: str) -> None:
    results = doctest.testmod(
        importlib.import_module(f"mosaic.{name}") if name != "tool" else sys.modules["mosaic.tool"]
    )
    assert results.attempted > 0
    assert results.failed == 0
