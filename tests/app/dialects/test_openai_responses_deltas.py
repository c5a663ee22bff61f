"""Streams of responses, read piece by piece."""

import json
from functools import cache

import msgspec
import pytest
from dialect_recordings import records
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.fold import fold
from app.dialects.openai_responses import OpenAiResponsesReader
from app.dialects.openai_responses_deltas import ResponseDeltas
from app.dialects.writing import deltas_of_body
from app.models.chat import Logprob, ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    CitationDelta,
    End,
    Failed,
    Finish,
    LogprobsDelta,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Raw, Reasoning

READER = OpenAiResponsesReader()
TEXT = {"type": "output_text", "text": "Hello", "annotations": []}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [TEXT]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "m", "created_at": 5, "output": []}}


def _added(index, item):
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(index, item):
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _said(delta, index=0, kind="output_text", **fields):
    return {"type": f"response.{kind}.delta", "output_index": index, "content_index": 0, "delta": delta, **fields}


def _ended(*output, status="completed", **fields):
    response = {"id": "resp_1", "model": "m", "status": status, "output": list(output), **fields}
    return {"type": f"response.{status}", "response": response}


def _sse(*events):
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def _deltas(*events):
    return deltas_of_body(ResponseDeltas(), _sse(*events))


def _plain(deltas):
    """Deltas without the fields that only their own dialect knows."""
    return [
        msgspec.structs.replace(delta, extras=None) if getattr(delta, "extras", None) else delta for delta in deltas
    ]


