"""Agent logs: what agents did, as rows of figures and names.

```python
async with Mosaic.open("sqlite://app.db", agent_log=AgentLog("logs", schedule="17 3 * * *")) as mosaic:
    failed = await mosaic.agent_log.rows(failed=True, user="ann")
    by_tool = await mosaic.agent_log.totals(by=["name"], kinds=["tool"])
```

Each run, model call and tool call that has ended is a row; nothing that was said is in it. Rows that grow old move to
an archive, a folder, and can still be asked. Whose rows are meant the keywords ``tenant``, ``user``, ``agent`` and
``session`` say; one that is left out means all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from mosaic import _mosaic
from mosaic._asking import (
    DEFAULT_TENANT,
    Scope,
    Whose,
    milliseconds,
    moment,
    natural,
    request,
    scope,
    scope_from_json,
    uuid,
)
from mosaic.errors import InvalidRequestError
from mosaic.run import Usage

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: What a row tells of.
LogKind = Literal["run", "model", "attempt", "tool", "question", "compaction"]
#: How it ended.
LogStatus = Literal[
    "ok",
    "error",
    "cancelled",
    "limit",
    "timed_out",
    "rejected",
    "denied",
    "not_run",
    "unknown",
    "outrun",
]
#: What rows are added up by. The kind always counts: the tokens of a run are those of its model calls.
LogKey = Literal["day", "user", "agent", "session", "name", "status"]
#: Which end of a list comes first.
LogOrder = Literal["newest", "oldest"]


@dataclass(frozen=True)
class AgentLog:
    """How agent logs are kept. What is None is as in the library."""

    #: The folder of what grows old. None keeps it in RAM, for tests over ``memory:``.
    archive: str | os.PathLike[str] | None
    #: When what is old moves by itself: a cron expression in UTC, such as "17 3 * * *" for every night. The store keeps
    #: it until another takes its place. None: nothing moves but by `AgentLogs.tier`.
    schedule: str | None = None
    #: A day's rows leave the store when the day ended so long ago; after 30 days.
    hot_age: timedelta | None = None
    #: The oldest rows of a tenant leave earlier when there are more than so many ...
    hot_rows: int | None = None
    #: ... or more than about so many bytes.
    hot_bytes: int | None = None
    #: A day's summaries are dropped when the day ended so long ago, and totals come from the archive; after 365 days.
    warm_age: timedelta | None = None
    #: A day's files are removed for good when the day ended so long ago; never.
    cold_age: timedelta | None = None
    #: At most so many rows go into a file; 20,000.
    segment_rows: int | None = None

    def described(self, url: str) -> dict[str, Any]:
        """Give what the library is told. For `Mosaic`."""
        if self.archive is None and not url.startswith("memory:"):
            raise InvalidRequestError(
                f"an archive in RAM would lose what moves there from `{url}`; name a folder: AgentLog('logs')"
            )
        return {
            "archive": None if self.archive is None else os.fspath(self.archive),
            "schedule": self.schedule,
            "hot_age_ms": _age("hot_age", self.hot_age),
            "hot_rows": natural("hot_rows", self.hot_rows),
            "hot_bytes": natural("hot_bytes", self.hot_bytes),
            "warm_age_ms": _age("warm_age", self.warm_age),
            "cold_age_ms": _age("cold_age", self.cold_age),
            "segment_rows": natural("segment_rows", self.segment_rows),
        }


@dataclass(frozen=True)
class LogError:
    """What went wrong."""

    #: The kind of error, as `MosaicError.kind`.
    kind: str
    #: Its message; empty where only the model was told.
    message: str


@dataclass(frozen=True)
class LogRow:
    """One thing that an agent did: figures and names, and nothing that was said."""

    #: A UUID; they sort by time.
    id: str
    scope: Scope
    run: str
    #: The entry of the session's log that ended it.
    seq: int
    kind: LogKind
    #: When it began.
    at: datetime
    duration_ms: int
    #: The provider of the model.
    provider: str | None
    #: The model, the tool, the candidate, or what a question was about.
    name: str | None
    status: LogStatus
    error: LogError | None
    usage: Usage
    #: What it cost in US dollars, where prices are known.
    cost: float | None
    #: The tool call.
    call: str | None
    #: Which attempt of a tool call; 0 where it never began, and of everything else.
    attempt: int


@dataclass(frozen=True)
class LogTotals:
    """What rows come to. What they are not told apart by is None."""

    kind: LogKind
    day: date | None
    user: str | None
    agent: str | None
    session: str | None
    provider: str | None
    name: str | None
    status: LogStatus | None
    #: How many.
    rows: int
    #: Of them, where something went wrong.
    errors: int
    usage: Usage
    #: What they cost in US dollars, as far as prices are known.
    cost: float
    #: How many have a cost.
    priced: int
    #: How long they took together.
    duration_ms: int


@dataclass(frozen=True)
class TierReport:
    """What moving what is old came to."""

    #: Rows that left the store for the archive.
    moved: int
    #: Bytes that they have there.
    bytes: int
    #: Rows that left the store because the archive had them already.
    repeated: int
    #: Files that were made.
    sealed: int
    #: Files that were too old, or that a crash had left, and were removed.
    removed: int
    #: Days before this one have no summaries any more.
    summaries_before: date | None


class AgentLogs:
    """What agents did: `Mosaic.agent_log`."""

    def __init__(self, native: _mosaic.AgentLog) -> None:
        """Hold agent logs. For `Mosaic`."""
        self._native = native

    async def rows(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        order: LogOrder = "newest",
        kinds: Sequence[LogKind] = (),
        statuses: Sequence[LogStatus] = (),
        failed: bool = False,
        name: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        **whose: Unpack[Whose],
    ) -> list[LogRow]:
        """Give a page of rows, wherever they are.

        Args:
            limit: At most so many.
            after: Only what comes after this id: the last one of the page before.
            order: Which end comes first.
            kinds: Only of these kinds; of all, if there are none.
            statuses: Only with one of these ends; with any, if there are none.
            failed: Only those where something went wrong.
            name: Only of this model, tool, candidate or question.
            run: Only of this run.
            since: Only what began at this time or later.
            until: Only what began before this time.
            whose: Whose rows.

        Raises:
            InvalidRequestError: Something of this cannot be asked; it says what.
        """
        asked = {
            "which": _which(kinds, statuses, failed, name, run, since, until, whose),
            "order": order,
            "after": None if after is None else uuid("after", "a row", after),
            "limit": natural("limit", limit),
        }
        return [_row(each) for each in json.loads(await self._native.rows(request(asked)))]

    async def totals(
        self,
        *,
        by: Sequence[LogKey] = (),
        kinds: Sequence[LogKind] = (),
        statuses: Sequence[LogStatus] = (),
        failed: bool = False,
        name: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        **whose: Unpack[Whose],
    ) -> list[LogTotals]:
        """Add rows up, wherever they are.

        Args:
            by: What they are told apart by; the kind always counts.
            kinds: As in `rows`; so with the others.
            statuses: With these ends.
            failed: Where something went wrong.
            name: Of this model or tool.
            run: Of this run.
            since: Begun at this time or later.
            until: Begun before this time.
            whose: Whose rows.
        """
        which = _which(kinds, statuses, failed, name, run, since, until, whose)
        found = await self._native.totals(request({"which": which, "by": list(by)}))
        return [_totals(each["group"], each["totals"]) for each in json.loads(found)]

    async def tier(self, *, tenant: str = DEFAULT_TENANT) -> TierReport:
        """Move what has grown old of a tenant to the archive, until nothing is left to move."""
        report = json.loads(await self._native.tier(tenant))
        before = _day(report.pop("summaries_before"))
        return TierReport(**report, summaries_before=before)

    async def export_lines(self, **whose: Unpack[Whose]) -> str:
        """Give all rows as lines of JSON, wherever they are, oldest first."""
        return await self._native.export_lines(request(scope(whose)))

    async def import_lines(self, lines: str | Iterable[str], **whose: Unpack[Whose]) -> int:
        """Add the rows of an export, and tell how many were new.

        Raises:
            DecodeError: A line is not a row. Nothing was added.
            InvalidRequestError: A row is of another scope. Nothing was added.
        """
        text = lines if isinstance(lines, str) else "\n".join(lines)
        return await self._native.import_lines(request(scope(whose)), text)


def _age(what: str, age: timedelta | None) -> int | None:
    if age is not None and age < timedelta(0):
        raise InvalidRequestError(f"`{what}` is {age}, which is no age; give a timedelta from 0 on")
    return None if age is None else age // timedelta(milliseconds=1)


def _which(
    kinds: Sequence[LogKind],
    statuses: Sequence[LogStatus],
    failed: bool,
    name: str | None,
    run: str | None,
    since: datetime | None,
    until: datetime | None,
    whose: Whose,
) -> dict[str, Any]:
    found = {
        "scope": scope(whose),
        "run": None if run is None else uuid("run", "a run", run),
        "kinds": list(kinds),
        "statuses": list(statuses),
        "name": name,
        "from": milliseconds("since", since),
        "until": milliseconds("until", until),
    }
    return {"filter": found, "failed": failed}


def _row(data: dict[str, Any]) -> LogRow:
    error, cost = data.get("error"), data.get("cost")
    return LogRow(
        id=data["id"],
        scope=scope_from_json(data),
        run=data["run"],
        seq=data["seq"],
        kind=data["kind"],
        at=moment(data["at"]),
        duration_ms=data["duration_ms"],
        provider=data.get("provider"),
        name=data.get("name"),
        status=data["status"],
        error=error and LogError(error["kind"], error.get("message", "")),
        usage=Usage(**data.get("usage", {})),
        cost=None if cost is None else cost / 1_000_000,
        call=data.get("call"),
        attempt=data.get("attempt", 0),
    )


def _totals(group: dict[str, Any], totals: dict[str, Any]) -> LogTotals:
    return LogTotals(
        kind=group["kind"],
        day=_day(group.get("day")),
        user=group.get("user"),
        agent=group.get("agent"),
        session=group.get("session"),
        provider=group.get("provider"),
        name=group.get("name"),
        status=group.get("status"),
        rows=totals["rows"],
        errors=totals["errors"],
        usage=Usage(**totals["usage"]),
        cost=totals["cost"] / 1_000_000,
        priced=totals["priced"],
        duration_ms=totals["duration_ms"],
    )


def _day(number: int | None) -> date | None:
    """Make a day of its number since 1970."""
    return None if number is None else moment(number * 86_400_000).date()
