"""AWS's Signature Version 4, checked as the server does, written from its description and none of the code under test.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from urllib.parse import quote

from fake_upstream import Seen


def wrong_with(seen: Seen, access_key: str, secret_key: str, region: str, service: str = "bedrock") -> str:
    """What is wrong with a request's signature, "" where it is right."""
    authorization = seen.header("authorization") or ""
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        return "not signed"
    said = dict(part.strip().split("=", 1) for part in authorization.removeprefix("AWS4-HMAC-SHA256 ").split(","))
    moment = seen.header("x-amz-date") or ""
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    if said["Credential"] != f"{access_key}/{scope}":
        return f"credential {said['Credential']}"
    names = said["SignedHeaders"].split(";")
    if not {"host", "x-amz-date"} <= set(names) or ("content-type" not in names):
        return f"signs only {names}"
    path, _, query = seen.path.partition("?")
    canonical = "\n".join(
        [
            seen.method,
            quote(path, safe="/~-._"),
            query,
            *(f"{name}:{' '.join((seen.header(name) or '').split())}" for name in names),
            "",
            said["SignedHeaders"],
            hashlib.sha256(seen.body).hexdigest(),
        ]
    )
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for step in (moment[:8], region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return "" if hmac.compare_digest(signature, said["Signature"]) else "another signature"
