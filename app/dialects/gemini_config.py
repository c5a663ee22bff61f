"""Settings, tools and the choice among them, as Gemini has them.

https://ai.google.dev/api/generate-content#generationconfig, https://ai.google.dev/api/caching#Tool
"""

from typing import Any, Final

from app.dialects.gemini_parts import OWN
from app.dialects.gemini_settings import CONFIG, JSON, JSON_SCHEMA, SCHEMA, speech_config
from app.dialects.gemini_thinking import is_third_or_later, thinking_config
from app.dialects.gemini_wire import Block
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.schema import gemini_schema, tidy_for_gemini
from app.dialects.tool_names import ToolNames
from app.dialects.wire import fields
from app.models.chat import ChatRequest, Tool
from app.models.settings import OutputFormat, Settings, ToolChoice
from app.models.target import Target

_MOST_STOPS: Final = 5
_MOST_TOP_LOGPROBS: Final = 20
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The whole input of the tool."}},
    "required": ["input"],
}
_MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_TIERS: Final = {"flex": "flex", "priority": "priority"}
_GOOGLES: Final = (("web_search", "googleSearch"), ("code_", "codeExecution"), ("web_fetch", "urlContext"))
"""Tools that other providers run themselves and Google has too, by how their names begin."""
_ABSENT: Final = (
    ("logit_bias", "logit_bias"),
    ("verbosity", "verbosity"),
    ("audio", "audio"),
    ("user", "user"),
    ("metadata", "metadata"),
    ("prompt_cache_key", "prompt_cache_key"),
)


