"""A recorded call as text to run again: a curl line, or Python for the openai and anthropic SDKs or httpx.

Pure text. A secret is never written: where the recorded request carried one, the text reads an environment variable.
"""

import base64
import json
import re
import shlex
from dataclasses import dataclass
from typing import Final, Literal

from app.models.call import Headers

Flavour = Literal["curl", "openai", "anthropic", "httpx"]

FLAVOUR_TITLES: Final[dict[Flavour, str]] = {
    "curl": "curl",
    "openai": "Python (openai)",
    "anthropic": "Python (anthropic)",
    "httpx": "Python (httpx)",
}

_SECRET_HEADERS: Final = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie",
})  # fmt: skip
_SECRET_QUERY: Final = re.compile(r"(?<=[?&])(key|api_key|access_token|token)=([^&]*)")
_UNSENT: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "connection", "content-length", "host", "keep-alive", "te",
    "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-request-id",
})  # fmt: skip
_DIALECT_VARIABLE: Final = {"anthropic": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
_INLINE_BYTES: Final = 100_000
"""Linux takes at most 128 KB in one argument; a longer body goes through a pipe."""
_WIDTH: Final = 100

_SDK_METHODS: Final = {
    ("openai", "openai_chat"): ("/chat/completions", "chat.completions.create"),
    ("openai", "openai_responses"): ("/responses", "responses.create"),
    ("openai", "openai_completions"): ("/completions", "completions.create"),
    ("openai", "openai_embeddings"): ("/embeddings", "embeddings.create"),
    ("anthropic", "anthropic"): ("/v1/messages", "messages.create"),
    ("anthropic", "anthropic_count"): ("/v1/messages/count_tokens", "messages.count_tokens"),
}
_SDK_FIELDS: Final = {
    "chat.completions.create": "model messages stream stream_options temperature top_p n stop max_tokens "
    "max_completion_tokens tools tool_choice parallel_tool_calls response_format seed user metadata store logprobs "
    "top_logprobs logit_bias presence_penalty frequency_penalty reasoning_effort service_tier",
    "responses.create": "model input instructions stream temperature top_p max_output_tokens tools tool_choice "
    "parallel_tool_calls previous_response_id reasoning text store metadata truncation user include service_tier",
    "completions.create": "model prompt stream stream_options temperature top_p n stop max_tokens suffix echo best_of "
    "logprobs seed user presence_penalty frequency_penalty logit_bias",
    "embeddings.create": "model input dimensions encoding_format user",
    "messages.create": "model max_tokens messages system stream stop_sequences tools "
    "tool_choice thinking metadata service_tier",
    "messages.count_tokens": "model messages system tools tool_choice thinking",
}
_IMPORT_HTTPX: Final = ("try:", "    import httpx", "except ImportError:", "    import httpx2 as httpx")
_IMPLIED_HEADERS: Final = frozenset({"content-type", "anthropic-version", "x-api-key", "authorization"})


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as the client sent it to us."""

    method: str
    origin: str
    """Where to send it again, without a path: `http://127.0.0.1:4141`."""
    path: str
    """With its query."""
    dialect: str
    headers: Headers
    body: bytes


def as_text(sent: SentRequest, flavour: Flavour) -> str:
    """Return the request in one of the flavours `flavours_of` names."""
    if flavour == "curl":
        return as_curl(sent)
    return as_httpx(sent) if flavour == "httpx" else as_sdk(sent, flavour)


def flavours_of(sent: SentRequest) -> list[Flavour]:
    """Return the flavours that send this request unchanged, simplest first."""
    sdk: list[Flavour] = [name for name in ("openai", "anthropic") if _sdk_method(sent, name) is not None]
    return ["curl", *sdk, "httpx"]


def as_curl(sent: SentRequest) -> str:
    """Return a POSIX shell command that sends the same bytes."""
    path, variable = _open_path(sent)
    parts = [f'curl "{_shell_double(sent.origin + path)}"' if variable else f"curl {shlex.quote(sent.origin + path)}"]
    if sent.method != ("POST" if sent.body else "GET"):
        parts.append(f"-X {shlex.quote(sent.method)}")
    names = {name.lower() for name, _ in sent.headers}
    if sent.body and "content-type" not in names:
        parts.append("-H 'content-type:'")
    for name, value in _sent_headers(sent):
        secret = _secret(sent, name, value)
        parts.append(f'-H "{name}: {secret[0]}${secret[1]}"' if secret else f"-H {shlex.quote(f'{name}: {value}')}")
    if _is_streamed(sent.body):
        parts.append("--no-buffer")
    feed = ""
    if sent.body:
        text = _utf8(sent.body)
        if text is None:
            feed, data = f"printf %s {base64.b64encode(sent.body).decode()} | base64 -d | ", "--data-binary @-"
        elif len(sent.body) > _INLINE_BYTES:
            feed, data = f"printf %s {shlex.quote(text)} | ", "--data-binary @-"
        else:
            data = f"--data-raw {shlex.quote(text)}"
        parts.append(data)
    return feed + " \\\n  ".join(parts) + "\n"


def as_httpx(sent: SentRequest) -> str:
    """Return a Python script that sends the same request with httpx."""
    path, variable = _open_path(sent)
    url = json.dumps(sent.origin + path)
    if variable:
        braced = (sent.origin + path).replace("{", "{{").replace("}", "}}")
        url = "f" + json.dumps(braced.replace("$" + variable, "{os.environ['" + variable + "']}"))
    lines = ["headers = {"]
    for name, value in _sent_headers(sent):
        secret = _secret(sent, name, value)
        shown = _literal(value) if secret is None else f"f\"{secret[0]}{{os.environ['{secret[1]}']}}\""
        lines.append(f"    {_literal(name)}: {shown},")
    lines.append("}")
    extra = ""
    if sent.body:
        content = _json(sent.body)
        is_json = isinstance(content, dict | list)
        lines.append(f"body = {_literal(content) if is_json else repr(sent.body)}")
        extra = ", json=body" if is_json else ", content=body"
    call = f"{json.dumps(sent.method)}, url, headers=headers{extra}, timeout=600"
    if _is_streamed(sent.body):
        tail = [f"with httpx.stream({call}) as reply:", "    for line in reply.iter_lines():", "        print(line)"]
    else:
        tail = [f"reply = httpx.request({call})", "print(reply.status_code, reply.text)"]
    text = "\n".join([f"url = {url}", *lines, *tail])
    head = ["import os", ""] if "os.environ" in text else []
    return "\n".join([*head, *_IMPORT_HTTPX, "", text, ""])


def as_sdk(sent: SentRequest, flavour: Flavour) -> str:
    """Return a Python script for the vendor's SDK; the flavour must be one of `flavours_of(sent)`."""
    found = _sdk_method(sent, flavour)
    if found is None:
        return as_httpx(sent)
    address, method, body = found
    kind = "OpenAI" if flavour == "openai" else "Anthropic"
    variable = _key_variable(sent)
    client = f'client = {kind}(base_url={_literal(address)}, api_key=os.environ["{variable}"], timeout=600)'
    known = set(_SDK_FIELDS[method].split())
    lines = [f"    {name}={_literal(value, 1)}," for name, value in body.items() if name in known]
    rest = {name: value for name, value in body.items() if name not in known}
    headers = {
        name: value
        for name, value in _sent_headers(sent)
        if name.lower() not in _IMPLIED_HEADERS and _secret(sent, name, value) is None
    }
    if rest:
        lines.append(f"    extra_body={_literal(rest, 1)},")
    if headers:
        lines.append(f"    extra_headers={_literal(headers, 1)},")
    show = ["for event in reply:", "    print(event)"] if body.get("stream") is True else ["print(reply)"]
    head = ["import os", "", f"from {flavour} import {kind}", "", client]
    return "\n".join([*head, f"reply = client.{method}(", *lines, ")", *show, ""])


def _sdk_method(sent: SentRequest, flavour: str) -> tuple[str, str, dict[str, object]] | None:
    """Base URL, method and body for a vendor's SDK; None where it would send something else."""
    body = _json(sent.body)
    path, _, query = sent.path.partition("?")
    if sent.method != "POST" or not isinstance(body, dict) or query:
        return None
    dialect = "anthropic_count" if sent.dialect == "anthropic" and path.endswith("/count_tokens") else sent.dialect
    suffix, method = _SDK_METHODS.get((flavour, dialect), ("", ""))
    if not suffix or not path.endswith(suffix):
        return None
    if method == "embeddings.create" and "encoding_format" not in body:
        return None  # the SDK would add one
    required = {"messages.create": {"model", "max_tokens", "messages"}}.get(method, {"model"})
    return (sent.origin + path[: -len(suffix)], method, body) if required <= body.keys() else None


def _sent_headers(sent: SentRequest) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in sent.headers
        if name.lower() not in _UNSENT and not name.lower().startswith(("x-stainless-", "sec-", "x-gatescope-"))
    ]


