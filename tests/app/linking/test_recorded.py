"""Recorded conversations of real SDKs, all from one client: what is linked, and what is linked wrongly."""

import gzip
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from factories import START_NS, call_record
from shared_folder import find
from trees import Desk

from app.models.call import CallRecord
from app.models.span import LinkMethod

FILES = {
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "anthropic.messages": "anthropic",
    "google.generate": "gemini",
}
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Told:
    """A recorded call, and what an independent look at its JSON says of it."""

    conversation: str
    step: int
    record: CallRecord
    call_ids: frozenset[str]
    """Of the tool calls its answer asks for."""
    answered_ids: frozenset[str]
    """Of the tool results its request brings."""
    previous: str | None
    response_id: str | None


def values(node: Any, key: str) -> set[str]:
    """Every text under `key` anywhere in a JSON value."""
    if isinstance(node, dict):
        found = {node[key]} if isinstance(node.get(key), str) else set()
        return found.union(*(values(it, key) for it in node.values()))
    return set().union(*(values(it, key) for it in node)) if isinstance(node, list) else set()


def told(line: dict[str, Any], dialect: str) -> Told:
    request, response = line["request"].get("body") or {}, line["response"]
    events = [it[6:] for it in (response.get("sse") or "").splitlines() if it.startswith("data: {")]
    whole = response.get("body") or [json.loads(it) for it in events]
    call_ids, answered = _ids(dialect, request, whole)
    text = response["sse"] if "sse" in response else json.dumps(response.get("body"), ensure_ascii=False)
    record = call_record(
        request=json.dumps(request, ensure_ascii=False).encode(),
        response=text.encode("utf-8", "surrogatepass"),
        dialect=dialect,
        status=response["status"],
        content_type="text/event-stream" if "sse" in response else "application/json",
        provider=line["provider"],
        model=line.get("model"),
        requested_model=line.get("model"),
        request_headers=(),
        client="one",
    )  # fmt: skip
    previous = request.get("previous_response_id") if isinstance(request.get("previous_response_id"), str) else None
    ids = {it for it in values(whole, "id") if it.startswith("resp_")}
    return Told(
        line["conversation"], line["step"], record, frozenset(call_ids), frozenset(answered), previous,
        next(iter(ids), None),
    )  # fmt: skip


def _ids(dialect: str, request: dict[str, Any], whole: Any) -> tuple[set[str], set[str]]:
    """The ids of the tool calls in an answer, and of those a request brings results for."""
    if dialect == "anthropic":
        return {it for it in values(whole, "id") if it.startswith("toolu_")}, values(request, "tool_use_id")
    if dialect == "openai_responses":
        items = request.get("input") if isinstance(request.get("input"), list) else []
        results = [it for it in items if isinstance(it, dict) and it.get("type") == "function_call_output"]
        return values(whole, "call_id"), values(results, "call_id")
    return values([it.get("tool_calls") for it in _messages(whole)], "id"), values(request, "tool_call_id")


def _messages(whole: Any) -> list[dict[str, Any]]:
    found = []
    for body in whole if isinstance(whole, list) else [whole]:
        for choice in (body.get("choices") or ()) if isinstance(body, dict) else ():
            found.append(choice.get("message") or choice.get("delta") or {})
    return found


@pytest.fixture(scope="module")
def recorded() -> list[Told]:
    folder: Path = find("wire")
    calls = []
    for name, dialect in FILES.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if isinstance(row["request"].get("body"), dict) and (
                    "sse" in row["response"] or "body" in row["response"]
                ):
                    calls.append(told(row, dialect))
    return calls


def in_order(calls: list[Told]) -> list[Told]:
    """One conversation after the other."""
    return sorted(calls, key=lambda it: (it.conversation, it.step))


def interleaved(calls: list[Told]) -> list[Told]:
    """Twenty conversations at a time, their calls mixed at random."""
    dice = random.Random(11)
    runs = defaultdict(list)
    for call in in_order(calls):
        runs[call.conversation].append(call)
    waiting, open_runs, made = list(runs.values()), [], []
    dice.shuffle(waiting)
    while waiting or open_runs:
        while waiting and len(open_runs) < 20:
            open_runs.append(waiting.pop())
        run = dice.choice(open_runs)
        made.append(run.pop(0))
        if not run:
            open_runs.remove(run)
    return made


@pytest.mark.parametrize("arrange", [in_order, interleaved])
def test_recorded_conversations_are_linked_and_never_mixed(recorded: list[Told], arrange: Any) -> None:
    desk = Desk()
    calls = arrange(recorded)
    linked: dict[int, Told] = {}
    for number, call in enumerate(calls):
        start_ns = START_NS + number * _SECOND_NS
        fields = {name: getattr(call.record, name) for name in call.record.__struct_fields__}
        record = call_record(**fields | {"start_ns": start_ns, "end_ns": start_ns + _SECOND_NS // 2})
        desk.place(record)
        linked[record.span_id] = call

    due, met = pairs(calls, desk, linked)
    mixed, joined = strangers(desk, linked)
    print(f"{arrange.__name__}: {len(calls)} calls; {met} of {due} sure continuations; {mixed} of {joined} pairs mixed")
    assert met >= 0.97 * due
    assert mixed <= 0.03 * joined


def strangers(desk: Desk, linked: dict[int, Told]) -> tuple[int, int]:
    """How many pairs of calls in one thread belong to two recorded conversations, and how many pairs there are.

    Tests that were recorded twice, or in halves, begin word for word alike: whoever holds the first one's answer word
    for word continues it. Anything less than a verbatim history, or a random id, that joins strangers is a wrong link.
    """
    threads = defaultdict(list)
    for span_id, placement in desk.placements.items():
        threads[placement.thread_span_id].append((linked[span_id].conversation, placement))
    mixed = joined = 0
    for members in threads.values():
        for i, (conversation, placement) in enumerate(members):
            for other, _ in members[:i]:
                joined += 1
                if other != conversation:
                    mixed += 1
                    assert placement.links[0].method in (LinkMethod.CHAIN, LinkMethod.TOOL_CALL_ID), placement
    roots: dict[bytes, str] = {}
    for span_id, placement in desk.placements.items():
        roots.setdefault(placement.trace_id, linked[span_id].conversation)
    for span_id, placement in desk.placements.items():
        if any(link.method in (LinkMethod.OPEN_TOOL, LinkMethod.EDITED) for link in placement.links):
            assert roots[placement.trace_id] == linked[span_id].conversation
    return mixed, joined


def pairs(calls: list[Told], desk: Desk, linked: dict[int, Told]) -> tuple[int, int]:
    """How many calls surely continue another of their conversation, by ids alone; and how many hang in its thread."""
    spans = {id(call): span_id for span_id, call in linked.items()}
    askers: dict[tuple[str, str], Told] = {}
    due = met = 0
    for call in calls:
        ids = call.answered_ids | ({call.previous} if call.previous else set())
        before = next((askers[call.conversation, it] for it in ids if (call.conversation, it) in askers), None)
        if before is not None:
            due += 1
            mine, theirs = (desk.placements[spans[id(it)]].thread_span_id for it in (call, before))
            met += mine == theirs
        for made in call.call_ids | ({call.response_id} if call.response_id else set()):
            askers[call.conversation, made] = call
    return due, met
