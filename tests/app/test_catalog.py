import tomllib
from importlib.resources import files

import msgspec
import pytest

from app.catalog import bare_name, quirks_of, target_of, traits_of
from app.config import ProviderConfig, QuirksConfig
from app.models.target import Quirks, Traits


@pytest.mark.parametrize(
    ("model", "bare"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o-mini"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("qwen3:8b", "qwen3"),
    ],
)
def test_a_model_is_known_by_any_of_its_names(model: str, bare: str) -> None:
    assert bare_name(model) == bare


def test_what_is_known_of_a_model_follows_it_to_every_provider() -> None:
    assert traits_of("us.anthropic.claude-sonnet-4-5-20250929-v1:0") == traits_of("claude-sonnet-4-5")
    assert traits_of("claude-sonnet-4-5").thinking == "budget"
    assert traits_of("gpt-4.1").thinking == "none"
    assert traits_of("o3").uses_completion_tokens and not traits_of("o3").takes_sampling
    assert traits_of("gemini-3-pro-preview").needs_signatures
    assert not traits_of("gemini-2.5-pro").needs_signatures


def test_of_an_unknown_model_nothing_is_claimed() -> None:
    assert traits_of("nobody-knows-me-1") == Traits()


def test_every_row_is_of_traits() -> None:
    rows = tomllib.loads(files("resources").joinpath("models.toml").read_text(encoding="utf-8"))
    assert len(rows) > 40
    for pattern, fields in rows.items():
        assert pattern == pattern.lower()
        msgspec.convert(fields, Traits)


def test_a_config_says_all_quirks_and_nothing_else() -> None:
    assert set(QuirksConfig.model_fields) == {field.name for field in msgspec.structs.fields(Quirks)}
    assert quirks_of(QuirksConfig()) == Quirks()
    stated = QuirksConfig(drop=["seed"], cap={"temperature": 1.0}, takes_parts=False)
    assert quirks_of(stated) == Quirks(drop=("seed",), cap={"temperature": 1.0}, takes_parts=False)


def test_a_target_has_the_providers_quirks_and_the_models_traits() -> None:
    provider = ProviderConfig(dialect="openai_chat", base_url="https://x.example", quirks=QuirksConfig(drop=["seed"]))
    target = target_of("mine", provider, "gpt-4.1", "openai_chat")
    assert (target.provider, target.dialect, target.quirks.drop) == ("mine", "openai_chat", ("seed",))
    assert target.traits == traits_of("gpt-4.1")
