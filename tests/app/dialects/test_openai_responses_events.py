"""Streams as responses: the grammar of their events, and what OpenAI's own SDK makes of them."""

import json

import httpx
import openai
import pytest
from dialect_recordings import records
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response
from same_json import differences

from app.dialects.fold import fold, unfold
from app.dialects.openai_responses import OpenAiResponsesReader
from app.dialects.openai_responses_writer import OpenAiResponsesWriter
from app.dialects.seal import seal
from app.dialects.writing import Asked, deltas_of_body
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
    TextDelta,
    UsageDelta,
)
from app.models.message import Citation, Media, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from app.models.usage import Usage

READER, WRITER = OpenAiResponsesReader(), OpenAiResponsesWriter()
ASKED = Asked(ChatRequest("gpt", (), dialect="openai_responses"), "gpt", "abc", 7)
OTHER_BEGIN = Begin("x", "claude", 5, {"foreign": 1}, "anthropic")
USED = UsageDelta(Usage(input_tokens=3, output_tokens=2))
DONE = [Finish("stop"), USED, End()]


def _stream(deltas, *, is_complete=True, asked=ASKED):
    writer = WRITER.write_deltas(asked)
    written = b"".join(writer.write([delta]) for delta in deltas) + writer.close(is_complete=is_complete)
    assert writer.close(is_complete=True) == b""
    return written


def _events(written):
    events = []
    for block in written.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def _checked(written):
    """The response that a stream ends with, if all its events come in the order that the API has."""
    events = _events(written)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in ("response.completed", "response.incomplete", "response.failed")
    assert events[-1]["type"] == f"response.{events[-1]['response']['status']}"
    whole = {"response.created", "response.in_progress", events[-1]["type"]}
    assert len({event["response"]["id"] for event in events if event["type"] in whole}) == 1
    items = {}
    for event in events[2:-1]:
        assert event["type"] not in whole
        _check_item_event(event, items)
    final = events[-1]["response"]
    done = [items[index]["done"] for index in sorted(items)]
    if final["status"] == "failed":
        assert len(final["output"]) == len(items)
    else:
        assert final["output"] == done and None not in done
    assert len({item["id"] for item in final["output"] if "id" in item}) == len(final["output"])
    return final


def _check_item_event(event, items):
    kind, index = event["type"], event["output_index"]
    if kind == "response.output_item.added":
        assert index == len(items)
        items[index] = {"item": event["item"], "parts": [], "open": None, "said": "", "done": None, "arguments": ""}
        return
    item = items[index]
    assert item["done"] is None
    if kind == "response.output_item.done":
        assert item["open"] is None
        assert (event["item"]["id"], event["item"]["type"]) == (item["item"]["id"], item["item"]["type"])
        assert event["item"].get("content", []) == item["parts"]
        item["done"] = event["item"]
        return
    assert event["item_id"] == item["item"]["id"]
    if kind.endswith("part.added"):
        assert item["open"] is None
        item["open"], item["said"] = event["part"]["type"], ""
        place = event.get("content_index", event.get("summary_index"))
        assert place == len(item["parts"])
    elif kind.endswith("part.done"):
        said = event["part"].get("text", event["part"].get("refusal"))
        assert event["part"]["type"] == item["open"] and said == item["said"]
        item["open"] = None
        if kind == "response.content_part.done":
            item["parts"].append(event["part"])
    elif "arguments" in kind or "_input" in kind:
        assert item["item"]["type"] == ("function_call" if "arguments" in kind else "custom_tool_call")
        item["arguments"] += event.get("delta", "")
        assert event.get("arguments", event.get("input", item["arguments"])) == item["arguments"]
    else:
        of = {"output_text": "output_text", "refusal": "refusal", "reasoning_summary_text": "summary_text"}
        assert item["open"] == of[kind.split(".")[1]]
        item["said"] += event.get("delta", "")
        assert event.get("text", event.get("refusal", item["said"])) == item["said"]


def _parsed(written):
    """What `client.responses.stream` returns at its end."""
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=written)
    http = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
    with openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http, max_retries=0) as client:
        with client.responses.stream(model="m", input="Hi") as stream:
            last = None
            for event in stream:
                last = event
        return last.response


def _types(written):
    return [event["type"].removeprefix("response.") for event in _events(written)]


def test_a_text_has_every_event_in_its_order():
    written = _stream([OTHER_BEGIN, TextDelta("Hel"), TextDelta("lo"), *DONE])
    assert _types(written) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    final = _checked(written)
    assert (final["id"], final["model"], final["created_at"]) == ("resp_abc", "gpt", 7)
    assert "foreign" not in final
    assert _parsed(written).output_text == "Hello"


