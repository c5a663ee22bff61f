import json

from dialect_recordings import records
from openai._models import construct_type
from openai.types.responses import ResponseItem

from app.dialects.openai_responses import OpenAiResponsesReader
from app.dialects.openai_responses_session import (
    continued,
    input_items,
    output_items,
    referenced_ids,
    response_id_of,
    response_of,
)

READER = OpenAiResponsesReader()
SAID = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}


def _bytes(value):
    return json.dumps(value).encode()


def test_a_plain_input_is_one_message_with_an_id():
    (item,) = input_items(_bytes({"model": "m", "input": "Hi"}))
    assert item.pop("id").startswith("msg_")
    assert item == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
        "status": "completed",
    }


def test_every_item_has_its_own_id_and_keeps_one_it_had():
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "1"}
    body = _bytes({"input": [{"role": "user", "content": "Hi"}, SAID, call, result, {"role": "user", "content": "Hi"}]})
    ids = [item["id"] for item in input_items(body)]
    assert ids[1] == "msg_1"
    assert ids[2].startswith("fc_") and ids[3].startswith("fco_")
    assert len(set(ids)) == 5
    assert input_items(body) == input_items(body)


def test_equal_inputs_of_two_requests_have_two_ids():
    first, second = (_bytes({"input": "Hi", "previous_response_id": past}) for past in ("resp_1", "resp_2"))
    assert input_items(first)[0]["id"] != input_items(second)[0]["id"]


def test_history_stands_before_the_own_input_and_the_ids_are_gone():
    body = _bytes({"model": "m", "previous_response_id": "resp_0", "conversation": "conv_1", "input": "And now?"})
    before = input_items(_bytes({"input": "Hi"}))
    whole = json.loads(continued(body, [*before, SAID]))
    assert set(whole) == {"model", "input"}
    assert [message.text() for message in READER.read_request(_bytes(whole)).messages] == ["Hi", "Hello", "And now?"]


def test_instructions_are_this_requests_own():
    body = _bytes({"instructions": "Be kind.", "previous_response_id": "resp_0", "input": "And now?"})
    assert json.loads(continued(body, [SAID]))["instructions"] == "Be kind."


def test_references_are_resolved_left_to_history_or_kept():
    named = [{"type": "item_reference", "id": item_id} for item_id in ("msg_1", "rs_2", "fc_3")]
    body = _bytes({"input": [*named, {"role": "user", "content": "Go on"}]})
    assert referenced_ids(body) == ["msg_1", "rs_2", "fc_3"]
    thought = {"type": "reasoning", "id": "rs_2", "summary": []}
    whole = json.loads(continued(body, [SAID], {"rs_2": thought}))["input"]
    assert whole == [SAID, thought, named[2], {"role": "user", "content": "Go on"}]


def test_the_same_arguments_give_the_same_bytes():
    body = _bytes({"input": "Hi", "previous_response_id": "resp_0"})
    assert continued(body, [SAID]) == continued(body, [SAID])


def test_an_answer_is_found_whole_or_at_the_end_of_its_stream():
    response = {"id": "resp_1", "object": "response", "output": [SAID]}
    whole = _bytes(response)
    begun = b"data: " + _bytes({"type": "response.created", "response": {**response, "output": []}}) + b"\n\n"
    ended = b"data: " + _bytes({"type": "response.completed", "response": response}) + b"\n\n"
    assert output_items(whole) == output_items(begun + ended) == [SAID]
    assert response_id_of(whole) == response_id_of(begun) == "resp_1"


def test_nonsense_is_no_item_and_no_answer():
    for body in (b"", b"[", b'{"input": 3}', b'"x"', b'{"error": {}}'):
        assert input_items(body) == output_items(body) == referenced_ids(body) == []
        assert response_id_of(body) is response_of(body) is None


def test_every_recorded_input_is_listed_as_the_sdk_knows_items():
    for record in records("openai.responses"):
        if not record.request:
            continue
        body = json.loads(record.request)
        listed = input_items(record.request)
        for item in listed:
            known = construct_type(type_=ResponseItem, value=item)
            assert (known.type, known.id) == (item["type"], item["id"]), record.id
        again = json.loads(continued(record.request, []))["input"]
        given = body.get("input", [])
        assert again == given if isinstance(given, list) else len(again) == 1, record.id
