import keyring.core
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from app import secrets
from app.secrets import SecretRef, key_hint, key_sha256, keyring_problem, new_virtual_key, parse_ref, resolve


def test_a_reference_names_its_place() -> None:
    assert parse_ref("env:OPENAI_API_KEY") == SecretRef("env", "OPENAI_API_KEY")
    assert parse_ref(" keyring:work/openai ") == SecretRef("keyring", "work/openai")
    assert str(SecretRef("env", "A")) == "env:A"


@pytest.mark.parametrize("text", ["sk-proj-0123456789", "env:", "file:/etc/key", "env:A B", ""])
def test_anything_else_is_no_reference(text: str) -> None:
    assert parse_ref(text) is None


def test_the_environment_answers_for_env_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    assert resolve(SecretRef("env", "SOME_KEY")) == "secret"
    monkeypatch.setenv("SOME_KEY", "")
    assert resolve(SecretRef("env", "SOME_KEY")) is None


def test_a_keyring_that_is_off_gives_none_and_says_why() -> None:
    assert keyring_problem() == "The keyring is switched off."
    assert resolve(SecretRef("keyring", "openai")) is None
    assert secrets.write_keyring("openai", "secret") is False


def test_a_new_key_is_long_and_one_word() -> None:
    key = new_virtual_key()
    assert key.startswith("gs-")
    assert len(key) == 43
    assert key[3:].isalnum()
    assert key != new_virtual_key()


def test_a_key_is_kept_as_a_hash_and_shown_as_a_hint() -> None:
    assert len(key_sha256("gs-abc")) == 32
    assert key_hint("gs-ab12xxxxxxxx9f2a") == "gs-ab12…9f2a"


class MemoryKeyring(KeyringBackend):
    """A keyring that works, and forgets with the test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password


class LockedKeyring(MemoryKeyring):
    """One whose owner does not unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("locked")


def test_a_working_keyring_keeps_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    assert keyring_problem() is None
    assert secrets.write_keyring("openai", "secret")
    assert backend.kept == {("gatescope", "openai"): "secret"}
    assert resolve(SecretRef("keyring", "openai")) == "secret"
    assert resolve(SecretRef("keyring", "other")) is None


def test_a_locked_keyring_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", LockedKeyring())
    assert resolve(SecretRef("keyring", "openai")) is None
    assert secrets.write_keyring("openai", "secret") is False
