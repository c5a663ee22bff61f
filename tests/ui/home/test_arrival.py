"""What is said of the first request."""

import pytest
from made_traces import span_detail

from app.models.span import Failure, Status
from ui.home.arrival import Remedy, arrival_of, client_of


def failed(status: int | None, kind: str = "provider", message: str = "", path: str = "/v1/chat/completions") -> Remedy:
    failure = Failure(kind, message, status)
    span = span_detail(status=Status.ERROR, http_status=status, failure=failure, path=path)
    return arrival_of(span).remedy


def test_a_good_request_is_told_with_client_model_and_path() -> None:
    agent = (("User-Agent", "OpenAI/Python 3.54.0"),)
    arrival = arrival_of(span_detail(request_headers=agent, path="/v1/chat/completions", requested_model="gpt-4o"))
    assert arrival.title == "OpenAI SDK (Python) sent POST /v1/chat/completions for gpt-4o"
    assert arrival.is_good and arrival.remedy is Remedy.NONE


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("OpenAI/JS 6.1.0", "OpenAI SDK (JavaScript)"),
        ("Anthropic/Python 2.12.0", "Anthropic SDK (Python)"),
        ("curl/8.5.0", "curl"),
        ("my-agent/0.1", "my-agent"),
        ("", "A client"),
    ],
)
def test_clients_are_known_by_their_user_agent(agent: str, name: str) -> None:
    assert client_of(span_detail(request_headers=(("user-agent", agent),))) == name


def test_each_mistake_has_its_remedy() -> None:
    assert failed(401, "refused") is Remedy.COPY_KEY
    assert failed(401) is Remedy.DEMO
    assert failed(404, path="/v1/v1/chat/completions") is Remedy.COPY_URL
    assert failed(404, path="/chat/completions") is Remedy.COPY_URL_V1
    assert failed(404, message="no such model") is Remedy.DEMO
    assert failed(500) is Remedy.NONE


def test_a_failure_says_why() -> None:
    failure = Failure("provider", "The model is overloaded", 529)
    arrival = arrival_of(span_detail(status=Status.ERROR, http_status=529, failure=failure))
    assert not arrival.is_good
    assert arrival.text == "HTTP 529: The model is overloaded"
