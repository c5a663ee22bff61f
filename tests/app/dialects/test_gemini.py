import json

import pytest

from app.dialects.gemini import GeminiReader
from app.models.chat import ReplyError, Tool
from app.models.message import Media, Message, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

READER = GeminiReader()


def _chunk(*parts, finish=None, **fields):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini", "responseId": "r1", **fields}


def _sse(*chunks):
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def _whole(chunk, status=200):
    return READER.read_answer(json.dumps(chunk).encode(), "application/json", status)


def _read(content):
    return READER.read_element(json.dumps(content).encode())


def test_a_request_is_read_whole_in_either_spelling():
    call, answer = {"name": "w", "args": {"a": 1}}, {"name": "w", "response": {"result": "sunny"}}
    camel = {
        "systemInstruction": {"role": "user", "parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Look"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]},
            {"role": "model", "parts": [{"functionCall": call, "thoughtSignature": "s"}]},
            {"role": "user", "parts": [{"functionResponse": answer}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "w", "parameters": {"type": "OBJECT"}}]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"temperature": 0},
    }
    snake = {
        "system_instruction": {"parts": {"text": "Be kind."}},
        "contents": [
            {"role": "user", "parts": [{"text": "Look"}, {"inline_data": {"mime_type": "image/png", "data": "QUJD"}}]},
            {"role": "model", "parts": [{"function_call": call, "thought_signature": "s"}]},
            {"role": "user", "parts": [{"function_response": answer}]},
        ],
        "tools": [{"function_declarations": [{"name": "w", "parameters": {"type": "OBJECT"}}]}, {"googleSearch": {}}],
        "tool_config": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"temperature": 0},
    }
    read = [READER.read_request(json.dumps(body).encode()) for body in (camel, snake)]
    assert read[0] == read[1]
    assert read[0].messages == (
        Message("system", (Text("Be kind."),)),
        Message("user", (Text("Look"), Media("image", "image/png", data="QUJD"))),
        Message("assistant", (ToolCall(None, "w", '{"a":1}', signature="s", origin="gemini"),)),
        Message("tool", (ToolResult(None, "w", (Text("sunny"),)),)),
    )
    assert read[0].tools == (
        Tool("w", None, {"type": "object"}, extras={"parameters": {"type": "OBJECT"}}),
        Tool("googleSearch", kind="googleSearch"),
    )
    assert (read[0].settings, read[0].params, read[0].dialect) == (Settings(temperature=0), {}, "gemini")
    assert read[0].tool_choice == ToolChoice("required")


def test_the_system_instruction_is_an_element_with_its_key():
    body = b'{"contents": [{"parts": [{"text": "a"}]}], "system_instruction": {"parts": []}}'
    assert READER.split_messages(body) == [b'"systemInstruction":{"parts": []}', b'{"parts": [{"text": "a"}]}']


@pytest.mark.parametrize(
    "contents", [{"parts": [{"text": "a"}]}, {"parts": {"text": "a"}}, "a", [{"parts": [{"text": "a"}]}]]
)
def test_contents_come_in_every_form(contents):
    request = READER.read_request(json.dumps({"contents": contents}).encode())
    assert request.messages == (Message("user", (Text("a"),)),)


def test_an_embedding_request_is_read():
    body = b'{"model": "models/e", "content": {"parts": [{"text": "a"}]}}'
    assert READER.read_request(body).messages == (Message("user", (Text("a"),)),)
    assert READER.read_reply(b'{"embedding": {"values": [1]}}', 200).error is None


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"text": "hm", "thought": True}, (Reasoning("hm"),)),
        ({"text": "hm", "thought": True, "thoughtSignature": "s"}, (Reasoning("hm", "s", origin="gemini"),)),
        ({"text": "", "thoughtSignature": "s"}, (Text("", signature="s"),)),
        ({"text": "a", "thoughtSignature": "s"}, (Text("a", signature="s"),)),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://x"}},
            (Media("video", "video/mp4", file_id="gs://x"),),
        ),
        (
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            (ToolCall(None, "code_execution", '{"code":"1","language":"PYTHON"}', is_server_side=True),),
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "boom"}},
            (ToolResult(None, "code_execution", (Text("boom"),), is_error=True, is_server_side=True),),
        ),
        (
            {"functionResponse": {"name": "f", "id": "1", "response": {"a": 1, "b": 2}}},
            (ToolResult("1", "f", (Text('{"a":1,"b":2}'),)),),
        ),
        (
            {"functionResponse": {"name": "f", "response": {"error": "no"}}},
            (ToolResult(None, "f", (Text("no"),), is_error=True),),
        ),
    ],
)
def test_every_part_is_read(part, expected):
    assert _read({"role": "model", "parts": [part]}).parts == expected


def test_a_stream_folds_into_the_same_message_in_every_framing():
    chunks = [
        _chunk({"text": "h", "thought": True}, usageMetadata={"promptTokenCount": 3, "totalTokenCount": 4}),
        _chunk({"text": "m", "thought": True}),
        _chunk({"text": "Hel"}),
        _chunk({"text": "lo"}),
        _chunk(
            {"functionCall": {"name": "w", "args": {"a": 1}}}, finish="STOP", usageMetadata={"candidatesTokenCount": 9}
        ),
    ]
    whole = _whole(
        _chunk(
            {"text": "hm", "thought": True},
            {"text": "Hello"},
            {"functionCall": {"name": "w", "args": {"a": 1}}},
            finish=1,
            usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 9, "totalTokenCount": 4},
        )
    )
    assert whole.choices[0].finish_reason == "tool_calls"
    assert READER.read_answer(_sse(*chunks), "text/event-stream", 200) == whole
    assert READER.read_answer(json.dumps(chunks, indent=2).encode(), "application/json", 200) == whole
    assert READER.read_stream(json.dumps(chunks).encode()) == whole


