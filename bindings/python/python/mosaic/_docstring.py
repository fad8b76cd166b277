"""Reads what a docstring says of a function and of its parameters (Google style)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_ARGS = {"args", "arguments", "parameters", "params"}
_SECTIONS = _ARGS | {
    "returns", "return", "yields", "yield", "raises", "raise", "example", "examples", "note", "notes",
    "todo", "attributes", "warning", "warnings", "see also",
}  # fmt: skip
_PARAMETER = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def describe(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Give the description of a function (all before its first section) and those of its parameters."""
    text = inspect.getdoc(function)
    if not text:
        return "", {}
    about: list[str] = []
    parameters: dict[str, str] = {}
    section = None
    current = None
    depth = None
    for line in text.splitlines():
        heading = line.strip().removesuffix(":").lower()
        if line and not line[0].isspace() and line.rstrip().endswith(":") and heading in _SECTIONS:
            section, current, depth = heading, None, None
        elif section is None:
            about.append(line)
        elif section in _ARGS and line.strip():
            indent = len(line) - len(line.lstrip())
            depth = indent if depth is None else depth
            match = _PARAMETER.match(line.strip()) if indent <= depth else None
            if match:
                current = match[1]
                parameters[current] = match[2].strip()
            elif current is not None:
                parameters[current] = f"{parameters[current]} {line.strip()}".strip()
    return "\n".join(about).strip(), parameters
