import asyncio
import dataclasses
import datetime
import json
import sys

import aiohttp
import botocore.auth
import botocore.session
import pytest
from aws_signature import wrong_with
from dialect_recordings import records
from fake_upstream import Answer, FakeUpstream
from live_gateway import run
from yarl import URL

from app.config import ProviderConfig
from app.dialects.eventstream import CONTENT_TYPE, write_event, write_message
from app.dialects.registry import reader_of
from app.errors import Refused, SetupError
from gateway.providers.adapter import Outgoing
from gateway.providers.bedrock import BedrockAdapter

BODY = b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}'
NOVA = "us.amazon.nova-micro-v1:0"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGIONAL = "https://bedrock-runtime.{region}.amazonaws.com"


@pytest.fixture(autouse=True)
def no_aws_of_this_machine(monkeypatch, tmp_path):
    """Nothing but what a test sets; files of AWS's in a folder of its own."""
    names = ["REGION", "DEFAULT_REGION", "PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"]
    names.append("BEARER_TOKEN_BEDROCK")
    for name in names:
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def keys(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def provider(base_url=REGIONAL, **fields):
    return ProviderConfig(
        **{"dialect": "bedrock", "base_url": base_url, "kind": "bedrock", "region": "eu-west-1"} | fields
    )


def outgoing(config, path="/model/us.amazon.nova-micro-v1%3A0/converse", **fields):
    made = Outgoing("POST", config.address(path), (), BODY, NOVA, "bedrock", False, None)
    return dataclasses.replace(made, **fields)


def prepared(config, **fields):
    return run(BedrockAdapter().prepare(config, outgoing(config, **fields)))


async def _sent(out):
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        url = URL(out.url, encoded=True)
        async with session.request(out.method, url, headers=out.headers, data=out.body) as answer:
            return await answer.read()


def test_a_signed_request_is_what_aws_wants(keys):
    async def story():
        async with FakeUpstream() as aws:
            config = provider(aws.url)
            await _sent(await BedrockAdapter().prepare(config, outgoing(config)))
            return aws.seen[0]

    seen = run(story())
    assert wrong_with(seen, KEY, SECRET, "eu-west-1") == ""
    assert (seen.method, seen.path, seen.body) == ("POST", "/model/us.amazon.nova-micro-v1%3A0/converse", BODY)
    assert seen.header("content-type") == "application/json"
    assert seen.header("x-amz-security-token") is None


def test_the_check_of_signatures_agrees_with_the_aws_sdk(keys):
    def ask(url):
        client = botocore.session.Session().create_client("bedrock-runtime", "eu-west-1", endpoint_url=url)
        return client.converse(modelId=NOVA, messages=[{"role": "user", "content": [{"text": "hi"}]}])

    async def story():
        async with FakeUpstream() as aws:
            said = {"role": "assistant", "content": [{"text": "ho"}]}
            whole = {"output": {"message": said}, "stopReason": "end_turn", "usage": {}, "metrics": {"latencyMs": 1}}
            aws.answers.append(Answer(body=json.dumps(whole).encode()))
            answer = await asyncio.to_thread(ask, aws.url)
            return aws.seen[0], answer

    seen, answer = run(story())
    assert answer["output"]["message"]["content"] == [{"text": "ho"}]
    assert wrong_with(seen, KEY, SECRET, "eu-west-1") == ""
    assert wrong_with(seen, KEY, "another", "eu-west-1") == "another signature"
    assert seen.path == "/model/us.amazon.nova-micro-v1%3A0/converse"


def test_one_request_is_signed_alike_at_one_moment(keys, monkeypatch):
    moment = datetime.datetime(2026, 8, 30, 12, 36, 0, tzinfo=datetime.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: moment)
    first, second = prepared(provider()), prepared(provider())
    assert dict(first.headers)["x-amz-date"] == "20260830T123600Z"
    assert dict(first.headers)["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260830/eu-west-1/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, Signature="
    )
    assert first == second
    assert first.url == "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.amazon.nova-micro-v1%3A0/converse"


def test_a_session_token_goes_along_signed(keys, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    headers = dict(prepared(provider()).headers)
    assert headers["x-amz-security-token"] == "session-token"
    assert "x-amz-security-token" in headers["authorization"]


def test_a_profile_of_the_config_has_its_own_keys_and_region(tmp_path):
    (tmp_path / "credentials").write_text("[work]\naws_access_key_id = WORKKEY\naws_secret_access_key = s\n")
    (tmp_path / "config").write_text("[profile work]\nregion = ap-south-1\n")
    out = prepared(provider(profile="work", region=None))
    assert "Credential=WORKKEY/" in dict(out.headers)["authorization"]
    assert out.url.startswith("https://bedrock-runtime.ap-south-1.amazonaws.com/")


def test_a_profile_that_is_not_there_is_named():
    with pytest.raises(Refused, match="no profile 'gone'"):
        prepared(provider(profile="gone"))


def test_without_credentials_the_places_are_named():
    with pytest.raises(Refused, match="no AWS credentials") as refused:
        prepared(provider())
    assert refused.value.rule == "provider_key"
    assert "AWS_ACCESS_KEY_ID" in refused.value.hint


@pytest.mark.parametrize("secret", ["api-key", None])
def test_a_bedrock_key_is_sent_as_it_is_and_needs_no_package(monkeypatch, secret):
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "api-key")
    assert dict(prepared(provider(), secret=secret).headers)["authorization"] == "Bearer api-key"


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch, keys):
    for name in ("botocore", "botocore.exceptions", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SetupError) as error:
        prepared(provider())
    assert 'pip install "gatescope[bedrock]"' in error.value.hint


