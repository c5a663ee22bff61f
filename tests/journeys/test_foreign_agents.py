"""Other people's agents on models of other dialects, nothing changed but the base URL: each ends well, as one tree."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from gateway_process import running_gateway
from journeys.foreign_agents import Home
from journeys.listening_upstream import listening_upstream
from journeys.stored_runs import stored_runs
from journeys.upstream_thread import fake_upstream
from voices.script import Call, Heard, Script

pytestmark = pytest.mark.agents
MODELS = {
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-pro",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-reasoning-08-2025",
    "mistral": "mistral-large-latest",
    "ollama": "qwen3",
}
BASES = {"openai_chat": "/v1", "openai_responses": "/v1", "mistral": "/v1"}
PROOF = "UFJPT0YrYWJjL2RlZg=="
FIRST_TURN = """\
agent {name}
  llm chat {model}
  tool get_weather
  tool get_weather
  llm chat {model}
  tool difference
  llm chat {model}"""
TALK = (
    ("How much warmer is Paris than Oslo?", "Paris is 15 degrees warmer than Oslo. 🗼"),
    ("Which is the colder one?", "Oslo, at 7 degrees."),
    ("How much warmer is Rome than Bergen?", "Rome is 22 degrees warmer than Bergen. 🗼"),
    ("Which is the colder one?", "Bergen, at 5 degrees."),
)
"""Two conversations: the first in whole answers, the second in streams."""


@dataclass(frozen=True)
class Weather:
    """An agent that asks for the weather: a program, and which dialect it speaks."""

    name: str
    program: str
    dialect: str
    api: str = ""


AGENTS = [
    Weather("langchain-openai", "langchain_openai_agent.py", "openai_chat"),
    Weather("langchain-openai (responses)", "langchain_openai_agent.py", "openai_responses", "responses"),
    Weather("langchain-anthropic", "langchain_anthropic_agent.py", "anthropic"),
    Weather("pydantic-ai (chat)", "pydantic_ai_agent.py", "openai_chat", "chat"),
    Weather("pydantic-ai (responses)", "pydantic_ai_agent.py", "openai_responses", "responses"),
    Weather("pydantic-ai (anthropic)", "pydantic_ai_agent.py", "anthropic", "anthropic"),
    Weather("pydantic-ai (google)", "pydantic_ai_agent.py", "gemini", "google"),
    Weather("openai-agents (chat)", "openai_agents_agent.py", "openai_chat", "chat"),
    Weather("openai-agents (responses)", "openai_agents_agent.py", "openai_responses", "responses"),
    Weather("vercel (chat)", "vercel_agent.mjs", "openai_chat", "chat"),
    Weather("vercel (responses)", "vercel_agent.mjs", "openai_responses", "responses"),
    Weather("vercel (anthropic)", "vercel_agent.mjs", "anthropic", "anthropic"),
]
CASES = [
    pytest.param(agent, upstream, id=f"{agent.name}-{upstream}")
    for agent in AGENTS
    for upstream in MODELS
    if agent.dialect != upstream
]


def forecaster(heard: Heard) -> Script:
    """A model that knows the tools: both cities at once, then their difference, then what came of it."""
    assert sorted(heard.tools) == ["difference", "get_weather"]
    cities = re.findall("Paris|Oslo|Rome|Bergen", heard.turns[0][1])
    said = [number(text) for _, text, _ in heard.results]
    if heard.turns[-1] == ("user", "Which is the colder one?"):
        return Script(f"{cities[1]}, at {min(said[:2]):g} degrees.")
    if not said:
        calls = [Call(f"call_{place}x", "get_weather", {"city": city}) for place, city in enumerate(cities)]
        return Script("Let me look.", thought="Two cities.", proof=PROOF, calls=tuple(calls), thinking_tokens=5)
    if len(said) == 2:
        return Script(calls=(Call("call_3y", "difference", {"first": said[0], "second": said[1]}),))
    return Script(f"{cities[0]} is {said[2]:g} degrees warmer than {cities[1]}. 🗼")


def number(text: str) -> float:
    """The first number in a text."""
    found = re.search(r"-?\d+(\.\d+)?", text)
    assert found, f"no number in {text!r}"
    return float(found[0])


@pytest.mark.parametrize(("agent", "upstream"), CASES)
def test_an_agent_ends_well_on_a_model_of_another_dialect(tmp_path: Path, agent: Weather, upstream: str) -> None:
    model, data = MODELS[upstream], tmp_path / "data"
    with listening_upstream(upstream, forecaster) as provider, fake_upstream() as outside:
        config = {"dialect": upstream, "base_url": provider.url + BASES.get(upstream, ""), "auth": "none"}
        with running_gateway(data, json.dumps({"providers": {"other": config}})) as gateway:
            key = gateway.new_key("agent")
            env = {"BASE_URL": gateway.url, "KEY": key, "MODEL": f"other/{model}", "API": agent.api}
            home = Home(tmp_path, outside.url)
            run = home.node if agent.program.endswith(".mjs") else home.python
            try:
                printed = run(agent.program, env)
            finally:
                assert not provider.faults, "\n".join(provider.faults)
        assert printed == [answer for _, answer in TALK]
        assert not outside.seen, f"{agent.name} reached out: {[seen.path for seen in outside.seen]}"
    with stored_runs(data) as runs:
        assert [run.row.input_preview for run in runs] == [question for question, _ in TALK]
        assert [run.row.output_preview for run in runs] == [answer for _, answer in TALK]
        first, second = (FIRST_TURN.format(name=TALK[place][0], model=model) for place in (0, 2))
        assert [run.tree for run in runs] == [first, f"llm chat {model}", second, f"llm chat {model}"]
        sessions = [run.row.session for run in runs]
        assert sessions[0] == sessions[1] != sessions[2] == sessions[3] and all(sessions)
        calls = [call for run in runs for call in run.calls]
        assert {(call.dialect, call.upstream_dialect) for call in calls} == {(agent.dialect, upstream)}


SUM = "echo 40+2 > sum.txt && cat sum.txt"
SHELLS = {"Bash": {"command": SUM, "description": "Write the sum"}, "exec_command": {"cmd": SUM}}
"""What coding agents call their shell, and how it is asked."""


def coder(heard: Heard) -> Script:
    """A model that writes a file by the agent's shell, then says so."""
    shell = next((name for name in heard.tools if name in SHELLS), None)
    if shell is None:
        return Script("A sum")
    if heard.results:
        return Script("It is written.")
    return Script("I will write it.", calls=(Call("call_1x", shell, SHELLS[shell]),))


