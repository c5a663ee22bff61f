"""The published prices, as genai-prices states them, and against its own arithmetic."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import Usage as TheirUsage

from app.config import PriceRow
from app.models.usage import Usage
from app.pricing.book import Book
from app.pricing.cost import cost_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOK = Book(())


def nusd(
    provider: str | None, model: str, usage: Usage, *, at: datetime = NOW, book: Book = BOOK, asked: str | None = None
) -> int | None:
    at_ns = int(at.timestamp()) * 1_000_000_000
    cost = cost_of(usage, book.price(provider, model, at_ns, usage, asked=asked))
    return cost.total_nusd if cost else None


def test_a_known_model_is_priced() -> None:
    # 1,000 x 0.15 / M + 100 x 0.60 / M dollars
    assert nusd("openai", "gpt-4o-mini", Usage(1000, 100)) == 210_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-mini-2024-07-18"),
        ("openai", "openai/gpt-4o-mini"),
        (None, "gpt-4o-mini"),
        (None, "openai/gpt-4o-mini"),
        ("my-proxy", "gpt-4o-mini"),
        ("my-proxy", "openai/gpt-4o-mini-2024-07-18"),
        ("azure", "gpt-4o-mini"),
        ("openai", "GPT-4o-mini"),
    ],
)
def test_a_model_is_found_under_every_name_it_goes_by(provider: str | None, model: str) -> None:
    assert nusd(provider, model, Usage(1000, 100)) == 210_000


@pytest.mark.parametrize("name", ["models/gemini-2.5-pro", "gemini-2.5-pro", "google/gemini-2.5-pro"])
def test_a_long_prompt_is_charged_whole_at_the_higher_tier(name: str) -> None:
    # 200,000 x 1.25 / M + 10 x 10 / M; one token more: x 2.50 and x 15
    assert nusd("google", name, Usage(200_000, 10)) == 250_100_000
    assert nusd("google", name, Usage(200_001, 10)) == 500_152_500


def test_the_tier_that_served_the_call_sets_its_price() -> None:
    plain, flex, priority = (
        nusd("openai", "gpt-5.5", Usage(1000, 100, service_tier=tier)) for tier in ("default", "flex", "priority")
    )

    assert plain == nusd("openai", "gpt-5.5", Usage(1000, 100))
    assert flex is not None and plain is not None and priority is not None
    assert flex < plain < priority


def test_a_batch_is_charged_at_the_published_batch_rate() -> None:
    # half of 2 / M and 10 / M
    assert nusd("anthropic", "claude-sonnet-5", Usage(1000, 100, service_tier="batch")) == 1_500_000
    assert nusd("anthropic", "claude-sonnet-5", Usage(1000, 100, service_tier="standard")) == 3_000_000


def test_a_price_holds_from_its_day_on() -> None:
    # Claude Sonnet 4.6 lost its long-context tier on 13 March 2026: 300,000 x 6 / M before, x 3 / M after
    usage = Usage(300_000, 0)

    assert nusd("anthropic", "claude-sonnet-4-6", usage, at=datetime(2026, 3, 12, 23, 59, tzinfo=UTC)) == 1_800_000_000
    assert nusd("anthropic", "claude-sonnet-4-6", usage, at=datetime(2026, 3, 13, tzinfo=UTC)) == 900_000_000


def test_an_off_peak_hour_has_its_own_price() -> None:
    prices = {nusd("deepseek", "deepseek-v4-pro", Usage(10**6, 0), at=NOW.replace(hour=hour)) for hour in range(24)}

    assert len(prices) == 2


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-99-ultra"), (None, "my-own-finetune"), ("ollama", "gpt-oss-20b"), ("demo", "demo/small")],
)
def test_a_model_nobody_sells_is_unknown(provider: str | None, model: str) -> None:
    assert nusd(provider, model, Usage(1000, 100)) is None


def test_a_model_given_away_costs_nothing() -> None:
    assert nusd("openrouter", "deepseek/deepseek-r1:free", Usage(1000, 100)) == 0


def test_a_model_sold_by_the_hour_has_no_token_price() -> None:
    assert nusd("openai", "whisper-1", Usage(1000, 100)) is None


def test_a_row_of_the_users_stands_over_the_book_whole() -> None:
    book = Book([PriceRow.model_validate({"model": "gpt-4o-mini", "input_per_mtok": 1, "output_per_mtok": 2})])

    # the row has no cache rate, so the cached 900 cost input: 1,000 x 1 / M + 100 x 2 / M
    assert nusd("openai", "gpt-4o-mini-2024-07-18", Usage(1000, 100, cache_read_tokens=900), book=book) == 1_200_000


def test_a_row_for_the_asked_name_beats_the_book_for_the_answered_one() -> None:
    book = Book([PriceRow.model_validate({"model": "house-model", "input_per_mtok": 1, "output_per_mtok": 2})])

    assert nusd("openai", "gpt-4o-mini", Usage(1000, 100), book=book, asked="house-model") == 1_200_000


def test_a_free_row_is_free() -> None:
    book = Book([PriceRow.model_validate({"model": "*", "input_per_mtok": 0, "output_per_mtok": 0})])

    assert nusd("ollama", "llama3", Usage(1000, 100), book=book) == 0


SAMPLES = {
    "short": (Usage(1000, 200), {"input_tokens": 1000, "output_tokens": 200}),
    "long": (Usage(300_000, 4321), {"input_tokens": 300_000, "output_tokens": 4321}),
    "cached": (
        Usage(12_345, 678, cache_read_tokens=9_876, cache_write_tokens=1_234, cache_write_1h_tokens=1_000),
        {
            "input_tokens": 12_345, "output_tokens": 678, "cache_read_tokens": 9_876,
            "cache_write_tokens": 1_234, "cache_write_1h_tokens": 1_000,
        },
    ),
    "thinking": (
        Usage(777, 9_999, reasoning_tokens=9_000, web_searches=3),
        {"input_tokens": 777, "output_tokens": 9_999, "output_reasoning_tokens": 9_000, "web_searches": 3},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def sold() -> list[tuple[Provider, ModelInfo]]:
    """Every model that is sold by the token, and found under its own name."""
    found = [
        (provider, model)
        for provider in providers
        for model in provider.models
        if {"input_mtok", "output_mtok"} <= vars(model.get_prices(NOW)).keys()
        and provider.find_model(model.id, all_providers=providers) is model
    ]
    assert len(found) > 1500
    return found


@pytest.mark.parametrize("tier", [None, "flex", "priority", "batch"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_token_price_agrees_with_the_publishers_own_arithmetic(
    sample: str, tier: str | None, sold: list[tuple[Provider, ModelInfo]]
) -> None:
    ours, theirs = SAMPLES[sample]
    if tier is not None:
        ours = Usage(**{name: getattr(ours, name) for name in ours.__slots__} | {"service_tier": tier})
    context = {"processing": "batch"} if tier == "batch" else {"service_tier": tier} if tier else None
    for provider, model in sold:
        expected = model.calc_price(
            TheirUsage(**theirs), provider, genai_request_timestamp=NOW, price_context=context
        ).total_price
        assert nusd(provider.id, model.id, ours) == round(expected * Decimal(10**9)), (provider.id, model.id)
