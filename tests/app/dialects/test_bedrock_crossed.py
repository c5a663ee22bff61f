"""Recorded requests to other providers, asked of Bedrock: valid to the AWS SDK, or refused for a reason."""

import re

import msgspec
import pytest
from converse_shape import problems
from dialect_recordings import DIALECTS, records

from app.dialects.bedrock_writer import BedrockWriter
from app.dialects.registry import reader_of
from app.errors import InputError
from app.models.settings import ToolChoice
from app.models.target import Target, Traits

TARGETS = [
    Target("us.anthropic.claude-sonnet-4-5-20250929-v1:0", traits=Traits(thinking="budget", takes_schema=True)),
    Target("us.anthropic.claude-opus-4-7", traits=Traits(thinking="adaptive", takes_sampling=False)),
    Target("us.amazon.nova-2-lite-v1:0"),
    Target("us.meta.llama4-maverick-17b-instruct-v1:0"),
]
EXPECTED = re.compile(
    "from an address|kept by another provider|Bedrock takes no|Claude on Bedrock takes no|one answer a call"
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.model)
@pytest.mark.parametrize("api", ["openai.chat", "openai.responses", "anthropic.messages", "google.generate"])
def test_what_others_were_asked_can_be_asked_of_bedrock(api, target):
    reader, writer = reader_of(DIALECTS[api]), BedrockWriter()
    n_written = n_refused = 0
    for record in records(api):
        if record.status >= 400 or not record.request:
            continue
        read = reader.read_request(record.request)
        choice = read.tool_choice if isinstance(read.tool_choice, ToolChoice) else None
        request = msgspec.structs.replace(read, dialect=DIALECTS[api], model=target.model, tool_choice=choice)
        try:
            written = writer.write_request(request, target)
        except InputError as refused:
            assert EXPECTED.search(refused.message), record.id
            n_refused += 1
            continue
        assert problems(written.body) == "", record.id
        n_written += 1
    assert n_written > 500
    assert n_refused < 0.12 * n_written
