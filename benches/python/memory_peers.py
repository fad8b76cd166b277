"""What others' memory stores find, and how fast: the same turns, questions and vectors as Mosaic's rows.

    python memory_peers.py FILE

The file has a JSON object a line, as `--export` of the example `locomo` writes it: turns ``{conversation, id, text, vector}`` and
questions ``{conversation, question, vector, answers, adversarial}``. A row is printed for each peer, in the columns of that example.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

os.environ |= {"MEM0_TELEMETRY": "False", "OPENAI_API_KEY": "sk-never-used", "MEM0_DIR": tempfile.mkdtemp()}

#: Texts to vectors: what peers ask for is in the file already.
VECTORS: dict[str, list[float]] = {}

#: Keeps the turns of a conversation, and gives a search for the names of the best 20.
Peer = Callable[[int, list[dict[str, Any]]], Callable[[str], list[str]]]


def embed(text: str) -> list[float]:
    """Give the vector that the file has for a text."""
    # Some peers cut off spaces at the ends.
    return VECTORS[text.strip()]


def langgraph() -> Peer:
    """Give LangGraph's store in RAM, with an index of the texts."""
    from langgraph.store.memory import InMemoryStore

    index: Any = {"dims": 384, "embed": lambda texts: [embed(text) for text in texts], "fields": ["text"]}
    store = InMemoryStore(index=index)

    def keep(conversation: int, turns: list[dict[str, Any]]) -> Callable[[str], list[str]]:
        namespace = ("locomo", str(conversation))
        for turn in turns:
            store.put(namespace, turn["id"], {"text": turn["text"]})
        return lambda question: [found.key for found in store.search(namespace, query=question, limit=20)]

    return keep


def mem0() -> Peer:
    """Give mem0 without inference, over Qdrant in a file; its keyword search wants a model of a hub, and is off."""
    from mem0 import Memory

    folder = tempfile.mkdtemp()
    store = {
        "collection_name": "locomo",
        "embedding_model_dims": 384,
        "path": f"{folder}/qdrant",
        "on_disk": True,
    }
    config = {
        "vector_store": {"provider": "qdrant", "config": store},
        "history_db_path": f"{folder}/history.db",
    }
    memory: Any = Memory.from_config(config)

    class Given:
        def embed(self, text: str, memory_action: str | None = None) -> list[float]:
            return embed(text)

        def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
            return [embed(text) for text in texts]

    memory.embedding_model = Given()

    def keep(conversation: int, turns: list[dict[str, Any]]) -> Callable[[str], list[str]]:
        user, names = f"conversation-{conversation}", dict[str, str]()
        for turn in turns:
            added = memory.add([{"role": "user", "content": turn["text"]}], user_id=user, infer=False)
            names |= {each["id"]: turn["id"] for each in added["results"]}

        def search(question: str) -> list[str]:
            found = memory.search(question, filters={"user_id": user}, top_k=20, threshold=0.0)
            return [names[each["id"]] for each in found["results"]]

        return search

    return keep


def figures(ranked: list[str], answers: set[str]) -> list[float]:
    """Give recall@5, @10, @20 and nDCG@10."""
    recall = [sum(name in answers for name in ranked[:within]) / len(answers) for within in (5, 10, 20)]
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(ranked[:10]) if name in answers)
    return [*recall, gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(answers))))]


def row(name: str, peer: Peer, turns: list[dict[str, Any]], questions: list[dict[str, Any]]) -> str:
    """Ask a peer everything."""
    conversations = sorted({turn["conversation"] for turn in turns})
    scores: list[tuple[int, bool, list[float]]] = []
    times: list[float] = []
    kept = 0.0
    for conversation in conversations:
        start = time.perf_counter()
        search = peer(conversation, [turn for turn in turns if turn["conversation"] == conversation])
        kept += time.perf_counter() - start
        for question in (each for each in questions if each["conversation"] == conversation):
            start = time.perf_counter()
            ranked = search(question["question"])
            times.append(time.perf_counter() - start)
            score = figures(ranked, set(question["answers"]))
            scores.append((conversation, question["adversarial"], score))

    def mean(of: Callable[[int, bool], bool]) -> Iterator[float]:
        chosen = [score for conversation, adversarial, score in scores if of(conversation, adversarial)]
        return (statistics.fmean(column) for column in zip(*chosen, strict=True))

    five, ten, twenty, gain = mean(lambda _, adversarial: not adversarial)
    cells = [name, f"{five:.3f}", f"{ten:.3f}", f"{twenty:.3f}", f"{gain:.3f}"]
    for conversation in conversations:
        _, ten, _, gain = mean(lambda of, adversarial, c=conversation: of == c and not adversarial)
        cells.append(f"{ten:.3f} / {gain:.3f}")
    _, ten, _, gain = mean(lambda *_: True)
    times.sort()
    cells += [
        f"{ten:.3f} / {gain:.3f}",
        f"{times[len(times) // 2] * 1e3:.2f}ms",
        f"{times[int(len(times) * 0.95)] * 1e3:.2f}ms",
    ]
    return f"| {' | '.join(cells)} |\n\n{name}: {len(turns)} turns kept one by one in {kept:.1f} s\n"


def main() -> None:
    """Read the file and ask all peers."""
    turns: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in map(json.loads, file):
            VECTORS[(line.get("text") or line["question"]).strip()] = line.pop("vector")
            (turns if "text" in line else questions).append(line)
    for name, package, peer in [
        ("LangGraph's InMemoryStore", "langgraph", langgraph),
        ("mem0, infer=False, Qdrant", "mem0ai", mem0),
    ]:
        print(row(f"{name} ({package} {version(package)})", peer(), turns, questions), flush=True)


if __name__ == "__main__":
    main()
