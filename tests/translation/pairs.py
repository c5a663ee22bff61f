"""Every client's dialect against every upstream's, feature by feature, through a live gateway and the vendors' SDKs.

A feature passes, is carried with losses that the gateway named, or is impossible in words that the gateway said. What
is lost without a word fails.
"""

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType

import anthropic
import openai
from fake_upstream import FakeUpstream
from google.genai import errors as google_errors
from live_gateway import KEY, LiveGateway, live_gateway
from talkers.talk import PDF, PERSON, PIXEL, WAV, Result, Talk, Talker, Told, Tool
from voices.script import Call, Heard, Script, sorted_json

CLIENTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
UPSTREAMS = ("openai_chat", "openai_responses", "anthropic", "gemini", "bedrock", "cohere", "mistral", "ollama")
MODELS = {
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-pro",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-reasoning-08-2025",
    "mistral": "magistral-medium-latest",
    "ollama": "qwen3",
}
REFUSED = (openai.BadRequestError, anthropic.BadRequestError, google_errors.ClientError)
PARIS = Call("call_paris_1", "get_weather", {"city": "Paris"})
OSLO = Call("call_oslo_2", "get_weather", {"city": "Oslo"})
PROOF = "UFJPT0YrYWJjL2RlZg=="


@dataclass
class Outcome:
    """How a feature fares between two dialects."""

    client: str
    upstream: str
    feature: str
    is_stream: bool
    losses: list[str] = field(default_factory=list)
    refusal: str = ""
    fault: str = ""
    """What was lost without a word; "" is good."""


class Pair:
    """One conversation of one client with one upstream."""

    def __init__(self, house: "House", names: tuple[str, str], is_stream: bool) -> None:
        self.is_stream = is_stream
        self.client, self.upstream = names
        self.voice: ModuleType = importlib.import_module(f"voices.{self.upstream}")
        self.talker = house.talkers[self.client]
        self.losses: list[str] = []
        self._gateway = house.gateway
        self._upstream = house.upstream

    def begin(self, talk: Talk) -> None:
        """Start a conversation."""
        self.talker.begin(f"the-{self.upstream}/{MODELS[self.upstream]}", talk)

    async def ask(self, script: Script) -> tuple[Heard, Told]:
        """Ask, and let the upstream say the script; both sides must find it valid."""
        say = self.voice.stream if self.is_stream else self.voice.whole
        self._upstream.answers.clear()
        self._upstream.answers.append(say(script, MODELS[self.upstream]))
        before = len(self._gateway.sink.calls)
        self._gateway.sink.finished.clear()
        n_seen = len(self._upstream.seen)
        try:
            told = await self.talker.ask(is_stream=self.is_stream)
        except BaseException:
            if self._gateway.server.in_flight or len(self._upstream.seen) > n_seen:
                await self._gateway.record()
            raise
        await self._gateway.record()
        calls = self._gateway.sink.calls
        assert len(calls) == before + 1
        self.losses += [str(loss) for loss in calls[-1].losses]
        seen = self._upstream.seen[-1]
        self.voice.check(seen)
        return self.voice.heard(seen), told

    def lost(self, *words: str) -> bool:
        """Whether the gateway named something with one of these words."""
        return any(word in loss.partition(":")[0] for loss in self.losses for word in words)


Feature = Callable[[Pair], Awaitable[None]]


async def text(pair: Pair) -> None:
    pair.begin(Talk("What is 2+2? 🗼", system="Be brief."))
    heard, told = await pair.ask(Script("Four. 🗼 It is 4."))
    assert heard.model == MODELS[pair.upstream]
    assert heard.turns == [("user", "What is 2+2? 🗼")]
    assert pair.client == "gemini" or heard.system == "Be brief." or pair.upstream == "gemini"
    assert heard.system == "Be brief."
    assert (told.text, told.finish, told.calls) == ("Four. 🗼 It is 4.", "stop", ())
    pair.talker.say("And 3+3?")
    heard, told = await pair.ask(Script("Six."))
    assert heard.turns[-2:] == [("assistant", "Four. 🗼 It is 4."), ("user", "And 3+3?")]


async def usage(pair: Pair) -> None:
    pair.begin(Talk())
    _, told = await pair.ask(Script("Yes.", input_tokens=1000, cached_tokens=400, output_tokens=50))
    assert (told.input_tokens, told.output_tokens) == (1000, 50)
    assert pair.upstream == "ollama" or told.cached_tokens == 400


async def length(pair: Pair) -> None:
    pair.begin(Talk(max_tokens=2048))
    heard, told = await pair.ask(Script("Once upon a", is_cut_short=True))
    assert heard.max_tokens == 2048
    assert told.finish == "length"


