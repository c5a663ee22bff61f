import json

from hypothesis import given
from hypothesis import strategies as st

from app.dialects.plain import text_of


def test_openai_messages_give_their_words():
    raw = json.dumps(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        }
    ).encode()
    assert text_of(raw) == "What is this?"


def test_arguments_inside_a_string_are_read_with_all_their_fields():
    raw = json.dumps(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"id": "A7", "n": 3}'}}
            ],
        }
    ).encode()
    assert text_of(raw) == "find\nA7\n3"


def test_anthropic_and_gemini_give_calls_and_results_without_ids():
    anthropic = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "42 °C"}]}
    gemini = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"status": "open"}}}]}
    assert text_of(json.dumps(anthropic).encode()) == "42 °C"
    assert text_of(json.dumps(gemini).encode()) == "f\nopen"


def test_base64_is_left_out_and_long_text_is_not():
    raw = json.dumps({"content": [{"inline": "QUJD" * 200}, "word " * 200]}).encode()
    assert text_of(raw) == "word " * 200


def test_every_form_of_element_is_read():
    assert text_of(b'"system":"Be kind."') == "Be kind."
    assert text_of(b'{"type":"message","content":"a"},{"type":"message","content":"b"}') == "a\nb"
    assert text_of(b"not json") == "not json"


@given(st.binary(max_size=200))
def test_anything_gives_text(raw):
    assert isinstance(text_of(raw), str)


def test_deep_nesting_is_cut_and_does_not_raise():
    assert text_of(b'["top",' + b"[" * 900 + b'"x"' + b"]" * 900 + b"]") == "top"
    assert isinstance(text_of(b"[" * 100_000), str)