def test_a_cut_array_keeps_what_came_and_is_incomplete():
    body = json.dumps([_chunk({"text": "Hel"}), _chunk({"text": "lo"}, finish="STOP")]).encode()
    cut = READER.read_answer(body[:-20], "application/json", 200)
    assert (cut.choices[0].message.text(), cut.is_complete) == ("Hel", False)


def test_usage_counts_thoughts_and_tool_prompts():
    usage = _whole(
        _chunk(
            {"text": "a"},
            finish="STOP",
            usageMetadata={
                "promptTokenCount": 100,
                "cachedContentTokenCount": 60,
                "toolUsePromptTokenCount": 20,
                "candidatesTokenCount": 10,
                "thoughtsTokenCount": 30,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 70}, {"modality": 4, "tokenCount": 30}],
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}],
                "trafficType": "ON_DEMAND_FLEX",
            },
        )
    ).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (120, 40, 60)
    assert (usage.reasoning_tokens, usage.input_audio_tokens, usage.cache_read_audio_tokens) == (30, 30, 5)
    assert (usage.service_tier, usage.cache_write_tokens) == ("flex", None)


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("STOP", "stop"),
        (2, "length"),
        ("SAFETY", "content_filter"),
        (7, "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        (10, "error"),
        ("UNEXPECTED_TOOL_CALL", "error"),
    ],
)
def test_reasons_are_words_or_numbers(native, reason):
    assert _whole(_chunk({"text": "a"}, finish=native)).choices[0].finish_reason == reason


def test_a_blocked_prompt_is_an_empty_filtered_answer():
    reply = _whole({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}})
    choice = reply.choices[0]
    assert (choice.message.parts, choice.finish_reason) == ((), "content_filter")
    assert (choice.native_finish_reason, reply.usage.input_tokens) == ("PROHIBITED_CONTENT", 3)
    assert READER.read_stream(_sse({"promptFeedback": {"blockReason": "SAFETY"}})).is_complete is True


def test_errors_are_read_in_every_framing():
    error = {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}
    expected = ReplyError("INVALID_ARGUMENT", "no", "400")
    assert READER.read_answer(json.dumps(error, indent=2).encode(), "text/event-stream", 400).error == expected
    assert READER.read_answer(json.dumps([error]).encode(), "application/json", 400).error == expected
    assert READER.read_stream(_sse(_chunk({"text": "a"}), error)).error == expected


def test_an_answer_equals_the_turn_sent_back_though_the_client_made_up_an_id():
    answered = _whole(
        _chunk({"functionCall": {"name": "w", "args": {"n": 2.0}}, "thoughtSignature": "s"}, finish="STOP")
    )
    sent = {"role": "model", "parts": [{"function_call": {"id": "mine", "name": "w", "args": {"n": 2}}}]}
    assert READER.canon(json.dumps(sent).encode()) == READER.canon_message(answered.choices[0].message)


def test_every_setting_has_its_place_and_the_rest_is_kept():
    config = {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "topK": 40.0,
        "stopSequences": ["a"],
        "seed": 7,
        "presencePenalty": 1,
        "frequencyPenalty": -1,
        "candidateCount": 2,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
    }
    beside = {"labels": {"a": "b"}, "cachedContent": "c", "serviceTier": "FLEX"}
    body = {"contents": [], "generationConfig": config, **beside}
    request = READER.read_request(json.dumps(body).encode())
    assert request.settings == Settings(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop=("a",),
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1,
        n=2,
        logprobs=True,
        top_logprobs=3,
        modalities=("text", "audio"),
        audio={"voice": "Kore"},
        thinking=Thinking(shows=True, extras={"thinkingBudget": -1}),
        metadata={"a": "b"},
        service_tier="flex",
    )
    kept = {"mediaResolution": "MEDIA_RESOLUTION_LOW"}
    assert request.params == {"cachedContent": "c", "generationConfig": kept}


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({"responseMimeType": "application/json"}, OutputFormat("json")),
        ({"response_mime_type": "text/plain"}, OutputFormat("text")),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            OutputFormat("schema", {"type": "object"}),
        ),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING", "nullable": True}},
            OutputFormat(
                "schema",
                {"type": ["string", "null"]},
                extras={"responseSchema": {"type": "STRING", "nullable": True}},
            ),
        ),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}, None),
    ],
)
def test_a_structured_output_is_read_in_every_form(config, output):
    request = READER.read_request(json.dumps({"contents": [], "generationConfig": config}).encode())
    assert request.settings.output == output
    assert bool(request.params) == (output is None)


def test_thinking_off_is_a_budget_of_nothing():
    body = b'{"contents": [], "generationConfig": {"thinking_config": {"thinking_budget": 0}}}'
    assert READER.read_request(body).settings.thinking == Thinking(is_on=False)


def test_a_request_whose_tokens_are_counted_is_read():
    inner = {"model": "models/m", "contents": [{"parts": [{"text": "a"}]}]}
    request = READER.read_request(json.dumps({"generateContentRequest": inner}).encode())
    assert (request.model, request.messages) == ("models/m", (Message("user", (Text("a"),)),))


@pytest.mark.parametrize(
    "body",
    [
        {"systemInstruction": {"parts": [{"text": "s"}]}, "contents": [{"parts": [{"text": "a"}]}, "b"]},
        {"system_instruction": "s", "contents": {"role": "model", "parts": {"text": "a"}}},
        {"contents": "a"},
        {"content": {"parts": [{"text": "a"}]}},
    ],
)
def test_a_message_is_its_element_read_alone(body):
    written = json.dumps(body).encode()
    read = tuple(READER.read_element(element) for element in READER.split_messages(written))
    assert READER.read_request(written).messages == read
