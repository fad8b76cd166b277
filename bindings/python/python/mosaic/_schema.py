"""JSON Schemas of Python types."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import pathlib
import types
import typing
import uuid
from typing import Annotated, Any, Literal, Union, get_args, get_origin

JsonSchema = dict[str, Any]

_PLAIN: dict[Any, JsonSchema] = {
    None: {"type": "null"},
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Any: {},
    object: {},
    dict: {"type": "object"},
    list: {"type": "array"},
    set: {"type": "array", "uniqueItems": True},
    tuple: {"type": "array"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    pathlib.Path: {"type": "string", "format": "path"},
}
ARRAYS: tuple[Any, ...] = (
    list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection,
    collections.abc.MutableSequence,
)  # fmt: skip
SETS: tuple[Any, ...] = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
OBJECTS: tuple[Any, ...] = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
# What pydantic's `Field` and the package annotated-types write into `Annotated`.
_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "pattern": "pattern",
}


class SchemaError(TypeError):
    """A type that has no JSON Schema. Says which, and where."""


def schema_of(hint: Any, where: str = "the type") -> JsonSchema:
    """Give the JSON Schema of a type; `where` names it in errors."""
    builder = Builder(where)
    return builder.finish(builder.build(hint))


class Builder:
    """Builds schemas that share their definitions."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._defs: dict[str, JsonSchema] = {}
        self._names: dict[Any, str] = {}
        self._open: list[Any] = []

    def finish(self, schema: JsonSchema) -> JsonSchema:
        """Add the definitions that were needed."""
        return {**schema, "$defs": self._defs} if self._defs else schema

    def build(self, hint: Any) -> JsonSchema:
        """Give the schema of a type, without definitions."""
        hint = resolve(hint)
        try:
            plain = _PLAIN.get(hint)
        except TypeError:  # an unhashable argument of `Literal` or `Annotated`
            plain = None
        if plain is not None:
            return dict(plain)
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return {**self.build(args[0]), **extras_of(args[1:])}
        if origin is Literal:
            return _choice(list(args))
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.build(arg) for arg in args]}
        if origin in ARRAYS or origin in SETS:
            unique: JsonSchema = {"uniqueItems": True} if origin in SETS else {}
            return {"type": "array", "items": self.build(args[0]), **unique}
        if origin is tuple:
            return self._tuple(args)
        if origin in OBJECTS:
            if resolve(args[0]) is not str:
                raise SchemaError(
                    f"{self.where}: the keys of {show(hint)} must be `str`, as JSON has no others"
                )
            return {"type": "object", "additionalProperties": self.build(args[1])}
        if inspect.isclass(hint):
            return self._class(hint)
        raise SchemaError(
            f"{self.where}: {show(hint)} has no JSON Schema; use JSON's types, a dataclass or a TypedDict"
        )

    def _tuple(self, args: tuple[Any, ...]) -> JsonSchema:
        if len(args) == 2 and args[1] is Ellipsis:
            return {"type": "array", "items": self.build(args[0])}
        items = [self.build(arg) for arg in args]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def _class(self, hint: Any) -> JsonSchema:
        if issubclass(hint, enum.Enum):
            return _choice([member.value for member in hint])
        if hasattr(hint, "model_json_schema"):
            schema: JsonSchema = hint.model_json_schema()
            self._defs.update(schema.pop("$defs", {}))
            return schema
        if not (dataclasses.is_dataclass(hint) or typing.is_typeddict(hint)):
            raise SchemaError(
                f"{self.where}: {show(hint)} has no JSON Schema; make it a dataclass, a TypedDict, an Enum or a "
                "pydantic model"
            )
        if hint in self._open:
            # A type that holds itself: only this needs a reference.
            self._names.setdefault(hint, _named(hint))
            return {"$ref": f"#/$defs/{self._names[hint]}"}
        self._open.append(hint)
        schema = self.object_of(fields(hint))
        self._open.pop()
        if hint in self._names:
            self._defs[self._names[hint]] = schema
            return {"$ref": f"#/$defs/{self._names[hint]}"}
        return schema

    def object_of(self, members: list[Field]) -> JsonSchema:
        """Give the schema of an object with these members."""
        properties: dict[str, JsonSchema] = {}
        for member in members:
            schema = self.build(member.hint)
            if member.description:
                schema.setdefault("description", member.description)
            if member.default is not NO_DEFAULT:
                schema.setdefault("default", member.default)
            properties[member.name] = schema
        schema: JsonSchema = {"type": "object", "properties": properties}
        required = [member.name for member in members if member.required]
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        return schema


class NoDefault:
    """No default, or one that JSON cannot say."""


NO_DEFAULT = NoDefault()


@dataclasses.dataclass(frozen=True)
class Field:
    """A member of an object."""

    name: str
    hint: Any
    required: bool
    description: str = ""
    default: Any = NO_DEFAULT


def fields(hint: Any) -> list[Field]:
    """List the members of a dataclass or a TypedDict."""
    hints = typing.get_type_hints(hint, include_extras=True)
    if typing.is_typeddict(hint):
        required: frozenset[str] = hint.__required_keys__
        return [Field(name, _bare(each), name in required) for name, each in hints.items()]
    members: list[Field] = []
    for field in dataclasses.fields(hint):
        if field.init:
            missing = field.default is dataclasses.MISSING
            required_ = missing and field.default_factory is dataclasses.MISSING
            default = NO_DEFAULT if missing else json_default(field.default)
            description = str(field.metadata.get("description", ""))
            members.append(Field(field.name, hints[field.name], required_, description, default))
    return members


def json_default(value: Any) -> Any:
    """Give a default as JSON says it, or `NO_DEFAULT`."""
    if isinstance(value, enum.Enum):
        value = value.value
    return value if value is None or isinstance(value, (bool, int, float, str)) else NO_DEFAULT


def resolve(hint: Any) -> Any:
    """Look through `NewType` and `type X = ...`."""
    while True:
        if isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint


def extras_of(extras: tuple[Any, ...]) -> JsonSchema:
    """Give what the extras of an `Annotated` say: a text is a description."""
    schema: JsonSchema = {}
    for extra in extras:
        if isinstance(extra, str):
            schema["description"] = extra
            continue
        for each in (extra, *getattr(extra, "metadata", ())):
            for name, keyword in _BOUNDS.items():
                if getattr(each, name, None) is not None:
                    schema[keyword] = getattr(each, name)
        if isinstance(description := getattr(extra, "description", None), str):
            schema["description"] = description
    return schema


def show(hint: Any) -> str:
    """Name a type in an error."""
    return f"`{_named(hint)}`"


def _named(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) else str(hint)


def _choice(values: list[Any]) -> JsonSchema:
    names: dict[Any, str] = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        type(None): "null",
    }
    kinds = {names.get(type(value)) for value in values}
    if None in kinds:
        raise SchemaError(f"only texts, numbers, truth values and None can be chosen from, not {values!r}")
    kind: JsonSchema = {"type": kinds.pop()} if len(kinds) == 1 else {}
    return {**kind, "enum": values}


def _bare(hint: Any) -> Any:
    # `Required[...]` and `NotRequired[...]`, of typing or of typing_extensions.
    while str(get_origin(hint)).rpartition(".")[2] in ("Required", "NotRequired", "ReadOnly"):
        hint = get_args(hint)[0]
    return hint
