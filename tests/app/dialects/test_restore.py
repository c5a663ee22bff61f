import json

from hypothesis import given
from hypothesis import strategies as st

from app.dialects.fold import fold, unfold
from app.dialects.restore import Restorer, broken_rule
from app.dialects.writing import Restore
from app.models.chat import Choice, Reply
from app.models.delta import CallBegin, CallDelta, CallEnd, Delta, Finish, TextDelta
from app.models.message import Message, Reasoning, Text, ToolCall
from app.models.settings import OutputFormat

PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}},
    "required": ["age"],
}


def restored(restore: Restore, *deltas: Delta) -> Reply:
    restorer = Restorer(restore, "abc123")
    return fold(restorer.deltas(deltas) + restorer.close())


def said(text: str) -> list[Delta]:
    """A text in pieces of three characters."""
    return [TextDelta(text[start : start + 3]) for start in range(0, len(text), 3)]


def test_a_tool_gets_the_name_back_that_the_client_gave_it() -> None:
    reply = restored(Restore(names={"get_weather": "get.weather"}), CallBegin(0, "1", "get_weather"), CallEnd(0))
    assert reply.choices[0].message.tool_calls()[0].name == "get.weather"


def test_a_call_without_an_id_gets_one_of_its_own() -> None:
    calls = restored(Restore(), CallBegin(0, None, "a"), CallBegin(1, None, "a")).choices[0].message.tool_calls()
    assert len({call.id for call in calls}) == 2 and all(call.id and call.id.startswith("call_") for call in calls)


def test_the_tool_that_stands_for_the_output_becomes_the_text() -> None:
    wanted = OutputFormat("schema", PERSON)
    calls: list[Delta] = [CallBegin(0, "1", "answer"), CallDelta(0, '{"age"'), CallDelta(0, ": 7}"), CallEnd(0)]
    reply = restored(Restore(output_tool="answer", output=wanted), *calls, Finish("tool_calls", "tool_use"))
    choice = reply.choices[0]
    assert choice.message.text() == '{"age": 7}'
    assert not choice.message.tool_calls()
    assert choice.finish_reason == "stop"


def test_real_calls_beside_the_output_tool_still_reach_the_client() -> None:
    deltas: list[Delta] = [CallBegin(0, "1", "search"), CallDelta(0, "{}"), CallEnd(0), Finish("tool_calls")]
    choice = restored(Restore(output_tool="answer", output=OutputFormat("schema", PERSON)), *deltas).choices[0]
    assert [call.name for call in choice.message.tool_calls()] == ["search"]
    assert choice.finish_reason == "tool_calls"


def test_a_custom_tools_text_is_taken_out_of_its_wrapping() -> None:
    wrapped = json.dumps({"input": "print('hi')\n"})
    deltas: list[Delta] = [CallBegin(0, "1", "run"), *(CallDelta(0, char) for char in wrapped), Finish("tool_calls")]
    call = restored(Restore(custom_tools=frozenset({"run"})), *deltas).choices[0].message.tool_calls()[0]
    assert call.is_custom and call.arguments == "print('hi')\n"


def test_thoughts_between_tags_are_no_text() -> None:
    reply = restored(Restore(splits_think_tags=True), *said("<think>Hm, 2+2.</think>4"))
    assert reply.choices[0].message.parts == (Reasoning("Hm, 2+2."), Text("4"))


def test_a_code_fence_around_json_that_was_asked_for_is_taken_off() -> None:
    restore = Restore(output=OutputFormat("json"))
    assert restored(restore, *said('```json\n{"age": 7}\n```')).choices[0].message.text() == '{"age": 7}'
    assert restored(restore, *said('{"age": "```"}')).choices[0].message.text() == '{"age": "```"}'


def test_a_code_fence_that_nobody_asked_json_of_stays() -> None:
    text = "```json\n{}\n```"
    assert restored(Restore(), *said(text)).choices[0].message.text() == text


def test_text_that_is_not_what_was_wanted_is_told() -> None:
    assert broken_rule('{"age": 7}', OutputFormat("schema", PERSON)) is None
    assert "age" in (broken_rule('{"age": -1}', OutputFormat("schema", PERSON)) or "")
    assert "not JSON" in (broken_rule("seven", OutputFormat("json")) or "")
    assert "no object" in (broken_rule("7", OutputFormat("json")) or "")
    assert "cannot be checked" in (broken_rule("{}", OutputFormat("schema", {"type": "nonsense"})) or "")


def test_a_schema_that_points_into_the_network_is_not_followed() -> None:
    wanted = OutputFormat("schema", {"$ref": "http://127.0.0.1:9/schema.json"})
    assert "cannot be checked" in (broken_rule("{}", wanted) or "")


def test_a_broken_output_is_remembered_at_the_finish() -> None:
    restorer = Restorer(Restore(output=OutputFormat("json")), "abc")
    restorer.deltas([TextDelta("oh no"), Finish("stop")])
    assert restorer.problem is not None


@given(st.text(max_size=60), st.integers(1, 7), st.booleans())
def test_nothing_of_a_text_is_lost_whatever_its_pieces(text: str, size: int, checks: bool) -> None:
    pieces: list[Delta] = [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]
    restore = Restore(output=OutputFormat("json") if checks else None)
    found = "".join(choice.message.text() for choice in restored(restore, *pieces).choices)
    if not text.lstrip().startswith("```"):
        assert found == (text.lstrip() if checks else text) or (checks and not text.strip() and not found.strip())


def test_a_whole_reply_is_restored_like_its_stream() -> None:
    call = ToolCall("1", "get_weather", '{"city": "Paris"}')
    reply = Reply("r", "m", (Choice(0, Message("assistant", (Text("Well."), call)), "tool_calls"),))
    restore = Restore(names={"get_weather": "get.weather"})
    whole = Restorer(restore, "abc").reply(reply)
    assert whole == restored(restore, *unfold(reply))
