"""LangGraph's agent on `langchain-openai`: chat completions, or the Responses where API says so."""

import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent

DEGREES = {"Paris": "22 degrees", "Oslo": "7 degrees", "Rome": "27 degrees", "Bergen": "5 degrees"}


@tool
def get_weather(city: str) -> str:
    """Tell the temperature in a city."""
    return DEGREES[city]


@tool
def difference(first: float, second: float) -> float:
    """Subtract the second number from the first."""
    return first - second


model = ChatOpenAI(
    base_url=os.environ["BASE_URL"] + "/v1",
    api_key=os.environ["KEY"],
    model=os.environ["MODEL"],
    use_responses_api=os.environ.get("API") == "responses",
    max_retries=0,
)
agent = create_react_agent(
    model, [get_weather, difference], prompt="You know the weather.", checkpointer=InMemorySaver()
)
for number, cities in enumerate(("Paris than Oslo", "Rome than Bergen")):
    thread = {"configurable": {"thread_id": str(number)}}
    for question in (f"How much warmer is {cities}?", "Which is the colder one?"):
        asked = {"messages": [{"role": "user", "content": question}]}
        if number:
            for _ in agent.stream(asked, thread, stream_mode="messages"):
                pass
        else:
            agent.invoke(asked, thread)
        print(agent.get_state(thread).values["messages"][-1].text)
