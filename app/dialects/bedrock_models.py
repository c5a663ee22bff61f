"""Which vendor's model a Bedrock id names: what a model takes beside Converse's own fields differs by vendor.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from typing import Final, Literal

Vendor = Literal["claude", "nova", "gpt-oss", "qwen", "mistral", "other", "unknown"]

_MARKS: Final[tuple[tuple[str, Vendor], ...]] = (
    ("anthropic", "claude"),
    ("claude", "claude"),
    ("nova", "nova"),
    ("gpt-oss", "gpt-oss"),
    ("qwen", "qwen"),
    ("mistral", "mistral"),
)


def vendor_of(model: str) -> Vendor:
    """Return the vendor that an id or an ARN names; `unknown` for one's own profiles and models: they name none."""
    lowered = model.lower()
    found = next((vendor for mark, vendor in _MARKS if mark in lowered), None)
    return found or ("unknown" if lowered.startswith("arn:") or "." not in lowered else "other")


def is_nova_2(model: str) -> bool:
    """Whether it is one of Amazon's models that think."""
    return "nova-2" in model.lower()
