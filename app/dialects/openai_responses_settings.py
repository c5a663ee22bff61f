"""The knobs of OpenAI's responses, read and written.

Words: https://platform.openai.com/docs/api-reference/responses/create. Stop texts, seeds, penalties, biases and several
answers are not among them.
"""

from hashlib import sha256
from typing import Any, Final

from app.dialects.losses import Losses
from app.dialects.openai_responses_items import own_fields
from app.dialects.wire import count, text_or_none
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.settings import OutputFormat, Settings, Thinking
from app.models.target import Target

ENCRYPTED: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"

Fields = dict[str, Any]

_CONVERSATION: Final = frozenset({"model", "input", "instructions", "tools", "tool_choice", "stream"})
_PLAIN: Final = frozenset(
    {
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "parallel_tool_calls",
        "user",
        "safety_identifier",
        "metadata",
        "service_tier",
        "prompt_cache_key",
        "store",
        "include",
        "reasoning",
        "text",
    }
)
_CARRIED: Final = frozenset({"prompt_cache_retention", "safety_identifier", "stream_options.include_obfuscation"})
"""Fields of OpenAI's chat that mean the same here."""
_UNKNOWN: Final = {
    "stop": "the responses API has no stop texts",
    "seed": "the responses API has no seed",
    "presence_penalty": "the responses API has no penalties",
    "frequency_penalty": "the responses API has no penalties",
    "logit_bias": "the responses API has no biases",
    "top_k": "OpenAI has no top_k",
}
_BUDGETS: Final = ((4096, "low"), (16384, "medium"))
"""Thinking tokens up to which an effort is meant, of those that only other providers count."""
_FEWEST_TOKENS: Final = 16
"""Least that `max_output_tokens` may be."""
_USER_CHARS: Final = 64
"""Most that a `safety_identifier` may have."""
_RANKED: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def settings_of(request: Fields) -> tuple[Settings, dict[str, object]]:
    """Return the knobs of a request, and every field that they have no word for."""
    taken = _CONVERSATION | _PLAIN
    params: dict[str, object] = {
        name: value for name, value in request.items() if name not in taken and value is not None
    }
    spelled: dict[str, object] = {}
    wants_logprobs = _read_include(request.get("include"), params, spelled)
    user = text_or_none(request.get("user"))
    identified = text_or_none(request.get("safety_identifier"))
    if user is not None and identified is not None:
        params["safety_identifier"] = identified
    elif identified is not None:
        user, spelled["user"] = identified, "safety_identifier"
    output, verbosity = _read_text(request.get("text"), params)
    metadata, parallel, store = (request.get(name) for name in ("metadata", "parallel_tool_calls", "store"))
    return Settings(
        max_tokens=count(request.get("max_output_tokens")),
        temperature=_number(request.get("temperature")),
        top_p=_number(request.get("top_p")),
        logprobs=wants_logprobs or None,
        top_logprobs=count(request.get("top_logprobs")),
        parallel_tool_calls=parallel if isinstance(parallel, bool) else None,
        thinking=_read_thinking(request.get("reasoning"), params),
        output=output,
        verbosity=verbosity,
        user=user,
        metadata=metadata if isinstance(metadata, dict) else None,
        service_tier=text_or_none(request.get("service_tier")),
        prompt_cache_key=text_or_none(request.get("prompt_cache_key")),
        store=store if isinstance(store, bool) else None,
        extras=spelled or None,
    ), params


