"""The knobs of an OpenAI chat, read and written, with the spellings of those who copied it.

Words: https://platform.openai.com/docs/api-reference/chat/create. OpenRouter's `reasoning`, Qwen's `enable_thinking`
and the `thinking` of DeepSeek and Z.ai say how hard to think as well.
"""

from typing import Any, Final

from app.dialects.knobs import Knobs
from app.dialects.losses import Losses
from app.dialects.wire import text_or_none
from app.models.chat import ChatRequest
from app.models.settings import OutputFormat, Settings, Thinking
from app.models.target import Target

DIALECT: Final = "openai_chat"
Fields = dict[str, Any]

_BUDGETS: Final = ((4096, "low"), (16384, "medium"))
"""Thinking tokens up to which an effort is meant."""
_RANKED: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_MOST_STOPS: Final = 4


def settings_of(request: Fields) -> tuple[Settings, dict[str, object]]:
    """Return the knobs of a request without its conversation and tools, and every field they have no word for."""
    knobs = Knobs(request)
    spelled: dict[str, object] = {}
    max_tokens = knobs.whole("max_completion_tokens")
    if max_tokens is not None:
        spelled["max_tokens"] = "max_completion_tokens"
    else:
        max_tokens = knobs.whole("max_tokens")
    if isinstance(request.get("stop"), str):
        spelled["stop"] = "text"
    user = knobs.text("user")
    if user is None and (user := knobs.text("safety_identifier")) is not None:
        spelled["user"] = "safety_identifier"
    options = knobs.take("stream_options")
    if isinstance(options, dict):
        spelled["stream_options"] = options
    elif options is not None:
        knobs.put("stream_options", options)
    metadata, bias, audio = (knobs.take(name) for name in ("metadata", "logit_bias", "audio"))
    for name, value in (("metadata", metadata), ("logit_bias", bias), ("audio", audio)):
        if value is not None and not isinstance(value, dict):
            knobs.put(name, value)
    settings = Settings(
        max_tokens=max_tokens,
        temperature=knobs.number("temperature"),
        top_p=knobs.number("top_p"),
        top_k=knobs.whole("top_k"),
        stop=knobs.texts("stop"),
        seed=knobs.whole("seed"),
        presence_penalty=knobs.number("presence_penalty"),
        frequency_penalty=knobs.number("frequency_penalty"),
        logit_bias=bias if isinstance(bias, dict) else None,
        n=knobs.whole("n"),
        logprobs=knobs.flag("logprobs"),
        top_logprobs=knobs.whole("top_logprobs"),
        parallel_tool_calls=knobs.flag("parallel_tool_calls"),
        thinking=_thinking(request, knobs, spelled),
        output=_output(knobs),
        verbosity=knobs.text("verbosity"),
        modalities=knobs.texts("modalities"),
        audio=audio if isinstance(audio, dict) else None,
        user=user,
        metadata=metadata if isinstance(metadata, dict) else None,
        service_tier=knobs.text("service_tier"),
        prompt_cache_key=knobs.text("prompt_cache_key"),
        store=knobs.flag("store"),
        includes_usage=options.get("include_usage") is True if isinstance(options, dict) else None,
        extras=spelled or None,
    )
    return settings, knobs.left()


def own_settings(request: ChatRequest) -> Fields:
    """Return the fields of a request of this dialect as they stood."""
    settings, spelled = request.settings, request.settings.extras or {}
    written = _plain(settings)
    written[str(spelled.get("max_tokens", "max_tokens"))] = settings.max_tokens
    written[str(spelled.get("user", "user"))] = settings.user
    written["stream_options"] = spelled.get("stream_options")
    if spelled.get("stop") == "text" and settings.stop:
        written["stop"] = settings.stop[0]
    written["response_format"] = response_format(settings.output, is_own=True)
    if settings.thinking is not None:
        written |= settings.thinking.extras or {}
    written |= request.params
    return {name: value for name, value in written.items() if value is not None}


def written_settings(request: ChatRequest, target: Target, losses: Losses) -> Fields:
    """Return the fields for an upstream of a request from another dialect, but for the output format."""
    settings, traits, quirks = request.settings, target.traits, target.quirks
    written = _plain(settings)
    written["max_completion_tokens" if traits.uses_completion_tokens else "max_tokens"] = _max_tokens(
        settings, target, losses
    )
    written["user"] = settings.user
    if request.is_stream and quirks.takes_stream_usage:
        written["stream_options"] = {"include_usage": True}
    if len(settings.stop) > _MOST_STOPS:
        losses.change("stop", f"OpenAI takes {_MOST_STOPS} stop texts: the first are sent")
        written["stop"] = list(settings.stop[:_MOST_STOPS])
    if settings.top_k is not None and target.provider == "openai":
        losses.drop("top_k", "OpenAI has no top_k")
        written["top_k"] = None
    if not traits.takes_sampling:
        for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"):
            if written.get(name) is not None:
                losses.drop(name, f"{target.model} takes none")
                written[name] = None
    written["reasoning_effort"] = _effort(settings.thinking, target, losses)
    for name in request.params:
        losses.drop(name, "OpenAI's chat has no such field")
    return {name: value for name, value in written.items() if value is not None}


