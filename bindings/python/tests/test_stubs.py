"""The written stubs of the native half say what is there, and the errors have a class for every kind."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from mosaic import _mosaic, errors

STUBS = ast.parse((Path(_mosaic.__file__).parent / "_mosaic.pyi").read_text())
Shape = dict[str, list[str]]


def parameters(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def written(body: list[ast.stmt]) -> Shape:
    return {each.name: parameters(each) for each in body if isinstance(each, ast.FunctionDef)}


def there(holder: object) -> Shape:
    shape: Shape = {}
    for name, member in vars(holder).items():
        if name == "__new__":
            shape["__init__"] = ["self"]
        elif callable(member) and not inspect.isclass(member) and not name.startswith("__"):
            shape[name] = list(inspect.signature(member).parameters)
    return shape


def test_the_functions_are_those_of_the_stubs() -> None:
    assert there(_mosaic) == written(STUBS.body)


def test_the_classes_are_those_of_the_stubs() -> None:
    stubs = {each.name: written(each.body) for each in STUBS.body if isinstance(each, ast.ClassDef)}
    classes = {name: there(each) for name, each in vars(_mosaic).items() if inspect.isclass(each)}
    assert classes == stubs


def test_there_is_one_error_class_for_each_kind() -> None:
    kinds = [each.kind for each in errors.MosaicError.__subclasses__()]
    assert sorted(kinds) == sorted(_mosaic.error_kinds())


def test_a_report_becomes_an_error_with_all_that_it_says() -> None:
    report = """{"kind": "rate_limited", "message": "too many", "retryable": true, "retry_after_ms": 1500,
        "provider": "p", "status": 429, "request_id": "r", "chain": ["a", "b"]}"""
    error = errors.error_from_report(report)
    assert isinstance(error, errors.RateLimitedError)
    assert (str(error), error.retryable, error.retry_after) == ("too many", True, 1.5)
    assert (error.provider, error.status, error.request_id, error.chain) == ("p", 429, "r", ("a", "b"))
    newer = errors.error_from_report('{"kind": "of_a_newer_version", "message": "m", "retryable": false}')
    assert type(newer) is errors.MosaicError
