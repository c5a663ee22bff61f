"""What a request to Gemini sets beside its conversation, read into the shared form.

https://ai.google.dev/api/generate-content#generationconfig
"""

from typing import Any, Final

from app.dialects.gemini_parts import camel_of, camelled, first_of, left_of, pick
from app.dialects.knobs import Knobs
from app.dialects.schema import json_schema
from app.dialects.wire import fields, text_or_none, word
from app.models.chat import Tool
from app.models.message import Extras
from app.models.settings import OutputFormat, Settings, Thinking, ToolChoice

CONFIG: Final = "generationConfig"
JSON: Final = "application/json"
SCHEMA: Final = "responseSchema"
JSON_SCHEMA: Final = "responseJsonSchema"

_CONFIGS: Final = (CONFIG, "generation_config")
_MODES: Final[dict[str, Any]] = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}


def settings_of(request: dict[str, Any]) -> tuple[Settings, dict[str, object]]:
    """Return a request's settings, and what no setting has a word for: other fields and the rest of the config."""
    params = {name: value for name, value in request.items() if name not in _CONFIGS and value is not None}
    labels, tier = request.get("labels"), text_or_none(pick(request, "serviceTier", "service_tier"))
    if isinstance(labels, dict):
        params.pop("labels", None)
    if tier is not None:
        params.pop("serviceTier", None)
        params.pop("service_tier", None)
    config = pick(request, *_CONFIGS)
    if not isinstance(config, dict):
        if config is not None:
            params[CONFIG] = config
        config = {}
    knobs = Knobs(camelled(config))
    settings = Settings(
        max_tokens=knobs.whole("maxOutputTokens"),
        temperature=knobs.number("temperature"),
        top_p=knobs.number("topP"),
        top_k=knobs.whole("topK"),
        stop=knobs.texts("stopSequences"),
        seed=knobs.whole("seed"),
        presence_penalty=knobs.number("presencePenalty"),
        frequency_penalty=knobs.number("frequencyPenalty"),
        n=knobs.whole("candidateCount"),
        logprobs=knobs.flag("responseLogprobs"),
        top_logprobs=knobs.whole("logprobs"),
        thinking=_thinking(knobs),
        output=_output(knobs),
        modalities=_modalities(knobs),
        audio=_audio(knobs),
        metadata=labels if isinstance(labels, dict) else None,
        service_tier=tier and tier.lower(),
    )
    if left := knobs.left():
        params[CONFIG] = left
    return settings, params


def tools_of(listed: object) -> tuple[Tool, ...]:
    """Return a request's tools: an entry holds functions, or names tools that the provider owns."""
    found: list[Tool] = []
    for entry in first_of(listed):
        for key, value in entry.items():
            if key in ("functionDeclarations", "function_declarations"):
                found += [_function(declared) for declared in first_of(value)]
            elif value is not None:
                name = camel_of(key)
                found.append(Tool(name, schema=fields(value) or None, kind=name))
    return tuple(found)


def tool_choice_of(config: object) -> ToolChoice | None:
    """Return what a `toolConfig` says of the choice among tools; None where it says nothing of it."""
    said = fields(config)
    calling = pick(said, "functionCallingConfig", "function_calling_config")
    if not isinstance(calling, dict):
        return None
    stated = pick(calling, "mode", "mode")
    written = str(stated).upper() if isinstance(stated, str) else "AUTO"
    names = pick(calling, "allowedFunctionNames", "allowed_function_names")
    listed = tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()
    extras: dict[str, object] = dict(left_of(said, "functionCallingConfig") or {})
    own = dict(left_of(calling, "mode", "allowedFunctionNames") or {})
    if stated is None or written not in ("AUTO", "NONE", "ANY"):
        own["mode"] = stated
    if own:
        extras["functionCallingConfig"] = own
    return ToolChoice(_MODES.get(written, "auto"), listed, extras or None)


def _function(declared: dict[str, Any]) -> Tool:
    schema = pick(declared, "parametersJsonSchema", "parameters_json_schema")
    extras: dict[str, object] = dict(
        left_of(declared, "name", "description", "parameters", "parametersJsonSchema") or {}
    )
    if schema is None and (own := declared.get("parameters")) is not None:
        schema = json_schema(own)
        extras["parameters"] = own
    name, description = word(declared.get("name")) or "", declared.get("description")
    return Tool(name, description if isinstance(description, str) else None, schema, extras=extras or None)


def _thinking(knobs: Knobs) -> Thinking | None:
    said = knobs.take("thinkingConfig")
    inner = Knobs(camelled(fields(said)))
    budget = inner.whole("thinkingBudget")
    level = inner.text("thinkingLevel")
    shows = inner.flag("includeThoughts")
    if budget is None and level is None and shows is None:
        if said is not None:
            knobs.put("thinkingConfig", said)
        return None
    extras: dict[str, object] = inner.left()
    if budget is not None and budget < 0:
        extras["thinkingBudget"] = budget
    is_on = budget != 0
    wanted = budget if budget is not None and budget > 0 else None
    return Thinking(is_on, level.lower() if level else None, wanted, shows, extras or None)


def _output(knobs: Knobs) -> OutputFormat | None:
    kind = knobs.take("responseMimeType")
    native, own = knobs.take(JSON_SCHEMA), knobs.take(SCHEMA)
    if kind in (JSON, None) and own is not None and native is None:
        extras: Extras = {SCHEMA: own} if kind else {SCHEMA: own, "responseMimeType": None}
        return OutputFormat("schema", json_schema(own), extras=extras)
    if kind in (JSON, None) and native is not None and own is None:
        return OutputFormat("schema", native, extras=None if kind else {"responseMimeType": None})
    if native is None and own is None and kind in (JSON, "text/plain"):
        return OutputFormat("json" if kind == JSON else "text")
    for name, value in (("responseMimeType", kind), (JSON_SCHEMA, native), (SCHEMA, own)):
        if value is not None:
            knobs.put(name, value)
    return None


def _modalities(knobs: Knobs) -> tuple[str, ...]:
    return tuple(modality.lower() for modality in knobs.texts("responseModalities"))


def _audio(knobs: Knobs) -> Extras:
    """Return a spoken answer's voice; a config that says more stays as it is."""
    said = knobs.take("speechConfig")
    voice = text_or_none(fields(fields(fields(said).get("voiceConfig")).get("prebuiltVoiceConfig")).get("voiceName"))
    if voice is not None and said == speech_config(voice):
        return {"voice": voice}
    if said is not None:
        knobs.put("speechConfig", said)
    return None


def speech_config(voice: str) -> dict[str, object]:
    """Return how Gemini is told a voice."""
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
