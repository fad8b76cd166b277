"""Agent logs: what agents did."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from mosaic import Agent, AgentLog, Mosaic, MosaicError, blocking, errors, tool
from mosaic.agent_log import AgentLogs
from mosaic.testing import ScriptedModel, call, fail, text


@tool(effect="read_only")
def weather(city: str) -> str:
    """Weather of a city."""
    if city == "Atlantis":
        raise LookupError("no such city")
    return "rain"


async def _work(mosaic: Mosaic, user: str) -> None:
    """Two runs: one with two tool calls, of which one fails; one that fails."""
    answers = [call("weather", city="Oslo"), call("weather", city="Atlantis"), text("Rain.")]
    agent = Agent("assistant", model=ScriptedModel(answers), tools=[weather])
    session = await mosaic.session(f"{user}-1", agent, user=user)
    await session.ask("Rain?")
    failing = Agent("assistant", model=ScriptedModel([fail("auth", "wrong key")]))
    session = await mosaic.session(f"{user}-2", failing, user=user)
    with pytest.raises(MosaicError):
        await session.ask("Rain?")
    await mosaic.idle()


async def _told(log: AgentLogs) -> dict[str, Any]:
    """Give what a program asks, to be asked again when rows have moved."""
    tools = await log.rows(kinds=["tool"], order="oldest", user="ann")
    return {
        "rows": await log.rows(user="ann"),
        # Rows of one millisecond come in any order.
        "tools": {(row.name, row.status, row.error and row.error.kind) for row in tools},
        "failed": sorted((row.kind, row.status) for row in await log.rows(failed=True, user="ann")),
        "totals": [
            (each.kind, each.name, each.rows, each.errors)
            for each in await log.totals(by=["name"], user="ann")
        ],
        "users": {(each.user, each.rows) for each in await log.totals(by=["user"], kinds=["run"])},
    }


async def test_rows_and_totals_tell_what_runs_did_before_and_after_they_move(tmp_path: Path) -> None:
    archive = tmp_path / "logs"
    setup = AgentLog(archive, hot_rows=0)
    url = f"sqlite://{tmp_path}/app.db"
    start = datetime.now(timezone.utc) - timedelta(seconds=1)
    # Whatever is there is too much: all of it moves.
    async with Mosaic.open(url, agent_log=setup) as mosaic:
        log = mosaic.agent_log
        await _work(mosaic, "ann")
        await _work(mosaic, "bob")
        told = await _told(log)
        assert told["tools"] == {("weather", "ok", None), ("weather", "error", "tool")}
        assert told["failed"] == [("model", "error"), ("run", "error"), ("tool", "error")]
        assert told["totals"] == [
            ("run", None, 2, 1),
            ("model", None, 1, 1),
            ("model", "script", 3, 0),
            ("tool", "weather", 2, 1),
        ]
        assert told["users"] == {("ann", 2), ("bob", 2)}
        newest = told["rows"][0]
        assert all(row.at <= newest.at for row in told["rows"])
        assert (newest.scope.user, newest.scope.agent, newest.scope.session) == ("ann", "assistant", "ann-2")
        assert start < newest.at < datetime.now(timezone.utc)
        (broken,) = await log.rows(kinds=["run"], failed=True, user="ann")
        assert broken.error
        assert (broken.error.kind, "wrong key" in broken.error.message) == ("auth", True)
        of_run = await log.rows(run=broken.run)
        assert {row.kind for row in of_run} == {"model", "run"}

        report = await log.tier()
        assert (report.moved, report.repeated, report.sealed > 0) == (16, 0, True)
        assert sum(file.stat().st_size for file in archive.rglob("*") if file.is_file()) == report.bytes
        assert await _told(log) == told
        assert (await log.tier()).moved == 0
    async with Mosaic.open(url, agent_log=setup) as mosaic:
        log = mosaic.agent_log
        assert await _told(log) == told, "another process reads them, too"
        days = {each.day for each in await log.totals(by=["day"], user="ann")}
        assert days <= {start.date(), datetime.now(timezone.utc).date()}
        page = await log.rows(limit=3, user="ann")
        assert (page + await log.rows(limit=9, after=page[-1].id, user="ann")) == told["rows"]
        assert await log.rows(order="oldest", user="ann") == told["rows"][::-1]
        assert await log.rows(until=start) == []
        assert await log.rows(statuses=["denied"]) == []
        erased = await mosaic.erase_user("ann")
        assert erased.log_rows == 8
        assert (await _told(log))["users"] == {("bob", 2)}


async def test_rows_are_exported_and_come_back() -> None:
    async with Mosaic.open("memory:", agent_log=AgentLog(None, hot_rows=0)) as mosaic:
        await _work(mosaic, "ann")
        await mosaic.agent_log.tier()
        lines = await mosaic.agent_log.export_lines(user="ann")
        told = await _told(mosaic.agent_log)
    async with Mosaic.open("memory:", agent_log=AgentLog(None)) as mosaic:
        log = mosaic.agent_log
        with pytest.raises(errors.InvalidRequestError, match="user ann"):
            await log.import_lines(lines, user="bob")
        assert await log.import_lines(lines, user="ann") == 8
        assert await log.import_lines(lines.splitlines(), user="ann") == 0
        assert await _told(log) == told
        with pytest.raises(errors.DecodeError, match="line 1"):
            await log.import_lines("{}", user="ann")


async def test_what_is_old_moves_when_the_schedule_says(tmp_path: Path) -> None:
    setup = AgentLog(tmp_path / "logs", schedule="* * * * * *", hot_rows=0)
    async with Mosaic.open("memory:", agent_log=setup) as mosaic:
        agent = Agent("assistant", model=ScriptedModel([text("Rain.")]))
        await (await mosaic.session("monday", agent, user="ann")).ask("Rain?")

        async def moved() -> None:
            while not any(file.is_file() for file in (tmp_path / "logs").rglob("*")):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        await asyncio.wait_for(moved(), 30)
        assert len(await mosaic.agent_log.rows(user="ann")) == 2


@pytest.mark.parametrize(
    ("setup", "says"),
    [
        (AgentLog("logs", schedule="whenever"), "`whenever`"),
        (AgentLog("logs", hot_age=timedelta(days=-1)), "`hot_age` is -1 day"),
        (AgentLog("logs", hot_rows=-1), "`hot_rows` is -1; give"),
        (AgentLog(None), r"would lose .*AgentLog\('logs'\)"),
    ],
)
async def test_settings_that_make_no_sense_are_said(tmp_path: Path, setup: AgentLog, says: str) -> None:
    archive = setup.archive and tmp_path / setup.archive
    setup = AgentLog(archive, setup.schedule, setup.hot_age, setup.hot_rows)
    with pytest.raises(errors.InvalidRequestError, match=says):
        await Mosaic.open(f"sqlite://{tmp_path}/app.db", agent_log=setup)


async def test_an_archive_that_is_no_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(errors.StorageError, match=re.escape(f"{tmp_path}/logs")):
        await Mosaic.open("memory:", agent_log=AgentLog(tmp_path / "logs"))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"kinds": ["dream"]}, "`rows`.* `dream`.* `tool`"),
        ({"statuses": ["well"]}, "`well`.* `timed_out`"),
        ({"order": "best"}, "`best`.* `newest`"),
        ({"run": "monday"}, "`run` is 'monday'"),
        ({"after": "the last"}, "`after` is 'the last'"),
        ({"since": datetime(2026, 5, 1)}, "`since` .* time zone"),
        ({"user": None}, "`user` is None"),
    ],
)
async def test_what_cannot_be_asked_is_said(asked: dict[str, Any], says: str) -> None:
    async with Mosaic.open("memory:", agent_log=AgentLog(None)) as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=says):
            await mosaic.agent_log.rows(**asked)
        with pytest.raises(errors.InvalidRequestError, match=r"`week`.* `day`"):
            await mosaic.agent_log.totals(by=["week"])  # pyright: ignore[reportArgumentType]


async def test_a_mosaic_without_agent_logs_says_so() -> None:
    async with Mosaic.open("memory:") as mosaic:
        with pytest.raises(errors.InvalidRequestError, match=r"keeps no agent logs.*agent_log=AgentLog"):
            await mosaic.agent_log.rows()


def test_it_works_without_await(tmp_path: Path) -> None:
    with blocking.Mosaic.open("memory:", agent_log=AgentLog(tmp_path / "logs", hot_rows=0)) as mosaic:
        agent = Agent("assistant", model=ScriptedModel([text("Rain.")]))
        mosaic.session("monday", agent, user="ann").ask("Rain?")
        mosaic.idle()
        log = mosaic.agent_log
        rows = log.rows(user="ann")
        assert {row.kind for row in rows} == {"model", "run"}
        assert log.tier().moved == 2
        assert [(each.kind, each.rows) for each in log.totals(user="ann")] == [("run", 1), ("model", 1)]
        lines = log.export_lines(user="ann")
        assert log.import_lines(lines, user="ann") == 0
