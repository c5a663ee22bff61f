import pytest
from live_gateway import run

from app.config import ProviderConfig
from app.errors import Refused
from gateway.providers.credentials import Credentials, wants_key


def _provider(**fields):
    return ProviderConfig(**{"dialect": "openai_chat", "base_url": "https://x.example"} | fields)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    monkeypatch.delenv("SOME_KEY", raising=False)
    monkeypatch.setattr("gateway.providers.credentials.resolve", lambda _: None)


def test_a_key_that_is_nowhere_is_refused_with_the_places():
    with pytest.raises(Refused, match="neither SOME_KEY nor the keyring entry 'x'"):
        run(Credentials().secret_for("x", _provider(env=["SOME_KEY"])))


def test_the_first_variable_that_is_set_holds_the_key(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "k")
    assert run(Credentials().secret_for("x", _provider(env=["OTHER_KEY", "SOME_KEY"]))) == "k"


@pytest.mark.parametrize("kind", ["azure", "bedrock", "vertex"])
def test_where_an_adapter_signs_in_a_key_may_be_missing(kind):
    config = _provider(env=["SOME_KEY"], kind=kind)
    assert run(Credentials().secret_for("x", config)) is None
    assert wants_key(config)


def test_a_provider_without_a_word_of_a_key_wants_none():
    assert not wants_key(_provider())
    assert not wants_key(_provider(env=["SOME_KEY"], auth="none"))
