import pytest

from app.config import Config, ProviderConfig


def provider(base_url: str, dialect: str = "openai_chat", **fields: object) -> ProviderConfig:
    return ProviderConfig.model_validate({"dialect": dialect, "base_url": base_url, **fields})


@pytest.mark.parametrize(
    ("base_url", "dialect", "path", "address"),
    [
        ("https://api.openai.com/v1", "openai_chat", "/v1/models?a=b", "https://api.openai.com/v1/models?a=b"),
        ("https://x.ai/openai/v1/", "openai_chat", "/v1/chat/completions", "https://x.ai/openai/v1/chat/completions"),
        ("https://x.ai/openai/v1", "openai_chat", "/openai/v1/models", "https://x.ai/openai/v1/models"),
        (
            "https://api.perplexity.ai",
            "openai_chat",
            "/v1/chat/completions",
            "https://api.perplexity.ai/chat/completions",
        ),
        ("https://api.anthropic.com", "anthropic", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1", "anthropic", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://g.com", "gemini", "/v1beta/models/m:countTokens", "https://g.com/v1beta/models/m:countTokens"),
        ("https://g.com/v1beta", "gemini", "/v1beta/models", "https://g.com/v1beta/models"),
    ],
)
def test_a_clients_path_lands_once_under_the_base_url(base_url: str, dialect: str, path: str, address: str) -> None:
    assert provider(base_url, dialect).address(path) == address


def test_bare_names_match_by_pattern() -> None:
    claude = provider("https://a.com", "anthropic", models=["claude-*"])
    assert claude.serves("claude-sonnet-5")
    assert not claude.serves("gpt-5")


def test_a_provider_speaks_its_family_and_what_it_says_besides() -> None:
    router = provider("https://r.com/v1", also=["anthropic"])
    assert router.speaks("openai_embeddings")
    assert router.speaks("anthropic")
    assert not router.speaks("gemini")


def test_the_key_goes_where_the_dialect_has_it_unless_said_otherwise() -> None:
    assert provider("https://a.com", "anthropic").sends_key_as == "x-api-key"
    assert provider("https://a.com", "gemini").sends_key_as == "x-goog-api-key"
    assert provider("https://a.com").sends_key_as == "bearer"
    assert provider("https://a.com", auth="api-key").sends_key_as == "api-key"


def test_an_empty_config_listens_on_loopback_only() -> None:
    config = Config.of({})
    assert (config.server.host, config.server.port) == ("127.0.0.1", 4141)
    assert config.passthrough
