"""Settings written as Converse has them: its own few fields, and each vendor's in `additionalModelRequestFields`.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re
from typing import Any, Final

from app.dialects.bedrock_models import vendor_of
from app.dialects.bedrock_parts import OWN
from app.dialects.bedrock_settings import THINKING_FIELDS
from app.dialects.bedrock_thinking import is_thinking_claude, thinking_fields
from app.dialects.losses import Losses
from app.dialects.wire import fields, json_text
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.settings import OutputFormat, Settings
from app.models.target import Target

CARRIED: Final = (
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "additionalModelRequestFields",
)
"""Bedrock's own fields, which any client may send under their names."""

_UNKNOWN: Final = {
    "seed": "Bedrock's Converse has no seed",
    "presence_penalty": "Bedrock's Converse has no penalties",
    "frequency_penalty": "Bedrock's Converse has no penalties",
    "logit_bias": "Bedrock's Converse has no logit bias",
    "logprobs": "Bedrock's Converse tells no log probabilities",
    "top_logprobs": "Bedrock's Converse tells no log probabilities",
    "verbosity": "Bedrock's Converse has no verbosity",
    "audio": "Bedrock's Converse answers with no sound",
    "user": "Bedrock's Converse has no user",
    "prompt_cache_key": "Bedrock's cache needs no key",
    "store": "Bedrock stores no answers",
}
_USUAL_TIERS: Final = ("auto", "standard_only")
"""OpenAI's and Anthropic's words for what happens anyway."""
_TIERS: Final = ("priority", "default", "flex", "reserved")
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_MOST_METADATA: Final = 16
_LEAST_THINKING_TOP_P: Final = 0.95


def write_settings(request: ChatRequest, target: Target, losses: Losses) -> dict[str, Any]:
    """Return a request's fields beside its conversation and tools, but for `outputConfig.textFormat`.

    Raises InputError where several answers are asked for.
    """
    settings, is_own = request.settings, request.dialect == OWN
    if settings.n is not None and settings.n > 1:
        raise InputError(
            f"Bedrock gives one answer a call, not {settings.n}.", hint="Send n: 1, or call several times."
        )
    body: dict[str, Any] = {}
    for name, value in request.params.items():
        if is_own or name in CARRIED:
            body[name] = value
        else:
            losses.drop(name, "Bedrock has no such field")
    more = dict(fields(body.pop("additionalModelRequestFields", None)))
    more |= (
        _own_thinking(settings) if is_own else thinking_fields(settings.thinking, target, settings.max_tokens, losses)
    )
    if is_own and settings.thinking and settings.thinking.extras:
        body["outputConfig"] = {
            **fields(body.get("outputConfig")),
            **fields(settings.thinking.extras.get("outputConfig")),
        }
    _add_top_k(more, settings, target, losses)
    inference = {
        **fields(body.pop("inferenceConfig", None)),
        **_inference(settings, target, more, losses, is_own=is_own),
    }
    named = {
        "inferenceConfig": inference,
        "additionalModelRequestFields": more,
        "outputConfig": body.pop("outputConfig", {}),
    }
    body |= {name: value for name, value in named.items() if value}
    _add_rest(body, settings, losses, is_own=is_own)
    if not is_own and settings.stop and vendor_of(target.model) == "claude":
        body.setdefault("additionalModelResponseFieldPaths", ["/stop_sequence"])
    return body


def text_format(output: OutputFormat) -> dict[str, Any]:
    """Return the `outputConfig.textFormat` of a schema."""
    schema: dict[str, Any] = {"schema": json_text(output.schema)}
    if output.name:
        schema["name"] = output.name
    if output.description:
        schema["description"] = output.description
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}


def _own_thinking(settings: Settings) -> dict[str, object]:
    extras = (settings.thinking.extras if settings.thinking else None) or {}
    return {name: value for name, value in extras.items() if name in THINKING_FIELDS}


