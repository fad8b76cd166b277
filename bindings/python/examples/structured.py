"""An answer of a type: the library asks for it, checks it, and asks again if it does not fit."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from mosaic import Agent, Mosaic
from mosaic.testing import ScriptedModel


@dataclass
class Stop:
    """A stop of a trip."""

    city: str
    nights: Annotated[int, "At least one."]


@dataclass
class Trip:
    """A trip."""

    title: str
    stops: list[Stop]


answer = '{"title": "Fjords", "stops": [{"city": "Oslo", "nights": 2}, {"city": "Bergen", "nights": 3}]}'
agent = Agent("planner", model=ScriptedModel([answer]))


async def main() -> None:
    """Plan a trip."""
    async with Mosaic.open("memory:") as mosaic:
        session = await mosaic.session("user-42", agent)
        trip = await session.ask("Five nights in Norway.", output=Trip)
        for stop in trip.stops:
            print(f"{stop.nights} nights in {stop.city}")


asyncio.run(main())
