"""Traces, spans and conversations for the screens' tests, and a reader that answers from them."""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.models.call import Attempt
from app.models.chat import ChatRequest, Choice, Reply, Tool
from app.models.message import Message, Reasoning, Text, ToolCall, ToolResult
from app.models.query import Query
from app.models.span import Failure, Kind, Link, LinkMethod, Status
from app.models.timing import Timing
from app.models.trace import Conversation, SpanDetail, TraceRow, TraceTree
from app.models.usage import Usage

NOW_NS = 1_795_470_000_000_000_000
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
URL = "https://api.example/v1/messages"


def trace_row(row_id: int = 1, **fields: Any) -> TraceRow:
    """A finished agent run; any field can be given."""
    values: dict[str, Any] = {
        "id": row_id,
        "trace_id": row_id.to_bytes(16, "big"),
        "name": "support-agent run",
        "status": Status.OK,
        "start_ns": NOW_NS - 3600 * SECOND_NS + row_id * SECOND_NS,
        "duration_ns": 8420 * MS_NS,
        "session": "s-7c1fe02b4d11",
        "model": "claude-sonnet-4.5",
        "n_models": 2,
        "provider": "anthropic",
        "key": "first key",
        "input_preview": "Where is order #88121?",
        "output_preview": "Your order shipped yesterday and arrives on Thursday.",
        "ttft_ns": 742 * MS_NS,
        "input_tokens": 8120,
        "output_tokens": 1000,
        "cost_nusd": 41_200_000,
        "n_unpriced": 0,
        "n_spans": 11,
        "n_errors": 2,
    }
    return TraceRow(**(values | fields))


Spec = tuple[int, Kind, str, int, int, int, int, int, Status]
"""depth, kind, name, start ms, duration ms (-1 running), ttft ms, tokens, cost in nano-USD, status."""

AGENT_RUN: list[Spec] = [
    (0, Kind.AGENT, "support-agent run", 0, 8420, -1, 9120, 41_200_000, Status.OK),
    (1, Kind.CHAIN, "plan", 30, 1310, -1, 1890, 6_100_000, Status.OK),
    (2, Kind.LLM, "chat gpt-4.1-mini", 40, 1260, 280, 1890, 6_100_000, Status.OK),
    (1, Kind.RETRIEVER, "retrieve docs", 1350, 240, -1, -1, -1, Status.OK),
    (2, Kind.EMBEDDING, "POST /embeddings", 1380, 110, -1, 212, 100_000, Status.OK),
    (1, Kind.LLM, "chat claude-sonnet-4.5", 1620, 3380, 742, 4630, 24_100_000, Status.OK),
    (2, Kind.ATTEMPT, "attempt 1  429", 1625, 180, -1, -1, -1, Status.ERROR),
    (2, Kind.ATTEMPT, "attempt 2  200", 2010, 2970, 352, 4630, 24_100_000, Status.OK),
    (1, Kind.TOOL, "run_sql", 5000, 920, -1, -1, -1, Status.OK),
    (1, Kind.TOOL, "send_email", 5960, 60, -1, -1, -1, Status.ERROR),
    (1, Kind.LLM, "chat claude-sonnet-4.5", 6040, 2360, 510, 2388, 10_900_000, Status.OK),
]


