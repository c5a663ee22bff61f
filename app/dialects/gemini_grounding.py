"""What Gemini tells of its answer beside the content: where it comes from, and how likely its tokens were.

https://ai.google.dev/api/generate-content#GroundingMetadata, …#LogprobsResult
"""

from typing import Any, Final

from app.dialects.gemini_parts import camelled, pick
from app.dialects.wire import count, entries, fields, text_or_none
from app.models.chat import Logprob
from app.models.message import Citation

_SOURCES: Final = ("grounding", "citation")


def names_sources(candidate: dict[str, Any]) -> bool:
    """Whether a candidate says where its text comes from."""
    return any(name.startswith(_SOURCES) for name in candidate)


def citations_of(candidate: dict[str, Any], text: str) -> list[Citation]:
    """Return the sources that a candidate names of its text. Google counts bytes, a citation characters."""
    found: list[Citation] = []
    stated = pick(candidate, "citationMetadata", "citation_metadata")
    places = _Places(text)
    for entry in entries(fields(stated).get("citations") or fields(stated).get("citationSources")):
        start, end = places.of(entry)
        url = text_or_none(entry.get("uri"))
        if url is not None:
            found.append(Citation(url, text_or_none(entry.get("title")), None, start, end))
    grounding = fields(pick(candidate, "groundingMetadata", "grounding_metadata"))
    chunks = entries(pick(grounding, "groundingChunks", "grounding_chunks"))
    for support in entries(pick(grounding, "groundingSupports", "grounding_supports")):
        segment = fields(support.get("segment"))
        start, end = places.of(segment)
        places_of_chunks = pick(support, "groundingChunkIndices", "grounding_chunk_indices")
        for place in places_of_chunks if isinstance(places_of_chunks, list) else ():
            if type(place) is int and 0 <= place < len(chunks):
                url, title = _source(chunks[place])
                found.append(Citation(url, title, text_or_none(segment.get("text")), start, end))
    return found


def grounding_of(citations: list[Citation], text: str) -> dict[str, object]:
    """Return sources as Gemini tells them: each once, and which bytes of the text rest on it."""
    sources: dict[tuple[str | None, str | None], int] = {}
    supports: list[dict[str, object]] = []
    for citation in citations:
        place = sources.setdefault((citation.url, citation.title), len(sources))
        segment: dict[str, object] = {}
        if citation.start is not None:
            segment["startIndex"] = _bytes_before(text, citation.start)
        if citation.end is not None:
            segment["endIndex"] = _bytes_before(text, citation.end)
            segment["text"] = text[citation.start or 0 : citation.end]
        elif citation.quote is not None:
            segment["text"] = citation.quote
        if segment:
            supports.append({"segment": segment, "groundingChunkIndices": [place]})
    chunks = []
    for url, title in sources:
        web = {name: value for name, value in (("uri", url), ("title", title)) if value is not None}
        chunks.append({"web": web})
    told: dict[str, object] = {"groundingChunks": chunks}
    if supports:
        told["groundingSupports"] = supports
    return told


def logprobs_of(result: object) -> tuple[Logprob, ...]:
    """Return the tokens of a `logprobsResult`."""
    said = camelled(fields(result))
    listed = entries(said.get("topCandidates"))
    found: list[Logprob] = []
    for place, chosen in enumerate(entries(said.get("chosenCandidates"))):
        top = entries(listed[place].get("candidates")) if place < len(listed) else []
        token = _logprob(chosen, tuple(_logprob(other, ()) for other in top))
        found.append(token)
    return tuple(found)


def logprobs_result(logprobs: tuple[Logprob, ...]) -> dict[str, object]:
    """Return tokens as a `logprobsResult`."""
    told: dict[str, object] = {"chosenCandidates": [_candidate(token) for token in logprobs]}
    if any(token.top for token in logprobs):
        told["topCandidates"] = [{"candidates": [_candidate(other) for other in token.top]} for token in logprobs]
    return told


def more_logprobs(before: object, after: object) -> object:
    """Return two `logprobsResult`s of one answer as one."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    whole = {**before, **after}
    for name, first in before.items():
        second = after.get(name)
        if isinstance(first, list) and isinstance(second, list):
            whole[name] = first + second
    return whole


class _Places:
    """Turns places counted in bytes into places counted in characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._written: bytes | None = None if text.isascii() else text.encode("utf-8", "surrogatepass")

    def of(self, segment: dict[str, Any]) -> tuple[int | None, int | None]:
        start = count(pick(segment, "startIndex", "start_index"))
        end = count(pick(segment, "endIndex", "end_index"))
        if end is None:
            return start and self._characters(start), None
        return self._characters(start or 0), self._characters(end)

    def _characters(self, n_bytes: int) -> int:
        if self._written is None:
            return n_bytes
        return len(self._written[:n_bytes].decode("utf-8", "ignore"))


def _bytes_before(text: str, n_chars: int) -> int:
    return len(text[:n_chars].encode("utf-8", "surrogatepass"))


def _source(chunk: dict[str, Any]) -> tuple[str | None, str | None]:
    for key in ("web", "retrievedContext", "retrieved_context", "maps"):
        said = chunk.get(key)
        if isinstance(said, dict):
            return text_or_none(said.get("uri")), text_or_none(said.get("title"))
    return None, None


def _logprob(said: dict[str, Any], top: tuple[Logprob, ...]) -> Logprob:
    token, value = said.get("token"), pick(said, "logProbability", "log_probability")
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
    return Logprob(token if isinstance(token, str) else "", number, None, top)


def _candidate(token: Logprob) -> dict[str, object]:
    return {"token": token.token, "logProbability": token.logprob}
