import subprocess
import sys

import pytest

from app.catalog import bare_name, quirks_of, target_of, traits_of
from app.config import ProviderConfig, QuirksConfig
from app.models.target import Quirks, Traits


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("us.anthropic.claude-opus-4-7-v1:0", "claude-opus-4-7"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4.5"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o-mini"),
        ("models/gemini-3-pro-preview", "gemini-3-pro-preview"),
        ("openai/gpt-oss-120b:free", "gpt-oss-120b"),
        ("llama3.2:3b-instruct-q4_K_M", "llama3.2"),
        ("Qwen/Qwen3-32B", "qwen3-32b"),
    ],
)
def test_a_model_is_known_by_its_makers_name_however_it_is_dressed(name: str, bare: str) -> None:
    assert bare_name(name) == bare


@pytest.mark.parametrize(
    ("model", "thinking", "most"),
    [
        ("claude-3-5-haiku-20241022", "none", 8192),
        ("claude-3-7-sonnet-latest", "budget", 64000),
        ("claude-opus-4-20250514", "budget", 32000),
        ("claude-sonnet-4-5", "budget", 64000),
        ("claude-opus-4-6", "adaptive", 128000),
        ("claude-sonnet-5-5", "adaptive", 128000),
        ("o3", "effort", 100000),
        ("gpt-5-mini", "effort", 128000),
        ("gpt-5-chat-latest", "none", 16384),
        ("gpt-4o", "none", 16384),
        ("gemini-2.0-flash", "none", 8192),
        ("gemini-2.5-pro", "budget", 65536),
        ("gemini-3-pro-preview", "level", 65536),
        ("somebodys-own-model", "unknown", None),
    ],
)
def test_families_differ_in_how_they_think_and_how_much_they_say(model: str, thinking: str, most: int | None) -> None:
    traits = traits_of(model)
    assert (traits.thinking, traits.max_output_tokens) == (thinking, most)


def test_only_the_newest_claudes_refuse_sampling() -> None:
    refusing = [name for name in ("claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-5")
                if not traits_of(name).takes_sampling]  # fmt: skip
    assert refusing == ["claude-opus-4-7", "claude-opus-5"]


def test_efforts_are_those_of_the_very_model() -> None:
    assert traits_of("claude-opus-4-5").efforts == ("low", "medium", "high")
    assert traits_of("gpt-5").efforts == ("minimal", "low", "medium", "high")
    assert traits_of("gpt-5.1").efforts == ("none", "low", "medium", "high")
    assert traits_of("gpt-5-pro").efforts == ("high",)
    assert traits_of("gemini-3-pro-preview").efforts == ("low", "high")


def test_openais_thinkers_want_completion_tokens_and_its_older_models_do_not() -> None:
    assert traits_of("o4-mini").uses_completion_tokens
    assert traits_of("openai/gpt-5.2").uses_completion_tokens
    assert not traits_of("gpt-4o").uses_completion_tokens
    assert not traits_of("gpt-oss-20b").uses_completion_tokens


def test_a_target_carries_its_providers_quirks_and_its_models_traits() -> None:
    provider = ProviderConfig.model_validate(
        {
            "dialect": "openai_chat",
            "base_url": "http://x/v1",
            "quirks": {"drop": ["logit_bias"], "roles": {"developer": "system"}, "takes_schema": False},
        }
    )
    target = target_of("mine", provider, "gpt-5", "openai_chat")
    assert (target.model, target.provider, target.dialect) == ("gpt-5", "mine", "openai_chat")
    assert target.quirks == Quirks(drop=("logit_bias",), roles={"developer": "system"}, takes_schema=False)
    assert target.traits.thinking == "effort"


def test_quirks_and_their_config_have_the_same_fields_and_defaults() -> None:
    assert list(QuirksConfig.model_fields) == list(Quirks.__struct_fields__)
    every = QuirksConfig.model_validate(QuirksConfig().model_dump())
    assert quirks_of(every) == Quirks() == quirks_of(QuirksConfig())


def test_an_unknown_model_has_no_traits() -> None:
    assert traits_of("") == Traits()


def test_models_are_read_on_the_first_question_and_not_before() -> None:
    code = "import sys, app.catalog as c; n = c._rows.cache_info().misses; sys.exit(n)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
