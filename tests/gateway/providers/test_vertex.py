import json
import sys
from urllib.parse import parse_qs

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_upstream import Answer, FakeUpstream
from live_gateway import run

from app.config import ProviderConfig
from app.errors import Refused, SetupError
from gateway.providers.adapter import Outgoing
from gateway.providers.vertex import VertexAdapter

REGIONAL = "https://{region}-aiplatform.googleapis.com/v1"
GEMINI = "gemini-2.5-flash"


@pytest.fixture(autouse=True)
def no_google_of_this_machine(monkeypatch, tmp_path):
    for name in ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION", "CLOUD_ML_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ANTHROPIC_VERTEX_PROJECT_ID", raising=False)
    monkeypatch.delenv("GCLOUD_PROJECT", raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture(scope="module")
def private_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    made = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.decode()


def provider(base_url=REGIONAL, **fields):
    return ProviderConfig(**{"dialect": "gemini", "base_url": base_url, "kind": "vertex"} | fields)


def outgoing(config, path=f"/v1beta/models/{GEMINI}:generateContent", **fields):
    asked = {"headers": (), "body": b"{}", "model": GEMINI, "dialect": "gemini", "is_stream": False, "secret": None}
    return Outgoing(method="POST", url=config.address(path), **asked | fields)


def keyed(config, **fields):
    return run(VertexAdapter().prepare(config, outgoing(config, secret="express", **fields)))


def signed_in(private_key, tmp_path, work, **fields):
    """Run `work` with an adapter signed in as a service, and with the fake Google; return both it and what was seen."""

    async def story():
        async with FakeUpstream() as google:
            file = tmp_path / "service.json"
            made = {"type": "service_account", "client_email": "me@p.example", "private_key": private_key}
            file.write_text(json.dumps(made | {"token_uri": f"{google.url}/token", "project_id": "file-project"}))
            token = {"access_token": "ya29.good", "expires_in": 3600, "token_type": "Bearer"}
            google.answers.append(Answer(body=json.dumps(token).encode()))
            done = await work(VertexAdapter(), provider(google.url + "/v1", profile=str(file), **fields))
            return done, google.seen

    return run(story())


def test_a_service_account_signs_in_once_and_its_token_is_kept(private_key, tmp_path):
    async def work(adapter, config):
        first = await adapter.prepare(config, outgoing(config))
        second = await adapter.prepare(config, outgoing(config))
        async with aiohttp.ClientSession() as session:
            await session.post(second.url, headers=second.headers, data=second.body)
        return first, second

    (first, second), seen = signed_in(private_key, tmp_path, work, region="us-central1")
    assert first == second
    assert [each.path for each in seen] == [
        "/token",
        f"/v1/projects/file-project/locations/us-central1/publishers/google/models/{GEMINI}:generateContent",
    ]
    assert parse_qs(seen[0].body.decode())["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert seen[1].header("authorization") == "Bearer ya29.good"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1beta/models/m:streamGenerateContent?alt=sse&key=k", ":streamGenerateContent?alt=sse"),
        ("/v1beta/models/m:streamGenerateContent", ":streamGenerateContent?alt=sse"),
        ("/v1beta/models/m:countTokens", ":countTokens"),
        ("/v1/models/m:generateContent?key=k", ":generateContent"),
    ],
)
def test_what_is_asked_of_gemini_keeps_its_verb(private_key, tmp_path, path, asked):
    async def work(adapter, config):
        return await adapter.prepare(config, outgoing(config, path))

    out, _ = signed_in(private_key, tmp_path, work, project="mine", region="europe-west4")
    assert out.url.partition("/v1/")[2] == (
        f"projects/mine/locations/europe-west4/publishers/google/models/{GEMINI}{asked}"
    )