def tree_of(specs: Sequence[Spec] = tuple(AGENT_RUN), row: TraceRow | None = None, first_id: int = 100) -> TraceTree:
    """A trace tree of these spans in preorder."""
    n = len(specs)
    depth = np.array([spec[0] for spec in specs], np.int32)
    size = np.ones(n, np.int32)
    for place in range(n):
        end = place + 1
        while end < n and depth[end] > depth[place]:
            end += 1
        size[place] = end - place
    names = sorted({spec[2] for spec in specs})
    kinds = np.array([spec[1] for spec in specs], np.uint8)
    durations = np.array([spec[4] for spec in specs], np.int64)
    tokens = np.array([spec[6] for spec in specs], np.int64)
    return TraceTree(
        row=row or trace_row(n_spans=n),
        names=names,
        id=np.arange(first_id, first_id + n, dtype=np.int64),
        depth=depth,
        size=size,
        kind=kinds,
        status=np.array([spec[8] for spec in specs], np.uint8),
        name=np.array([names.index(spec[2]) for spec in specs], np.int32),
        start_ns=np.array([spec[3] for spec in specs], np.int64) * MS_NS,
        duration_ns=np.where(durations < 0, -1, durations * MS_NS),
        ttft_ns=np.array([spec[5] * MS_NS if spec[5] >= 0 else -1 for spec in specs], np.int64),
        input_tokens=np.where(tokens < 0, -1, tokens * 8 // 10),
        output_tokens=np.where(tokens < 0, -1, tokens - tokens * 8 // 10),
        cost_nusd=np.array([spec[7] for spec in specs], np.int64),
        is_inferred=kinds == Kind.TOOL,
        is_orphan=np.zeros(n, np.bool_),
    )


def big_tree(n: int) -> TraceTree:
    """A tree of `n` spans, ten under each parent, three levels deep."""
    place = np.arange(n)
    depth = np.where(place == 0, 0, np.where(place % 11 == 1, 1, 2)).astype(np.int32)
    size = np.ones(n, np.int32)
    heads = np.flatnonzero(depth == 1)
    size[heads] = np.diff(np.append(heads, n))
    size[0] = n
    small = tree_of()
    kinds = np.array([Kind.AGENT, Kind.CHAIN, Kind.LLM, Kind.TOOL], np.uint8)
    return replace(
        small,
        id=place.astype(np.int64) + 1,
        depth=depth,
        size=size,
        kind=kinds[np.where(depth == 2, 2 + place % 2, depth)],
        status=np.where(place % 97 == 5, np.uint8(Status.ERROR), np.uint8(Status.OK)).astype(np.uint8),
        name=(place % len(small.names)).astype(np.int32),
        start_ns=place.astype(np.int64) * MS_NS,
        duration_ns=np.where(place == 0, n, 40).astype(np.int64) * MS_NS,
        ttft_ns=np.where(depth == 2, 9 * MS_NS, -1).astype(np.int64),
        input_tokens=place.astype(np.int64),
        output_tokens=place.astype(np.int64) // 3,
        cost_nusd=place.astype(np.int64) * 1000,
        is_inferred=np.zeros(n, np.bool_),
        is_orphan=np.zeros(n, np.bool_),
    )


def conversation() -> Conversation:
    """A support agent that looks an order up in a database."""
    sql = '{"query": "select status, eta from orders where id = ?", "args": [88121]}'
    rules = "\n".join(f"{n}. Rule number {n} of the house, to be kept at all times." for n in range(1, 10))
    messages = (
        Message("system", (Text(f"You are the support agent for Acme. Answer only from the documents.\n{rules}"),)),
        Message("user", (Text("Where is order #88121? Mein Paket 📦 fehlt."),)),
        Message("assistant", (Reasoning("They ask for an order.\nQuery it."), ToolCall("call_7f2", "run_sql", sql))),
        Message("tool", (ToolResult("call_7f2", None, (Text('[{"status": "shipped", "eta": "Thursday"}]'),)),)),
    )  # fmt: skip
    answer = Message(
        "assistant", (Text("Your order **shipped yesterday** and arrives on *Thursday* [1].\n\n- tracked\n- insured"),)
    )
    usage = Usage(input_tokens=4120, output_tokens=510, cache_read_tokens=3000)
    return Conversation(
        ChatRequest("claude-sonnet-4.5", messages, (Tool("run_sql", "Run one query", {"type": "object"}),), None, True),
        Reply("msg_1", "claude-sonnet-4.5", (Choice(0, answer, "stop", "end_turn"),), usage),
        entered_from=2,
    )


def timing(n: int = 90) -> Timing:
    """A stream of `n` pieces with two stalls."""
    offsets, at_ns = [], 742 * MS_NS
    for place in range(n):
        offsets.append(at_ns)
        at_ns += (340 if place in (30, 70) else 12 + place * 7 % 23) * MS_NS
    return Timing(offsets[0], tuple(offsets), (48,) * n)


def span_detail(span_id: int = 105, **fields: Any) -> SpanDetail:
    """One call of the agent run in full."""
    refused = Failure("upstream", "rate limited", 429)
    values: dict[str, Any] = {
        "id": span_id,
        "span_id": 0x7C1F_0000_0000_0E02,
        "trace_id": (1).to_bytes(16, "big"),
        "parent_span_id": 99,
        "kind": Kind.LLM,
        "name": "chat claude-sonnet-4.5",
        "status": Status.OK,
        "start_ns": NOW_NS,
        "duration_ns": 3380 * MS_NS,
        "ttft_ns": 742 * MS_NS,
        "session": "s-7c1fe02b4d11",
        "requested_model": "claude-sonnet-4.5",
        "model": "claude-sonnet-4.5",
        "provider": "anthropic",
        "key": "first key",
        "dialect": "anthropic",
        "operation": "chat",
        "method": "POST",
        "path": "/v1/messages",
        "http_status": 200,
        "request_id": "req_000000000001",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=4120, output_tokens=510, cache_read_tokens=3000),
        "cost_nusd": 24_100_000,
        "cost_parts": {"input": 3_360_000, "cache_read": 900_000, "output": 19_840_000},
        "failure": None,
        "attempts": (
            Attempt("anthropic", "claude-sonnet-4.5", URL, NOW_NS, NOW_NS + 180 * MS_NS, 429, refused),
            Attempt("anthropic", "claude-sonnet-4.5", URL, NOW_NS + 390 * MS_NS, NOW_NS + 3360 * MS_NS, 200),
        ),
        "links": (Link(LinkMethod.CHAIN, 1.0, "begins with the 2 messages of the call before"),),
        "request_headers": (("content-type", "application/json"), ("x-api-key", "gs-…9f2a"), ("user-agent", "SDK/1")),
        "response_headers": (("content-type", "text/event-stream"), ("x-gatescope-request-id", "req_000000000001")),
        "content_type": "text/event-stream",
        "request_size_bytes": 2_412,
        "response_size_bytes": 18_220,
        "has_upstream_request": True,
        "has_upstream_response": False,
        "attributes": {"custom.team": "support", "retry.count": 1},
    }  # fmt: skip
    return SpanDetail(**(values | fields))


class FakeReader:
    """Answers `ask` from what it was given, as the reader process would; keeps what was asked."""

    def __init__(self, rows: Sequence[TraceRow] = ()) -> None:
        self.rows = sorted(rows, key=lambda row: (-row.start_ns, -row.id))
        self.asked: list[tuple[str, tuple[object, ...]]] = []
        self.answers: dict[str, Any] = {}

    async def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Answer after one turn of the loop."""
        self.asked.append((method, arguments))
        await asyncio.sleep(0)
        if method in self.answers:
            answer = self.answers[method]
            return answer(*arguments) if callable(answer) else answer
        return getattr(self, f"_{method}")(*arguments, **named)

    def _traces(self, query: Query, before: tuple[int, int] | None, limit: int) -> list[TraceRow]:
        later = [row for row in self.rows if before is None or (row.start_ns, row.id) < before]
        return later[:limit]

    def _trace_ids(self, query: Query) -> bytes:
        return array("q", (row.id for row in self.rows)).tobytes()

    def _trace_rows(self, ids: Sequence[int]) -> list[TraceRow]:
        wanted = set(ids)
        return [row for row in self.rows if row.id in wanted]

    def _count(self, query: Query) -> tuple[int, int]:
        return len(self.rows), 3 * len(self.rows)

    def _facets(self, query: Query) -> dict[str, list[tuple[str, int]]]:
        return {"model": [("claude-sonnet-4.5", 3), ("gpt-4.1-mini", 1)], "provider": [("anthropic", 4)]}

    def _tree(self, row_id: int) -> TraceTree:
        return tree_of(row=next((row for row in self.rows if row.id == row_id), None))

    def _span(self, span_id: int) -> SpanDetail:
        return span_detail(span_id)

    def _conversation(self, span_id: int) -> Conversation:
        return conversation()

    def _timing(self, span_id: int) -> Timing:
        return timing()
