"""What programs ask of memories and of agent logs: how it is checked, and how it crosses."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from mosaic.errors import InvalidRequestError

DEFAULT_TENANT = "default"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MILLISECOND = datetime.timedelta(milliseconds=1)
#: Stores keep later times than Python knows; those become its last.
_LAST = (datetime.datetime.max.replace(tzinfo=datetime.timezone.utc) - _EPOCH) // _MILLISECOND


class Whose(TypedDict, total=False):
    """Whose: what is left out means all of them."""

    #: Whose data it is; "default" if left out.
    tenant: str
    #: The user.
    user: str
    #: The agent, by its name.
    agent: str
    #: The session, by its name. What is learnt in a user's session is kept with the user, not with the session.
    session: str


@dataclass(frozen=True)
class Scope:
    """Whose something is: a tenant's, and perhaps of one user, one agent, one session of it."""

    tenant: str = DEFAULT_TENANT
    user: str | None = None
    agent: str | None = None
    session: str | None = None


def scope(whose: Whose) -> dict[str, Any]:
    """Give a scope as JSON says it."""
    given: Mapping[str, Any] = whose
    Scope(**given)  # Python's own words for a name that is none of the four.
    for name, value in given.items():
        if not isinstance(value, str):
            raise InvalidRequestError(
                f"`{name}` is {value!r}, which names nobody; give a text, or leave it out if all of them are meant"
            )
    return {"tenant": DEFAULT_TENANT, **given}


def scope_from_json(data: Mapping[str, Any]) -> Scope:
    """Make a scope of its JSON, or of what has its members."""
    return Scope(data["tenant"], data.get("user"), data.get("agent"), data.get("session"))


def request(asked: Mapping[str, Any]) -> str:
    """Write what is asked as JSON."""
    try:
        written = json.dumps(asked, allow_nan=False, ensure_ascii=False)
        written.encode()  # Half a letter is in a text of Python's, and in no other.
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"this cannot be written as JSON: {error}") from error
    return written


def uuid(what: str, of: str, text: str) -> str:
    """Give an id as the library writes it."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise InvalidRequestError(
            f"`{what}` is {text!r}, which is no id of {of}; give one that was read"
        ) from None


def natural(what: str, number: int | None) -> int | None:
    """Give a number that counts something."""
    if number is not None and (not isinstance(number, int) or number < 0):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequestError(f"`{what}` is {number!r}; give a whole number from 0 on")
    return number


def milliseconds(what: str, at: datetime.datetime | None) -> int | None:
    """Give a time as the library counts it: milliseconds since 1970."""
    if at is None:
        return None
    # A type checker would have said so; a program without one stores a wrong hour for ever.
    if not isinstance(at, datetime.datetime) or at.utcoffset() is None:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequestError(
            f"`{what}` is {at!r}, and nobody knows when that is; give a datetime with a time zone: "
            "datetime.now(timezone.utc), or at.astimezone() for the zone of this machine"
        )
    if at < _EPOCH:
        raise InvalidRequestError(f"`{what}` is {at.isoformat()}; times before 1970 are not kept")
    return (at - _EPOCH) // _MILLISECOND


def moment(ms: int) -> datetime.datetime:
    """Make a time, in UTC, of milliseconds since 1970."""
    return _EPOCH + min(ms, _LAST) * _MILLISECOND


def moment_or_none(ms: int | None) -> datetime.datetime | None:
    """Make a time where there is one."""
    return None if ms is None else moment(ms)
