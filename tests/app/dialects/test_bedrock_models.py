import pytest

from app.dialects.bedrock_models import is_nova_2, vendor_of


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-x", "claude"),
        ("amazon.nova-micro-v1:0", "nova"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss"),
        ("mistral.devstral-2-123b", "mistral"),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", "other"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "unknown"),
        ("my-imported-model", "unknown"),
    ],
)
def test_an_id_names_its_vendor(model, vendor):
    assert vendor_of(model) == vendor


def test_only_the_second_nova_thinks():
    assert is_nova_2("us.amazon.nova-2-lite-v1:0")
    assert not is_nova_2("us.amazon.nova-lite-v1:0")
