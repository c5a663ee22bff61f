"""How many tokens a text may be, where nobody counted. An estimate, and always marked as one.

Four characters of a Latin text make a token, two of any other script.
"""

from collections.abc import Iterable


def estimate_tokens(texts: Iterable[str]) -> int:
    """Return a rough count, at least 1 for a text that is not empty."""
    quarters = 0
    for text in texts:
        quarters += len(text) if text.isascii() else sum(1 if char < "\u0250" else 2 for char in text)
    return -(-quarters // 4)
