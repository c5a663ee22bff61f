import base64
import itertools
import json

import pytest
from dialect_recordings import records
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.bedrock_stream import ConverseDeltas, usage_of
from app.dialects.eventstream import write_event, write_message
from app.dialects.fold import fold
from app.dialects.registry import reader_of
from app.models.chat import Reply
from app.models.delta import Begin, CallBegin, CallDelta, CallEnd, End, Failed, Finish, TextDelta, UsageDelta
from app.models.message import Citation, Media, Reasoning, Text, ToolCall, ToolResult
from app.models.usage import Usage

READER = reader_of("bedrock")
USAGE = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
STOP = ("messageStop", {"stopReason": "end_turn"})
END = ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


def stream(*events):
    return b"".join(write_event(kind, json.dumps(value).encode()) for kind, value in events)


def delta(block, **value):
    return "contentBlockDelta", {"contentBlockIndex": block, "delta": value, "p": "abc"}


def start(block, **value):
    return "contentBlockStart", {"contentBlockIndex": block, "start": value}


def stop(block):
    return "contentBlockStop", {"contentBlockIndex": block}


def deltas_of(body):
    reader = ConverseDeltas()
    return reader.feed(body) + reader.close()


def parts_of(*events):
    return (
        READER.read_stream(stream(("messageStart", {"role": "assistant"}), *events, STOP, END)).choices[0].message.parts
    )


CALLS = stream(
    ("messageStart", {"role": "assistant"}),
    delta(0, text="Let me "),
    delta(0, text="see."),
    stop(0),
    start(1, toolUse={"toolUseId": "a", "name": "one"}),
    delta(1, toolUse={"input": '{"x"'}),
    delta(1, toolUse={"input": ":1}"}),
    stop(1),
    start(2, toolUse={"toolUseId": "b", "name": "two"}),
    delta(2, toolUse={"input": ""}),
    stop(2),
    ("messageStop", {"stopReason": "tool_use"}),
    END,
)


def test_a_stream_is_told_in_order():
    assert deltas_of(CALLS) == [
        Begin(dialect="bedrock"),
        TextDelta("Let me ", is_new=True),
        TextDelta("see."),
        CallBegin(0, "a", "one"),
        CallDelta(0, '{"x"'),
        CallDelta(0, ":1}"),
        CallEnd(0),
        CallBegin(1, "b", "two"),
        CallDelta(1, "{}"),
        CallEnd(1),
        Finish("tool_calls", "tool_use"),
        UsageDelta(Usage(3, 4)),
        End(),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(0, len(CALLS)), max_size=10))
def test_any_split_tells_the_same(places):
    edges = [0, *sorted(places), len(CALLS)]
    reader, told = ConverseDeltas(), []
    for begin, end in itertools.pairwise(edges):
        told += reader.feed(CALLS[begin:end])
    assert told + reader.close() == deltas_of(CALLS)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(CALLS) - 1), st.integers(1, 255), st.integers(0, len(CALLS)))
def test_broken_bytes_are_never_a_success(place, flip, end):
    mutated = CALLS[:place] + bytes((CALLS[place] ^ flip,)) + CALLS[place + 1 :]
    for body in (mutated, CALLS[:end]):
        reply = READER.read_stream(body)
        assert isinstance(reply, Reply)
        assert not reply.is_complete or body in (CALLS, CALLS[: -len(stream(END))])


def test_a_stream_without_its_last_frame_has_still_said_why_it_stopped():
    cut = CALLS[: -len(stream(END))]
    assert READER.read_stream(cut).is_complete
    before = cut[: -len(stream(("messageStop", {"stopReason": "tool_use"})))]
    assert not READER.read_stream(before).is_complete


@pytest.mark.parametrize("kind", ["throttlingException", "modelStreamErrorException", "internalServerException"])
def test_an_exception_in_the_stream_is_a_failure(kind):
    value = {"message": "Too many.", "originalStatusCode": 429, "originalMessage": "slow down"}
    frame = write_message({":exception-type": kind, ":message-type": "exception"}, json.dumps(value).encode())
    told = deltas_of(stream(delta(0, text="a")) + frame)
    assert isinstance(told[-1], Failed)
    assert (told[-1].error.type, told[-1].error.code) == (kind, "429")
    assert told[-1].error.message == "Too many.: slow down"
    reply = READER.read_stream(stream(delta(0, text="a")) + frame)
    assert not reply.is_complete
    assert reply.error.type == kind


def test_after_a_failure_only_the_usage_is_told():
    frame = bytearray(stream(delta(0, text="b")))
    frame[-1] ^= 1
    told = deltas_of(stream(delta(0, text="a")) + bytes(frame) + stream(delta(0, text="c"), STOP, END))
    assert [type(each) for each in told] == [Begin, TextDelta, Failed, UsageDelta]


