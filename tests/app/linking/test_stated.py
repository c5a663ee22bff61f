import pytest

from app.dialects.dialect import Stated
from app.linking.stated import stated_ids

UUID = "0192f3c4-0000-7000-8000-1234567890ab"


@pytest.mark.parametrize(
    ("headers", "session", "said_by"),
    [
        ((("X-Session-Id", "a"),), "a", "x-session-id"),
        ((("helicone-session-id", "b"),), "b", "helicone-session-id"),
        ((("session_id", UUID),), UUID, "session_id"),
        ((("X-Claude-Code-Session-Id", "c"),), "c", "x-claude-code-session-id"),
        ((("baggage", "user.id=7, session.id=chat%2042;p=1"),), "chat 42", "baggage"),
        ((("session-id", "late"), ("x-session-id", "first")), "first", "x-session-id"),
        ((("baggage", "session.id=late"), ("x-session-id", "first")), "first", "x-session-id"),
        ((("x-session-id", "  "),), None, ""),
        ((), None, ""),
    ],
)
def test_a_header_names_the_session(headers: tuple[tuple[str, str], ...], session: str | None, said_by: str) -> None:
    ids = stated_ids(headers, None)

    assert (ids.session, ids.said_by) == (session, said_by)


@pytest.mark.parametrize(
    ("body", "session"),
    [
        (Stated(session="m"), "m"),
        (Stated(conversation="conv_1"), "conv_1"),
        (Stated(prompt_cache_key=UUID), UUID),
        (Stated(prompt_cache_key="my-app"), None),
        (Stated(user="someone"), None),
        (Stated(previous_response_id="resp_1"), None),
    ],
)
def test_a_body_names_the_session(body: Stated, session: str | None) -> None:
    assert stated_ids((), body).session == session


def test_a_header_wins_over_the_body() -> None:
    assert stated_ids((("x-session-id", "h"),), Stated(session="b")).session == "h"


def test_a_malformed_traceparent_is_ignored() -> None:
    assert stated_ids((("traceparent", "00-zz"),), None).parent is None