def test_a_thought_is_a_summary_and_its_proof_is_sealed():
    thought = [ReasoningDelta("h"), ReasoningDelta("m"), ReasoningDelta("", signature="p", origin="anthropic")]
    written = _stream([OTHER_BEGIN, *thought, TextDelta("Hi"), *DONE])
    assert _types(written)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    item = _checked(written)["output"][0]
    assert item["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert item["encrypted_content"] == seal("p", "anthropic", "openai_responses")


def test_a_proof_without_an_owner_is_taken_as_the_answers_dialects():
    item = _checked(_stream([OTHER_BEGIN, ReasoningDelta("hm", signature="p"), *DONE]))["output"][0]
    assert item["encrypted_content"] == seal("p", "anthropic", "openai_responses")
    unknown = _checked(_stream([Begin(), ReasoningDelta("hm", signature="p"), *DONE]))["output"][0]
    assert "encrypted_content" not in unknown


def test_two_thoughts_are_two_items():
    thoughts = [ReasoningDelta("a", signature="p"), ReasoningDelta("b"), ReasoningDelta("c", is_new=True)]
    output = _checked(_stream([OTHER_BEGIN, *thoughts, *DONE]))["output"]
    assert [item["summary"][0]["text"] for item in output] == ["a", "b", "c"]


def test_parallel_calls_may_overlap_and_each_has_its_index():
    calls = [
        CallBegin(0, "c0", "f"),
        CallBegin(1, "c1", "g"),
        CallDelta(0, '{"a"'),
        CallDelta(1, '{"b"'),
        CallDelta(0, ":1}"),
        CallEnd(0),
        CallDelta(1, ":2}"),
    ]
    written = _stream([OTHER_BEGIN, *calls, Finish("tool_calls"), End()])
    _checked(written)
    assert [(call.call_id, call.name, call.arguments) for call in _parsed(written).output] == [
        ("c0", "f", '{"a":1}'),
        ("c1", "g", '{"b":2}'),
    ]


def test_no_arguments_are_an_empty_object_and_free_text_stays_free():
    calls = [CallBegin(0, "c0", "f"), CallEnd(0), CallBegin(1, "c1", "p", is_custom=True), CallDelta(1, "free")]
    first, second = _checked(_stream([OTHER_BEGIN, *calls, Finish("tool_calls"), End()]))["output"]
    assert (first["arguments"], second["type"], second["input"]) == ("{}", "custom_tool_call", "free")


def test_a_calls_proof_stands_in_an_item_before_it_and_comes_back_on_it():
    call = CallBegin(0, "c0", "f", signature="p", origin="gemini")
    final = _checked(_stream([OTHER_BEGIN, call, CallDelta(0, "{}"), Finish("tool_calls"), End()]))
    assert [item["type"] for item in final["output"]] == ["reasoning", "function_call"]
    again = READER.read_request(json.dumps({"model": "m", "input": final["output"]}).encode()).messages[0]
    assert (again.parts[0].signature, again.parts[0].origin) == ("p", "gemini")


def test_a_texts_proof_comes_back_on_it():
    final = _checked(_stream([Begin(dialect="gemini"), TextDelta("Hi"), TextDelta("", signature="p"), *DONE]))
    again = READER.read_request(json.dumps({"model": "m", "input": final["output"]}).encode()).messages[0]
    assert [(part.text, part.signature) for part in again.parts] == [("Hi", "p")]


def test_hidden_thoughts_come_back_hidden():
    hidden = ReasoningDelta("", signature="p", is_redacted=True, origin="anthropic")
    final = _checked(_stream([OTHER_BEGIN, hidden, TextDelta("Hi"), *DONE]))
    again = READER.read_request(json.dumps({"model": "m", "input": final["output"]}).encode()).messages[0]
    assert (again.parts[0].signature, again.parts[0].is_redacted, again.parts[0].origin) == ("p", True, "anthropic")


def test_citations_are_annotations_of_the_text_that_is_said():
    citation = Citation("https://x", "X", start=0, end=2)
    written = _stream([OTHER_BEGIN, TextDelta("Hi"), CitationDelta(citation), *DONE])
    (annotation,) = _checked(written)["output"][0]["content"][0]["annotations"]
    assert annotation == {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}
    assert "output_text.annotation.added" in _types(written)


def test_likelihoods_go_with_their_text():
    likely = Logprob("Hi", -0.5, top=(Logprob("Ho", -1.0),))
    writer = WRITER.write_deltas(ASKED)
    written = writer.write([OTHER_BEGIN, TextDelta("Hi"), LogprobsDelta((likely,)), *DONE])
    written += writer.close(is_complete=True)
    (delta,) = (event for event in _events(written) if event["type"] == "response.output_text.delta")
    assert delta["logprobs"][0]["top_logprobs"] == [{"token": "Ho", "bytes": [72, 111], "logprob": -1.0}]
    assert _checked(written)["output"][0]["content"][0]["logprobs"] == delta["logprobs"]


def test_a_refusal_is_a_content_part():
    written = _stream([OTHER_BEGIN, TextDelta("Well"), RefusalDelta("no"), RefusalDelta("pe"), *DONE])
    (message,) = _checked(written)["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][1]["refusal"] == "nope"


def test_blocks_of_text_are_parts_of_one_message():
    (message,) = _checked(_stream([OTHER_BEGIN, TextDelta("a", is_new=True), TextDelta("b", is_new=True), *DONE]))[
        "output"
    ]
    assert [part["text"] for part in message["content"]] == ["a", "b"]


def test_an_image_and_another_providers_search_are_openais_items():
    search = [CallBegin(0, "s", "web_search", is_server_side=True), CallDelta(0, '{"query":"q"}'), CallEnd(0)]
    found = PartDelta(ToolResult("s", "web_search", (), is_server_side=True))
    image = PartDelta(Media("image", "image/png", data="QUJD"))
    output = _checked(_stream([OTHER_BEGIN, *search, found, image, *DONE]))["output"]
    assert [item["type"] for item in output] == ["web_search_call", "image_generation_call"]
    assert output[0]["action"]["query"] == "q" and output[1]["result"] == "QUJD"


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("other", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("pause", "incomplete", {"reason": None}),
        ("error", "failed", None),
    ],
)
def test_a_reason_becomes_a_status(reason, status, details):
    final = _checked(_stream([OTHER_BEGIN, TextDelta("Hi"), Finish(reason), USED, End()]))
    assert (final["status"], final["incomplete_details"]) == (status, details)
    assert final["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")


def test_usage_is_whole_numbers():
    usage = UsageDelta(Usage(input_tokens=9, output_tokens=5, cache_read_tokens=4, reasoning_tokens=2))
    final = _checked(_stream([OTHER_BEGIN, usage, TextDelta("Hi"), Finish("stop"), End()]))
    assert final["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }


@pytest.mark.parametrize("is_complete", [True, False])
@pytest.mark.parametrize("said", [[], [OTHER_BEGIN, TextDelta("Hel"), CallBegin(0, "c", "f"), CallDelta(0, "{")]])
def test_a_failure_is_never_a_normal_finish(said, is_complete):
    failed = Failed(ReplyError("overloaded_error", "Too much."))
    final = _checked(_stream([*said, failed, *DONE], is_complete=is_complete))
    assert final["status"] == "failed"
    assert final["error"] == {"code": "overloaded_error", "message": "Too much."}


def test_a_stream_that_was_cut_fails():
    final = _checked(_stream([OTHER_BEGIN, TextDelta("Hel")], is_complete=False))
    assert (final["status"], final["error"]["code"]) == ("failed", "server_error")
    assert final["output"][0]["content"][0]["text"] == "Hel"


def test_a_ping_is_a_comment_that_no_parser_minds():
    writer = WRITER.write_deltas(ASKED)
    written = writer.ping() + writer.write([OTHER_BEGIN]) + writer.ping() + writer.write([TextDelta("Hi"), *DONE])
    assert _parsed(written + writer.close(is_complete=True)).output_text == "Hi"


def test_the_requests_fields_are_repeated():
    body = {
        "model": "gpt",
        "instructions": "Be kind.",
        "input": "Hi",
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 99,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}, "verbosity": "low"},
        "parallel_tool_calls": False,
        "previous_response_id": "resp_0",
        "store": False,
        "metadata": {"a": "b"},
        "truncation": "auto",
        "max_tool_calls": 3,
        "safety_identifier": "ann",
        "prompt_cache_key": "k",
    }
    request = READER.read_request(json.dumps(body).encode())
    asked = Asked(request, "gpt", "abc", 7)
    final = _checked(_stream([OTHER_BEGIN, TextDelta("Hi"), *DONE], asked=asked))
    del body["input"]
    assert differences(body, {name: final[name] for name in body}) == []
    assert Response.model_validate(final).status == "completed"