def test_an_error_frame_tells_in_its_headers():
    frame = write_message({":message-type": "error", ":error-code": "oops", ":error-message": "gone"}, b"")
    assert [(each.error.type, each.error.message) for each in deltas_of(frame)] == [("oops", "gone")]


def test_a_frame_that_is_no_json_is_skipped():
    reply = READER.read_stream(write_event("contentBlockDelta", b"{") + stream(delta(0, text="a"), STOP, END))
    assert reply.skipped_events == 1
    assert reply.choices[0].message.text() == "a"


@pytest.mark.parametrize("depth", [400, 900, 990, 5000])
def test_deep_nesting_does_not_break_a_stream(depth):
    deep = b'{"contentBlockIndex":0,"delta":{"toolResult":[{"json":' + b"[" * depth + b"]" * depth + b"}]}}"
    body = (
        stream(start(0, toolResult={"toolUseId": "a"})) + write_event("contentBlockDelta", deep) + stream(stop(0), STOP)
    )
    assert deltas_of(body)[-1] == End()
    assert READER.read_stream(body).is_complete


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["delta", "text", "toolUse", "start", "input", "usage", "toolResult"]), inner)
    ),
    max_leaves=8,
)
_KINDS = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
    "new",
]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(_KINDS), _JSON), max_size=6))
def test_any_events_are_read_without_raising(events):
    assert isinstance(READER.read_stream(stream(*events)), Reply)


def test_thoughts_have_their_proofs_and_whose_they_are():
    assert parts_of(
        delta(0, reasoningContent={"text": "h"}),
        delta(0, reasoningContent={"text": "m"}),
        delta(0, reasoningContent={"signature": "proof"}),
        stop(0),
        delta(1, reasoningContent={"redactedContent": "c2Vj"}),
        stop(1),
        delta(2, reasoningContent={"text": "unsigned"}),
        stop(2),
        delta(3, text="ho"),
    ) == (
        Reasoning("hm", "proof", origin="anthropic"),
        Reasoning("", "c2Vj", is_redacted=True, origin="bedrock"),
        Reasoning("unsigned", origin="bedrock"),
        Text("ho"),
    )


def test_citations_belong_to_the_text_of_their_block():
    entry = {"location": {"web": {"url": "https://x.example", "domain": "x"}}, "title": "X"}
    [text] = parts_of(delta(0, text="so"), delta(0, citation=entry), stop(0))
    assert text.citations == (Citation("https://x.example", "X", extras=entry),)


def test_what_bedrock_ran_itself_comes_whole():
    call, result = parts_of(
        start(0, toolUse={"toolUseId": "a", "name": "nova_code", "type": "server_tool_use"}),
        delta(0, toolUse={"input": '{"code":1}'}),
        stop(0),
        start(1, toolResult={"toolUseId": "a", "type": "nova_code_result", "status": "success"}),
        delta(1, toolResult=[{"json": {"out": 2}}]),
        stop(1),
    )
    assert isinstance(call, ToolCall)
    assert call.is_server_side
    assert isinstance(result, ToolResult)
    assert (result.id, result.is_server_side, result.parts[0].text) == ("a", True, '{"out":2}')


def test_an_image_comes_in_pieces():
    pieces = [base64.b64encode(piece).decode() for piece in (b"one", b"two!")]
    [image] = parts_of(
        start(0, image={"format": "png"}),
        *(delta(0, image={"source": {"bytes": piece}}) for piece in pieces),
        stop(0),
    )
    assert image == Media("image", "image/png", data=base64.b64encode(b"onetwo!").decode())


def test_the_stop_sequence_that_was_met_is_told():
    value = {"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "X"}}
    said = READER.read_stream(stream(delta(0, text="a"), ("messageStop", value), END)).choices[0]
    assert (said.finish_reason, said.stop_sequence) == ("stop", "X")


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_tool_use", "error"),
        ("malformed_model_output", "error"),
    ],
)
def test_every_stop_reason_has_its_word(native, reason):
    body = stream(delta(0, text="a"), ("messageStop", {"stopReason": native}), END)
    assert READER.read_stream(body).choices[0].finish_reason == reason


def test_usage_counts_what_was_cached_in():
    usage = {"inputTokens": 3, "outputTokens": 2, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 20}
    usage["cacheDetails"] = [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}]
    assert usage_of(usage, {"type": "flex"}) == Usage(33, 2, 10, 20, 15, service_tier="flex")
    assert usage_of({}) is None


def test_recorded_streams_tell_the_same_however_they_are_cut():
    n_streams = 0
    for record in records("bedrock.converse"):
        if "eventstream" not in record.wire["response"]:
            continue
        reader, told = ConverseDeltas(), []
        for place in range(0, len(record.response), 37):
            told += reader.feed(record.response[place : place + 37])
        told += reader.close()
        assert told == deltas_of(record.response), record.id
        assert fold(told) == READER.read_stream(record.response)
        n_streams += 1
    assert n_streams > 35
