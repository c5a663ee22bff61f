from factories import START_NS
from filled_store import call_write

from app.models.call import Attempt
from app.models.span import Failure, Link, LinkMethod
from app.models.usage import Usage
from app.store.attributes import Attributes, decode_attributes, encode_attributes


def test_everything_without_a_column_comes_back() -> None:
    attempt = Attempt("openai", "m", "https://x", START_NS, START_NS + 1, 500, Failure("provider", "no", 500))
    link = Link(LinkMethod.CHAIN, 0.9, "begins with it")
    usage = Usage(input_tokens=0, reasoning_tokens=4, service_tier="flex", is_estimated=True)
    write = call_write(
        attempts=(attempt,), links=(link,), usage=usage, response_id="r1", entered_from=3, failure=Failure("cut", "mid")
    )
    read = decode_attributes(encode_attributes(write))
    assert (read.attempts, read.links, read.usage) == ((attempt,), (link,), usage)
    assert (read.response_id, read.entered_from, read.failure) == ("r1", 3, Failure("cut", "mid"))
    assert read.request_headers == write.record.request_headers
    assert read.dialect == "openai_chat"


def test_what_is_not_there_takes_no_room() -> None:
    assert b"null" not in encode_attributes(call_write(attempts=(), usage=None, response_id=None))
    assert decode_attributes(b"{}") == Attributes()
