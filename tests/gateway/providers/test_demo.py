"""The demo provider through a real gateway, with the vendors' own SDKs."""

from collections.abc import Iterator

import anthropic
import openai
import pytest
from gateway_process import GatewayProcess, running_gateway

NOW = {"delay_ms": 0}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string", "examples": ["Oslo"]}}},
        },
    }
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with running_gateway(tmp_path_factory.mktemp("demo") / "data", "") as process:
        yield process


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    return gateway.new_key()


@pytest.fixture
def gpt(gateway: GatewayProcess, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(gateway: GatewayProcess, key: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0) as client:
        yield client


def test_openai_chat_streams_what_it_answers_whole(gpt: openai.OpenAI) -> None:
    ask = [{"role": "user", "content": "Hello there"}]
    whole = gpt.chat.completions.create(model="demo/chat", messages=ask, extra_body=NOW)
    text, usage = "", None
    options = {"include_usage": True}
    for chunk in gpt.chat.completions.create(
        model="demo/chat", messages=ask, stream=True, stream_options=options, extra_body=NOW
    ):
        text += chunk.choices[0].delta.content or "" if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == whole.choices[0].message.content
    assert "Hello there" in text
    assert usage == whole.usage
    assert usage is not None
    assert usage.completion_tokens > 20


def test_openai_tools_and_reasoning(gpt: openai.OpenAI) -> None:
    ask = [{"role": "user", "content": "Weather?"}]
    asked = gpt.chat.completions.create(model="demo/agent", messages=ask, tools=TOOLS, extra_body=NOW)
    assert asked.choices[0].finish_reason == "tool_calls"
    call = asked.choices[0].message.tool_calls[0]
    assert call.function.arguments == '{"city":"Oslo"}'
    ask += [asked.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "Snow"}]
    answer = gpt.chat.completions.create(model="demo/agent", messages=ask, tools=TOOLS, extra_body=NOW)
    assert "Snow" in answer.choices[0].message.content
    thought = gpt.chat.completions.create(model="demo/reasoning", messages=ask[:1], extra_body=NOW)
    assert thought.choices[0].message.reasoning_content
    assert thought.usage.completion_tokens_details.reasoning_tokens > 0


def test_openai_responses_stream_what_they_answer_whole(gpt: openai.OpenAI) -> None:
    tools = [{"type": "function", **TOOLS[0]["function"], "strict": False}]
    whole = gpt.responses.create(model="demo/reasoning", input="Why?", extra_body=NOW)
    with gpt.responses.stream(model="demo/reasoning", input="Why?", extra_body=NOW) as stream:
        stream.until_done()
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert [item.type for item in final.output] == ["reasoning", "message"]
    with gpt.responses.stream(model="demo/agent", input="Weather?", tools=tools, extra_body=NOW) as stream:
        called = stream.get_final_response().output[0]
    assert (called.type, called.arguments) == ("function_call", '{"city":"Oslo"}')


def test_embeddings_are_of_length_one_and_the_same_for_the_same_text(gpt: openai.OpenAI) -> None:
    first, second, other = gpt.embeddings.create(model="demo/embed", input=["a", "a", "b"], dimensions=64).data
    assert first.embedding == second.embedding != other.embedding
    assert len(first.embedding) == 64
    assert sum(value * value for value in first.embedding) == pytest.approx(1, abs=1e-5)


def test_anthropic_streams_what_it_answers_whole(claude: anthropic.Anthropic) -> None:
    ask = [{"role": "user", "content": "Think about it"}]
    whole = claude.messages.create(model="demo/reasoning", max_tokens=1000, messages=ask, extra_body=NOW)
    with claude.messages.stream(model="demo/reasoning", max_tokens=1000, messages=ask, extra_body=NOW) as stream:
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[1].text == whole.content[1].text
    assert final.usage.output_tokens == whole.usage.output_tokens
    tools = [{"name": "get_weather", "input_schema": TOOLS[0]["function"]["parameters"]}]
    with claude.messages.stream(
        model="demo/agent", max_tokens=1000, messages=ask, tools=tools, extra_body=NOW
    ) as stream:
        called = stream.get_final_message()
    assert called.stop_reason == "tool_use"
    assert called.content[0].input == {"city": "Oslo"}
    assert claude.messages.count_tokens(model="demo/chat", messages=ask).input_tokens > 0


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("demo/error-400", openai.BadRequestError),
        ("demo/error-401", openai.AuthenticationError),
        ("demo/error-429", openai.RateLimitError),
        ("demo/error-500", openai.InternalServerError),
        ("demo/html", openai.InternalServerError),
        ("demo/nonsense", openai.NotFoundError),
    ],
)
def test_errors_come_on_request(gpt: openai.OpenAI, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        gpt.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}], extra_body=NOW)


def test_a_rate_limit_that_goes_away_is_met_by_the_sdks_retry(gateway: GatewayProcess, key: str) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=1) as patient:
        ask = [{"role": "user", "content": "x"}]
        assert patient.chat.completions.create(model="demo/flaky", messages=ask, extra_body=NOW).choices


@pytest.mark.parametrize("model", ["demo/error-midstream", "demo/cut"])
def test_a_stream_that_breaks_never_ends_as_success(
    gpt: openai.OpenAI, claude: anthropic.Anthropic, model: str
) -> None:
    ask = [{"role": "user", "content": "x"}]
    stream = gpt.chat.completions.create(model=model, messages=ask, stream=True, extra_body=NOW)
    with pytest.raises(openai.APIError):
        list(stream)
    with (
        pytest.raises(anthropic.APIError),
        claude.messages.stream(model=model, max_tokens=99, messages=ask, extra_body=NOW) as broken,
    ):
        broken.until_done()


def test_its_models_are_listed(gpt: openai.OpenAI) -> None:
    assert {"demo/chat", "demo/agent", "demo/embed"} <= {model.id for model in gpt.models.list()}
