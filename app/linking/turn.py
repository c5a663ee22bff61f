"""A turn: the calls an agent makes for one message of its user, and the tools it uses between them.

A turn of one call is that call. From the second on an AGENT span stands over them, drawn by us, and the tools hang
beside the calls. Ids of drawn spans are made from ids that stay: the same call drawn again is the same span.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from app.digest import result_text
from app.models.message import ToolResult
from app.models.span import Kind, SpanWrite, Status

INFERRED: Final = "gatescope.inferred"


class Tool(msgspec.Struct, gc=False):
    """A tool an answer asked for. It runs from the answer's end to the request that brings its result."""

    span_id: int
    call_id: str
    name: str
    arguments: str
    start_ns: int
    is_form: bool
    """It was the model's only choice: more likely a form to fill in than a tool to run."""
    is_answered: bool = False
    is_drawn: bool = False


class Turn(msgspec.Struct, gc=False):
    """One turn as far as it is known."""

    trace_id: bytes
    first_span_id: int
    client: str
    session: str | None
    trace_name: str
    name: str
    """What its AGENT span is called."""
    system: bytes
    start_ns: int
    above: int | None = None
    """The span its top hangs under: an agent's tool, or what `traceparent` says."""
    is_stated: bool = False
    """Its place was stated: the app draws its own tree, so no AGENT span of ours stands in it."""
    agent_span_id: int | None = None
    in_flight: int = 0
    """Calls that run."""
    tools: dict[int, Tool] = {}
    """Not answered yet, by span id."""
    last_ns: int = 0
    last_status: Status = Status.OK

    @property
    def parent_of_calls(self) -> int | None:
        """The span its calls and tools hang under."""
        return self.agent_span_id if self.agent_span_id is not None else self.above

    def raise_agent(self) -> tuple[tuple[int, int], ...]:
        """Put an AGENT span over the first call, if there is none yet; return what moves."""
        if self.is_stated or self.agent_span_id is not None:
            return ()
        self.agent_span_id = agent_span_id(self.trace_id, None if self.above is None else self.first_span_id)
        return ((self.first_span_id, self.agent_span_id),)

    def agent_span(self) -> SpanWrite | None:
        """Return the AGENT span as it stands, None where there is none."""
        if self.agent_span_id is None:
            return None
        is_running = bool(self.in_flight or self.tools)
        return SpanWrite(
            trace_id=self.trace_id,
            span_id=self.agent_span_id,
            parent_span_id=self.above,
            kind=Kind.AGENT,
            name=self.name,
            status=Status.RUNNING if is_running else self.last_status,
            start_ns=self.start_ns,
            end_ns=None if is_running else self.last_ns,
            attributes={INFERRED: True},
        )

    def running_tools(self) -> list[SpanWrite]:
        """Return the tools that wait for their result and are not drawn yet."""
        if self.agent_span_id is None and not self.is_stated:
            return []
        waiting = [tool for tool in self.tools.values() if not tool.is_drawn]
        for tool in waiting:
            tool.is_drawn = True
        return [self._tool_span(tool, Status.RUNNING, None) for tool in waiting]

    def answer_tools(self, tools: Iterable[Tool], results: list[ToolResult], at_ns: int) -> list[SpanWrite]:
        """Return the tools whose results came with a request that began at `at_ns`."""
        spans = []
        waiting = [tool for tool in tools if not tool.is_answered]
        for result in results:
            tool = _asked_for(result, waiting)
            if tool is None:
                continue
            waiting.remove(tool)
            tool.is_answered = True
            self.tools.pop(tool.span_id, None)
            status = Status.ERROR if result.is_error else Status.OK
            spans.append(self._tool_span(tool, status, max(at_ns, tool.start_ns), result_text(result.parts)))
            tool.arguments = ""
        return spans

    def give_up(self) -> list[SpanWrite]:
        """Close the tools whose results never came, and the AGENT span over them."""
        drawn = [tool for tool in self.tools.values() if tool.is_drawn]
        self.tools.clear()
        spans = [self._tool_span(tool, Status.ABORTED, tool.start_ns) for tool in drawn]
        agent = self.agent_span()
        return [*spans, agent] if agent else spans

    def _tool_span(self, tool: Tool, status: Status, end_ns: int | None, output: str | None = None) -> SpanWrite:
        attributes: dict[str, object] = {INFERRED: True, "gen_ai.tool.name": tool.name}
        if tool.call_id:
            attributes["gen_ai.tool.call.id"] = tool.call_id
        if status is Status.ABORTED:
            attributes["gatescope.note"] = "No result was ever sent."
        elif status is not Status.RUNNING:
            attributes["gatescope.note"] = "From the answer's end to the next request: it ran no longer than this."
        return SpanWrite(
            trace_id=self.trace_id,
            span_id=tool.span_id,
            parent_span_id=self.parent_of_calls,
            kind=Kind.TOOL,
            name=tool.name,
            status=status,
            start_ns=tool.start_ns,
            end_ns=end_ns,
            input=tool.arguments.encode("utf-8", "replace"),
            output=None if output is None else output.encode("utf-8", "replace"),
            attributes=attributes,
        )


def agent_span_id(trace_id: bytes, first_span_id: int | None) -> int:
    """Return the id of the AGENT span of a trace, or of the agent inside it whose first call is given."""
    return _made(b"agent", trace_id, first_span_id or 0, 0)


def tool_span_id(trace_id: bytes, call_span_id: int, number: int) -> int:
    """Return the id of the TOOL span for the answer's tool call of that number."""
    return _made(b"tool", trace_id, call_span_id, number)


def _made(word: bytes, trace_id: bytes, span_id: int, number: int) -> int:
    seed = b"%s\x00%s%d\x00%d" % (word, trace_id, span_id, number)
    return int.from_bytes(hashlib.sha256(seed).digest()[:8], "big", signed=True) or 1


def _asked_for(result: ToolResult, waiting: list[Tool]) -> Tool | None:
    """Return the call a result answers: by its id, else by its name, in order."""
    if result.id:
        return next((tool for tool in waiting if tool.call_id == result.id), None)
    if result.name:
        return next((tool for tool in waiting if tool.name == result.name), None)
    return waiting[0] if waiting else None
