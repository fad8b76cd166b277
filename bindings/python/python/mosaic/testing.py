"""Test agents offline, with a model that follows a script.

>>> from mosaic.testing import ScriptedModel, call
>>> model = ScriptedModel([call("weather", city="Oslo"), "It rains."])

An agent with this model asks for the tool first, and then says that it rains.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mosaic import _mosaic


@dataclass(frozen=True)
class Answer:
    """One answer of a scripted model: what it says, in order. Answers are joined by ``+``."""

    beats: tuple[dict[str, Any], ...]

    def __add__(self, other: Answer | str) -> Answer:
        """Say more within the same answer: some text and then a call, say."""
        return Answer(self.beats + _answer(other).beats)


Said: TypeAlias = Answer | str


def text(*pieces: str) -> Answer:
    """Say a text, in these pieces."""
    return Answer(({"type": "text", "pieces": pieces},))


def reasoning(thought: str) -> Answer:
    """Think."""
    return Answer(({"type": "reasoning", "text": thought},))


def call(tool: str, /, **arguments: Any) -> Answer:
    """Ask for a tool."""
    return Answer(({"type": "call", "tool": tool, "input": arguments},))


def raw_call(tool: str, arguments: str) -> Answer:
    """Ask for a tool with any text for arguments: what a model writes that is cut off, or no JSON."""
    return Answer(({"type": "raw_call", "tool": tool, "arguments": arguments},))


def never() -> Answer:
    """Say nothing more, ever: a model that hangs."""
    return Answer(({"type": "never"},))


def fail(kind: str, message: str) -> Answer:
    """Fail with an error of a kind (see `mosaic.errors`) at this point of the answer."""
    return Answer(({"type": "fail", "kind": kind, "message": message},))


class ScriptedModel:
    """A model that gives these answers in order, and remembers what it was asked.

    A request that the script has no answer for fails the run with an error that says so.
    """

    def __init__(self, answers: Sequence[Said] = ()) -> None:
        """Make a model of its answers; a text is an answer, too."""
        self.native = _mosaic.ScriptedModel()
        for answer in answers:
            self.push(answer)

    def push(self, answer: Said) -> None:
        """Add an answer to the end of the script."""
        self.native.push(json.dumps(_answer(answer).beats))

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What it was asked, in order: ``instructions``, ``tools`` (names) and ``messages``."""
        return json.loads(self.native.requests())

    @property
    def cancelled(self) -> int:
        """How many answers were cancelled before their end."""
        return self.native.cancelled()


def _answer(said: Said) -> Answer:
    return text(said) if isinstance(said, str) else said
