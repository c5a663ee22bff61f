import base64
import json

import httpx
import pytest
from google import genai
from google.genai import errors, types
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialects.fold import unfold
from app.dialects.gemini import GeminiReader
from app.dialects.gemini_writer import GeminiWriter
from app.dialects.writing import Asked
from app.models.chat import ChatRequest, Choice, Logprob, Reply, ReplyError
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
from app.models.message import Citation, Media, Message, Raw, Reasoning, Text, ToolCall
from app.models.usage import Usage

WRITER = GeminiWriter()
ASKED = Asked(ChatRequest("m", (), dialect="gemini"), "the-model", "abc123", 1)


def _whole(*parts, finish="stop", **fields):
    reply = Reply("x", "other", (Choice(0, Message("assistant", parts), finish),), dialect="anthropic", **fields)
    return json.loads(WRITER.write_reply(reply, ASKED))


def _parts(*parts):
    return _whole(*parts)["candidates"][0]["content"]["parts"]


def _chunks(*deltas, is_complete=True, is_array=False):
    writer = (WRITER.write_deltas_array if is_array else WRITER.write_deltas)(ASKED)
    written = b"".join(writer.write([delta]) for delta in deltas) + writer.close(is_complete=is_complete)
    return _read(written)


def _read(written):
    if written[:1] == b"[":
        return json.loads(written)
    assert written.endswith(b"\r\n\r\n")
    return [json.loads(event.removeprefix(b"data: ")) for event in written.split(b"\r\n\r\n")[:-1]]


def _streamed(*deltas):
    chunks = _chunks(*deltas)
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


def test_the_answer_bears_the_name_that_was_asked_for_and_one_id():
    told = _whole(Text("Hi"))
    assert (told["modelVersion"], told["responseId"]) == ("the-model", "abc123")
    assert {
        (chunk["modelVersion"], chunk["responseId"]) for chunk in _chunks(TextDelta("a"), Finish("stop"), End())
    } == {("the-model", "abc123")}


@pytest.mark.parametrize(
    ("reason", "native"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"),
        ("content_filter", "SAFETY"),
        ("error", "OTHER"),
        ("pause", "OTHER"),
    ],
)
def test_a_failure_is_no_stop_and_calls_are(reason, native):
    assert _whole(Text("a"), finish=reason)["candidates"][0]["finishReason"] == native


def test_usage_counts_thoughts_beside_the_answer_and_the_cache_within_the_prompt():
    usage = Usage(input_tokens=100, output_tokens=50, cache_read_tokens=40, reasoning_tokens=20)
    assert _whole(Text("a"), usage=usage)["usageMetadata"] == {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 20,
        "totalTokenCount": 150,
    }


def test_the_usage_that_is_written_is_the_usage_that_is_read():
    usage = Usage(100, 50, cache_read_tokens=40, reasoning_tokens=20, input_audio_tokens=7, output_image_tokens=9)
    written = json.dumps(_whole(Text("a"), usage=usage)).encode()
    assert GeminiReader().read_reply(written, 200).usage == usage


def test_anothers_proof_is_sealed_in_base64():
    [thought, text] = _parts(Reasoning("hm", "sig*~", origin="anthropic"), Text("Yes."))
    assert base64.b64decode(thought["thoughtSignature"], validate=True) == b"gs1:anthropic:sig*~"
    assert thought["thought"] is True
    assert "thoughtSignature" not in text


def test_a_proof_comes_home_as_it_went():
    parts = (
        Reasoning("hm", "sig", origin="anthropic"),
        Reasoning("", "secret", is_redacted=True, origin="anthropic"),
        ToolCall("c1", "f", '{"a":1}', signature="sog", origin="bedrock"),
    )
    content = _whole(*parts)["candidates"][0]["content"]
    assert GeminiReader().read_element(json.dumps(content).encode()).parts == parts


