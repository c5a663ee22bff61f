from app.config import PriceRow
from app.pricing.own import OwnPrices
from app.pricing.price import USD_PER_MTOK


def row(model: str, dollars: float, **fields: object) -> PriceRow:
    return PriceRow.model_validate({"model": model, "input_per_mtok": dollars, **fields})


def input_usd(
    rows: list[PriceRow], model: str, *, provider: str = "p", tier: str | None = None, sent: int = 0
) -> float:
    price = OwnPrices(rows).price(provider, model, tier, sent)
    assert price is not None and price.input_rate is not None
    return price.input_rate / USD_PER_MTOK


def test_the_most_particular_row_holds() -> None:
    rows = [row("*", 1), row("gpt-*", 2), row("gpt-4o*", 3), row("gpt-4o", 4), row("gpt-4o", 5, provider="azure")]

    assert input_usd(rows, "gpt-4o", provider="azure") == 5
    assert input_usd(rows, "gpt-4o") == 4
    assert input_usd(rows, "gpt-4o-mini") == 3
    assert input_usd(rows, "gpt-5") == 2
    assert input_usd(rows, "llama3") == 1


def test_a_row_covers_the_prefixed_and_the_dated_name() -> None:
    rows = [row("gpt-4o-mini", 7)]

    assert input_usd(rows, "openai/gpt-4o-mini") == 7
    assert input_usd(rows, "gpt-4o-mini-2024-07-18") == 7
    assert input_usd(rows, "GPT-4o-mini") == 7


def test_a_dated_row_wins_for_its_date() -> None:
    rows = [row("gpt-4o", 1), row("gpt-4o-2024-05-13", 2)]

    assert input_usd(rows, "gpt-4o-2024-05-13") == 2


def test_a_long_prompt_takes_the_higher_row_whole() -> None:
    rows = [row("m", 1), row("m", 2, above_input_tokens=200_000)]

    assert input_usd(rows, "m", sent=200_000) == 1
    assert input_usd(rows, "m", sent=200_001) == 2


def test_a_tier_row_holds_only_for_calls_that_tier_served() -> None:
    rows = [row("m", 1), row("m", 0.5, service_tier="batch")]

    assert input_usd(rows, "m", tier="batch") == 0.5
    assert input_usd(rows, "m", tier="default") == 1
    assert input_usd(rows, "m") == 1


def test_of_two_equal_rows_the_later_holds() -> None:
    assert input_usd([row("m", 1), row("m", 2)], "m") == 2


def test_a_model_without_a_row_is_left_to_the_book() -> None:
    assert OwnPrices([row("gpt-4o", 1)]).price("openai", "gpt-4o-mini", None, 0) is None
