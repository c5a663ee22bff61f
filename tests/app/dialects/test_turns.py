import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.turns import NO_RESULT, alternating, call_names, identified, leading_system, with_results
from app.models.message import Media, Message, Text, ToolCall, ToolResult


def _calls(*ids, text=None):
    said = (Text(text),) if text else ()
    return Message("assistant", (*said, *(ToolCall(call_id, f"tool_{call_id}", "{}") for call_id in ids)))


def _result(call_id, text="found", name=None):
    return Message("tool", (ToolResult(call_id, name, (Text(text),)),))


def _said(role, text):
    return Message(role, (Text(text),))


def _shown(messages):
    return [(each.role, [result.id for result in each.tool_results()] or each.text()) for each in messages]


def test_the_system_prompt_is_what_comes_before_anybody_speaks():
    system, developer, user = _said("system", "a"), _said("developer", "b"), _said("user", "c")
    assert leading_system([system, developer, user, system]) == ((system, developer), (user, system))
    assert leading_system([system]) == ((system,), ())
    assert leading_system([]) == ((), ())


def test_neighbours_of_one_side_are_one_turn_with_results_first():
    turns = alternating([_said("user", "a"), _result("t"), _said("assistant", "b"), _said("assistant", "c")])
    assert [turn.role for turn in turns] == ["user", "assistant"]
    assert turns[0].parts == (ToolResult("t", None, (Text("found"),)), Text("a"))
    assert turns[1].parts == (Text("b"), Text("c"))


def test_results_are_gathered_in_the_order_of_their_calls():
    shaped = with_results([_calls("a", "b"), _result("b"), _result("a"), _said("user", "thanks")])
    assert _shown(shaped) == [("assistant", ""), ("tool", ["a", "b"]), ("user", "thanks")]


def test_what_stands_between_a_call_and_its_result_follows_it():
    shaped = with_results([_calls("a"), _said("system", "be quick"), _result("a"), _said("user", "thanks")])
    assert _shown(shaped) == [("assistant", ""), ("tool", ["a"]), ("system", "be quick"), ("user", "thanks")]


def test_a_call_without_a_result_gets_one_that_says_so():
    shaped = with_results([_calls("a"), _said("user", "never mind")])
    assert shaped[1].parts == (ToolResult("a", "tool_a", (Text(NO_RESULT),), is_error=True),)


def test_a_result_without_a_call_is_the_users_text():
    assert _shown(with_results([_said("user", "hi"), _result("lost", "sun")])) == [("user", "hi"), ("user", "sun")]
    shaped = with_results([_calls("a"), _result("a"), _result("lost", "sun")])
    assert _shown(shaped) == [("assistant", ""), ("tool", ["a"]), ("user", "sun")]


def test_of_two_results_for_one_call_the_last_counts():
    shaped = with_results([_calls("a"), _result("a", "rain"), _result("a", "sun")])
    assert shaped[1].parts == (ToolResult("a", None, (Text("sun"),)),)


def test_words_beside_a_result_are_the_users_turn_after_it():
    both = Message("tool", (ToolResult("a", None, (Text("sun"),)), Text("and tomorrow?")))
    assert _shown(with_results([_calls("a"), both])) == [
        ("assistant", ""),
        ("tool", ["a"]),
        ("user", "and tomorrow?"),
    ]


def test_calls_of_the_provider_itself_need_no_result():
    search = Message("assistant", (ToolCall("s", "web_search", "{}", is_server_side=True), Text("It is sunny.")))
    assert with_results([search]) == [search]


def test_an_id_that_two_turns_share_is_told_apart_with_its_results():
    shaped = identified([_calls("c"), _result("c", "one"), _calls("c"), _result("c", "two")])
    assert [call.id for message in shaped for call in message.tool_calls()] == ["c", "c_2"]
    assert [result.id for message in shaped for result in message.tool_results()] == ["c", "c_2"]


def test_an_unanswered_call_does_not_take_the_result_of_a_later_one():
    shaped = identified([_calls("c"), _said("user", "again"), _calls("c"), _result("c")])
    assert shaped[-1].tool_results()[0].id == "c_2"


