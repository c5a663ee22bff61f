import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.peek import peek
from app.errors import InputError

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "stream", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_finds_the_model_and_where_it_stands():
    body = b'{"stream": true, "model" : "gpt-4o", "messages": []}'
    seen = peek(body)
    assert (seen.model, seen.is_stream) == ("gpt-4o", True)
    assert body[seen.model_start : seen.model_end] == b'"gpt-4o"'


def test_the_same_words_inside_a_message_do_not_mislead():
    other = b'{"model":"m"}'
    body = b'{"a": %b, "tools": [%b], "b": "\\"model\\":\\"m\\"", "model":"m", "z": %b}' % (other, other, other)
    seen = peek(body)
    changed = json.loads(body[: seen.model_start] + b'"new"' + body[seen.model_end :])
    assert changed == json.loads(body) | {"model": "new"}


@given(st.dictionaries(st.sampled_from(["model", "stream", "messages", "x"]), _JSON), st.sampled_from([None, 1]))
def test_replacing_the_range_changes_the_model_and_nothing_else(value, indent):
    body = json.dumps(value, indent=indent).encode()
    seen = peek(body)
    if not isinstance(value.get("model"), str):
        assert (seen.model, seen.model_start, seen.model_end) == (None, -1, -1)
        return
    assert seen.model == value["model"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    changed = json.loads(body[: seen.model_start] + b'"new"' + body[seen.model_end :])
    assert changed == value | {"model": "new"}


def test_a_name_written_with_escapes_is_read():
    seen = peek(b'{"model": "gpt\\u002d4o"}')
    assert seen.model == "gpt-4o"
    assert seen.model_end - seen.model_start == len(b'"gpt\\u002d4o"')


@pytest.mark.parametrize("body", [b"{}", b'{"model": null}', b'{"model": 4}', b'{"model": {"model": "x"}}'])
def test_no_model_is_minus_one(body):
    assert (peek(body).model, peek(body).model_start, peek(body).model_end) == (None, -1, -1)


@pytest.mark.parametrize("stream", ["false", "null", '"true"', "1"])
def test_only_true_streams(stream):
    assert peek(b'{"stream": %s}' % stream.encode()).is_stream is False


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"[]", b'"x"', b'{"model": "x"', b'{"model": "x"} more', b'{"a": nan}', b'{"x":' + b"[" * 100_000],
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(InputError):
        peek(body)


def test_half_a_surrogate_pair_passes_as_javascript_writes_it():
    body = b'{"messages": [{"content": "cut \\ud83d"}], "model": "m"}'
    seen = peek(body)
    assert body[seen.model_start : seen.model_end] == b'"m"'


def test_a_model_deep_in_a_long_body_is_found_between_others():
    turns = b",".join([b'{"model":"m"}'] * 2000)
    body = b'{"a":[' + turns + b'],"model":"m","b":[' + turns + b"]}"
    seen = peek(body)
    assert json.loads(body[: seen.model_start] + b'"n"' + body[seen.model_end :])["model"] == "n"


def test_an_escaped_key_is_told_apart_from_a_plain_one():
    with pytest.raises(InputError, match="told apart"):
        peek(b'{"mod\\u0065l": "m"}')