def claude_code(home: Home, url: str, key: str, model: str) -> list[str]:
    """Run Claude Code once."""
    command = [home.binary("claude"), "-p", "Write 40+2 to sum.txt.", "--model", model, "--allowedTools", "Bash"]
    env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": key, "ANTHROPIC_DEFAULT_HAIKU_MODEL": model}
    return home.run(command, {**env, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"})


def codex(home: Home, url: str, key: str, model: str) -> list[str]:
    """Run Codex once, in a folder of its own, so without its sandbox."""
    provider = f'model_providers.here={{name="here",base_url="{url}/v1",env_key="KEY",wire_api="responses"}}'
    flags = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    command = [home.binary("codex"), "exec", *flags, "-c", 'model_provider="here"', "-c", provider, "-m", model]
    return home.run([*command, "Write 40+2 to sum.txt."], {"KEY": key})


CODERS = {"claude code": (claude_code, "anthropic", "Bash"), "codex": (codex, "openai_responses", "exec_command")}
CODED = """\
agent Write 40+2 to sum.txt.
  llm chat {model}
  tool {shell}
  llm chat {model}"""


@pytest.mark.parametrize("upstream", MODELS)
@pytest.mark.parametrize("name", CODERS)
def test_a_coding_agent_does_its_task_on_a_model_of_another_dialect(tmp_path: Path, name: str, upstream: str) -> None:
    start, dialect, shell = CODERS[name]
    if dialect == upstream:
        pytest.skip("its own dialect")
    model, data = MODELS[upstream], tmp_path / "data"
    with listening_upstream(upstream, coder) as provider, fake_upstream() as outside:
        config = {"dialect": upstream, "base_url": provider.url + BASES.get(upstream, ""), "auth": "none"}
        with running_gateway(data, json.dumps({"providers": {"other": config}})) as gateway:
            home = Home(tmp_path, outside.url)
            printed = start(home, gateway.url, gateway.new_key("agent"), f"other/{model}")
            assert not provider.faults, "\n".join(provider.faults)
    assert printed == ["It is written."]
    assert (home.work / "sum.txt").read_text() == "40+2\n"
    with stored_runs(data) as runs:
        assert [run.tree for run in runs] == [CODED.format(model=model, shell=shell)]
        assert {(call.dialect, call.upstream_dialect) for call in runs[0].calls} == {(dialect, upstream)}
