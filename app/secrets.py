"""Secrets: references to them, where they are kept, and the keys we make ourselves.

A provider's key lives in the environment or in the system's keyring and is only ever *named* in the config. The
keyring library is imported when it is first asked, because it takes longer than the rest of the start.
"""

import hashlib
import logging
import os
import re
import secrets
import string
from dataclasses import dataclass
from typing import Final, Literal

KEYRING_SERVICE: Final = "gatescope"
KEY_PREFIX: Final = "gs-"

_ALPHABET: Final = string.ascii_letters + string.digits
_KEY_LENGTH: Final = 40
_REFERENCE: Final = re.compile(r"(env|keyring):([A-Za-z0-9_./@-]{1,200})")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is: `env:NAME` or `keyring:NAME`. Never the secret."""

    source: Literal["env", "keyring"]
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


def parse_ref(text: str) -> SecretRef | None:
    """Return the reference that `text` is, None where it is none (a literal secret, perhaps: never echo it)."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return None
    return SecretRef("env" if match.group(1) == "env" else "keyring", match.group(2))


def resolve(ref: SecretRef) -> str | None:
    """Return the secret, None where there is none. A keyring may take its time: call it off the event loop."""
    if ref.source == "env":
        return os.environ.get(ref.name) or None
    return read_keyring(ref.name)


def keyring_problem() -> str | None:
    """Return why the system's keyring cannot keep secrets, None where it can."""
    try:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
    except (ImportError, RuntimeError, OSError) as error:
        return f"The keyring cannot be loaded: {error}"
    if isinstance(backend, fail.Keyring):
        return "This machine has no keyring service."
    if isinstance(backend, null.Keyring):
        return "The keyring is switched off."
    return None


def read_keyring(name: str) -> str | None:
    """Return what the keyring keeps under `name`, None where it has nothing or does not work."""
    if keyring_problem() is not None:
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(KEYRING_SERVICE, name) or None
    except (KeyringError, RuntimeError, OSError) as error:
        _log.warning("The keyring could not be read: %s", error)
        return None


def write_keyring(name: str, secret: str) -> bool:
    """Keep a secret in the keyring; return whether it is kept."""
    if keyring_problem() is not None:
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(KEYRING_SERVICE, name, secret)
    except (KeyringError, RuntimeError, OSError) as error:
        _log.warning("The keyring could not be written: %s", error)
        return False
    return True


def new_virtual_key() -> str:
    """Return a new key for clients: `gs-` and 40 letters and digits (238 bits), one word to a double click."""
    return KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))


def new_token() -> str:
    """Return a new token for the desktop."""
    return secrets.token_urlsafe(32)


def key_sha256(text: str) -> bytes:
    """Return the 32 bytes under which a key is kept and looked up. (A random key needs no slow hash.)"""
    return hashlib.sha256(text.encode()).digest()


def key_hint(text: str) -> str:
    """Return what a person tells a key by: `gs-ab12…9f2a`."""
    return f"{text[:7]}…{text[-4:]}"


def is_same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return secrets.compare_digest(given.encode(), expected.encode())