def test_the_region_comes_from_the_config_the_address_or_the_environment(keys, monkeypatch):
    def region(config):
        return dict(prepared(config).headers)["authorization"].split("/")[2]

    assert region(provider()) == "eu-west-1"
    assert region(provider("https://bedrock-runtime.us-west-2.amazonaws.com", region=None)) == "us-west-2"
    with pytest.raises(Refused, match="No AWS region"):
        region(provider(region=None))
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    assert region(provider(region=None)) == "sa-east-1"


def test_claude_is_invoked_with_its_version_and_betas_in_the_body(keys):
    body = b'{"model": "x", "stream": true, "max_tokens": 5,"messages":[{"role":"user","content":"h\\u00e9"}]}'
    config = provider(dialect="anthropic")
    asked = {"dialect": "anthropic", "model": CLAUDE, "body": body, "path": "/v1/messages"}
    asked["headers"] = (("anthropic-version", "2023-06-01"), ("anthropic-beta", "a-1, b-2"))
    out = prepared(config, **asked, is_stream=True)
    path = f"/model/{CLAUDE.replace(':', '%3A')}"
    assert out.url == f"https://bedrock-runtime.eu-west-1.amazonaws.com{path}/invoke-with-response-stream"
    assert json.loads(out.body) == {
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hé"}],
        "anthropic_version": "bedrock-2023-05-31",
        "anthropic_beta": ["a-1", "b-2"],
    }
    assert b'"h\\u00e9"' in out.body
    assert not any(name.startswith("anthropic") for name, _ in out.headers)
    assert prepared(config, **asked).url.endswith("/invoke")


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1/models"])
def test_what_bedrock_has_not_of_anthropics_api_is_refused(path):
    with pytest.raises(Refused, match=f"Bedrock has no {path}") as refused:
        prepared(provider(dialect="anthropic"), dialect="anthropic", path=path)
    assert refused.value.rule == "path"


def test_frames_around_claudes_events_are_taken_away():
    adapter, reader = BedrockAdapter(), reader_of("anthropic")
    n_streams = 0
    for record in records("bedrock.invoke"):
        if "eventstream" not in record.wire["response"] or "anthropic.claude-3" not in record.wire["request"]["path"]:
            continue
        unframer = adapter.unframer(provider(), "anthropic", record.content_type)
        events = b"".join(unframer.feed(bytes((byte,))) for byte in record.response) + unframer.close()
        whole = adapter.unframer(provider(), "anthropic", record.content_type)
        assert events == whole.feed(record.response) + whole.close()
        reply = reader.read_stream(events)
        assert reply.is_complete, record.id
        assert reply.error is None
        assert reply.choices[0].message.parts
        n_streams += 1
    assert n_streams >= 6


def test_only_claudes_streams_come_in_frames_that_are_not_the_dialect():
    adapter = BedrockAdapter()
    assert adapter.unframer(provider(), "bedrock", CONTENT_TYPE) is None
    assert adapter.unframer(provider(), "anthropic", "application/json") is None


def _failure(kind, name, payload, **more):
    head = {":message-type": kind, f":{kind}-{'type' if kind == 'exception' else 'code'}": name}
    return write_message(head | {f":{key}": value for key, value in more.items()}, payload)


@pytest.mark.parametrize(
    ("frame", "kind", "message"),
    [
        (_failure("exception", "throttlingException", b'{"message":"slow"}'), "rate_limit_error", "slow"),
        (_failure("error", "500", b"", **{"error-message": "oh"}), "api_error", "oh"),
        (_failure("exception", "odd", b"no json"), "api_error", "odd"),
        (write_event("chunk", b"{}")[:-1], "api_error", "The stream ended"),
    ],
)
def test_failures_in_frames_are_error_events(frame, kind, message):
    unframer = BedrockAdapter().unframer(provider(), "anthropic", CONTENT_TYPE)
    events = unframer.feed(frame) + unframer.close()
    assert events.startswith(b"event: error\ndata: ")
    error = json.loads(events.partition(b"data: ")[2])["error"]
    assert error["type"] == kind
    assert error["message"].startswith(message)
    reply = reader_of("anthropic").read_stream(events)
    assert reply.error is not None
    assert not reply.is_complete


def test_a_frame_that_holds_no_event_is_one_that_cannot_be_read():
    unframer = BedrockAdapter().unframer(provider(), "anthropic", CONTENT_TYPE)
    events = unframer.feed(write_event("chunk", b'{"bytes":"%%"}') + write_event("chunk", b"\xff\n"))
    assert reader_of("anthropic").read_stream(events).choices == ()