def test_a_request_that_says_nothing_has_the_apis_defaults():
    final = _checked(_stream([OTHER_BEGIN, *DONE]))
    defaults = {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "truncation": "disabled"}
    assert (
        differences(
            {**defaults, "text": {"format": {"type": "text"}}, "store": True, "metadata": {}},
            {name: final[name] for name in (*defaults, "text", "store", "metadata")},
        )
        == []
    )
    assert Response.model_validate(final).output == []


def test_a_whole_answer_says_what_its_stream_says():
    parts = (
        Reasoning("hm", "p", origin="anthropic"),
        Text("Hi", (Citation("https://x", "X"),)),
        Text("there"),
        ToolCall("c", "f", '{"a":1}'),
        ToolCall("d", "p", "free", is_custom=True),
        Refusal("no"),
    )
    choice = Choice(0, Message("assistant", parts), "tool_calls", "tool_use")
    reply = Reply("x", "claude", (choice,), Usage(1, 2), dialect="anthropic", created_s=5)
    whole = json.loads(WRITER.write_reply(reply, ASKED))
    assert whole == _checked(_stream(unfold(reply)))
    assert Response.model_validate(whole).output_text == "Hithere"


def _meant(value):
    """A response without its empty lists of likelihoods: some servers leave them out."""
    if isinstance(value, list):
        return [_meant(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _meant(field) for name, field in value.items() if (name, field) != ("logprobs", [])}


def _asked_of(record, reply):
    request = READER.read_request(record.request) if record.request else ASKED.request
    owner = (reply.id or "").removeprefix("resp_")
    return Asked(request, reply.model or "m", owner, reply.created_s or 0)


ORDERED_OTHERWISE = "test_openai_responses_model_mcp_list_tools_stream_backfills_missing_results:0"
"""Its items are done in another order than the last event has them in."""
RAW_THOUGHT = "test_openai_responses_raw_cot_stream_openrouter:0"
"""Its last event gives the thought another id than the events before."""
CUT_CALL = "handles-refusal-for-stream:0"
"""Its call is `incomplete`, which a call's begin cannot know."""
OPENAIS_PROOFS = ("output.encrypted_content",)
"""OpenAI encrypts a thought anew for the last event."""


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # values that are newer than the SDK's types
def test_every_recorded_stream_is_read_by_openais_sdk_as_the_same_response():
    """Compared: every field of the response, all items and their ids included."""
    n = 0
    for record in records("openai.responses"):
        reply = READER.read_answer(record.response, record.content_type, record.status)
        if "sse" not in record.wire["response"] or reply.error or not reply.is_complete:
            continue
        if record.id.endswith((ORDERED_OTHERWISE, RAW_THOUGHT, CUT_CALL)):
            continue
        deltas = deltas_of_body(WRITER.read_deltas(), record.response)
        asked = _asked_of(record, reply)
        writer = WRITER.write_deltas(asked)
        parsed = _parsed(writer.write(deltas) + writer.close(is_complete=True))
        original = [event["response"] for event in record.events() if "response" in event][-1]
        ignoring = (*OPENAIS_PROOFS, "output.content.parsed", "output.parsed_arguments")
        again = json.loads(parsed.model_dump_json(by_alias=True, exclude_unset=True, warnings=False))
        assert differences(_meant(original), _meant(again), ignoring=ignoring) == [], record.id
        n += 1
    assert n > 100


def test_every_recorded_stream_is_valid_for_clients_when_another_provider_sent_it():
    for record in records("openai.responses"):
        if "sse" in record.wire["response"]:
            deltas = deltas_of_body(WRITER.read_deltas(), record.response)
            foreign = [Begin(dialect="anthropic") if isinstance(delta, Begin) else delta for delta in deltas]
            final = _checked(_stream(foreign))
            said = fold(deltas)
            text = "".join(p.text for c in said.choices for p in c.message.parts if isinstance(p, Text))
            got = "".join(p.get("text", "") for item in final["output"] for p in item.get("content", ()))
            assert got == text, record.id


TEXTS, PLACES, PROOFS = st.text(max_size=4), st.integers(0, 2), st.sampled_from([None, "p"])
FLAG = st.booleans()
NAMES, IDS, OWNERS = (
    st.sampled_from(["f", "web_search"]),
    st.sampled_from([None, "c"]),
    st.sampled_from([None, "gemini"]),
)
SOUP = st.lists(
    st.one_of(
        st.just(OTHER_BEGIN),
        st.builds(TextDelta, TEXTS, st.sampled_from([0, 0, 0, 1]), FLAG, PROOFS),
        st.builds(RefusalDelta, TEXTS),
        st.builds(ReasoningDelta, TEXTS, st.just(0), FLAG, PROOFS, FLAG, OWNERS),
        st.builds(CallBegin, PLACES, IDS, NAMES, st.just(0), FLAG, FLAG, PROOFS, OWNERS),
        st.builds(CallDelta, PLACES, TEXTS),
        st.builds(CallEnd, PLACES),
        st.builds(CitationDelta, st.just(Citation("u"))),
        st.builds(LogprobsDelta, st.just((Logprob("a", -1.0),))),
        st.just(PartDelta(Media("image", data="QUJD"))),
        st.just(USED),
        st.just(Finish("length")),
        st.just(Failed(ReplyError(None, "no"))),
        st.just(End()),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(SOUP, st.booleans())
def test_whatever_comes_the_grammar_holds(deltas, is_complete):
    final = _checked(_stream(deltas, is_complete=is_complete))
    has_failed = not is_complete or any(isinstance(delta, Failed) for delta in deltas)
    assert (final["status"] == "failed") == has_failed