async def tools(pair: Pair) -> None:
    pair.begin(Talk(tools=(Tool(),)))
    heard, told = await pair.ask(Script("Let me look.", calls=(PARIS,)))
    assert heard.tools == ["get_weather"]
    [(call_id, name, arguments)] = told.calls
    assert (name, arguments, told.finish) == ("get_weather", {"city": "Paris"}, "tool_calls")
    assert told.text == "Let me look."
    pair.talker.answer([Result(call_id, name, "22 degrees")])
    heard, told = await pair.ask(Script("It is 22 degrees."))
    assert [(name, arguments) for _, name, arguments in heard.calls] == [("get_weather", '{"city": "Paris"}')]
    assert [said for _, said, _ in heard.results] == ["22 degrees"]
    assert told.text == "It is 22 degrees."


async def parallel(pair: Pair) -> None:
    pair.begin(Talk(tools=(Tool(),)))
    _, told = await pair.ask(Script(calls=(PARIS, OSLO)))
    assert [arguments["city"] for _, _, arguments in told.calls] == ["Paris", "Oslo"]
    ids = [call_id for call_id, _, _ in told.calls]
    assert len(set(ids)) == 2 or pair.client == "gemini"
    pair.talker.answer([Result(ids[0], "get_weather", "22"), Result(ids[1], "get_weather", "7")])
    heard, _ = await pair.ask(Script(calls=(Call("call_rome_3", "get_weather", {"city": "Rome"}),)))
    assert [said for _, said, _ in heard.results] == ["22", "7"]
    if pair.upstream not in ("gemini", "ollama"):
        assert [one for one, _, _ in heard.results] == [one for one, _, _ in heard.calls]


async def tool_error(pair: Pair) -> None:
    pair.begin(Talk(tools=(Tool(),)))
    _, told = await pair.ask(Script(calls=(PARIS,)))
    pair.talker.answer([Result(told.calls[0][0], "get_weather", "no such city", is_error=True)])
    heard, _ = await pair.ask(Script("Sorry."))
    [(_, said, is_error)] = heard.results
    assert "no such city" in said
    if pair.client in ("anthropic", "gemini"):
        assert is_error or "error" in said.lower()


async def tool_image(pair: Pair) -> None:
    if pair.client not in ("anthropic", "openai_responses"):
        raise Unsaid("its tool results have no images")
    pair.begin(Talk(tools=(Tool(),)))
    _, told = await pair.ask(Script(calls=(PARIS,)))
    pair.talker.answer([Result(told.calls[0][0], "get_weather", "a map", image=PIXEL)])
    heard, _ = await pair.ask(Script("I see."))
    assert heard.images == 1 or pair.lost("image")
    assert "a map" in heard.results[0][1]


async def choice(pair: Pair) -> None:
    for wanted in ("required", "none", "get_weather"):
        pair.begin(Talk(tools=(Tool(), Tool("get_time", "The time")), choice=wanted))
        heard, _ = await pair.ask(Script("Well."))
        named = wanted == "get_weather" and heard.choice == "required" and heard.tools == ["get_weather"]
        unsent = wanted == "none" and not heard.tools
        assert heard.choice == wanted or named or unsent or pair.lost("tool_choice", "toolConfig"), heard


async def one_at_a_time(pair: Pair) -> None:
    if pair.client == "gemini":
        raise Unsaid("Gemini cannot ask for it")
    pair.begin(Talk(tools=(Tool(),), has_parallel_calls=False))
    await pair.ask(Script("Well."))
    body = pair._upstream.seen[-1].body
    said = b'"parallel_tool_calls":false' in body or b'"disable_parallel_tool_use":true' in body
    assert said or pair.lost("parallel")


async def image(pair: Pair) -> None:
    pair.begin(Talk("What is this?", image=PIXEL))
    heard, _ = await pair.ask(Script("A dot."))
    assert heard.images == 1 or pair.lost("image")


async def pdf(pair: Pair) -> None:
    pair.begin(Talk("Sum it up.", pdf=PDF))
    heard, _ = await pair.ask(Script("Empty."))
    assert heard.files == 1 or pair.lost("file", "document")


async def sound(pair: Pair) -> None:
    if pair.client in ("anthropic", "openai_responses"):
        raise Unsaid("it takes no sound")
    pair.begin(Talk("What do you hear?", sound=WAV))
    heard, _ = await pair.ask(Script("Nothing."))
    assert heard.sounds == 1 or pair.lost("audio")


async def schema(pair: Pair) -> None:
    pair.begin(Talk("Who is he?", schema=PERSON))
    wanted = sorted_json({"name": "Ada", "age": 36})
    heard, told = await pair.ask(_structured(pair, wanted))
    assert json.loads(told.text) == {"name": "Ada", "age": 36}
    assert (told.finish, told.calls) == ("stop", ())
    assert heard.schema is not None or pair.lost("response_format", "format", "output", "response", "text")


def _structured(pair: Pair, wanted: str) -> Script:
    """The answer as the model gives it: as text, or through the tool that stands for it."""
    return Script(wanted)


