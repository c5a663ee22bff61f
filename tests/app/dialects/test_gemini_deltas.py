import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.fold import fold
from app.dialects.gemini_deltas import ArrayParser, GenerateDeltas
from app.dialects.writing import deltas_of_body
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    CallEnd,
    End,
    Failed,
    Finish,
    PartDelta,
    ReasoningDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Citation, Raw, Reasoning, Text, ToolCall


def _chunk(*parts, finish=None, index=0, beside=None, **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": index, **(beside or {})}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini", "responseId": "r1", **fields}


def _sse(*chunks):
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def _deltas(*chunks):
    return deltas_of_body(GenerateDeltas(), _sse(*chunks))


CHUNKS = (
    _chunk({"text": "h\u00fcm", "thought": True}, usageMetadata={"promptTokenCount": 3, "totalTokenCount": 4}),
    _chunk({"text": "m\ud83d\uddfc", "thought": True}),
    _chunk({"text": 'He"}{l\\'}),
    _chunk({"text": "lo"}),
    _chunk({"functionCall": {"name": "w", "args": {"a": "}]"}}, "thoughtSignature": "s"}),
    _chunk({"functionCall": {"name": "w", "args": {}}}, finish="STOP", usageMetadata={"candidatesTokenCount": 9}),
)


def test_a_stream_is_told_piece_by_piece():
    told = _deltas(CHUNKS[0], CHUNKS[2], CHUNKS[3], CHUNKS[4], CHUNKS[5])
    assert [delta for delta in told if not isinstance(delta, UsageDelta)] == [
        Begin("r1", "gemini", dialect="gemini"),
        ReasoningDelta("h\u00fcm", is_new=True),
        TextDelta('He"}{l\\', is_new=True),
        TextDelta("lo"),
        CallBegin(0, None, "w", signature="s", origin="gemini"),
        CallDelta(0, '{"a":"}]"}'),
        CallEnd(0),
        CallBegin(1, None, "w"),
        CallDelta(1, "{}"),
        CallEnd(1),
        Finish("tool_calls", "STOP", extras={"usageMetadata": told[-2].extras["usageMetadata"]}),
        End(),
    ]


def test_a_stop_with_calls_ended_for_the_calls():
    [finish] = [delta for delta in _deltas(*CHUNKS) if isinstance(delta, Finish)]
    assert (finish.reason, finish.native) == ("tool_calls", "STOP")


def test_thought_and_text_by_turns_are_blocks_of_their_own():
    thought = {"text": "b", "thought": True}
    told = fold(_deltas(_chunk({"text": "a"}), _chunk(thought), _chunk({"text": "c"}), _chunk({"text": "d"})))
    assert told.choices[0].message.parts == (Text("a"), Reasoning("b"), Text("cd"))


def test_a_proof_on_an_empty_text_at_the_end_is_kept():
    told = fold(_deltas(_chunk({"text": "a"}), _chunk({"text": "", "thoughtSignature": "s"}, finish="STOP")))
    assert told.choices[0].message.parts == (Text("a", signature="s"),)
    call = {"functionCall": {"name": "w", "args": {}}}
    told = fold(_deltas(_chunk(call), _chunk({"text": "", "thoughtSignature": "s"}, finish="STOP")))
    assert told.choices[0].message.parts == (ToolCall(None, "w", "{}"), Text("", signature="s"))


def test_text_after_a_proof_begins_anew():
    told = fold(_deltas(_chunk({"text": "a", "thoughtSignature": "s"}), _chunk({"text": "b"})))
    assert told.choices[0].message.parts == (Text("a", signature="s"), Text("b"))


def test_an_empty_piece_says_nothing():
    assert not [delta for delta in _deltas(_chunk({"text": ""})) if isinstance(delta, TextDelta)]