def test_a_thought_whose_proof_came_last_is_one_thought_again():
    said = _streamed(ReasoningDelta("h"), ReasoningDelta("m"), ReasoningDelta("", signature="s", origin="anthropic"))
    content = {"role": "model", "parts": said[:-1] + said[-1:]}
    assert GeminiReader().read_element(json.dumps(content).encode()).parts == (
        Reasoning("hm", "s", origin="anthropic"),
    )


def test_calls_are_whole_and_keep_their_ids():
    chunks = _chunks(
        CallBegin(0, "c1", "f"),
        CallBegin(1, "c2", "g"),
        CallDelta(0, '{"a"'),
        CallDelta(1, "{}"),
        CallDelta(0, ":1}"),
        CallEnd(1),
        CallEnd(0),
        Finish("tool_calls"),
        End(),
    )
    said = [part["functionCall"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert said == [{"id": "c1", "name": "f", "args": {"a": 1}}, {"id": "c2", "name": "g", "args": {}}]
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None, None, "STOP"]


def test_a_call_whose_end_nobody_told_goes_out_with_the_last_chunk():
    assert _streamed(CallBegin(0, "c1", "f"), CallDelta(0, "{}"), Finish("tool_calls"), End()) == [
        {"functionCall": {"id": "c1", "name": "f", "args": {}}}
    ]


def test_arguments_that_are_no_object_are_not_lost():
    [call] = _parts(ToolCall("c1", "f", "{broken"))
    assert call["functionCall"]["args"] == {"_raw": "{broken"}


def test_the_reason_and_the_usage_stand_in_the_last_chunk_whenever_they_came():
    chunks = _chunks(TextDelta("a"), Finish("length"), UsageDelta(Usage(1, 2)), TextDelta("b"), End())
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None, None, "MAX_TOKENS"]
    assert [("usageMetadata" in chunk) for chunk in chunks] == [False, False, True]


def test_a_stream_that_failed_ends_with_an_error_and_no_reason():
    chunks = _chunks(TextDelta("a"), Failed(ReplyError("overloaded_error", "busy")), End(), is_complete=False)
    assert chunks[-1] == {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    assert not any("finishReason" in str(chunk) for chunk in chunks)


def test_a_stream_that_was_cut_ends_with_an_error_and_keeps_back_half_calls():
    chunks = _chunks(TextDelta("a"), CallBegin(0, "c", "f"), CallDelta(0, '{"a'), Finish("stop"), is_complete=False)
    assert [set(chunk) & {"error", "candidates"} for chunk in chunks] == [{"candidates"}, {"error"}]


def test_googles_sdk_raises_what_failed_in_the_stream():
    writer = WRITER.write_deltas(ASKED)
    body = writer.write([TextDelta("a"), Failed(ReplyError("rate_limit_error", "slow"))]) + writer.close(
        is_complete=False
    )
    with pytest.raises(errors.ClientError, match="slow"):
        list(_client(body).models.generate_content_stream(model="m", contents="Hi"))


def test_signs_of_life_may_stand_anywhere():
    writer = WRITER.write_deltas(ASKED)
    body = writer.ping() + writer.write([TextDelta("a")]) + writer.ping() + writer.ping()
    body += writer.write([TextDelta("b"), Finish("stop"), End()]) + writer.close(is_complete=True)
    chunks = list(_client(body).models.generate_content_stream(model="m", contents="Hi"))
    assert "".join(chunk.text or "" for chunk in chunks) == "ab"
    array = WRITER.write_deltas_array(ASKED)
    body = array.ping() + array.write([TextDelta("a")]) + array.ping() + array.write([TextDelta("b")])
    assert len(json.loads(body + array.close(is_complete=True))) == 3


def test_an_array_of_nothing_is_still_an_answer():
    assert [chunk["candidates"][0]["finishReason"] for chunk in _chunks(is_array=True)] == ["STOP"]
    assert [set(chunk) for chunk in _chunks(is_complete=False, is_array=True)] == [{"error"}]


def test_sources_are_told_in_bytes_of_the_text():
    citation = Citation("https://x", "X", None, 5, 8)
    told = _whole(Text("\u00fcber uns", (citation,)))["candidates"][0]
    assert told["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 6, "endIndex": 9, "text": "uns"}, "groundingChunkIndices": [0]}
        ],
    }
    types.Candidate.model_validate(told)