def written_settings(request: ChatRequest, target: Target, losses: Losses) -> Fields:
    """Return the fields of a request that are its knobs.

    Raises InputError where several answers are asked for.
    """
    settings = request.settings
    is_own = request.dialect == "openai_responses"
    if (settings.n or 1) > 1:
        raise InputError(f"{settings.n} answers were asked for at once.", hint="OpenAI's responses API gives one: n=1.")
    written: Fields = {
        "max_output_tokens": settings.max_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_logprobs": settings.top_logprobs,
        "parallel_tool_calls": settings.parallel_tool_calls,
        "metadata": settings.metadata,
        "service_tier": settings.service_tier,
        "prompt_cache_key": settings.prompt_cache_key,
        "store": settings.store,
        "reasoning": _written_thinking(request, target, losses),
        "text": _written_text(request),
        "include": _written_include(request, target),
    }
    spelled = settings.extras or {}
    written[str(spelled.get("user", "user")) if is_own else "safety_identifier"] = settings.user
    if is_own:
        _put_params(written, request.params)
    else:
        _fit(written, request, target, losses)
    return {name: value for name, value in written.items() if value is not None}


def _read_include(include: object, params: dict[str, object], spelled: dict[str, object]) -> bool:
    """Sort what is to be included; return whether logprobs are."""
    if not isinstance(include, list):
        return False
    others = [name for name in include if name not in (ENCRYPTED, LOGPROBS)]
    if others:
        params["include"] = include
    else:
        spelled["include"] = include
    return LOGPROBS in include


def _read_text(text: object, params: dict[str, object]) -> tuple[OutputFormat | None, str | None]:
    if not isinstance(text, dict):
        return None, None
    output = _format_of(text.get("format"))
    verbosity = text_or_none(text.get("verbosity"))
    taken = {"verbosity"} if output is None and text.get("format") else {"verbosity", "format"}
    if others := own_fields(text, frozenset(taken)):
        params["text"] = others
    return output, verbosity


def _format_of(form: object) -> OutputFormat | None:
    if not isinstance(form, dict):
        return None
    kind = form.get("type")
    if kind == "json_schema":
        strict = form.get("strict")
        return OutputFormat(
            "schema",
            form.get("schema"),
            text_or_none(form.get("name")),
            text_or_none(form.get("description")),
            strict if isinstance(strict, bool) else None,
            own_fields(form, frozenset({"type", "schema", "name", "description", "strict"})),
        )
    if kind == "json_object":
        return OutputFormat("json")
    return OutputFormat("text") if kind == "text" else None


def _read_thinking(reasoning: object, params: dict[str, object]) -> Thinking | None:
    """Return how hard to think; fields that say neither how hard nor whether to show it stay params."""
    if not isinstance(reasoning, dict):
        return None
    effort = text_or_none(reasoning.get("effort"))
    shows = bool(reasoning.get("summary") or reasoning.get("generate_summary")) or None
    if effort is None and shows is None:
        if others := own_fields(reasoning, frozenset()):
            params["reasoning"] = others
        return None
    own = own_fields(reasoning, frozenset({"effort"}))
    if effort == "none":
        return Thinking(is_on=False, shows=shows, extras=own)
    return Thinking(effort=effort, shows=shows, extras=own)


