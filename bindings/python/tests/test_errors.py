"""The errors have a class for every kind."""

from __future__ import annotations

from mosaic import _mosaic, errors


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
