"""Taking secrets out of what we keep, log or show.

Headers and query parameters are masked by name; free text by the shapes that keys have. What is masked stays visible
as masked, so that a reader knows something was there.
"""

import re
from collections.abc import Iterable
from typing import Final

from app.models.call import Headers

MASK: Final = "[removed]"

_SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "set-cookie",
        "x-auth-token",
        "x-amz-security-token",
        "ocp-apim-subscription-key",
        "helicone-auth",
        "x-goog-iam-authorization-token",
    }
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|[-_])(?:secret|password|passwd|credentials?|(?:api|access|auth)[-_]?(?:key|token))(?:$|[-_])"
)
_SCHEME: Final = re.compile(r"^(Bearer|Basic|Token|Digest|AWS4-HMAC-SHA256)\s", re.I)
_SECRET_QUERY: Final = re.compile(
    r"([?&;](?:key|api[-_]?key|access[-_]?token|auth[-_]?token|token|sig|signature|secret|client_secret|password"
    r"|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|awsaccesskeyid)=)[^&#;\s\"'<>]+",
    re.I,
)
_USER_INFO: Final = re.compile(r"(://)[^/@\s?#]+@")
_KEYS: Final = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{12,}|gs-[A-Za-z0-9]{12,}|AIza[A-Za-z0-9_-]{20,}|(?:gsk|xai|hf|pplx|r8|fw|csk|tgp|nvapi|ghp|gho|ghs"
    r"|github_pat|lsv2_pt|lsv2_sk|key)[_-][A-Za-z0-9_-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16})\b"
)
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I)


def redact_headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers in their order, secret values masked; an Authorization keeps its scheme."""
    return tuple((name, _masked(value) if is_secret_header(name) else value) for name, value in pairs)


def is_secret_header(name: str) -> bool:
    """Whether a header of this name carries a secret."""
    lowered = name.lower()
    return lowered in _SECRET_HEADERS or _SECRET_NAME.search(lowered) is not None


def redact_url(path: str) -> str:
    """Return a URL, or a path with its query, with secret parameters and user info masked; the rest as it was."""
    if "?" in path:
        path = _SECRET_QUERY.sub(rf"\g<1>{MASK}", path)
    return _USER_INFO.sub(rf"\g<1>{MASK}@", path) if "://" in path else path


def redact_text(text: str) -> str:
    """Return text for a log or an error with everything masked that looks like a key."""
    text = _BEARER.sub(rf"\g<1> {MASK}", text)
    text = _SECRET_QUERY.sub(rf"\g<1>{MASK}", text)
    return _KEYS.sub(MASK, _USER_INFO.sub(rf"\g<1>{MASK}@", text))


def _masked(value: str) -> str:
    scheme = _SCHEME.match(value)
    return f"{scheme.group(1)} {MASK}" if scheme else MASK