@pytest.mark.parametrize(
    ("path", "is_stream", "asked"),
    [
        ("/v1/messages", False, "claude-sonnet-4-5@20250929:rawPredict"),
        ("/v1/messages", True, "claude-sonnet-4-5@20250929:streamRawPredict"),
        ("/v1/messages/count_tokens", False, "count-tokens:rawPredict"),
    ],
)
def test_claude_is_asked_with_its_version_in_the_body(private_key, tmp_path, path, is_stream, asked):
    body = b'{"model":"claude-sonnet-4-5@20250929","max_tokens":5,"stream":true}'
    fields = {"dialect": "anthropic", "model": "claude-sonnet-4-5@20250929", "body": body, "is_stream": is_stream}
    fields["headers"] = (("anthropic-version", "2023-06-01"), ("anthropic-beta", "a"))

    async def work(adapter, config):
        return await adapter.prepare(config, outgoing(config, path, **fields))

    out, _ = signed_in(private_key, tmp_path, work, project="p", region="us-east5")
    assert out.url.partition("/v1/")[2] == f"projects/p/locations/us-east5/publishers/anthropic/models/{asked}"
    said = json.loads(out.body)
    assert said.pop("anthropic_version") == "vertex-2023-10-16"
    assert ("model" in said) == path.endswith("count_tokens")
    assert said["stream"] is True
    assert out.headers == (("anthropic-beta", "a"), ("authorization", "Bearer ya29.good"))


def test_what_vertex_has_not_of_anthropics_api_is_refused(private_key, tmp_path):
    async def work(adapter, config):
        with pytest.raises(Refused, match="has no models of Claude's") as refused:
            await adapter.prepare(config, outgoing(config, "/v1/models", dialect="anthropic"))
        return refused.value.rule

    rule, _ = signed_in(private_key, tmp_path, work, project="p", region="us-east5")
    assert rule == "path"


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_models_of_others_are_asked_in_openais_dialect(private_key, tmp_path, version):
    async def work(adapter, config):
        config = provider(config.base_url.replace("/v1", f"/{version}"), profile=config.profile, region="us-east5")
        return await adapter.prepare(config, outgoing(config, "/v1/chat/completions", dialect="openai_chat"))

    out, _ = signed_in(private_key, tmp_path, work)
    path = out.url.partition(f"/{version}/")[2]
    assert path == "projects/file-project/locations/us-east5/endpoints/openapi/chat/completions"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_every_place_has_its_host(private_key, tmp_path, region, host):
    async def work(adapter, config):
        hosted = provider(profile=config.profile, region=region)
        return await adapter.prepare(hosted, outgoing(hosted))

    out, _ = signed_in(private_key, tmp_path, work)
    assert out.url.startswith(f"https://{host}/v1/projects/file-project/locations/{region}/publishers/google/")


def test_project_and_place_may_come_from_the_environment(private_key, tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "named")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "asia-east1")

    async def work(adapter, config):
        return await adapter.prepare(config, outgoing(config))

    out, _ = signed_in(private_key, tmp_path, work)
    assert "/projects/named/locations/asia-east1/" in out.url


def test_the_usual_places_are_looked_at(private_key, tmp_path, monkeypatch):
    async def work(adapter, config):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", config.profile)
        usual = provider(config.base_url)
        return await adapter.prepare(usual, outgoing(usual))

    out, _ = signed_in(private_key, tmp_path, work)
    assert "/projects/file-project/locations/global/" in out.url
    assert out.headers == (("authorization", "Bearer ya29.good"),)


def test_a_key_goes_to_the_address_without_a_project_and_needs_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.auth", None)
    out = keyed(provider(region="us-central1"))
    assert out.url == f"https://aiplatform.googleapis.com/v1/publishers/google/models/{GEMINI}:generateContent"
    assert out.headers == (("x-goog-api-key", "express"),)
    assert "/publishers/meta/models/llama:" in keyed(provider(), model="publishers/meta/models/llama").url


def test_a_key_does_not_reach_claude():
    with pytest.raises(Refused, match="reaches Gemini alone"):
        keyed(provider(), path="/v1/messages", dialect="anthropic")


def test_without_credentials_the_way_to_them_is_told(tmp_path):
    config = provider(profile=str(tmp_path / "gone.json"))
    with pytest.raises(Refused, match="no Google credentials") as refused:
        run(VertexAdapter().prepare(config, outgoing(config)))
    assert refused.value.rule == "provider_key"
    assert "gcloud auth application-default login" in refused.value.hint


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)
    config = provider()
    with pytest.raises(SetupError) as error:
        run(VertexAdapter().prepare(config, outgoing(config)))
    assert 'pip install "gatescope[vertex]"' in error.value.hint


def test_its_streams_need_no_unframing():
    assert VertexAdapter().unframer(provider(), "gemini", "text/event-stream") is None
