"""Values of Python types from JSON, and JSON from values."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import pathlib
import types
import typing
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mosaic._schema import ARRAYS, OBJECTS, SETS, fields, resolve, show


class ConversionError(ValueError):
    """A value that does not fit its type; says where."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"at `{path or '/'}`: {reason}")


_FROM_TEXT: dict[Any, Callable[[str], Any]] = {
    # Before Python 3.11 `Z` is not understood.
    datetime.datetime: lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")),
    datetime.date: datetime.date.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
    uuid.UUID: uuid.UUID,
    decimal.Decimal: decimal.Decimal,
    pathlib.Path: pathlib.Path,
}


def convert(hint: Any, value: Any, path: str = "") -> Any:
    """Make a value of a type from JSON."""
    hint = resolve(hint)
    if hint in (Any, object):
        return value
    if hint in (None, type(None)):
        return _exactly(value is None, value, path, "null")
    if hint is bool:
        return _exactly(isinstance(value, bool), value, path, "a truth value")
    if hint is int:
        whole = isinstance(value, float) and value.is_integer()
        fits = whole or (isinstance(value, int) and not isinstance(value, bool))
        return int(_exactly(fits, value, path, "a whole number"))
    if hint is float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(_exactly(fits, value, path, "a number"))
    if hint is str:
        return _exactly(isinstance(value, str), value, path, "a text")
    if hint in _FROM_TEXT:
        return _checked(_FROM_TEXT[hint], _exactly(isinstance(value, str), value, path, "a text"), path)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return convert(args[0], value, path)
    if origin is Literal:
        return _exactly(_among(value, args), value, path, f"one of {', '.join(map(repr, args))}")
    if origin in (Union, types.UnionType):
        return _first(args, value, path)
    if hint is tuple or origin is tuple:
        return _tuple(args, value, path)
    if hint in (*ARRAYS, *SETS) or origin in (*ARRAYS, *SETS):
        items = _items(args[0] if args else Any, value, path)
        if (origin or hint) is frozenset:
            return frozenset(items)
        return set(items) if (origin or hint) in SETS else items
    if hint in OBJECTS or origin in OBJECTS:
        members = _members(value, path)
        return {
            name: convert(args[1] if args else Any, each, f"{path}/{name}") for name, each in members.items()
        }
    if inspect.isclass(hint):
        return _class(hint, value, path)
    raise ConversionError(path, f"nothing can be made of {show(hint)}")


def _class(hint: Any, value: Any, path: str) -> Any:
    if issubclass(hint, enum.Enum):
        return _checked(hint, value, path)
    if hasattr(hint, "model_validate"):
        return _checked(hint.model_validate, value, path)
    members = _members(value, path)
    made: dict[str, Any] = {}
    for field in fields(hint):
        if field.name in members:
            made[field.name] = convert(field.hint, members[field.name], f"{path}/{field.name}")
        elif field.required:
            raise ConversionError(path, f"`{field.name}` is missing")
    unknown = members.keys() - {field.name for field in fields(hint)}
    if unknown:
        raise ConversionError(path, f"{show(hint)} has no `{min(unknown)}`")
    return made if typing.is_typeddict(hint) else _checked(lambda _: hint(**made), None, path)


def _exactly(fits: bool, value: Any, path: str, wanted: str) -> Any:
    if not fits:
        raise ConversionError(path, f"{wanted} is wanted, not {json.dumps(value, default=repr)[:100]}")
    return value


def _checked(make: Callable[[Any], Any], value: Any, path: str) -> Any:
    try:
        return make(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ConversionError(path, str(error)) from error


def _among(value: Any, choices: tuple[Any, ...]) -> bool:
    # In Python True == 1; in JSON it is not.
    return any(type(value) is type(choice) and value == choice for choice in choices)


def _first(hints: tuple[Any, ...], value: Any, path: str) -> Any:
    # A whole number that may be a float or an int stays what it is.
    if isinstance(value, int) and not isinstance(value, bool) and int in hints:
        return value
    failures: list[ConversionError] = []
    for hint in hints:
        try:
            return convert(hint, value, path)
        except ConversionError as error:
            failures.append(error)
    raise (
        failures[0]
        if len(failures) == 1
        else ConversionError(path, " or ".join(str(each) for each in failures))
    )


def _tuple(args: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not args or (len(args) == 2 and args[1] is Ellipsis):
        return tuple(_items(args[0] if args else Any, value, path))
    items = _items(Any, value, path)
    _exactly(len(items) == len(args), value, path, f"{len(args)} items")
    return tuple(
        convert(hint, item, f"{path}/{n}") for n, (hint, item) in enumerate(zip(args, items, strict=True))
    )


def _items(hint: Any, value: Any, path: str) -> list[Any]:
    items: list[Any] = _exactly(isinstance(value, list), value, path, "a list")
    return [convert(hint, item, f"{path}/{n}") for n, item in enumerate(items)]


def _members(value: Any, path: str) -> dict[str, Any]:
    return _exactly(isinstance(value, dict), value, path, "an object")


def to_json(value: Any) -> Any:
    """Give what a tool returned as JSON says it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return to_json(value.value)
    if dump := getattr(value, "model_dump", None):
        return dump(mode="json")
    if dataclasses.is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        members = typing.cast(dict[Any, Any], value)
        return {str(key): to_json(each) for key, each in members.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(each) for each in typing.cast(list[Any], value)]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, decimal.Decimal, pathlib.PurePath)):
        return str(value)
    raise TypeError(
        f"a {type(value).__name__} cannot be written as JSON; return JSON's types, a dataclass or a text"
    )
