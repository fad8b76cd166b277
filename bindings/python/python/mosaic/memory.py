"""Memory: what agents know beyond one conversation.

```python
memory = Memory("openai:text-embedding-3-small", extract_with="openai:gpt-4o-mini")
agent = Agent("butler", model="openai:gpt-4o-mini", memory=True)

async with Mosaic.open("sqlite://app.db", memory=memory) as mosaic:
    session = await mosaic.session("monday", agent, user="ann")
    print(await session.ask("I prefer green tea for breakfast."))
```

Before a run the model is told what bears on the input; after it, in the background, what is worth remembering is
written. Whose memory it is follows from the session's user; without one it is the session's alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mosaic.testing import ScriptedModel

#: Turns texts into vectors, one a text, all of one length. May be async.
Embed = Callable[[list[str]], Sequence[Sequence[float]] | Awaitable[Sequence[Sequence[float]]]]


@dataclass(frozen=True)
class HashingEmbedder:
    """Vectors of the words of a text, without a model: texts are alike when they share words."""

    #: How long the vectors are.
    dimensions: int = 256


@dataclass(frozen=True)
class HostEmbedder:
    """A function of the program that embeds."""

    #: Turns texts into vectors.
    embed: Embed
    #: A name for the model behind it: vectors of different names are never compared.
    model: str
    #: How many texts it takes at once; None: any number.
    batch: int | None = None


@dataclass(frozen=True)
class Memory:
    """What is remembered with. What is None is as in the library."""

    #: Finds memories by meaning: "provider:model", or one of the classes of this module.
    embedder: str | HashingEmbedder | HostEmbedder
    #: A model that finds what is worth remembering; None: rules do, which know English sentences and cost nothing.
    extract_with: str | ScriptedModel | None = None
    #: A model that summarises sessions; None: sentences are picked that stand for the others, which costs nothing.
    summarize_with: str | ScriptedModel | None = None
    #: Before a run, at most so many memories that bear on the input.
    recalled: int | None = None
    #: Before a run, at most so many preferences.
    preferences: int | None = None
    #: Before a run, at most so many tokens of memories.
    budget: int | None = None

    def described(self, embedders: dict[int, Embed], scripted: list[Any]) -> dict[str, Any]:
        """Give what the library is told, and note down what it names by numbers. For `Mosaic`."""
        match self.embedder:
            case str(name):
                embedder: dict[str, Any] = {"type": "named", "name": name}
            case HashingEmbedder(dimensions):
                embedder = {"type": "hashing", "dimensions": dimensions}
            case HostEmbedder(embed, model, batch):
                handle = len(embedders) + 1
                embedders[handle] = embed
                embedder = {"type": "host", "handle": handle, "model": model, "batch": batch}
        described: dict[str, Any] = {
            "embedder": embedder,
            "recalled": self.recalled,
            "preferences": self.preferences,
            "budget": self.budget,
        }
        for name, model in (("extract_with", self.extract_with), ("summarize_with", self.summarize_with)):
            if isinstance(model, str):
                described[name] = model
            elif model is not None:
                scripted.append(model.native)
                described[name] = len(scripted) - 1
        return described