def test_likelihoods_are_told():
    logprobs = (Logprob("a", -0.5, top=(Logprob("b", -1.0),)),)
    [candidate] = _chunks(LogprobsDelta(logprobs), TextDelta("a"), Finish("stop"), End())[-1]["candidates"]
    assert candidate["logprobsResult"] == {
        "chosenCandidates": [{"token": "a", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1.0}]}],
    }


def test_what_another_provider_ran_itself_is_no_call_of_the_clients():
    assert _parts(ToolCall("c1", "web_search", "{}", is_server_side=True), Text("a")) == [{"text": "a"}]


def test_media_are_parts():
    assert _parts(Media("image", "image/png", data="QUJD")) == [
        {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}
    ]


def _client(body):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    return genai.Client(api_key="k", http_options=types.HttpOptions(httpx_client=httpx.Client(transport=transport)))


_WORDS = st.text(max_size=4)
_PLACES = st.integers(0, 2)
_CHOICES = st.integers(0, 1)
_ORIGINS = st.sampled_from([None, "bedrock"])
_DELTAS = st.one_of(
    st.builds(Begin, st.none() | _WORDS, dialect=st.sampled_from(["", "anthropic"])),
    st.builds(TextDelta, _WORDS, _CHOICES, st.booleans()),
    st.builds(
        ReasoningDelta, _WORDS, _CHOICES, signature=st.none() | _WORDS, origin=st.sampled_from([None, "bedrock"])
    ),
    st.builds(RefusalDelta, _WORDS, _CHOICES),
    st.builds(CallBegin, _PLACES, st.none() | _WORDS, _WORDS, _CHOICES, st.booleans(), st.booleans()),
    st.builds(CallDelta, _PLACES, st.sampled_from(["{}", '{"a":', "1}", "[", ""]), _CHOICES),
    st.builds(CallEnd, _PLACES, _CHOICES),
    st.just(PartDelta(Raw("x", 1))),
    st.just(PartDelta(Media("image", data="QUJD"))),
    st.just(CitationDelta(Citation("https://x", start=1, end=9))),
    st.just(LogprobsDelta((Logprob("a", -1.0),))),
    st.builds(Finish, st.sampled_from(["stop", "error", "tool_calls"]), st.none() | st.just("STOP"), _CHOICES),
    st.builds(UsageDelta, st.builds(Usage, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))),
    st.just(Failed(ReplyError(None, "no"))),
    st.just(Skipped()),
    st.just(End()),
)


@settings(max_examples=150)
@given(st.lists(_DELTAS, max_size=12), st.booleans(), st.booleans())
def test_whatever_comes_is_written_in_valid_chunks(deltas, is_complete, is_array):
    chunks = _chunks(*deltas, is_complete=is_complete, is_array=is_array)
    has_failed = "error" in chunks[-1]
    for chunk in chunks[:-1] if has_failed else chunks:
        parsed = types.GenerateContentResponse.model_validate(chunk)
        assert parsed.candidates and all(candidate.content.role == "model" for candidate in parsed.candidates)
    reasons = ["finishReason" in str(chunk) for chunk in chunks]
    assert reasons == [False] * (len(chunks) - 1) + [not has_failed]
    was_told = any(isinstance(delta, End) for delta in deltas)
    assert has_failed or is_complete or was_told


def test_a_whole_answer_and_its_stream_say_the_same():
    parts = (Reasoning("hm", "s", origin="bedrock"), Text("Yes."), ToolCall("c", "f", '{"a":1}'))
    reply = Reply(choices=(Choice(0, Message("assistant", parts), "tool_calls"),), usage=Usage(1, 2))
    [whole] = [json.loads(WRITER.write_reply(reply, ASKED))]
    chunks = _chunks(*unfold(reply))
    said = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert said == whole["candidates"][0]["content"]["parts"]
    assert chunks[-1]["usageMetadata"] == whole["usageMetadata"]
