"""What can go wrong: one class for each kind of error, the same kinds in every language.

>>> import mosaic
>>> issubclass(mosaic.errors.RateLimitedError, mosaic.MosaicError)
True
"""

from __future__ import annotations

import builtins
import json
from typing import Any, ClassVar


class MosaicError(Exception):
    """Base of all errors of the library. ``str(error)`` says what happened, to what, why, and what to do next."""

    kind: ClassVar[str] = "internal"

    #: Whether trying again can help.
    retryable: bool = False
    #: How long to wait before that, in seconds.
    retry_after: float | None = None
    #: The provider that answered.
    provider: str | None = None
    #: The HTTP status.
    status: int | None = None
    #: The provider's id of the request, for its support.
    request_id: str | None = None
    #: The messages of the causes, outermost first.
    chain: tuple[str, ...] = ()


class RateLimitedError(MosaicError):
    """The provider refuses for now; ``retry_after`` says for how long if it is known."""

    kind = "rate_limited"


class OverloadedError(MosaicError):
    """The provider has no capacity."""

    kind = "overloaded"


class ServerError(MosaicError):
    """The provider failed."""

    kind = "server"


class TimedOutError(MosaicError, builtins.TimeoutError):
    """A deadline passed."""

    kind = "timeout"


class TransportError(MosaicError, ConnectionError):
    """No connection, or it broke."""

    kind = "transport"


class IncompleteError(MosaicError):
    """A stream ended without its terminal event."""

    kind = "incomplete"


class AuthError(MosaicError):
    """Missing or wrong key."""

    kind = "auth"


class InvalidRequestError(MosaicError, ValueError):
    """The provider, or the library, does not accept the request."""

    kind = "invalid_request"


class UnsupportedError(MosaicError):
    """The model or the library cannot do this."""

    kind = "unsupported"


class ContextOverflowError(MosaicError):
    """The prompt is too long for the model."""

    kind = "context_overflow"


class ContentFilteredError(MosaicError):
    """The provider refuses the content."""

    kind = "content_filtered"


class BudgetError(MosaicError):
    """A limit that the program set is used up."""

    kind = "budget"


class RunCancelledError(MosaicError):
    """The run was cancelled, but not by cancelling the task that sees this."""

    kind = "cancelled"


class ConflictError(MosaicError):
    """Somebody else writes this session."""

    kind = "conflict"


class NotFoundError(MosaicError, LookupError):
    """No such thing."""

    kind = "not_found"


class ToolFailedError(MosaicError):
    """A tool failed."""

    kind = "tool"


class StorageError(MosaicError):
    """The store failed: a full disk, a locked or read-only database."""

    kind = "storage"


class CorruptError(MosaicError):
    """Stored bytes are not what was written."""

    kind = "corrupt"


class NewerFormatError(MosaicError):
    """Written by a newer version of Mosaic."""

    kind = "newer_format"


class DecodeError(MosaicError, ValueError):
    """An answer is not what it should be: a provider's, or a model's that had to fit a type."""

    kind = "decode"


class InternalError(MosaicError):
    """A defect of Mosaic. Please report it."""

    kind = "internal"


class Fatal(Exception):
    """A mark: an exception of a tool whose class has this among its bases ends the run.

    The model does not see it; whoever awaits the run gets the same object.

    >>> class AccountClosed(Fatal): ...
    """


class FatalCause(Exception):
    """What `fatal` returns; carries the exception to be raised."""

    def __init__(self, exception: BaseException) -> None:
        """Carry an exception."""
        super().__init__(exception)
        self.exception = exception


def fatal(exception: BaseException) -> Exception:
    """Mark one exception as fatal: ``raise fatal(error)`` in a tool ends the run with ``error`` itself."""
    return FatalCause(exception)


def _by_kind(base: type[MosaicError]) -> dict[str, type[MosaicError]]:
    return {each.kind: each for each in base.__subclasses__()}


_CLASSES = _by_kind(MosaicError)


def error_from_report(report: str) -> MosaicError:
    """Make an exception of an error report in JSON. For the native half."""
    data: dict[str, Any] = json.loads(report)
    error = _CLASSES.get(data["kind"], MosaicError)(data["message"])
    error.retryable = data.get("retryable", False)
    milliseconds = data.get("retry_after_ms")
    error.retry_after = None if milliseconds is None else milliseconds / 1000
    error.provider = data.get("provider")
    error.status = data.get("status")
    error.request_id = data.get("request_id")
    error.chain = tuple(data.get("chain", ()))
    return error
