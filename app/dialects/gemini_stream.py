"""Gemini's answers: chunks of a stream (events or a JSON array), folded, and whole ones, which are a single chunk."""

import json
import re
from typing import Any, Final

from app.dialects.failures import error_of
from app.dialects.finish import finish_of
from app.dialects.gemini_parts import joined, parts_of, pick
from app.dialects.openai_usage import merge
from app.dialects.wire import UNREADABLE, count, decode_any, entries, fields, mended, text_or_none, word
from app.models.chat import Choice, FinishReason, Reply, ReplyError
from app.models.message import Message, Part
from app.models.usage import Usage

_FINISHES: Final = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""What numbers mean in Gemini's API and Vertex alike; above these the two differ."""
_BLOCKED: Final = frozenset({6, 7, 8})
"""Whichever of the two it is, these are refusals."""
_BETWEEN: Final = re.compile(r"[,\s]*")
_MODALITIES: Final = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
_TIERS: Final = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
    "PROVISIONED_THROUGHPUT": "provisioned",
}
"""Vertex calls the tier a traffic type."""


class GenerateFold:
    """Takes chunks one by one; `reply` may be asked at any time."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._model: str | None = None
        self._usage: Any = None
        self._error: ReplyError | None = None
        self._parts: dict[int, list[Part]] = {}
        self._finishes: dict[int, str] = {}
        self._blocked: str | None = None
        self._is_cut = False
        self.skipped = 0

    def add(self, chunk: object) -> None:
        """Take one chunk; what is no object is counted and passed over."""
        if not isinstance(chunk, dict):
            self.skipped += 1
            return
        self._id = self._id or text_or_none(pick(chunk, "responseId", "response_id"))
        self._model = self._model or text_or_none(pick(chunk, "modelVersion", "model_version"))
        self._usage = merge(self._usage, pick(chunk, "usageMetadata", "usage_metadata"))
        for candidate in entries(chunk.get("candidates")):
            self._add_candidate(candidate)
        feedback = fields(pick(chunk, "promptFeedback", "prompt_feedback"))
        self._blocked = self._blocked or word(pick(feedback, "blockReason", "block_reason"))
        if chunk.get("error"):
            self._error = self._error or error_of(chunk, 200)

    def cut(self) -> None:
        """Take note that the stream ended inside a chunk."""
        self._is_cut = True

    def reply(self) -> Reply:
        """Return the answer so far."""
        choices = [self._choice(index) for index in sorted(self._parts)]
        if not choices and self._blocked:
            choices = [Choice(0, Message("assistant", ()), "content_filter", self._blocked)]
        return Reply(
            id=self._id,
            model=self._model,
            choices=tuple(choices),
            usage=usage_of(self._usage),
            error=self._error,
            is_complete=not self._is_cut and bool(self._finishes or self._blocked),
            skipped_events=self.skipped,
        )

    def _add_candidate(self, candidate: dict[str, Any]) -> None:
        index = candidate.get("index")
        place = index if isinstance(index, int) else 0
        parts = self._parts.setdefault(place, [])
        parts += parts_of(fields(candidate.get("content")).get("parts"))
        reason = pick(candidate, "finishReason", "finish_reason")
        if reason:
            self._finishes[place] = _FINISHES.get(reason, str(reason)) if isinstance(reason, int) else str(reason)

    def _choice(self, index: int) -> Choice:
        message = Message("assistant", joined(self._parts[index]))
        native = self._finishes.get(index)
        has_calls = any(not call.is_server_side for call in message.tool_calls())
        return Choice(index, message, _finish(native, has_calls=has_calls), native)


def read_array(body: bytes, fold: GenerateFold) -> None:
    """Feed `fold` with the entries of a JSON array, also of one that was cut."""
    try:
        listed = decode_any(body)
    except UNREADABLE:
        _read_cut_array(mended(body).decode(), fold)
        return
    for chunk in listed if isinstance(listed, list) else [listed]:
        fold.add(chunk)


def usage_of(usage: object) -> Usage | None:
    """Return Gemini's usage; it counts thoughts beside the candidates and tool prompts beside the prompt."""
    if not isinstance(usage, dict) or not usage:
        return None
    sent = count(pick(usage, "promptTokenCount", "prompt_token_count"))
    tool_prompt = count(pick(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count"))
    got = count(pick(usage, "candidatesTokenCount", "candidates_token_count"))
    thought = count(pick(usage, "thoughtsTokenCount", "thoughts_token_count"))
    of_input = _by_modality(pick(usage, "promptTokensDetails", "prompt_tokens_details"))
    of_output = _by_modality(pick(usage, "candidatesTokensDetails", "candidates_tokens_details"))
    of_cache = _by_modality(pick(usage, "cacheTokensDetails", "cache_tokens_details"))
    return Usage(
        input_tokens=_sum(sent, tool_prompt),
        output_tokens=_sum(got, thought),
        cache_read_tokens=count(pick(usage, "cachedContentTokenCount", "cached_content_token_count")),
        reasoning_tokens=thought,
        input_audio_tokens=of_input.get("AUDIO"),
        output_audio_tokens=of_output.get("AUDIO"),
        cache_read_audio_tokens=of_cache.get("AUDIO"),
        input_image_tokens=of_input.get("IMAGE"),
        output_image_tokens=of_output.get("IMAGE"),
        service_tier=_tier(usage),
    )


def _read_cut_array(text: str, fold: GenerateFold) -> None:
    decoder = json.JSONDecoder()
    place = text.find("[") + 1
    while 0 < place < len(text):
        between = _BETWEEN.match(text, place)
        try:
            chunk, place = decoder.raw_decode(text, between.end() if between else place)
        except (ValueError, RecursionError):
            break
        fold.add(chunk)
    fold.cut()


def _finish(native: str | None, *, has_calls: bool) -> FinishReason | None:
    if native is not None and native.isdecimal():
        return "content_filter" if int(native) in _BLOCKED else "error"
    return finish_of(native, has_calls=has_calls)


def _by_modality(details: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in entries(details):
        modality, tokens = entry.get("modality"), count(pick(entry, "tokenCount", "token_count"))
        name = _MODALITIES.get(modality, "") if isinstance(modality, int) else str(modality)
        if tokens is not None:
            found[name] = tokens
    return found


def _tier(usage: dict[str, Any]) -> str | None:
    stated = word(pick(usage, "serviceTier", "service_tier"))
    traffic = pick(usage, "trafficType", "traffic_type")
    if stated or not isinstance(traffic, str):
        return stated
    return _TIERS.get(traffic, traffic)


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)
