"""Types become JSON Schemas, and JSON becomes values of types."""

from __future__ import annotations

import datetime
import enum
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union

import pytest
from mosaic import SchemaError
from mosaic._convert import ConversionError, convert, to_json
from mosaic._schema import schema_of


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Place:
    name: Annotated[str, "As on a map."]
    at: tuple[float, float]
    tags: list[str] = field(default_factory=list[str])
    unit: Unit = Unit.CELSIUS


@dataclass
class Tree:
    value: int
    children: list[Tree]


class Options(TypedDict, total=False):
    deep: bool


class Query(Options):
    text: str


UTC = datetime.timezone.utc
UserId = NewType("UserId", int)


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (UserId, {"type": "integer"}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007
        (float | None, {"anyOf": [{"type": "number"}, {"type": "null"}]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Unit, {"type": "string", "enum": ["c", "f"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Mapping[str, Any], {"type": "object", "additionalProperties": {}}),
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        (Annotated[int, "How many."], {"type": "integer", "description": "How many."}),
    ],
)
def test_a_type_has_its_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint) == schema


def test_a_dataclass_is_an_object_with_descriptions_and_defaults() -> None:
    assert schema_of(Place) == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "As on a map."},
            "at": {
                "type": "array",
                "prefixItems": [{"type": "number"}, {"type": "number"}],
                "minItems": 2,
                "maxItems": 2,
            },
            "tags": {"type": "array", "items": {"type": "string"}},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
        },
        "required": ["name", "at"],
        "additionalProperties": False,
    }


def test_a_typed_dict_knows_what_may_be_left_out() -> None:
    schema = schema_of(Query)
    assert schema["required"] == ["text"]
    assert set(schema["properties"]) == {"deep", "text"}


def test_only_a_type_that_holds_itself_needs_a_reference() -> None:
    schema = schema_of(Tree)
    assert schema["$ref"] == "#/$defs/Tree"
    assert schema["$defs"]["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    tree = convert(Tree, {"value": 1, "children": [{"value": 2, "children": []}]})
    assert tree == Tree(1, [Tree(2, [])])


@pytest.mark.parametrize("hint", [bytes, object(), dict[int, str], complex])
def test_a_type_without_a_schema_is_named_in_the_error(hint: Any) -> None:
    with pytest.raises(SchemaError, match="tool `t`"):
        schema_of(hint, "tool `t`")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = ...` is Python 3.12")
def test_a_type_alias_is_looked_through() -> None:
    names: dict[str, Any] = {}
    exec("type Names = list[str]", names)
    assert schema_of(names["Names"]) == {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("hint", "json", "value"),
    [
        (int, 3.0, 3),
        (float, 3, 3.0),
        (int | float, 3, 3),
        (float | int, 3, 3),
        (str | None, None, None),
        (Unit, "f", Unit.FAHRENHEIT),
        (set[int], [1, 2], {1, 2}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (datetime.datetime, "2026-01-02T03:04:05Z", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (Query, {"text": "x"}, {"text": "x"}),
        (Place, {"name": "Oslo", "at": [59.9, 10.7], "unit": "f"}, Place("Oslo", (59.9, 10.7), [], Unit.FAHRENHEIT)),
    ],
)  # fmt: skip
def test_json_becomes_a_value(hint: Any, json: Any, value: Any) -> None:
    made = convert(hint, json)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("hint", "json", "where"),
    [
        (int, True, "at `/`: a whole number is wanted, not true"),
        (int, 1.5, "a whole number"),
        (str, 1, "a text"),
        (Literal[1], True, "one of 1"),
        (list[int], [1, "x"], "at `/1`"),
        (Place, {"name": "Oslo", "at": [1, "x"]}, "at `/at/1`"),
        (Place, {"name": "Oslo"}, "`at` is missing"),
        (Place, {"name": "Oslo", "at": [1, 2], "else": 1}, "`Place` has no `else`"),
        (Unit, "k", "'k' is not a valid Unit"),
        (int | None, "x", "a whole number .* or .* null"),
    ],
)
def test_what_does_not_fit_says_where(hint: Any, json: Any, where: str) -> None:
    with pytest.raises(ConversionError, match=where):
        convert(hint, json)


def test_a_pydantic_model_is_taken_when_pydantic_is_there() -> None:
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", n=(int, pydantic.Field(ge=1, description="At least one.")))
    model = pydantic.create_model("Model", inner=(inner, ...))
    schema = schema_of(list[model])
    assert schema["items"]["properties"]["inner"] == {"$ref": "#/$defs/Inner"}
    assert schema["$defs"]["Inner"]["properties"]["n"]["minimum"] == 1
    assert convert(model, {"inner": {"n": 2}}).inner.n == 2
    with pytest.raises(ConversionError, match="greater than or equal to 1"):
        convert(model, {"inner": {"n": 0}})
    assert to_json(model(inner=inner(n=3))) == {"inner": {"n": 3}}
    bounded = Annotated[int, pydantic.Field(gt=0, description="Positive.")]
    assert schema_of(bounded) == {"type": "integer", "exclusiveMinimum": 0, "description": "Positive."}


def test_values_become_json() -> None:
    place = Place("Oslo", (59.9, 10.7), ["city"])
    value = {"at": datetime.date(2026, 1, 2), "place": place, 1: {"x"}, "none": None}
    assert to_json(value) == {
        "at": "2026-01-02",
        "place": {"name": "Oslo", "at": [59.9, 10.7], "tags": ["city"], "unit": "c"},
        "1": ["x"],
        "none": None,
    }
    with pytest.raises(TypeError, match="a complex cannot be written as JSON"):
        to_json(1j)