async def reasoning(pair: Pair) -> None:
    pair.begin(Talk("Weather?", tools=(Tool(),), thinks=True, max_tokens=8192))
    script = Script(thought="They want Paris, I think.", proof=PROOF, calls=(PARIS,), thinking_tokens=8)
    heard, told = await pair.ask(script)
    assert heard.thinks or pair.lost("reasoning", "thinking")
    assert told.thought == "They want Paris, I think."
    pair.talker.answer([Result(told.calls[0][0], "get_weather", "22")])
    heard, told = await pair.ask(Script("It is 22."))
    if pair.voice.PROOF_ORIGIN:
        assert heard.proofs == [PROOF], heard.proofs
    assert told.text == "It is 22."


async def temperature(pair: Pair) -> None:
    pair.begin(Talk(temperature=0.5))
    heard, _ = await pair.ask(Script("Yes."))
    assert heard.temperature == 0.5 or pair.lost("temperature")


async def top_p(pair: Pair) -> None:
    pair.begin(Talk(top_p=0.9))
    heard, _ = await pair.ask(Script("Yes."))
    assert heard.top_p == 0.9 or pair.lost("top_p", "topP")


async def stop(pair: Pair) -> None:
    if pair.client == "openai_responses":
        raise Unsaid("the Responses have no stop sequences")
    pair.begin(Talk(stop=("END", "\n\nHuman:")))
    heard, _ = await pair.ask(Script("Yes."))
    assert heard.stop == ["END", "\n\nHuman:"] or pair.lost("stop")


async def seed(pair: Pair) -> None:
    if pair.client not in ("openai_chat", "gemini"):
        raise Unsaid("it has no seed")
    pair.begin(Talk(seed=7))
    heard, _ = await pair.ask(Script("Yes."))
    assert heard.seed == 7 or pair.lost("seed")


async def cache(pair: Pair) -> None:
    if pair.client != "anthropic":
        raise Unsaid("it has no marks for the cache")
    pair.begin(Talk("A long text.", marks_cache=True))
    heard, _ = await pair.ask(Script("Yes."))
    assert heard.cache_marks == 1 or pair.lost("cache")


FEATURES: dict[str, tuple[str, Feature]] = {
    "text": ("text and system prompt, two turns", text),
    "usage": ("usage with cached tokens", usage),
    "length": ("max tokens and a cut answer", length),
    "tools": ("a tool loop", tools),
    "parallel": ("parallel calls", parallel),
    "choice": ("tool choice", choice),
    "one_at_a_time": ("no parallel calls", one_at_a_time),
    "tool_error": ("a tool's error", tool_error),
    "tool_image": ("an image from a tool", tool_image),
    "image": ("an image", image),
    "pdf": ("a PDF", pdf),
    "sound": ("a sound", sound),
    "schema": ("structured output", schema),
    "reasoning": ("reasoning, its proof sent back", reasoning),
    "temperature": ("temperature", temperature),
    "top_p": ("top_p", top_p),
    "stop": ("stop sequences", stop),
    "seed": ("seed", seed),
    "cache": ("cache marks", cache),
}


class Unsaid(Exception):
    """The client's own dialect cannot ask for the feature."""


class House:
    """A gateway, its upstream, and one talker of each kind: making an SDK's client takes longer than all it does."""

    def __init__(self, gateway: LiveGateway, upstream: FakeUpstream) -> None:
        self.gateway, self.upstream = gateway, upstream
        self.talkers: dict[str, Talker] = {
            name: importlib.import_module(f"talkers.{name}").Talker(gateway.url, KEY) for name in CLIENTS
        }


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    """A gateway in front of one upstream that speaks every dialect."""
    async with FakeUpstream() as upstream:
        bases = {"openai_chat": "/v1", "openai_responses": "/v1", "mistral": "/v1"}
        providers = {
            f"the-{name}": {"dialect": name, "base_url": upstream.url + bases.get(name, ""), "auth": "none"}
            for name in UPSTREAMS
        }
        async with live_gateway(upstream.url, providers=providers) as gateway:
            house = House(gateway, upstream)
            try:
                yield house
            finally:
                for talker in house.talkers.values():
                    await talker.close()


async def fare(house: House, outcome: Outcome) -> None:
    """Try a feature and write down how it fared."""
    pair = Pair(house, (outcome.client, outcome.upstream), outcome.is_stream)
    try:
        await FEATURES[outcome.feature][1](pair)
    except Unsaid as unsaid:
        outcome.refusal = f"–{unsaid}"
    except REFUSED as refused:
        outcome.refusal = str(getattr(refused, "message", refused))
    except Exception as fault:  # whatever it is, the table must say it
        outcome.fault = f"{type(fault).__name__}: {fault}"
    outcome.losses = list(dict.fromkeys(pair.losses))


async def all_outcomes(clients: tuple[str, ...] = CLIENTS, upstreams: tuple[str, ...] = UPSTREAMS) -> list[Outcome]:
    """Try everything."""
    outcomes = [
        Outcome(client, other, feature, is_stream)
        for client in clients
        for other in upstreams
        for feature in FEATURES
        for is_stream in (False, True)
    ]
    async with open_house() as house:
        for outcome in outcomes:
            await fare(house, outcome)
    return outcomes
