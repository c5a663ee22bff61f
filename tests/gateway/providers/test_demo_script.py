from app.models.chat import ChatRequest, Tool
from app.models.message import Message, Text, ToolCall, ToolResult
from gateway.providers.demo_script import answer_to

CITY = {"type": "object", "properties": {"city": {"type": "string", "examples": ["Lisbon"]}}}
TOOLS = (Tool("get_weather", schema=CITY), Tool("search", schema=None), Tool("multiply", schema={"type": "object"}))
ASK = Message("user", (Text("What is the weather?"),))


def called(*names: str) -> tuple[Message, ...]:
    calls = tuple(ToolCall(name, name, "{}") for name in names)
    results = tuple(Message("tool", (ToolResult(name, None, (Text(f"{name} says so"),)),)) for name in names)
    return (Message("assistant", calls), *results)


def request(*messages: Message, **params: object) -> ChatRequest:
    return ChatRequest("agent", messages, TOOLS, params=params)


def test_the_same_question_gets_the_same_answer_under_another_id() -> None:
    first, second = (answer_to(request(ASK), "chat", seed) for seed in ("a", "b"))
    assert first.text == second.text
    assert "What is the weather?" in first.text
    assert first.id != second.id
    assert first.input_tokens > 0
    assert first.output_tokens > 0


def test_the_agent_calls_two_tools_side_by_side_then_the_rest_then_answers() -> None:
    first = answer_to(request(ASK), "agent", "1")
    assert [call.name for call in first.calls] == ["get_weather", "search"]
    assert first.calls[0].arguments == '{"city":"Lisbon"}'
    assert (first.text, first.finish) == ("", "tool_calls")
    second = answer_to(request(ASK, *called("get_weather", "search")), "agent", "2")
    assert [call.name for call in second.calls] == ["multiply"]
    last = answer_to(request(ASK, *called("get_weather", "search"), *called("multiply")), "agent", "3")
    assert last.calls == ()
    assert "multiply says so" in last.text


def test_a_new_question_starts_the_tools_anew() -> None:
    history = (ASK, *called("get_weather", "search"), Message("assistant", (Text("Sunny."),)))
    assert answer_to(request(*history, ASK), "agent", "1").calls


def test_reasoning_is_counted_within_the_output() -> None:
    say = answer_to(request(ASK), "reasoning", "1")
    assert say.reasoning
    assert 0 < say.reasoning_tokens < say.output_tokens


def test_a_limit_cuts_the_answer_short() -> None:
    say = answer_to(request(ASK, max_tokens=5), "chat", "1")
    assert say.finish == "length"
    assert len(say.text) < 40


def test_a_long_beginning_comes_from_the_cache() -> None:
    say = answer_to(request(Message("system", (Text("word " * 2000),)), ASK), "chat", "1")
    assert say.cache_read_tokens == 2432
    assert say.cache_read_tokens < say.input_tokens
