import sys
import types

import aiohttp
import pytest
from fake_upstream import FakeUpstream
from live_gateway import run

from app.config import ProviderConfig
from app.errors import Refused
from gateway.providers.adapter import Outgoing
from gateway.providers.azure import AzureAdapter

RESOURCE = "https://mine.openai.azure.com"


@pytest.fixture(autouse=True)
def no_azure_of_this_machine(monkeypatch):
    for name in ("OPENAI_API_KEY", "API_KEY", "OPENAI_AD_TOKEN", "OPENAI_ENDPOINT", "API_BASE"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)


def provider(base_url=RESOURCE, **fields):
    return ProviderConfig(**{"dialect": "openai_chat", "base_url": base_url, "kind": "azure"} | fields)


def prepared(config, path="/v1/chat/completions", *, secret="key", dialect="openai_chat"):
    out = Outgoing("POST", config.address(path), (), b"{}", "my deployment", dialect, False, secret)
    return run(AzureAdapter().prepare(config, out))


@pytest.mark.parametrize("base_url", [RESOURCE, f"{RESOURCE}/openai", f"{RESOURCE}/openai/v1"])
@pytest.mark.parametrize("path", ["/chat/completions", "/embeddings", "/audio/speech", "/images/generations"])
def test_with_a_version_the_path_names_the_deployment(base_url, path):
    out = prepared(provider(base_url, api_version="2024-10-21"), f"/v1{path}")
    assert out.url == f"{RESOURCE}/openai/deployments/my%20deployment{path}?api-version=2024-10-21"


@pytest.mark.parametrize("base_url", [RESOURCE, f"{RESOURCE}/openai", f"{RESOURCE}/openai/v1"])
@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/embeddings", "/responses/resp_1/input_items"])
def test_without_a_version_the_paths_are_openais_own(base_url, path):
    assert prepared(provider(base_url), f"/v1{path}").url == f"{RESOURCE}/openai/v1{path}"


def test_calls_that_name_their_deployment_in_the_body_have_a_version_and_no_deployment():
    out = prepared(provider(api_version="2025-04-01-preview"), "/v1/responses?after=a&api-version=old")
    assert out.url == f"{RESOURCE}/openai/responses?after=a&api-version=2025-04-01-preview"


def test_the_path_that_azures_own_sdk_writes_is_understood():
    out = prepared(provider(api_version="2024-10-21"), "/openai/deployments/other/chat/completions?api-version=1")
    assert out.url == f"{RESOURCE}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"


def test_foundrys_models_are_under_their_own_path():
    out = prepared(provider("https://mine.services.ai.azure.com/models", api_version="2024-05-01-preview"))
    assert out.url == "https://mine.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview"


def test_claude_is_under_its_own_path_with_its_own_key_header():
    config = provider("https://mine.services.ai.azure.com/anthropic", dialect="anthropic")
    out = prepared(config, "/v1/messages", dialect="anthropic")
    assert out.url == "https://mine.services.ai.azure.com/anthropic/v1/messages"
    assert out.headers == (("x-api-key", "key"),)


def test_the_resource_may_come_from_the_environment(monkeypatch):
    config = provider("https://{resource}.openai.azure.com")
    with pytest.raises(Refused, match="No Azure resource"):
        prepared(config)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://other.openai.azure.com/")
    assert prepared(config).url == "https://other.openai.azure.com/openai/v1/chat/completions"


def test_a_key_is_sent_as_azure_has_it_and_a_token_as_a_bearer(monkeypatch):
    assert prepared(provider()).headers == (("api-key", "key"),)
    assert prepared(provider(auth="bearer")).headers == (("authorization", "Bearer key"),)
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "entra")
    assert prepared(provider(), secret=None).headers == (("authorization", "Bearer entra"),)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from the environment")
    assert prepared(provider(), secret=None).headers == (("api-key", "from the environment"),)


def test_without_a_key_the_places_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.core.exceptions", None)
    with pytest.raises(Refused, match="azure-identity") as refused:
        prepared(provider(), secret=None)
    assert refused.value.rule == "provider_key"
    assert "AZURE_OPENAI_API_KEY" in refused.value.message


def test_a_signed_in_user_needs_no_key(monkeypatch):
    asked = []

    class Credential:
        def get_token(self, scope):
            asked.append(scope)
            return types.SimpleNamespace(token="from entra")

    identity = types.SimpleNamespace(DefaultAzureCredential=Credential)
    errors = types.SimpleNamespace(AzureError=RuntimeError)
    for name, module in {
        "azure": None,
        "azure.core": None,
        "azure.core.exceptions": errors,
        "azure.identity": identity,
    }.items():
        monkeypatch.setitem(sys.modules, name, module or types.ModuleType(name))
    assert prepared(provider(), secret=None).headers == (("authorization", "Bearer from entra"),)
    assert asked == ["https://cognitiveservices.azure.com/.default"]


def test_what_arrives_at_azure():
    async def story():
        async with FakeUpstream() as azure:
            config = provider(azure.url, api_version="2024-10-21")
            out = Outgoing(
                "POST", config.address("/v1/chat/completions"), (), b"{}", "gpt", "openai_chat", False, "key"
            )
            out = await AzureAdapter().prepare(config, out)
            async with aiohttp.ClientSession() as session:
                await session.post(out.url, headers=out.headers, data=out.body)
            return azure.seen[0]

    seen = run(story())
    assert seen.path == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert (seen.header("api-key"), seen.body) == ("key", b"{}")


def test_its_streams_need_no_unframing():
    assert AzureAdapter().unframer(provider(), "openai_chat", "text/event-stream") is None