def _inference(
    settings: Settings, target: Target, more: dict[str, Any], losses: Losses, *, is_own: bool
) -> dict[str, Any]:
    traits = target.traits
    inference: dict[str, Any] = {}
    tokens = settings.max_tokens
    if tokens is not None:
        if not is_own and traits.max_output_tokens is not None and tokens > traits.max_output_tokens:
            losses.change("max_tokens", f"this model gives at most {traits.max_output_tokens} tokens")
            tokens = traits.max_output_tokens
        inference["maxTokens"] = tokens
    temperature, top_p = settings.temperature, settings.top_p
    if not is_own:
        temperature, top_p = _sampling(settings, target, more, losses)
    if temperature is not None:
        inference["temperature"] = temperature
    if top_p is not None:
        inference["topP"] = top_p
    stop = settings.stop
    if not is_own and any(not text.strip() for text in stop):
        stop = tuple(text for text in stop if text.strip())
        losses.drop("stop", "a stop sequence of blanks alone is refused")
    if stop:
        inference["stopSequences"] = list(stop)
    if fields(more.get("reasoningConfig")).get("maxReasoningEffort") == "high" and not is_own:
        for name in [name for name in ("maxTokens", "temperature", "topP") if name in inference]:
            losses.drop(_ASKED[name], "Nova takes none while it thinks with high effort")
            del inference[name]
    return inference


_ASKED: Final = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}


def _sampling(
    settings: Settings, target: Target, more: dict[str, Any], losses: Losses
) -> tuple[float | None, float | None]:
    """Return temperature and top_p as the model takes them."""
    temperature, top_p = settings.temperature, settings.top_p
    if not target.traits.takes_sampling:
        for name, value in (("temperature", temperature), ("top_p", top_p)):
            if value is not None:
                losses.drop(name, "this model takes none")
        return None, None
    if temperature is not None and temperature > 1:
        losses.change("temperature", "Bedrock's ends at 1")
        temperature = 1.0
    if is_thinking_claude(more):
        if temperature is not None and temperature != 1:
            losses.drop("temperature", "Claude takes none while it thinks")
            temperature = None
        if top_p is not None and top_p < _LEAST_THINKING_TOP_P:
            losses.drop("top_p", f"Claude takes none below {_LEAST_THINKING_TOP_P} while it thinks")
            top_p = None
    return temperature, top_p


def _add_top_k(more: dict[str, Any], settings: Settings, target: Target, losses: Losses) -> None:
    if settings.top_k is None:
        return
    vendor = vendor_of(target.model)
    if not target.traits.takes_sampling:
        losses.drop("top_k", "this model takes none")
    elif vendor == "nova":
        more["inferenceConfig"] = {**fields(more.get("inferenceConfig")), "topK": settings.top_k}
    elif is_thinking_claude(more):
        losses.drop("top_k", "Claude takes none while it thinks")
    elif vendor in ("claude", "mistral"):
        more["top_k"] = settings.top_k
    else:
        losses.drop("top_k", "Bedrock's Converse has none, and nothing is known of this model's own")


def _add_rest(body: dict[str, Any], settings: Settings, losses: Losses, *, is_own: bool) -> None:
    """Add tier and metadata, and tell what Converse has no field for."""
    tier = settings.service_tier
    if tier is not None and (is_own or tier in _TIERS):
        body["serviceTier"] = {**fields(body.get("serviceTier")), "type": tier}
    elif tier is not None and tier not in _USUAL_TIERS:
        losses.drop("service_tier", f"Bedrock has no tier {tier!r}")
    if settings.metadata:
        metadata = settings.metadata if is_own else _metadata(settings.metadata, losses)
        if metadata:
            body["requestMetadata"] = {**fields(body.get("requestMetadata")), **metadata}
    for name, reason in _UNKNOWN.items():
        value = getattr(settings, name)
        if value is not None and value is not False:
            losses.drop(name, reason)
    if settings.parallel_tool_calls is False:
        losses.drop("parallel_tool_calls", "Bedrock's Converse cannot forbid parallel calls")
    if settings.modalities and settings.modalities != ("text",):
        losses.drop("modalities", "Bedrock's Converse answers with text")


def _metadata(metadata: dict[str, object], losses: Losses) -> dict[str, str]:
    """Return what Bedrock lets stand in its logs: at most 16 short texts."""
    kept: dict[str, str] = {}
    for name, value in metadata.items():
        fits = isinstance(value, str) and name and _METADATA.fullmatch(name) and _METADATA.fullmatch(value)
        if isinstance(value, str) and fits and len(kept) < _MOST_METADATA:
            kept[name] = value
        else:
            losses.drop(f"metadata.{name}", "Bedrock takes at most 16 texts of 256 letters, digits and few signs")
    return kept
