"""Agents inside agents: a conversation that begins while another's tool runs may be that tool at work.

Two signs are taken. The tool's arguments stand in the new conversation's first message: near certain. Or the tool is
the only thing its client is busy with: likely, if it is a tool that runs and not a form that the model fills in.
Anything that speaks against it wins, for a wrong nest misleads more than a missed one.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.linking.turn import Tool, Turn

_MOST_CLIENTS: Final = 1024
_MOST_TURNS: Final = 256
_LONGEST_NS: Final = 600_000_000_000
"""A tool that was asked for so long ago without any sign of life has ended unseen."""
_SOON_NS: Final = 60_000_000_000
_TELLING_CHARS: Final = 24
_SHORTEST_CHARS: Final = 8
_decode: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Nest:
    """Where a conversation hangs inside another. `tool` is None where only the agent is sure."""

    turn: Turn
    tool: Tool | None
    confidence: float
    evidence: str


class OpenTools:
    """The turns of each client that wait for a tool, and the system prompts that stand for agents of their own."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, OrderedDict[tuple[bytes, int], Turn]] = OrderedDict()
        self._outer: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._ran: OrderedDict[tuple[str, str], None] = OrderedDict()

    def opened(self, turn: Turn) -> None:
        """A call of `turn` asked for tools."""
        turns = self._waiting.setdefault(turn.client, OrderedDict())
        self._waiting.move_to_end(turn.client)
        turns[(turn.trace_id, turn.first_span_id)] = turn
        turns.move_to_end((turn.trace_id, turn.first_span_id))
        if len(turns) > _MOST_TURNS:
            turns.popitem(last=False)
        if len(self._waiting) > _MOST_CLIENTS:
            self._waiting.popitem(last=False)

    def closed(self, turn: Turn) -> None:
        """`turn` went on, or ended."""
        turns = self._waiting.get(turn.client)
        if turns is not None and not turn.tools:
            turns.pop((turn.trace_id, turn.first_span_id), None)

    def is_waiting(self, client: str) -> bool:
        """Whether any turn of a client waits for a tool."""
        return bool(self._waiting.get(client))

    def ran(self, client: str, tool: Tool) -> None:
        """A tool gave a result: whatever it is called, it is no form."""
        self._ran[(client, tool.name)] = None
        if len(self._ran) > _MOST_CLIENTS:
            self._ran.popitem(last=False)

    def stood_alone(self, client: str, system: bytes) -> None:
        """An agent with this system prompt was called by nobody: it will not be taken for a tool."""
        if system:
            self._outer[(client, system)] = None
            if len(self._outer) > _MOST_CLIENTS:
                self._outer.popitem(last=False)

    def nest(self, client: str, system: bytes, first_words: str, session: str | None, at_ns: int) -> Nest | None:
        """Return where a conversation that begins now hangs, None where nothing calls for it."""
        turns = [
            turn
            for turn in self._waiting.get(client, {}).values()
            if turn.system != system and session in (None, turn.session)
        ]
        open_tools = [(turn, tool) for turn in turns for tool in turn.tools.values() if _is_open(tool, at_ns)]
        if not open_tools:
            return None
        told = [(turn, tool) for turn, tool in open_tools if _tells(tool.arguments, first_words)]
        if len(told) == 1:
            return Nest(*told[0], 0.9, f"Its first message holds what {told[0][1].name} was called with.")
        if told and all(turn is told[0][0] for turn, _ in told):
            return Nest(told[0][0], None, 0.7, "Several tools were called with what its first message holds.")
        return self._only(client, system, open_tools, at_ns)

    def _only(self, client: str, system: bytes, open_tools: list[tuple[Turn, Tool]], at_ns: int) -> Nest | None:
        """Return the nest of a conversation that says nothing of where it comes from."""
        turn, tool = open_tools[0]
        if not system or not turn.system or (client, system) in self._outer or len(self._waiting[client]) > 1:
            return None
        if turn.in_flight or any(at_ns - other.start_ns > _SOON_NS for _, other in open_tools):
            return None
        if any(other.is_form and (client, other.name) not in self._ran for _, other in open_tools):
            return None
        if len(open_tools) == 1:
            return Nest(turn, tool, 0.5, f"It began while {tool.name} ran, and its client did nothing else.")
        return Nest(turn, None, 0.4, f"It began while {len(open_tools)} tools ran, and its client did nothing else.")

    def idle_turns(self, now_ns: int) -> Iterator[Turn]:
        """Return, and forget, the turns whose tools will not be answered any more."""
        for turns in self._waiting.values():
            for key, turn in list(turns.items()):
                if not turn.in_flight and now_ns - turn.last_ns > _LONGEST_NS:
                    del turns[key]
                    yield turn


def _is_open(tool: Tool, at_ns: int) -> bool:
    return tool.start_ns <= at_ns <= tool.start_ns + _LONGEST_NS


def _tells(arguments: str, words: str) -> bool:
    """Return whether a text of the arguments stands in `words`, and is too long, or too much of it, for chance."""
    try:
        value = _decode.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return False
    for text in _texts(value):
        said = text.strip()
        if len(said) >= _SHORTEST_CHARS and said in words:
            return len(said) >= _TELLING_CHARS or len(said) * 2 >= len(words)
    return False


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for field in value.values():
            yield from _texts(field)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