def _secret(sent: SentRequest, name: str, value: str) -> tuple[str, str] | None:
    """What stands before a secret header's value, and the variable that holds it; None for an open header."""
    lower = name.lower()
    if lower in _SECRET_HEADERS:
        scheme = re.match(r"(Bearer|Basic|Token)\s+", value, re.I)
        variable = "COOKIE" if lower == "cookie" else _key_variable(sent)
        return (scheme.group(0) if scheme else "", variable)
    if "…" in value or "***" in value:
        return "", re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return None


def _key_variable(sent: SentRequest) -> str:
    secrets = [value for name, value in sent.headers if name.lower() in _SECRET_HEADERS]
    secrets += [match.group(2) for match in _SECRET_QUERY.finditer(sent.path)]
    if any(re.search(r"(?:^|\s)gs-", value) for value in secrets):
        return "GATESCOPE_API_KEY"
    return _DIALECT_VARIABLE.get(sent.dialect, "OPENAI_API_KEY")


def _open_path(sent: SentRequest) -> tuple[str, str]:
    """The path with `$VARIABLE` for a key in its query, and that variable's name or ""."""
    if not _SECRET_QUERY.search(sent.path):
        return sent.path, ""
    variable = _key_variable(sent)
    return _SECRET_QUERY.sub(rf"\1=${variable}", sent.path), variable


def _is_streamed(body: bytes) -> bool:
    value = _json(body)
    return isinstance(value, dict) and value.get("stream") is True


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _utf8(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _shell_double(text: str) -> str:
    """Escape for a double-quoted shell word, leaving `$NAME` alone."""
    return re.sub(r'([`"\\])', r"\\\1", text)


def _literal(value: object, level: int = 0) -> str:
    """A JSON value as Python source, one line where it fits."""
    short = _inline(value)
    if len(short) + 4 * level <= _WIDTH or not isinstance(value, dict | list) or not value:
        return short
    pad = "    " * (level + 1)
    if isinstance(value, dict):
        inner = [f"{pad}{_inline(key)}: {_literal(item, level + 1)}," for key, item in value.items()]
        return "\n".join(["{", *inner, "    " * level + "}"])
    return "\n".join(["[", *(f"{pad}{_literal(item, level + 1)}," for item in value), "    " * level + "]"])


def _inline(value: object) -> str:
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if _utf8_safe(text) else repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return repr(value)


def _utf8_safe(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