def _put_params(written: Fields, params: dict[str, object]) -> None:
    """Add the fields that had no word; an object that was read in part is put together again."""
    for name, value in params.items():
        known = written.get(name)
        written[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value


def _fit(written: Fields, request: ChatRequest, target: Target, losses: Losses) -> None:
    """Say what another dialect's knobs lose here."""
    settings = request.settings
    for name, reason in _UNKNOWN.items():
        if getattr(settings, name) not in (None, ()):
            losses.drop(name, reason)
    if settings.audio or "audio" in settings.modalities:
        losses.drop("modalities.audio", "the responses API does not speak")
    if written["store"] is None:
        written["store"] = False
    if not target.traits.takes_sampling:
        for name in ("temperature", "top_p", "top_logprobs"):
            if written.get(name) is not None:
                losses.drop(name, f"{target.model} takes none")
                written[name] = None
    _fit_numbers(written, target, losses)
    for name, value in request.params.items():
        if name in _CARRIED and request.dialect.startswith("openai"):
            written[name] = value
        else:
            losses.drop(name, "the responses API has no such field")


def _fit_numbers(written: Fields, target: Target, losses: Losses) -> None:
    most, asked = target.traits.max_output_tokens, written["max_output_tokens"]
    if most is not None and asked is not None and asked > most:
        losses.change("max_tokens", f"{target.model} answers with at most {most} tokens")
        written["max_output_tokens"] = most
    elif asked is not None and asked < _FEWEST_TOKENS:
        losses.change("max_tokens", f"OpenAI answers with at least {_FEWEST_TOKENS} tokens")
        written["max_output_tokens"] = _FEWEST_TOKENS
    user = written["safety_identifier"]
    if user is not None and len(user) > _USER_CHARS:
        losses.change("user", f"OpenAI takes {_USER_CHARS} characters: sent as a hash")
        written["safety_identifier"] = sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def _written_include(request: ChatRequest, target: Target) -> list[object] | None:
    """A translated call keeps nothing at the provider: its thoughts come back encrypted, to be sent again.

    Models that do not think refuse to encrypt their thoughts.
    """
    settings = request.settings
    if request.dialect == "openai_responses":
        kept = (settings.extras or {}).get("include")
        return kept if isinstance(kept, list) else None
    wanted: list[object] = []
    thinks = target.traits.thinking
    if thinks not in ("none", "unknown") or (thinks == "unknown" and _wants_thoughts(settings.thinking)):
        wanted.append(ENCRYPTED)
    if settings.logprobs or settings.top_logprobs:
        wanted.append(LOGPROBS)
    return wanted or None


def _wants_thoughts(thinking: Thinking | None) -> bool:
    return thinking is not None and thinking.is_on


def _written_text(request: ChatRequest) -> Fields | None:
    settings = request.settings
    text: Fields = {}
    output = settings.output
    if output is not None and output.kind == "schema":
        form: Fields = {"type": "json_schema", "name": output.name or "output", "schema": output.schema}
        if output.description is not None:
            form["description"] = output.description
        if output.strict is not None:
            form["strict"] = output.strict
        text["format"] = {**form, **(output.extras or {})} if request.dialect == "openai_responses" else form
    elif output is not None:
        text["format"] = {"type": "json_object" if output.kind == "json" else "text"}
    if settings.verbosity is not None:
        text["verbosity"] = settings.verbosity
    return text or None


def _written_thinking(request: ChatRequest, target: Target, losses: Losses) -> Fields | None:
    thinking = request.settings.thinking
    if thinking is None:
        return None
    if request.dialect == "openai_responses":
        effort = thinking.effort if thinking.is_on else "none"
        return {**({"effort": effort} if effort else {}), **(thinking.extras or {})}
    knows = target.traits.thinking
    if knows == "none" or (knows == "unknown" and not thinking.is_on):
        if thinking.is_on:
            losses.drop("thinking", f"{target.model} does not think")
        return None
    written: Fields = {}
    wanted = _effort(thinking, losses)
    if wanted is not None:
        written["effort"] = _nearest(wanted, target, losses)
    if thinking.is_on and (thinking.shows or (thinking.shows is None and request.dialect == "anthropic")):
        written["summary"] = "auto"
    return written or None


def _effort(thinking: Thinking, losses: Losses) -> str | None:
    if not thinking.is_on:
        return "none"
    if thinking.effort is not None or thinking.budget_tokens is None:
        return thinking.effort
    budget = thinking.budget_tokens
    effort = next((effort for most, effort in _BUDGETS if budget <= most), "high")
    losses.change("thinking.budget_tokens", f"OpenAI counts effort, not tokens: {effort}")
    return effort


def _nearest(effort: str, target: Target, losses: Losses) -> str:
    """Return the effort that the model knows and that is nearest to the one asked for, the lower one of two."""
    known = [name for name in target.traits.efforts if name in _RANKED]
    if not known or effort in known or effort not in _RANKED:
        return effort
    place = _RANKED.index(effort)
    nearest = min(known, key=lambda name: (abs(_RANKED.index(name) - place), _RANKED.index(name)))
    losses.change("thinking.effort", f"{target.model} knows no {effort}: {nearest}")
    return nearest


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