def test_two_calls_of_one_turn_under_one_id_get_their_own_results():
    shaped = with_results(identified([_calls("c", "c"), _result("c", "one"), _result("c", "two")]))
    assert [(result.id, result.parts[0].text) for result in shaped[1].tool_results()] == [("c", "one"), ("c_2", "two")]


def test_calls_without_ids_get_ones_that_stay_as_the_history_grows():
    history = [_calls(None, None), _result(None), _result(None)]
    shorter, longer = identified(history), identified([*history, _calls(None)])
    assert longer[:3] == shorter
    assert [result.id for message in shorter for result in message.tool_results()] == ["call_0000", "call_0001"]


def test_a_result_without_an_id_goes_to_the_call_of_its_name():
    calls = Message("assistant", (ToolCall(None, "sun", "{}"), ToolCall(None, "rain", "{}")))
    shaped = identified([calls, _result(None, name="rain"), _result(None, name="sun")])
    assert [message.tool_results()[0].id for message in shaped[1:]] == ["call_0001", "call_0000"]


def test_the_names_of_calls_are_known_by_their_ids():
    assert call_names([_calls("a", "b"), _result("a")]) == {"a": "tool_a", "b": "tool_b"}


IDS = st.sampled_from([None, "", "a", "b", "call_0000", "a_2"])
PARTS = st.one_of(
    st.builds(Text, st.text(max_size=3)),
    st.builds(lambda url: Media("image", url=url), st.just("https://x/a.png")),
)
ANSWERED = st.builds(lambda call_id, parts: ToolResult(call_id, None, tuple(parts)), IDS, st.lists(PARTS, max_size=2))
CALLED = st.builds(ToolCall, IDS, st.sampled_from(["x", "y"]), st.just("{}"))
MESSAGES = st.lists(
    st.one_of(
        st.builds(Message, st.sampled_from(["system", "user"]), st.tuples(PARTS)),
        st.builds(lambda parts: Message("assistant", tuple(parts)), st.lists(st.one_of(PARTS, CALLED), max_size=4)),
        st.builds(lambda parts: Message("tool", tuple(parts)), st.lists(st.one_of(ANSWERED, PARTS), max_size=4)),
    ),
    max_size=10,
)


@given(MESSAGES)
def test_every_call_has_exactly_one_result_in_the_next_turn(messages):
    shaped = with_results(identified(messages))
    seen = set()
    for place, message in enumerate(shaped):
        ids = [call.id for call in message.tool_calls()]
        assert all(ids) and not seen & set(ids) and len(set(ids)) == len(ids)
        seen |= set(ids)
        if ids:
            assert [result.id for result in shaped[place + 1].tool_results()] == ids
            assert len(shaped[place + 1].parts) == len(ids)
        elif message.tool_results():
            assert shaped[place - 1].tool_calls()


@given(MESSAGES)
def test_shaping_a_shaped_conversation_changes_nothing(messages):
    shaped = with_results(identified(messages))
    assert with_results(identified(shaped)) == shaped
    turns = alternating(shaped)
    assert alternating(turns) == turns


@given(MESSAGES)
def test_nothing_that_was_said_is_lost(messages):
    def texts(listed):
        inner = [part for message in listed for part in message.parts]
        inner += [part for result in inner if isinstance(result, ToolResult) for part in result.parts]
        return {part.text for part in inner if isinstance(part, Text)}

    shaped = with_results(identified(messages))
    results = [result for message in messages for result in message.tool_results()]
    if len({result.id for result in results}) == len(results):
        assert texts(messages) <= texts(shaped)
    assert [turn.role for turn in alternating(shaped)] == _by_turns(alternating(shaped))


def _by_turns(turns):
    if not turns:
        return []
    sides = ["user", "assistant"] if turns[0].role == "user" else ["assistant", "user"]
    return [sides[place % 2] for place in range(len(turns))]


@pytest.mark.parametrize("messages", [[], [_said("user", "hi")]])
def test_a_plain_conversation_is_left_alone(messages):
    assert with_results(identified(messages)) == messages
