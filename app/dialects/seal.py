"""Foreign proofs on their way through a client: marked with whose they are, so that they come home and go nowhere else.

A client sends back the proof of a thought as it got it. One of its own dialect's provider goes bare; another's is
sealed: base64 (Gemini's SDK wants that) of `gs1`, the dialect's name and the proof.
"""

import base64
import binascii
from typing import Final

_MARK: Final = b"gs1:"


def seal(signature: str, origin: str | None, dialect: str) -> str:
    """Return a proof as a client of `dialect` may hold it."""
    if origin is None or origin == dialect:
        return signature
    return base64.b64encode(_MARK + origin.encode() + b":" + signature.encode("utf-8", "surrogatepass")).decode()


def unseal(signature: str, dialect: str) -> tuple[str, str]:
    """Return a proof that a client of `dialect` sent back, and the dialect whose it is."""
    if signature.startswith("Z3Mx"):  # the mark in base64
        try:
            opened = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return signature, dialect
        if opened.startswith(_MARK):
            origin, _, proof = opened[len(_MARK) :].partition(b":")
            return proof.decode("utf-8", "replace"), origin.decode("ascii", "replace")
    return signature, dialect
