import json
from typing import Any

import msgspec
import pytest
from bare import bare
from dialect_recordings import Recording, records
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from app.dialects.fold import fold
from app.dialects.openai_chat_deltas import ChatDeltas
from app.dialects.openai_chat_writer import OpenAiChatWriter
from app.dialects.writing import Asked, deltas_of_body
from app.models.chat import ChatRequest, ReplyError
from app.models.delta import (
    Begin,
    CallBegin,
    CallDelta,
    Delta,
    End,
    Failed,
    Finish,
    PartDelta,
    ReasoningDelta,
    RefusalDelta,
    Skipped,
    TextDelta,
    UsageDelta,
)
from app.models.message import Media
from app.models.settings import Settings
from app.models.usage import Usage

REQUEST = ChatRequest(None, (), settings=Settings(includes_usage=True))
ASKED = Asked(REQUEST, "gpt-4o", "abc123", 1_780_000_000)


def streams() -> list[Recording]:
    """Every recorded stream that came whole."""
    return [one for one in records("openai.chat") if "sse" in one.wire["response"] and one.status == 200]


def emitted(deltas: list[Delta], *, is_complete: bool = True) -> bytes:
    """The stream that a client gets."""
    writer = OpenAiChatWriter().write_deltas(ASKED)
    return writer.write(deltas) + writer.close(is_complete=is_complete)


def events_of(body: bytes) -> list[Any]:
    """The JSON of each event, without any of the code under test."""
    lines = [line[5:].strip() for line in body.decode().split("\n") if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def parsed(body: bytes) -> Any:
    """What OpenAI's SDK makes of a stream."""
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for value in events_of(body):
        state.handle_chunk(ChatCompletionChunk.model_validate(value))
    return state.current_completion_snapshot


def told(snapshot: Any) -> list[Any]:
    """What a user sees of it."""
    return [
        (
            choice.index,
            choice.message.content or "",
            choice.message.refusal or "",
            [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []],
            "tool_calls" if choice.message.tool_calls and choice.finish_reason == "stop" else choice.finish_reason,
        )
        for choice in snapshot.choices
    ]


def test_recorded_streams_are_parsed_by_the_sdk_to_the_same_answer() -> None:
    n_compared = 0
    for record in streams():
        if record.wire["provider"] != "openai" or not events_of(record.response):
            continue
        deltas = deltas_of_body(ChatDeltas(), record.response)
        if not any(isinstance(delta, End) for delta in deltas):
            continue
        try:
            was = told(parsed(record.response))
        except (AttributeError, TypeError, ValueError, AssertionError, KeyError):
            continue  # the SDK itself cannot read it
        now = parsed(emitted(deltas))
        assert told(now) == was, record.id
        assert (now.id, now.model) == ("chatcmpl-abc123", "gpt-4o")
        n_compared += 1
    assert n_compared > 60


def test_written_streams_fold_to_the_reply_they_were_made_of() -> None:
    for record in streams():
        deltas = deltas_of_body(ChatDeltas(), record.response)
        first = fold(deltas)
        if not first.is_complete or first.error is not None:
            continue
        if not all(choice.finish_reason for choice in first.choices):
            continue  # Snowflake gives none, and a written stream always has one
        again = fold(deltas_of_body(ChatDeltas(), emitted(deltas)))
        assert [bare(choice.message) for choice in again.choices] == [
            bare(_as_written(choice.message)) for choice in first.choices or again.choices
        ], record.id
        assert [choice.finish_reason for choice in again.choices[: len(first.choices)]] == [
            choice.finish_reason for choice in first.choices
        ], record.id


def _as_written(message: Any) -> Any:
    """Parts that a stream of chunks has no place for are gone."""
    kept = tuple(part for part in message.parts if type(part).__name__ != "Raw")
    return msgspec.structs.replace(message, parts=kept)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_deltas(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(_few()))
    body = record.response
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    reader = ChatDeltas()
    found: list[Delta] = []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        found += reader.feed(body[start:end])
    assert found + reader.close() == deltas_of_body(ChatDeltas(), body)


_kept: list[Recording] = []


def _few() -> list[Recording]:
    if not _kept:
        _kept.extend([one for one in streams() if len(one.response) < 20_000][::7])
    return _kept


SOUP = st.one_of(
    st.builds(Begin),
    st.builds(TextDelta, st.text(max_size=5)),
    st.builds(RefusalDelta, st.text(max_size=5)),
    st.builds(ReasoningDelta, st.text(max_size=5), signature=st.none() | st.just("proof"), origin=st.just("gemini")),
    st.builds(CallBegin, st.integers(0, 2), st.just("call_1"), st.just("f"), is_server_side=st.booleans()),
    st.builds(CallDelta, st.integers(0, 2), st.just("{}")),
    st.builds(PartDelta, st.just(Media("image", "image/png", data="QUJD"))),
    st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls", "pause", "error"])),
    st.builds(UsageDelta, st.just(Usage(input_tokens=3, output_tokens=1))),
    st.just(Skipped()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SOUP, max_size=12))
def test_whatever_comes_the_sdk_can_read_it(soup: list[Delta]) -> None:
    body = emitted(soup)
    snapshot = parsed(body)
    assert body.endswith(b"data: [DONE]\n\n")
    values = events_of(body)
    assert values[-1]["choices"] == [] and values[-1]["usage"]["total_tokens"] >= 0
    assert all(choice.finish_reason for choice in snapshot.choices)
    roles = [value["choices"][0]["delta"].get("role") for value in values if value["choices"]]
    assert roles.count("assistant") == len(snapshot.choices)


@pytest.mark.parametrize("soup", [[], [TextDelta("Hel")], [TextDelta("Hel"), Finish("stop")]])
def test_a_stream_that_failed_ends_with_an_error_and_nothing_else(soup: list[Delta]) -> None:
    body = emitted([*soup, Failed(ReplyError("overloaded_error", "Too much."))])
    assert b"[DONE]" not in body
    assert not any(
        value.get("choices", [{}])[0].get("finish_reason") for value in events_of(body) if "choices" in value
    )
    assert events_of(body)[-1]["error"]["message"] == "Too much."


def test_a_cut_stream_is_no_success() -> None:
    assert "error" in events_of(emitted([TextDelta("Hel")], is_complete=False))[-1]
