import pytest

from app.config import ProviderConfig
from app.provider_options import dialects_for

ARN = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"


@pytest.mark.parametrize(
    ("kind", "dialect", "also", "model", "answers"),
    [
        (None, "openai_chat", ["anthropic"], "claude-x", ("openai_chat", "anthropic")),
        ("bedrock", "bedrock", ["anthropic"], "us.anthropic.claude-x", ("anthropic", "bedrock")),
        ("bedrock", "bedrock", ["anthropic"], "amazon.nova-lite-v1:0", ("bedrock",)),
        ("bedrock", "bedrock", ["anthropic"], ARN, ("bedrock", "anthropic")),
        ("bedrock", "bedrock", [], "us.anthropic.claude-x", ("bedrock",)),
        ("bedrock", "bedrock", ["anthropic"], None, ("bedrock", "anthropic")),
        ("vertex", "gemini", ["anthropic", "openai_chat"], "claude-x@1", ("anthropic",)),
        ("vertex", "gemini", ["anthropic", "openai_chat"], "gemini-2.5-pro", ("gemini", "openai_chat")),
        ("vertex", "gemini", ["anthropic", "openai_chat"], "meta/llama-4", ("openai_chat", "gemini")),
        ("vertex", "gemini", [], "claude-x@1", ()),
        ("azure", "openai_chat", ["anthropic"], "gpt-5", ("openai_chat",)),
        ("azure", "openai_chat", ["anthropic"], "claude-x", ("anthropic",)),
    ],
)
def test_a_model_is_asked_in_what_it_understands(kind, dialect, also, model, answers):
    provider = ProviderConfig(dialect=dialect, base_url="https://x.example", kind=kind, also=also)
    assert dialects_for(provider, model) == answers
