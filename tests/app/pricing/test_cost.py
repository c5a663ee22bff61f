"""Every figure here was worked out by hand; the sum stands beside it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.models.usage import Usage
from app.pricing.cost import cost_of
from app.pricing.price import Price, rates


def price(**dollars: str) -> Price:
    made = rates({key: Decimal(usd) for key, usd in dollars.items()})
    assert made is not None
    return made


SONNET = price(
    input_mtok="3", output_mtok="15", cache_read_mtok="0.3", cache_write_mtok="3.75", cache_write_1h_mtok="6",
    web_searches_kcount="10",
)  # fmt: skip
MINI = price(input_mtok="0.15", output_mtok="0.6", cache_read_mtok="0.075")
PLAIN = price(input_mtok="1", output_mtok="2")
AUDIO = price(
    input_mtok="4", output_mtok="16", input_audio_mtok="32", output_audio_mtok="64", cache_audio_read_mtok="0.4",
    cache_read_mtok="0.4", input_image_mtok="5",
)  # fmt: skip

CASES = {
    # 1,000 x 150 + 500 x 600
    "plain tokens": (MINI, Usage(1000, 500), 450_000),
    # 200 x 150 + 800 x 75 + 10 x 600
    "cached tokens are taken out of the input": (MINI, Usage(1000, 10, cache_read_tokens=800), 96_000),
    # 100 x 3,000 + 2,000 x 300 + 500 x 3,750 + 400 x 6,000 + 50 x 15,000
    "a write costs by how long it lives": (
        SONNET,
        Usage(3000, 50, cache_read_tokens=2000, cache_write_tokens=900, cache_write_1h_tokens=400),
        5_925_000,
    ),
    # 1,000 x 1,000, of which 900 were cached: no rate of their own
    "a missing cache rate is the input rate": (PLAIN, Usage(1000, 0, cache_read_tokens=900), 1_000_000),
    # 600 x 1,000 + 400 x 1,250: no rate for an hour, so the plain write rate
    "a missing hour rate is the write rate": (
        price(input_mtok="1", output_mtok="2", cache_write_mtok="1.25"),
        Usage(1000, 0, cache_write_tokens=400, cache_write_1h_tokens=400),
        1_100_000,
    ),
    # 1,000 x 0 for the cached ones, 0 x 1,000 for the rest
    "an explicit zero is a price": (
        price(input_mtok="1", output_mtok="2", cache_read_mtok="0"),
        Usage(1000, 0, cache_read_tokens=1000),
        0,
    ),
    # 10 x 1,000 + (100 - 60) x 2,000 + 60 x 2,000
    "reasoning without a rate costs output": (PLAIN, Usage(10, 100, reasoning_tokens=60), 210_000),
    # 10 x 1,000 + 40 x 2,000 + 60 x 3,000
    "reasoning with a rate costs that": (
        price(input_mtok="1", output_mtok="2", output_reasoning_mtok="3"),
        Usage(10, 100, reasoning_tokens=60),
        270_000,
    ),
    # 100 x 4,000 + 900 x 32,000 + 10 x 16,000 + 90 x 64,000
    "audio on both sides": (
        AUDIO,
        Usage(1000, 100, input_audio_tokens=900, output_audio_tokens=90),
        35_120_000,
    ),
    # (1,000 - 500 - 300) x 4,000 + 100 x 400 + 400 x 400 + (700 - 400) x 32,000
    "cached audio is neither cached text nor fresh audio": (
        AUDIO,
        Usage(1000, 0, cache_read_tokens=500, cache_read_audio_tokens=400, input_audio_tokens=700),
        10_600_000,
    ),
    # 1,000 sent, 900 cached, 400 of images: at most 100 of them can be fresh. 900 x 400 + 100 x 5,000
    "images that the cache covers are not charged twice": (
        AUDIO,
        Usage(1000, 0, cache_read_tokens=900, input_image_tokens=400),
        860_000,
    ),
    # 100 x 3,000 + 10 x 15,000 + 3 x 10,000,000
    "web searches": (SONNET, Usage(100, 10, web_searches=3), 30_450_000),
    # 5 x 0.5 = 2.5 nano-dollars, to the even neighbour
    "rounded once, half to even": (price(input_mtok="0.0005", output_mtok="0"), Usage(5, 0), 2),
    # one request at 5 dollars a thousand
    "a fee for each request": (
        price(input_mtok="1", output_mtok="1", requests_kcount="5"),
        Usage(1, 1),
        5_002_000,
    ),
    # embeddings answer with no tokens, and their models have no output rate
    "no answer tokens where none are sold": (price(input_mtok="0.02"), Usage(1000, None), 20_000),
}


@pytest.mark.parametrize("name", CASES)
def test_cost_is_worked_out_to_the_nano_dollar(name: str) -> None:
    rate, usage, nusd = CASES[name]

    cost = cost_of(usage, rate)

    assert cost is not None
    assert cost.total_nusd == nusd
    assert sum(cost.parts.values()) == nusd


def test_parts_say_what_was_charged() -> None:
    usage = Usage(3000, 50, cache_read_tokens=2000, cache_write_tokens=900, cache_write_1h_tokens=400, web_searches=1)

    cost = cost_of(usage, SONNET)

    assert cost is not None
    assert cost.parts == {
        "input": 300_000,
        "cache_read": 600_000,
        "cache_write": 1_875_000,
        "cache_write_1h": 2_400_000,
        "output": 750_000,
        "web_search": 10_000_000,
    }


def test_what_the_provider_states_wins_over_any_price() -> None:
    usage = Usage(1000, 1000, stated_cost_nusd=7)

    assert [cost_of(usage, PLAIN), cost_of(usage, None)] == [cost_of(usage, MINI)] * 2
    assert cost_of(usage, None).total_nusd == 7  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("usage", "rate"),
    [
        (None, PLAIN),
        (Usage(), PLAIN),
        (Usage(10, 10), None),
        (Usage(None, 10), PLAIN),
        (Usage(10, None), PLAIN),
        (Usage(10, 10), price(input_mtok="1")),
    ],
)
def test_unknown_usage_or_price_is_unknown_cost_and_never_zero(usage: Usage | None, rate: Price | None) -> None:
    assert cost_of(usage, rate) is None


@pytest.mark.parametrize("usage", [Usage(10, 0, cache_read_tokens=11), Usage(10, 5, reasoning_tokens=6)])
def test_counts_that_contradict_themselves_are_refused(usage: Usage) -> None:
    with pytest.raises(InputError):
        cost_of(usage, PLAIN)


_counts = st.integers(0, 10**7)


@given(given_=_counts, read=_counts, write=_counts, hour=_counts, audio=_counts, image=_counts, sent=_counts)
def test_every_token_is_charged_once(
    given_: int, read: int, write: int, hour: int, audio: int, image: int, sent: int
) -> None:
    read = min(read, given_)
    write = min(write, given_ - read)
    usage = Usage(
        given_, sent, cache_read_tokens=read, cache_write_tokens=write, cache_write_1h_tokens=min(hour, write),
        input_audio_tokens=min(audio, given_), input_image_tokens=min(image, given_), reasoning_tokens=sent // 2,
    )  # fmt: skip

    flat = cost_of(usage, price(input_mtok="1", output_mtok="1"))

    assert flat == replace(flat, total_nusd=(given_ + sent) * 1000)  # type: ignore[type-var]
