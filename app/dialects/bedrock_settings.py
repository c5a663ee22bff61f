"""What a Converse request sets beside its conversation, read into the shared form."""

from typing import Any, Final

from app.dialects.bedrock_parts import rest_of
from app.dialects.wire import UNREADABLE, count, decode_any, fields, text_or_none, word
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

TAKEN: Final = frozenset(
    {
        "messages",
        "system",
        "toolConfig",
        "inferenceConfig",
        "additionalModelRequestFields",
        "outputConfig",
        "serviceTier",
        "requestMetadata",
    }
)
"""Fields of a request that the shared form has words for; what is left of one is kept under its name."""

THINKING_FIELDS: Final = ("thinking", "output_config", "reasoning_config", "reasoning_effort", "reasoningConfig")
"""Where vendors' own fields say how to think."""


def settings_of(request: dict[str, Any]) -> tuple[Settings, dict[str, object]]:
    """Return the settings of a request, and what is left of the fields they were read from."""
    inference, more = fields(request.get("inferenceConfig")), fields(request.get("additionalModelRequestFields"))
    output, tier = fields(request.get("outputConfig")), fields(request.get("serviceTier"))
    metadata = request.get("requestMetadata")
    stops = inference.get("stopSequences")
    settings = Settings(
        max_tokens=count(inference.get("maxTokens")),
        temperature=_number(inference.get("temperature")),
        top_p=_number(inference.get("topP")),
        top_k=_top_k(more),
        stop=tuple(stop for stop in stops if isinstance(stop, str)) if isinstance(stops, list) else (),
        thinking=_thinking(more, output.get("effort")),
        output=_output(output.get("textFormat")),
        metadata=metadata if isinstance(metadata, dict) else None,
        service_tier=word(tier.get("type")),
    )
    left = {
        "inferenceConfig": rest_of(inference, ("maxTokens", "temperature", "topP", "stopSequences")),
        "additionalModelRequestFields": _rest_of_more(more),
        "outputConfig": rest_of(output, ("effort",) if settings.output is None else ("effort", "textFormat")),
        "serviceTier": rest_of(tier, ("type",)),
    }
    return settings, {name: value for name, value in left.items() if value}


def tool_choice_of(choice: object) -> ToolChoice | None:
    """Return a `toolChoice`; what it names beside the three known ways stays in its extras."""
    if not isinstance(choice, dict) or not choice:
        return None
    if "any" in choice:
        return ToolChoice("required")
    name = word(fields(choice.get("tool")).get("name"))
    if name:
        return ToolChoice("required", (name,))
    return ToolChoice("auto", extras=None if "auto" in choice else choice)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _top_k(more: dict[str, Any]) -> int | None:
    """Claude has `top_k`, Amazon's Nova `inferenceConfig.topK`."""
    found = count(more.get("top_k"))
    return count(fields(more.get("inferenceConfig")).get("topK")) if found is None else found


def _rest_of_more(more: dict[str, Any]) -> dict[str, object]:
    rest = {name: value for name, value in more.items() if name not in THINKING_FIELDS and name != "top_k"}
    inner = rest.get("inferenceConfig")
    if isinstance(inner, dict) and count(inner.get("topK")) is not None:
        del rest["inferenceConfig"]
        if left := rest_of(inner, ("topK",)):
            rest["inferenceConfig"] = left
    return rest


def _thinking(more: dict[str, Any], effort: object) -> Thinking | None:
    said: dict[str, object] = {name: more[name] for name in THINKING_FIELDS if name in more}
    if effort is not None:
        said["outputConfig"] = {"effort": effort}
    if not said:
        return None
    budgets = [fields(said.get(name)) for name in ("thinking", "reasoning_config")]
    nova = fields(said.get("reasoningConfig"))
    types = [each.get("type") for each in (*budgets, nova)]
    efforts = (
        effort,
        fields(said.get("output_config")).get("effort"),
        said.get("reasoning_effort"),
        said.get("reasoning_config"),
        nova.get("maxReasoningEffort"),
    )
    budget_tokens = [tokens for each in budgets if (tokens := count(each.get("budget_tokens"))) is not None]
    return Thinking(
        is_on="disabled" not in types,
        effort=next((found for each in efforts if (found := text_or_none(each))), None),
        budget_tokens=budget_tokens[0] if budget_tokens else None,
        extras=said,
    )


def _output(wanted: object) -> OutputFormat | None:
    """The schema is JSON text."""
    named = fields(fields(fields(wanted).get("structure")).get("jsonSchema"))
    text = text_or_none(named.get("schema"))
    if text is None:
        return None
    try:
        schema = decode_any(text.encode("utf-8", "replace"))
    except UNREADABLE:
        return None
    return OutputFormat("schema", schema, text_or_none(named.get("name")), text_or_none(named.get("description")))
