"""The OpenAI Agents SDK; API says over which of OpenAI's two: chat or responses."""

import asyncio
import os

from agents import (
    Agent,
    Runner,
    function_tool,
    set_default_openai_api,
    set_default_openai_client,
    set_tracing_disabled,
)
from agents.models.multi_provider import MultiProvider
from agents.run import RunConfig
from openai import AsyncOpenAI

DEGREES = {"Paris": "22 degrees", "Oslo": "7 degrees", "Rome": "27 degrees", "Bergen": "5 degrees"}


@function_tool
def get_weather(city: str) -> str:
    """Tell the temperature in a city."""
    return DEGREES[city]


@function_tool
def difference(first: float, second: float) -> float:
    """Subtract the second number from the first."""
    return first - second


async def main() -> None:
    """Ask whole, then in streams."""
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=os.environ["BASE_URL"] + "/v1", api_key=os.environ["KEY"], max_retries=0)
    set_default_openai_client(client, use_for_tracing=False)
    set_default_openai_api("responses" if os.environ["API"] == "responses" else "chat_completions")
    agent = Agent(
        name="Weather",
        instructions="You know the weather.",
        tools=[get_weather, difference],
        model=os.environ["MODEL"],
    )
    config = RunConfig(model_provider=MultiProvider(unknown_prefix_mode="model_id"))
    for is_stream, cities in ((False, "Paris than Oslo"), (True, "Rome than Bergen")):
        history: list = []
        for question in (f"How much warmer is {cities}?", "Which is the colder one?"):
            asked = [*history, {"role": "user", "content": question}]
            if is_stream:
                done = Runner.run_streamed(agent, asked, run_config=config)
                async for _ in done.stream_events():
                    pass
            else:
                done = await Runner.run(agent, asked, run_config=config)
            print(done.final_output)
            history = done.to_input_list()


asyncio.run(main())
