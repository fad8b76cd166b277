"""Exceptions of tools: the model sees most of them; one that is marked ends the run and comes back as it is."""

import asyncio

from mosaic import Agent, Fatal, Mosaic, tool
from mosaic.testing import ScriptedModel, call


class AccountClosedError(Fatal):
    """Nothing the model could do about it."""

    def __init__(self, account: int) -> None:
        """Name the account."""
        super().__init__(f"account {account} is closed")
        self.account = account


@tool
async def pay(amount: int) -> str:
    """Pay."""
    if amount > 100:
        raise ValueError("more than 100 needs a signature")  # the model sees this, and tries something else
    raise AccountClosedError(7)


agent = Agent("clerk", model=ScriptedModel([call("pay", amount=500), call("pay", amount=50)]), tools=[pay])


async def main() -> None:
    """Try to pay."""
    async with Mosaic.open("memory:") as mosaic:
        session = await mosaic.session("user-42", agent)
        try:
            await session.ask("Pay 500.")
        except AccountClosedError as error:
            print(f"{error} ({error.account})")


asyncio.run(main())