def test_a_text_comes_in_pieces_and_only_once():
    opened = {**SAID, "status": "in_progress", "content": []}
    whole = {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"}
    deltas = _deltas(CREATED, _added(0, opened), _said("Hel"), _said("lo"), whole, _done(0, SAID), _ended(SAID))
    assert _plain(deltas) == [
        Begin("resp_1", "m", 5, dialect="openai_responses"),
        TextDelta("Hel", is_new=True),
        TextDelta("lo"),
        Finish("stop", "completed"),
        End(),
    ]


@pytest.mark.parametrize(
    "events",
    [
        [_added(0, {**SAID, "content": []}), _said("Hel"), _done(0, SAID), _ended()],
        [_done(0, SAID), _ended(SAID)],
        [_ended(SAID)],
        [_said("Hel"), {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"}],
        [_said("Hel"), _ended({**SAID, "id": "msg_of_another_name"})],
    ],
    ids=["missing end", "only done", "only in the whole", "without its item", "another id at the end"],
)
def test_what_a_server_leaves_out_is_taken_from_what_comes_next(events):
    deltas = _deltas(CREATED, *events)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Hello"
    assert sum(delta.is_new for delta in deltas if isinstance(delta, TextDelta)) == 1


@pytest.mark.parametrize(
    "events",
    [
        [
            _added(0, {**CALL, "arguments": ""}),
            {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"a":1}'},
            _done(0, CALL),
        ],
        [_added(0, CALL), _done(0, CALL)],
        [
            _added(0, {**CALL, "arguments": ""}),
            _said('{"a"', kind="function_call_arguments"),
            _done(0, CALL),
        ],
        [_said('{"a"', kind="function_call_arguments"), _done(0, CALL)],
        [_done(0, CALL)],
        [],
    ],
    ids=["only in its done", "with the item", "half", "before its name", "only the item", "only the whole"],
)
def test_arguments_are_told_once_wherever_they_come(events):
    deltas = _plain(_deltas(CREATED, *events, _ended(CALL)))
    begin, *pieces, end = [delta for delta in deltas if isinstance(delta, CallBegin | CallDelta | CallEnd)]
    assert (begin, end) == (CallBegin(0, "c", "f"), CallEnd(0))
    assert "".join(piece.arguments for piece in pieces) == '{"a":1}'
    assert Finish("tool_calls", "completed") in deltas


def test_parallel_calls_are_told_apart_by_their_place():
    other = {**CALL, "id": "fc_2", "call_id": "d"}
    pieces = [_said('{"a"', index, "function_call_arguments") for index in (0, 1)]
    begun = [_added(index, {**item, "arguments": ""}) for index, item in enumerate((CALL, other))]
    told = fold(_deltas(CREATED, *begun, *pieces, _ended(CALL, other)))
    calls = told.choices[0].message.tool_calls()
    assert [(call.id, call.arguments) for call in calls] == [("c", '{"a":1}'), ("d", '{"a":1}')]


def test_a_custom_call_is_free_text():
    item = {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "free"}
    deltas = _deltas(
        CREATED, _added(0, {**item, "input": ""}), _said("fr", kind="custom_tool_call_input"), _ended(item)
    )
    assert [delta.arguments for delta in deltas if isinstance(delta, CallDelta)] == ["fr", "ee"]
    assert next(delta for delta in deltas if isinstance(delta, CallBegin)).is_custom


def test_a_thoughts_parts_are_one_thought_and_its_proof_ends_it():
    summary = [{"type": "summary_text", "text": text} for text in ("a", "b")]
    pieces = [_said(text, kind="reasoning_summary_text", summary_index=index) for index, text in enumerate("ab")]
    deltas = _deltas(CREATED, _added(0, THOUGHT), *pieces, _done(0, {**THOUGHT, "summary": summary}), _ended())
    (thought,) = fold(deltas).choices[0].message.parts
    assert (thought.text, thought.signature, thought.origin) == ("a\n\nb", "e", "openai_responses")
    assert thought == READER.read_reply(
        json.dumps({"status": "completed", "output": [{**THOUGHT, "summary": summary}]}).encode(), 200
    ).choices[0].message.parts[0]  # fmt: skip


def test_a_hidden_thought_is_only_its_proof():
    deltas = _deltas(CREATED, _added(0, THOUGHT), _done(0, THOUGHT), _ended(THOUGHT))
    (told,) = (delta for delta in _plain(deltas) if isinstance(delta, ReasoningDelta))
    assert told == ReasoningDelta("", is_new=True, signature="e", origin="openai_responses")


def test_likelihoods_and_citations_come_with_their_text_and_once():
    likely = {"token": "Hello", "bytes": [72], "logprob": -0.5, "top_logprobs": []}
    cited = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 5}
    annotation = {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0}
    whole = {**SAID, "content": [{**TEXT, "annotations": [cited, cited], "logprobs": [likely]}]}
    deltas = _deltas(
        CREATED,
        _added(0, {**SAID, "content": []}),
        _said("Hello", logprobs=[likely]),
        {**annotation, "annotation": cited},
        _done(0, whole),
        _ended(whole),
    )
    assert [delta for delta in deltas if isinstance(delta, LogprobsDelta)] == [
        LogprobsDelta((Logprob("Hello", -0.5, (72,)),))
    ]
    assert [delta.citation.url for delta in deltas if isinstance(delta, CitationDelta)] == ["https://x"] * 2


def test_a_refusal_is_told():
    refused = {**SAID, "content": [{"type": "refusal", "refusal": "nope"}]}
    deltas = _deltas(CREATED, _added(0, {**SAID, "content": []}), _said("no", kind="refusal"), _ended(refused))
    assert [delta.text for delta in deltas if isinstance(delta, RefusalDelta)] == ["no", "pe"]


def test_what_the_provider_ran_comes_whole():
    search = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}}
    future = {"type": "future_call", "id": "x"}
    used = {"input_tokens": 1, "output_tokens": 1}
    deltas = _deltas(CREATED, _added(0, search), _done(0, search), _done(1, future), _ended(usage=used))
    assert [type(delta) for delta in deltas[1:5]] == [CallBegin, CallDelta, CallEnd, PartDelta]
    assert next(delta.usage.web_searches for delta in deltas if isinstance(delta, UsageDelta)) == 1
    assert Finish("stop", "completed") in _plain(deltas)


@pytest.mark.parametrize(
    ("event", "reason", "error"),
    [
        (_ended(status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length", None),
        (_ended(status="incomplete", incomplete_details={"reason": "content_filter"}), "content_filter", None),
        (_ended(status="failed", error={"code": "x", "message": "m"}), "error", ReplyError(None, "m", "x")),
        (_ended(status="cancelled"), "error", None),
    ],
)
def test_every_end_has_its_reason(event, reason, error):
    deltas = _deltas(CREATED, event)
    assert [delta.reason for delta in deltas if isinstance(delta, Finish)] == [reason]
    assert [delta.error for delta in deltas if isinstance(delta, Failed)] == ([error] if error else [])


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "x", "message": "m"},
        {"type": "error", "error": {"code": "x", "message": "m"}},
        {"error": {"code": "x", "message": "m"}},
    ],
)
def test_an_error_event_is_a_failure_and_no_end(event):
    deltas = _deltas(CREATED, _said("Hel"), event)
    assert deltas[-1] == Failed(ReplyError(None, "m", "x"))
    assert not any(isinstance(delta, Finish | End) for delta in deltas)


