"""pydantic-ai's agent; API says over which of its models: chat, responses, anthropic or google."""

import asyncio
import os
from collections.abc import AsyncIterable

from pydantic_ai import Agent, RunContext
from pydantic_ai.models import Model

DEGREES = {"Paris": "22 degrees", "Oslo": "7 degrees", "Rome": "27 degrees", "Bergen": "5 degrees"}


def made() -> Model:
    """The model that API names."""
    url, key, model = os.environ["BASE_URL"], os.environ["KEY"], os.environ["MODEL"]
    api = os.environ["API"]
    if api == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(model, provider=AnthropicProvider(base_url=url, api_key=key))
    if api == "google":
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        return GoogleModel(model, provider=GoogleProvider(base_url=url, api_key=key))
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=url + "/v1", api_key=key)
    kind = OpenAIResponsesModel if api == "responses" else OpenAIChatModel
    return kind(model, provider=provider)


agent = Agent(made(), system_prompt="You know the weather.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """Tell the temperature in a city."""
    return DEGREES[city]


@agent.tool_plain
def difference(first: float, second: float) -> float:
    """Subtract the second number from the first."""
    return first - second


async def overhear(_context: RunContext[None], events: AsyncIterable[object]) -> None:
    """Take a stream's events one by one."""
    async for _ in events:
        pass


async def main() -> None:
    """Ask whole, then in streams."""
    for listener, cities in ((None, "Paris than Oslo"), (overhear, "Rome than Bergen")):
        history = None
        for question in (f"How much warmer is {cities}?", "Which is the colder one?"):
            done = await agent.run(question, message_history=history, event_stream_handler=listener)
            print(done.output)
            history = done.all_messages()


asyncio.run(main())
