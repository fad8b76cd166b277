"""What is said in the workloads: the same as in `benches/src/scenario.rs`."""

TURNS = 200
CHUNKS = 20_000

TOOL_MODEL = "tool"
STREAM_MODEL = "stream:20000"
TEXT_MODEL = "stream:4+join:4"

INSTRUCTIONS = "You answer questions about the weather. Be brief."
TOOL = "weather"
TOOL_DESCRIPTION = "The weather of a city."
TOOL_OUTPUT = '{"celsius":18,"rain":false}'
SHORT_TEXT = "mosaics " * 4


def question(turn: int) -> str:
    """What the user says in a turn."""
    return f"What is the weather in Oslo on day {turn}?"
