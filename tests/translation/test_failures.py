"""What goes wrong at a provider of another dialect is an error of the client's own, and never the end of an answer."""

import dataclasses
from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors as google
from live_gateway import run
from talkers.talk import Talk
from translation.pairs import CLIENTS, MODELS, UPSTREAMS, House, Pair, open_house
from voices.errors import error, error_inside
from voices.script import Script

LIMITED: tuple[type[Exception], ...] = (openai.RateLimitError, anthropic.RateLimitError, google.ClientError)
BROKEN: tuple[type[Exception], ...] = (openai.InternalServerError, anthropic.InternalServerError, google.ServerError)
ANY: tuple[type[Exception], ...] = (openai.APIError, anthropic.APIError, google.APIError)
OTHERS = [(client, upstream) for client in CLIENTS for upstream in UPSTREAMS if client != upstream]
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession")  # Google's SDK does
TEXT = Script("It was a dark and stormy night; the rain fell in torrents.")


async def ask(house: House, names: tuple[str, str], answer: Any, *, is_stream: bool) -> BaseException:
    """Ask, and return what the SDK raised."""
    pair = Pair(house, names, is_stream)
    pair.begin(Talk())
    house.upstream.answers.clear()
    house.upstream.answers.append(answer)
    house.gateway.sink.finished.clear()
    raised: BaseException | None = None
    try:
        await pair.talker.ask(is_stream=is_stream)
    except Exception as fault:  # which one is what the test is about
        raised = fault
    await house.gateway.record()
    assert raised is not None, f"{names}: an answer that failed was told as a good one"
    return raised


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_providers_error_is_the_clients_own(is_stream: bool) -> None:
    async def go() -> None:
        async with open_house() as house:
            for names in OTHERS:
                for status, wanted in ((429, LIMITED), (500, BROKEN)):
                    fault = await ask(house, names, error(names[1], status, "Too much."), is_stream=is_stream)
                    assert isinstance(fault, wanted), (names, status, fault)
                    assert "Too much." in str(fault), (names, fault)
                    record = house.gateway.sink.calls[-1]
                    assert record.status == status
                    assert dict(record.response_headers)["retry-after"] == "7"

    run(go(), 120)


def test_an_error_before_the_first_word_of_a_stream_is_an_error_answer() -> None:
    async def go() -> None:
        async with open_house() as house:
            for names in OTHERS:
                voice = Pair(house, names, True).voice
                whole = voice.stream(TEXT, MODELS[names[1]])
                has_start = names[1] in ("anthropic", "openai_responses", "bedrock", "cohere")
                pieces = [*(whole.pieces[:1] if has_start else ()), error_inside(names[1], "Overloaded now.")]
                answer = dataclasses.replace(whole, pieces=pieces)
                fault = await ask(house, names, answer, is_stream=True)
                assert isinstance(fault, ANY), (names, fault)
                assert "Overloaded now." in str(fault), (names, fault)
                assert (house.gateway.sink.calls[-1].status or 0) >= 400, names

    run(go(), 120)


def test_an_error_in_the_middle_of_a_stream_is_the_clients_own_event() -> None:
    async def go() -> None:
        async with open_house() as house:
            for names in OTHERS:
                whole = Pair(house, names, True).voice.stream(TEXT, MODELS[names[1]])
                pieces = [*whole.pieces[: len(whole.pieces) // 2], error_inside(names[1], "Overloaded now.")]
                fault = await ask(house, names, dataclasses.replace(whole, pieces=pieces), is_stream=True)
                assert "Overloaded now." in str(fault) or names[0] == "openai_responses", (names, fault)
                sent = house.gateway.sink.calls[-1].response
                assert b"Overloaded now." in sent, names

    run(go(), 120)


@pytest.mark.parametrize("how", ["ends", "breaks"])
def test_a_stream_that_stops_short_is_never_told_as_whole(how: str) -> None:
    async def go() -> None:
        async with open_house() as house:
            for names in OTHERS:
                whole = Pair(house, names, True).voice.stream(TEXT, MODELS[names[1]])
                half = whole.pieces[: len(whole.pieces) // 2]
                answer = dataclasses.replace(whole, pieces=half, cut_after=len(half) if how == "breaks" else None)
                await ask(house, names, answer, is_stream=True)

    run(go(), 120)
