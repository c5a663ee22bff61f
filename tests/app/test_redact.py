import pytest

from app.redact import MASK, redact_headers, redact_text, redact_url


def test_secret_headers_are_masked_and_keep_their_scheme_and_order() -> None:
    headers = redact_headers(
        [
            ("Host", "127.0.0.1"),
            ("Authorization", "Bearer sk-proj-0123456789abcdef"),
            ("X-Api-Key", "sk-ant-0123456789"),
            ("x-portkey-api-key", "pk-1"),
            ("Set-Cookie", "session=1"),
            ("anthropic-version", "2023-06-01"),
        ]
    )
    assert headers == (
        ("Host", "127.0.0.1"),
        ("Authorization", f"Bearer {MASK}"),
        ("X-Api-Key", MASK),
        ("x-portkey-api-key", MASK),
        ("Set-Cookie", MASK),
        ("anthropic-version", "2023-06-01"),
    )


@pytest.mark.parametrize("name", ["x-ratelimit-limit-tokens", "openai-organization", "x-request-id", "idempotency-key"])
def test_headers_that_only_sound_secret_stay(name: str) -> None:
    assert redact_headers([(name, "1")]) == ((name, "1"),)


def test_query_secrets_are_masked_and_the_rest_stays_as_it_was() -> None:
    path = "/v1beta/models/gemini-2.5-flash:generateContent?alt=sse&key=AIzaSyD-0123456789&x=%20a"
    assert redact_url(path) == f"/v1beta/models/gemini-2.5-flash:generateContent?alt=sse&key={MASK}&x=%20a"


def test_user_info_of_a_url_is_masked() -> None:
    assert redact_url("http://me:pass@proxy:8080/v1") == f"http://{MASK}@proxy:8080/v1"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop0123",
        "sk-ant-api03-abcdefghijklmnop0123",
        "gs-abcdefghijklmnop0123456789",
        "AIzaSyD-abcdefghijklmnop0123456",
        "gsk_abcdefghijklmnop0123",
        "AKIAABCDEFGHIJKLMNOP",
        "Bearer abcdefghijklmnop",
    ],
)
def test_what_looks_like_a_key_is_masked_in_text(secret: str) -> None:
    text = redact_text(f"Incorrect API key provided: {secret}. See https://example.com/a?b=c")
    assert secret.split()[-1] not in text
    assert MASK in text
    assert text.endswith("See https://example.com/a?b=c")