class Config:
    """Writes one request's settings and tools."""

    def __init__(self, request: ChatRequest, target: Target, names: ToolNames, losses: Losses) -> None:
        self._request, self._target = request, target
        self._names, self._losses = names, losses
        self._is_own = request.dialect == OWN
        self.in_words: OutputFormat | None = None
        """A structured output that must be asked for in words."""
        self.checked: OutputFormat | None = None
        """A structured output that must be checked by us."""
        self._has_functions = any(tool.kind in ("function", "custom") for tool in request.tools)

    def generation(self) -> Block:
        """Return `generationConfig`."""
        settings, traits = self._request.settings, self._target.traits
        config: Block = {}
        most = settings.max_tokens
        if most is not None and traits.max_output_tokens is not None and most > traits.max_output_tokens:
            most = traits.max_output_tokens
            self._losses.change("max_tokens", f"the model writes at most {most} tokens")
        _put(config, "maxOutputTokens", most)
        if traits.takes_sampling or self._is_own:
            self._sampling(settings, config)
        else:
            self._tell_sampling(settings)
        if settings.stop:
            config["stopSequences"] = self._stops(settings.stop)
        _put(config, "seed", settings.seed)
        _put(config, "candidateCount", settings.n if self._is_own or settings.n != 1 else None)
        _put(config, "responseLogprobs", settings.logprobs if self._is_own else settings.logprobs or None)
        _put(config, "logprobs", self._top_logprobs(settings.top_logprobs))
        if settings.thinking is not None:
            _put(
                config,
                "thinkingConfig",
                thinking_config(settings.thinking, self._target, self._losses, self._request.dialect),
            )
        self._output(settings.output, config)
        self._modalities(settings, config)
        if self._is_own:
            return {**config, **fields(self._request.params.get(CONFIG))}
        self._tell_settings(settings)
        return config

    def tools(self) -> list[Block]:
        """Return `tools`: all functions in one entry, as Vertex wants them, and those of Google's own."""
        functions: list[Block] = []
        entries: list[Block] = []
        choice = self._request.tool_choice
        for tool in self._request.tools:
            if self._is_own and tool.kind != "function":
                entries.append({tool.kind: tool.schema or {}})
            elif tool.kind not in ("function", "custom"):
                entries += self._googles(tool)
            elif not self._is_chosen(tool, choice):
                self._losses.change("tool_choice", "the tools that may not be called are not sent")
            else:
                if not functions:
                    entries.append({"functionDeclarations": functions})
                functions.append(self._function(tool))
        return entries

    def tool_config(self, tools: list[Block]) -> Block | None:
        """Return `toolConfig`, None where there is nothing to choose."""
        choice = self._request.tool_choice
        if choice is None:
            if self._request.settings.parallel_tool_calls is False and self._has_functions:
                self._tell_parallel()
            return None
        if self._is_own:
            return _own_choice(choice)
        if self._request.settings.parallel_tool_calls is False and choice.mode != "none":
            self._tell_parallel()
        for name in meaning(choice.extras):
            self._losses.drop(f"tool_choice.{name}", "Gemini has no such field")
        if not any("functionDeclarations" in entry for entry in tools):
            if choice.mode == "required":
                self._losses.drop("tool_choice", "Gemini chooses freely among Google's own tools")
            return None
        calling: Block = {"mode": _MODES[choice.mode]}
        if choice.names and choice.mode == "required":
            calling["allowedFunctionNames"] = [self._names.sent(name) for name in choice.names]
        return {"functionCallingConfig": calling}

    def _tell_parallel(self) -> None:
        self._losses.drop("parallel_tool_calls", "Gemini cannot be kept from calling several tools at once")

    def _sampling(self, settings: Settings, config: Block) -> None:
        _put(config, "temperature", settings.temperature)
        _put(config, "topP", settings.top_p)
        _put(config, "topK", settings.top_k)
        _put(config, "presencePenalty", settings.presence_penalty)
        _put(config, "frequencyPenalty", settings.frequency_penalty)

    def _tell_sampling(self, settings: Settings) -> None:
        for name in ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty"):
            if getattr(settings, name) is not None:
                self._losses.drop(name, "the model takes no sampling settings")

    def _stops(self, stops: tuple[str, ...]) -> list[str]:
        if self._is_own:
            return list(stops)
        if len(stops) > _MOST_STOPS:
            self._losses.change("stop", f"Gemini takes at most {_MOST_STOPS} stop sequences")
        return [stop for stop in stops if stop][:_MOST_STOPS]

    def _top_logprobs(self, wanted: int | None) -> int | None:
        if self._is_own or not wanted:
            return wanted if self._is_own else None
        if wanted > _MOST_TOP_LOGPROBS:
            self._losses.change("top_logprobs", f"Gemini tells at most {_MOST_TOP_LOGPROBS}")
        return min(wanted, _MOST_TOP_LOGPROBS)

    def _output(self, output: OutputFormat | None, config: Block) -> None:
        if output is None or (output.kind == "text" and not self._is_own):
            return
        if self._is_own:
            config |= _own_output(output)
            return
        for name in meaning(output.extras):
            self._losses.drop(f"response_format.{name}", "Gemini has no such field")
        is_native = self._target.traits.takes_schema is not False
        if not is_native or (self._has_functions and not is_third_or_later(self._target)):
            self.in_words = self.checked = output
            self._losses.emulate("response_format", "asked for in the system prompt, and the answer is checked here")
            return
        config["responseMimeType"] = JSON
        if output.kind == "schema":
            plain = tidy_for_gemini(output.schema)
            if plain is not None:
                config[JSON_SCHEMA] = plain
            else:
                config[SCHEMA] = gemini_schema(output.schema)
                self.checked = output
                self._losses.emulate(
                    "response_format", "what Gemini's schemas cannot say is told in descriptions and checked here"
                )

    def _modalities(self, settings: Settings, config: Block) -> None:
        modalities = settings.modalities
        if self._is_own:
            if modalities:
                config["responseModalities"] = [modality.upper() for modality in modalities]
            voice = (settings.audio or {}).get("voice")
            if isinstance(voice, str):
                config["speechConfig"] = speech_config(voice)
        elif modalities and modalities != ("text",):
            config["responseModalities"] = [modality.upper() for modality in modalities]

    def _tell_settings(self, settings: Settings) -> None:
        for name, field in _ABSENT:
            if getattr(settings, name) is not None:
                self._losses.drop(field, "Gemini has no such field")
        if settings.thinking is not None:
            for name in meaning(settings.thinking.extras):
                self._losses.drop(f"thinking.{name}", "Gemini has no such field")
        if settings.store:
            self._losses.drop("store", "Gemini keeps no answers")
        for name in self._request.params:
            self._losses.drop(name, "Gemini has no such field")

    def tier(self) -> str | None:
        """Return `serviceTier`, None where the usual one will do."""
        tier = self._request.settings.service_tier
        if self._is_own or tier in (None, "auto", "default", "standard", "standard_only"):
            return tier if self._is_own else None
        if tier not in _TIERS:
            self._losses.drop("service_tier", f"Gemini has no tier {tier}")
        return _TIERS.get(tier or "")

    def _googles(self, tool: Tool) -> list[Block]:
        own = next((name for start, name in _GOOGLES if tool.kind.startswith(start)), None)
        if own is None or self._has_functions:
            self._losses.drop(f"tools.{tool.kind}", "a tool of another provider's own")
            return []
        self._losses.change(f"tools.{tool.kind}", f"Google's own {own} stands for it")
        return [{own: {}}]

    def _is_chosen(self, tool: Tool, choice: ToolChoice | None) -> bool:
        """Gemini limits a free choice to some tools only in a preview: the others are left out."""
        return self._is_own or choice is None or choice.mode != "auto" or not choice.names or tool.name in choice.names

    def _function(self, tool: Tool) -> Block:
        declared: Block = {"name": tool.name if self._is_own else self._names.sent(tool.name)}
        if tool.description or (self._is_own and tool.description is not None):
            declared["description"] = tool.description
        if self._is_own:
            extras = tool.extras or {}
            if tool.schema is not None and "parameters" not in extras:
                declared["parametersJsonSchema"] = tool.schema
            return {**declared, **extras}
        self._tell_tool(tool)
        schema = _FREE_TEXT if tool.kind == "custom" else tool.schema
        if not isinstance(schema, dict) or not schema:
            return declared
        if "type" not in schema:
            schema = {"type": "object", **schema}
        plain = tidy_for_gemini(schema)
        if plain is not None:
            declared["parametersJsonSchema"] = plain
        elif (subset := gemini_schema(schema)) != {"type": "OBJECT"}:
            declared["parameters"] = subset
        return declared

    def _tell_tool(self, tool: Tool) -> None:
        if tool.strict:
            self._losses.drop("tools.strict", "Gemini promises no strict arguments")
        if tool.cache is not None:
            self._losses.drop("cache_control", "Gemini takes no marks for caching")
        if tool.kind == "custom" and tool.schema is not None:
            self._losses.drop("tools.format", "Gemini has no grammars for a tool's text")
        for name in meaning(tool.extras):
            self._losses.drop(f"tools.{name}", "Gemini has no such field")


def _put(config: Block, name: str, value: object) -> None:
    if value is not None:
        config[name] = value


def _own_output(output: OutputFormat) -> Block:
    extras: dict[str, Any] = output.extras or {}
    told: Block = {"responseMimeType": "text/plain" if output.kind == "text" else JSON}
    if "responseMimeType" in extras:
        told = {}
    if SCHEMA in extras:
        told[SCHEMA] = extras[SCHEMA]
    elif output.kind == "schema":
        told[JSON_SCHEMA] = output.schema
    return told


def _own_choice(choice: ToolChoice) -> Block:
    extras: dict[str, Any] = choice.extras or {}
    calling: Block = {"mode": _MODES[choice.mode], **fields(extras.get("functionCallingConfig"))}
    if choice.names:
        calling["allowedFunctionNames"] = list(choice.names)
    told = {name: value for name, value in extras.items() if name != "functionCallingConfig"}
    return {**told, "functionCallingConfig": {name: value for name, value in calling.items() if value is not None}}