def test_a_blocked_prompt_ends_filtered_without_content():
    told = _deltas({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    assert [type(delta) for delta in told] == [Begin, UsageDelta, Finish, End]
    assert (told[2].reason, told[2].native) == ("content_filter", "SAFETY")


@pytest.mark.parametrize(
    "native",
    ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "MISSING_THOUGHT_SIGNATURE", "TOO_MANY_TOOL_CALLS", 9],
)
def test_a_failure_of_the_model_never_ends_as_a_stop(native):
    [finish] = [delta for delta in _deltas(_chunk(finish=native)) if isinstance(delta, Finish)]
    assert finish.reason == "error"


@pytest.mark.parametrize(
    ("number", "reason"), [(1, "stop"), (2, "length"), (3, "content_filter"), (8, "content_filter")]
)
def test_numbers_stand_for_reasons(number, reason):
    [finish] = [delta for delta in _deltas(_chunk({"text": "a"}, finish=number)) if isinstance(delta, Finish)]
    assert finish.reason == reason


def test_a_stream_without_a_reason_has_no_end():
    assert not any(isinstance(delta, End | Finish) for delta in _deltas(_chunk({"text": "a"})))


def test_an_error_in_the_stream_is_told_and_nothing_ends():
    error = {"error": {"code": 503, "message": "no", "status": "UNAVAILABLE"}}
    told = _deltas(_chunk({"text": "a"}, finish="STOP"), error)
    [failed] = [delta for delta in told if isinstance(delta, Failed)]
    assert (failed.error.type, failed.error.code, failed.error.message) == ("UNAVAILABLE", "503", "no")
    assert not any(isinstance(delta, End) for delta in told)


def test_a_part_we_do_not_know_comes_whole():
    told = _deltas(_chunk({"hologram": {"x": 1}}))
    assert PartDelta(Raw("hologram", {"hologram": {"x": 1}})) in told


def test_junk_is_passed_over():
    body = (
        b"data: {broken\r\n\r\n" + _sse(_chunk({"text": "a"}, finish="STOP")) + b"data: 7\r\n\r\ndata: [DONE]\r\n\r\n"
    )
    told = deltas_of_body(GenerateDeltas(), body)
    assert sum(isinstance(delta, Skipped) for delta in told) == 2
    assert isinstance(told[-1], End)


def test_usage_is_cumulative_and_the_last_holds():
    chunks = [_chunk({"text": "a"}, usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": n}) for n in (1, 5)]
    usages = [delta.usage for delta in _deltas(*chunks) if isinstance(delta, UsageDelta)]
    assert [usage.output_tokens for usage in usages] == [1, 5]


def test_several_answers_are_told_apart():
    told = fold(_deltas(_chunk({"text": "a"}), _chunk({"text": "b"}, index=1, finish="STOP"), _chunk({"text": "c"})))
    assert [choice.message.text() for choice in told.choices] == ["ac", "b"]


def test_sources_are_citations_counted_in_characters():
    text = "\u00fcber uns"
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 6, "endIndex": 9, "text": "uns"}, "groundingChunkIndices": [0]}
        ],
    }
    told = fold(_deltas(_chunk({"text": text}, finish="STOP", beside={"groundingMetadata": grounding})))
    assert told.choices[0].message.parts[0].citations == (Citation("https://x", "X", "uns", 5, 8),)


_BODIES = (
    _sse(*CHUNKS),
    json.dumps(list(CHUNKS), indent=1).encode(),
    json.dumps(list(CHUNKS), ensure_ascii=False).encode("utf-8", "surrogatepass"),
    json.dumps(CHUNKS[-1]).encode(),
    b"\xef\xbb\xbf" + _sse(*CHUNKS[2:]),
)


@given(st.sampled_from(_BODIES), st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_tells_the_same(body, cuts):
    whole = deltas_of_body(GenerateDeltas(), body)
    reader = GenerateDeltas()
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    pieces = [body[start:end] for start, end in pairwise(places)]
    assert [delta for piece in pieces for delta in reader.feed(piece)] + reader.close() == whole


@pytest.mark.parametrize("body", _BODIES)
def test_byte_by_byte_tells_the_same(body):
    reader = GenerateDeltas()
    told = [delta for at in range(len(body)) for delta in reader.feed(body[at : at + 1])] + reader.close()
    assert told == deltas_of_body(GenerateDeltas(), body)


@given(st.sampled_from(_BODIES[:3]), st.integers(0, 3000))
def test_no_cut_of_a_stream_is_a_success(body, at):
    reader = GenerateDeltas()
    told = reader.feed(body[: at % (len(body) - 40)]) + reader.close()
    assert not any(isinstance(delta, End) for delta in told)


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([b"", b"data: ", b"[", b"{"]))
def test_no_bytes_raise(junk, start):
    deltas_of_body(GenerateDeltas(), start + junk)


_KEYS = st.sampled_from([
    "candidates", "content", "parts", "text", "thought", "functionCall", "args", "usageMetadata", "finishReason",
    "index", "error", "name", "promptFeedback", "blockReason", "groundingMetadata", "groundingSupports", "segment",
    "groundingChunkIndices", "logprobsResult", "chosenCandidates", "functionResponse", "response", "inlineData",
    "data", "thoughtSignature", "executableCode", "toolResponse", "promptTokenCount", "citationMetadata", "citations",
])  # fmt: skip
_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@given(_ANYTHING)
def test_no_shape_of_a_chunk_raises(value):
    fold(_deltas({"candidates": [{"content": value}]}, {"candidates": value, "usageMetadata": value}, value))


def test_deep_nesting_is_passed_over():
    body = b'data: {"a":' + b"[" * 5000 + b"]" * 5000 + b"}\r\n\r\n"
    assert Skipped() in deltas_of_body(GenerateDeltas(), body)


def test_braces_in_strings_do_not_cut_an_array():
    parser = ArrayParser()
    assert parser.feed(b'[{"a":"}\\"{"},\n{"b":{}}]') == [b'{"a":"}\\"{"}', b'{"b":{}}']
    assert not parser.is_inside