def test_unknown_events_are_passed_over_and_unreadable_ones_are_told():
    body = _sse(CREATED, {"type": "response.new.thing", "output_index": 0}) + b"data: {nonsense\n\ndata: [DONE]\n\n"
    deltas = deltas_of_body(ResponseDeltas(), body)
    assert deltas[1:] == [Skipped()]


def test_a_cut_stream_has_no_end_and_keeps_what_came():
    search = {"type": "web_search_call", "id": "ws", "status": "in_progress"}
    told = fold(_deltas(CREATED, _said("Hel"), _added(1, search)))
    assert told.is_complete is False
    text, call = told.choices[0].message.parts
    assert (text.text, call.name) == ("Hel", "web_search")


@cache
def _streams():
    return [record for record in records("openai.responses") if "sse" in record.wire["response"]]


ORDERED_OTHERWISE = "test_openai_responses_model_mcp_list_tools_stream_backfills_missing_results:0"
"""Its items are done in another order than the last event has them in."""


def _comparable(reply):
    """A reply without what its last event says anew: proofs encrypted again, likelihoods rounded otherwise, ids."""
    parts = []
    for part in reply.choices[0].message.parts if reply.choices else ():
        if isinstance(part, Reasoning):
            part = msgspec.structs.replace(part, signature=bool(part.signature))
        if isinstance(part, Raw):
            part = Raw(part.kind, None)
        parts.append(part if part.__struct_fields__[-1] != "extras" else msgspec.structs.replace(part, extras=None))
    said = [(choice.finish_reason, choice.native_finish_reason) for choice in reply.choices]
    tokens = [likely.token for choice in reply.choices for likely in choice.logprobs or ()]
    return parts, said, tokens, reply.id, reply.model, reply.usage, reply.error, reply.is_complete, reply.created_s


def test_recorded_pieces_fold_to_what_the_whole_stream_says():
    for record in _streams():
        if not record.id.endswith(ORDERED_OTHERWISE):
            told = fold(deltas_of_body(ResponseDeltas(), record.response))
            assert _comparable(told) == _comparable(READER.read_stream(record.response)), record.id


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_pieces(data):
    record = data.draw(st.sampled_from([record for record in _streams() if len(record.response) < 20_000]))
    body = record.response
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    reader, deltas = ResponseDeltas(), []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        deltas += reader.feed(body[start:end])
    assert deltas + reader.close() == deltas_of_body(ResponseDeltas(), body)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_broken_streams_never_raise_and_never_end_well_by_themselves(data):
    record = data.draw(st.sampled_from([record for record in _streams() if len(record.response) < 8_000]))
    body = bytearray(record.response)
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    deltas = deltas_of_body(ResponseDeltas(), cut)
    if b"response.completed" not in cut and b"response.incomplete" not in cut:
        assert not any(isinstance(delta, End) for delta in deltas) or b"response.failed" in cut
    READER.read_stream(cut)


ODD = st.recursive(
    st.none() | st.integers(-1, 3) | st.text(max_size=3) | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "id", "text"]), inner),
    max_leaves=4,
)
KINDS = st.sampled_from(
    [*(f"response.{name}" for name in ("created", "completed", "output_item.added", "output_item.done")), "error"]
    + [f"response.{name}.delta" for name in ("output_text", "refusal", "reasoning_text", "function_call_arguments")]
)
FIELDS = ("output_index", "content_index", "delta", "item", "response", "arguments", "text", "logprobs", "annotation")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.fixed_dictionaries({"type": KINDS}, optional=dict.fromkeys(FIELDS, ODD)), max_size=6))
def test_odd_values_never_raise(events):
    items = [_done(0, {"type": kind, **event}) for event in events for kind in ("message", "reasoning", "mcp_call")]
    fold(_deltas(*events, *items[:3]))