def response_format(output: OutputFormat | None, *, is_own: bool) -> Fields | None:
    """Return the field that says what the answer's text must be."""
    if output is None:
        return None
    if output.kind != "schema":
        return {"type": "json_object" if output.kind == "json" else "text"}
    form: Fields = {"name": output.name or "output"} if output.name or not is_own else {}
    if output.description is not None:
        form["description"] = output.description
    if output.schema is not None:
        form["schema"] = output.schema
    if output.strict is not None:
        form["strict"] = output.strict
    if is_own:
        form |= output.extras or {}
    return {"type": "json_schema", "json_schema": form}


def _plain(settings: Settings) -> Fields:
    """Return the knobs that are spelled alike everywhere."""
    return {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "stop": list(settings.stop) or None,
        "seed": settings.seed,
        "presence_penalty": settings.presence_penalty,
        "frequency_penalty": settings.frequency_penalty,
        "logit_bias": settings.logit_bias,
        "n": settings.n,
        "logprobs": True if settings.logprobs is None and settings.top_logprobs else settings.logprobs,
        "top_logprobs": settings.top_logprobs,
        "parallel_tool_calls": settings.parallel_tool_calls,
        "verbosity": settings.verbosity,
        "modalities": list(settings.modalities) or None,
        "audio": settings.audio,
        "metadata": settings.metadata,
        "service_tier": settings.service_tier,
        "prompt_cache_key": settings.prompt_cache_key,
        "store": settings.store,
    }


def _max_tokens(settings: Settings, target: Target, losses: Losses) -> int | None:
    most, asked = target.traits.max_output_tokens, settings.max_tokens
    if most is not None and asked is not None and asked > most:
        losses.change("max_tokens", f"{target.model} answers with at most {most} tokens")
        return most
    return asked


def _thinking(request: Fields, knobs: Knobs, spelled: dict[str, object]) -> Thinking | None:
    """Return how hard to think; the fields that said so are kept as they stood."""
    said: dict[str, object] = {
        name: request[name]
        for name in ("reasoning_effort", "reasoning", "enable_thinking", "thinking", "thinking_budget")
        if request.get(name) is not None
    }
    if not said:
        return None
    for name in said:
        knobs.take(name)
    detailed = request.get("reasoning") if isinstance(request.get("reasoning"), dict) else {}
    switched = request.get("thinking") if isinstance(request.get("thinking"), dict) else {}
    assert isinstance(detailed, dict) and isinstance(switched, dict)
    effort = text_or_none(request.get("reasoning_effort")) or text_or_none(detailed.get("effort"))
    budget = next(
        (
            value
            for value in (detailed.get("max_tokens"), switched.get("budget_tokens"), request.get("thinking_budget"))
            if type(value) is int
        ),
        None,
    )
    is_off = (
        effort == "none"
        or request.get("enable_thinking") is False
        or detailed.get("enabled") is False
        or switched.get("type") == "disabled"
    )
    shows = False if detailed.get("exclude") is True else None
    return Thinking(not is_off, None if effort == "none" else effort, budget, shows, said)


def _output(knobs: Knobs) -> OutputFormat | None:
    asked = knobs.take("response_format")
    if asked is None:
        return None
    kind = asked.get("type") if isinstance(asked, dict) else None
    if isinstance(asked, dict) and kind == "json_schema" and isinstance(asked.get("json_schema"), dict):
        inner = Knobs(asked["json_schema"])
        return OutputFormat(
            "schema",
            inner.take("schema"),
            inner.text("name"),
            inner.text("description"),
            inner.flag("strict"),
            inner.left() or None,
        )
    if kind in ("json_object", "text") and len(asked) == 1:  # type: ignore[arg-type]
        return OutputFormat("json" if kind == "json_object" else "text")
    knobs.put("response_format", asked)
    return None


def _effort(thinking: Thinking | None, target: Target, losses: Losses) -> str | None:
    """Return the effort to ask for: only of models that are told so, or of which nothing is known."""
    if thinking is None:
        return None
    knows = target.traits.thinking
    if knows == "none" or (knows == "unknown" and not thinking.is_on):
        if thinking.is_on:
            losses.drop("thinking", f"{target.model} does not think")
        return None
    if not thinking.is_on:
        return _nearest("none", target, losses)
    effort = thinking.effort
    if effort is None:
        if thinking.budget_tokens is None:
            return None
        effort = next((name for most, name in _BUDGETS if thinking.budget_tokens <= most), "high")
        losses.change("thinking.budget_tokens", f"OpenAI counts effort, not tokens: {effort}")
    return _nearest(effort, target, losses)


def _nearest(effort: str, target: Target, losses: Losses) -> str:
    """Return the effort that the model knows and that is nearest to the one asked for, the lower one of two."""
    known = [name for name in target.traits.efforts if name in _RANKED]
    if not known or effort in known or effort not in _RANKED:
        return effort
    place = _RANKED.index(effort)
    nearest = min(known, key=lambda name: (abs(_RANKED.index(name) - place), _RANKED.index(name)))
    losses.change("thinking.effort", f"{target.model} knows no {effort}: {nearest}")
    return nearest
