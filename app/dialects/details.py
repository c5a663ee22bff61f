"""What stands in a conversation's details and has no place in another dialect, each thing told once.

For dialects that only know texts, images and calls. Their writers leave these out; this says so.
"""

from collections.abc import Iterable

from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.models.chat import ChatRequest
from app.models.message import CacheMark, Extras, Message, Part, Raw, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import Settings

_OF_SETTINGS = (
    ("logit_bias", "logit_bias"),
    ("verbosity", "verbosity"),
    ("audio", "audio"),
    ("user", "user"),
    ("metadata", "metadata"),
    ("prompt_cache_key", "prompt_cache_key"),
)
_PLAIN_TIERS = ("auto", "default", "standard_only")


def tell_details(request: ChatRequest, losses: Losses, vendor: str) -> None:
    """Note what `vendor` has no place for in a request of another dialect."""
    for name in request.params:
        losses.drop(name, f"{vendor} has no such field")
    for message in request.messages:
        _tell_message(message, losses, vendor)
    for tool in request.tools:
        if tool.cache is not None:
            losses.drop("cache_control", f"{vendor} takes no marks for caching")
        _tell_extras("tools", tool.extras, losses, vendor)
    if request.tool_choice is not None:
        _tell_extras("tool_choice", request.tool_choice.extras, losses, vendor)
    for name, part in (("thinking", request.settings.thinking), ("response_format", request.settings.output)):
        if part is not None:
            _tell_extras(name, part.extras, losses, vendor)


def tell_settings(settings: Settings, losses: Losses, vendor: str) -> None:
    """Note the settings that neither Cohere nor Ollama has; those that ask for what happens anyway are no loss."""
    for name, field in _OF_SETTINGS:
        if getattr(settings, name) is not None:
            losses.drop(field, f"{vendor} has no such field")
    if settings.service_tier not in (None, *_PLAIN_TIERS):
        losses.drop("service_tier", f"{vendor} has no service tiers")
    if settings.store:
        losses.drop("store", f"{vendor} keeps no answers")
    if settings.parallel_tool_calls is False:
        losses.drop("parallel_tool_calls", f"{vendor} cannot be kept from calling several tools at once")
    if any(modality != "text" for modality in settings.modalities):
        losses.drop("modalities", f"{vendor} answers in text only")


def _tell_message(message: Message, losses: Losses, vendor: str) -> None:
    if message.name is not None:
        losses.drop("messages.name", f"{vendor} has no names of speakers")
    if message.extras:
        _tell_extras("messages", message.extras, losses, vendor)
    _tell_parts(message.parts, losses, vendor)


def _tell_parts(parts: Iterable[Part], losses: Losses, vendor: str) -> None:
    for part in parts:
        if type(part) is Text:  # almost all are, and plain
            _tell_text(part, losses, vendor)
        elif isinstance(part, Raw):
            losses.drop(f"messages.content.{part.kind or 'part'}", f"{vendor} has no such part")
        elif isinstance(part, Reasoning):
            losses.drop("reasoning", "another provider's thoughts")
        elif isinstance(part, ToolCall):
            if part.signature is not None:
                losses.drop("messages.content.signature", "another provider's proof")
            _tell_shared(part, losses, vendor)
        elif isinstance(part, ToolResult):
            _tell_shared(part, losses, vendor)
            if not part.is_server_side:
                _tell_parts(part.parts, losses, vendor)
        elif part.extras or getattr(part, "cache", None) is not None:
            _tell_rest(part.extras, getattr(part, "cache", None), losses, vendor)


def _tell_text(text: Text, losses: Losses, vendor: str) -> None:
    if text.signature is not None:
        losses.drop("messages.content.signature", "another provider's proof")
    if text.citations:
        losses.drop("messages.content.citations", f"{vendor} takes back no citations of others")
    if text.extras or text.cache is not None:
        _tell_rest(text.extras, text.cache, losses, vendor)


def _tell_shared(part: ToolCall | ToolResult, losses: Losses, vendor: str) -> None:
    if part.is_server_side:
        losses.drop("messages.content.server_tool", "another provider ran it")
    elif part.extras or part.cache is not None:
        _tell_rest(part.extras, part.cache, losses, vendor)


def _tell_rest(extras: Extras, cache: CacheMark | None, losses: Losses, vendor: str) -> None:
    if cache is not None:
        losses.drop("cache_control", f"{vendor} takes no marks for caching")
    _tell_extras("messages.content", extras, losses, vendor)


def _tell_extras(where: str, extras: Extras, losses: Losses, vendor: str) -> None:
    for name in meaning(extras):
        losses.drop(f"{where}.{name}", f"{vendor} has no such field")
