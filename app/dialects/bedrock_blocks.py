"""Parts written as Bedrock's content blocks."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from app.dialects.bedrock_media import KINDS, format_of
from app.dialects.bedrock_models import vendor_of
from app.dialects.bedrock_parts import CLAUDES, OWN
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.dialects.wire import UNREADABLE, decode_any
from app.errors import InputError
from app.models.message import CacheMark, Media, Part, Raw, Reasoning, Refusal, Text, ToolCall, ToolResult

Block = dict[str, Any]

MOST_MARKS: Final = 4
"""Cache points that one request may have: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html."""
_VERBATIM: Final = ("citationsContent", "guardContent", "searchResult", "json")
_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OWN_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_ID: Final = re.compile(r"[^a-zA-Z0-9_-]")
_NOT_IN_NAME: Final = re.compile(r"[^a-zA-Z0-9()\[\]-]+")
_LONGEST_NAME: Final = 200
_KINDS: Final = {modality: kind for kind, modality in KINDS.items()}
_MARK_VENDORS: Final = ("claude", "nova", "unknown")


class Blocks:
    """Writes the parts of one request. `is_own`: it was read from Bedrock's own dialect, and is kept as it was.

    `n_marks` is how many cache marks it has; of too many the first are left out.
    """

    def __init__(self, losses: Losses, names: ToolNames, model: str, *, is_own: bool, n_marks: int = 0) -> None:
        self._losses = losses
        self._names = names
        self._vendor = vendor_of(model)
        self._is_own = is_own
        self._has_marks = n_marks > 0
        self._marks_to_skip = max(0, n_marks - MOST_MARKS)
        self._document_names: set[str] = set()

    def of(self, parts: Iterable[Part], *, is_answer: bool = False) -> list[Block]:
        """Return the blocks of parts; `is_answer`: they are the assistant's.

        Raises InputError for media that Bedrock cannot take.
        """
        blocks: list[Block] = []
        for part in parts:
            block = self._block(part, is_answer)
            if block is not None:
                blocks.append(block)
                if self._has_marks:
                    blocks += self.mark(mark_in(part))
        return blocks

    def mark(self, mark: CacheMark | None, *, is_tool: bool = False) -> list[Block]:
        """Return the cache point of a mark, nothing where there is none or the model has none there."""
        if mark is None:
            return []
        if self._is_own:
            return [{"cachePoint": {"type": "default", "ttl": mark.ttl} if mark.ttl else {"type": "default"}}]
        if self._vendor not in _MARK_VENDORS or (is_tool and self._vendor == "nova"):
            self._losses.drop("cache_control", "this model has no cache points there")
            return []
        if self._marks_to_skip > 0:
            self._marks_to_skip -= 1
            self._losses.change("cache_control", f"at most {MOST_MARKS} cache points: the last ones are kept")
            return []
        return [{"cachePoint": {"type": "default", "ttl": "1h"} if mark.ttl == "1h" else {"type": "default"}}]

    def _block(self, part: Part, is_answer: bool) -> Block | None:
        if isinstance(part, Text):
            return self._text(part)
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Reasoning):
            return self._thought(part)
        if isinstance(part, Media):
            if is_answer and not self._is_own:
                self._losses.drop(f"messages.content.{part.modality}", "media of the model's own does not go back")
                return None
            return self._media(part)
        if isinstance(part, Refusal):
            return self._text(part)
        if self._is_own and isinstance(part.value, dict):
            return part.value
        self._losses.drop(f"messages.content.{part.kind or 'unknown'}", "Bedrock has no such content")
        return None

    def _text(self, part: Text | Refusal) -> Block | None:
        if self._is_own:
            extras = part.extras or {}
            kept = next((key for key in _VERBATIM if key in extras), None)
            return {kept: extras[kept]} if kept else {"text": part.text, **extras}
        if part.extras is not None:
            self._drop_extras(part.extras)
        if isinstance(part, Text) and part.citations:
            self._losses.drop("messages.content.citations", "Bedrock takes no citations back")
        return {"text": part.text} if part.text and not part.text.isspace() else None

    def _call(self, call: ToolCall) -> Block | None:
        if call.is_server_side and not self._is_own:
            self._losses.drop("messages.content.server_tool_use", "a tool that another provider ran")
            return None
        block = {
            "toolUseId": self._id(call.id),
            "name": self._names.sent(call.name),
            "input": {"input": call.arguments} if call.is_custom else self._input(call.arguments),
        }
        return {"toolUse": block if call.extras is None else block | self._own_extras(call.extras)}

    def _result(self, result: ToolResult) -> Block | None:
        if result.is_server_side and not self._is_own:
            self._losses.drop("messages.content.server_tool_result", "a tool that another provider ran")
            return None
        content = (
            self.of(result.parts) if self._is_own else [found for part in result.parts if (found := self._said(part))]
        )
        block: Block = {"toolUseId": self._id(result.id), "content": content}
        if result.is_error:
            block["status"] = "error"
        return {"toolResult": block if result.extras is None else block | self._own_extras(result.extras)}

    def _said(self, part: Part) -> Block | None:
        """Return a part of a result: it may hold text and media, and no cache points of its own."""
        if isinstance(part, Text | Refusal | Media):
            return self._block(part, False)
        kind = part.kind if isinstance(part, Raw) else type(part).__name__
        self._losses.drop(f"messages.tool_result.{kind}", "a result on Bedrock holds text and media")
        return None

    def _thought(self, part: Reasoning) -> Block | None:
        origin = part.origin or (OWN if self._is_own else None)
        if part.is_redacted:
            if origin == OWN and part.signature:
                return {"reasoningContent": {"redactedContent": part.signature}}
        elif part.signature:
            if self._is_own or (origin in (OWN, CLAUDES) and self._vendor in ("claude", "unknown")):
                said = {"text": part.text, "signature": part.signature}
                return {"reasoningContent": {"reasoningText": said | self._own_extras(part.extras)}}
        elif self._is_own:
            return {"reasoningContent": {"reasoningText": {"text": part.text, **(part.extras or {})}}}
        self._losses.drop("messages.reasoning", "another provider's thoughts")
        return None

    def _media(self, media: Media) -> Block:
        kind = _KINDS[media.modality]
        extras = media.extras or {}
        own_name = extras.get("format") if self._is_own else None
        name = own_name if isinstance(own_name, str) else format_of(media.modality, media.media_type, media.name)
        source = self._source(media, extras)
        if not self._is_own:
            self._check(media, name)
        block: Block = {"format": name, "source": source} if name else {"source": source}
        if media.modality == "file":
            block["name"] = (media.name or "") if self._is_own else self._document_name(media.name)
            more = ("citations", "context")
            block |= {key: extras[key] for key in more if key in extras and not self._is_own}
        if self._is_own:
            block |= {key: value for key, value in extras.items() if key not in ("format", "bucketOwner")}
        else:
            self._drop_extras({key: value for key, value in extras.items() if key not in ("citations", "context")})
        return {kind: block}

    def _source(self, media: Media, extras: dict[str, object]) -> Block:
        if media.data is not None:
            return {"bytes": _standard(media.data)}
        if media.url is not None and media.url.startswith("s3://"):
            stored: Block = {"uri": media.url}
            if self._is_own and "bucketOwner" in extras:
                stored["bucketOwner"] = extras["bucketOwner"]
            return {"s3Location": stored}
        if media.url is not None:
            raise InputError(
                f"Bedrock reads no {media.modality} from an address: {media.url[:80]}.",
                hint="Send its bytes (a data: URI), or name an object as s3://….",
            )
        raise InputError(
            f"The file {media.file_id} is kept by another provider: Bedrock cannot read it.",
            hint="Send its bytes instead of its id.",
        )

    def _check(self, media: Media, name: str | None) -> None:
        """Raise InputError for what the model cannot take, rather than have it answer without having seen it."""
        if name is None:
            known = media.media_type or "of an unnamed type"
            raise InputError(f"Bedrock takes no {media.modality} {known}.", hint="Convert it, or ask another model.")
        if self._vendor == "claude" and media.modality in ("audio", "video"):
            raise InputError(f"Claude on Bedrock takes no {media.modality}.", hint="Ask another model.")

    def _document_name(self, name: str | None) -> str:
        """Return a name that Bedrock allows, once in a request: letters, digits, -, (), [] and single blanks."""
        stem = (name or "").rpartition(".")[0] or name or ""
        plain = _NOT_IN_NAME.sub(" ", stem).strip()[:_LONGEST_NAME].strip() or "document"
        unique, number = plain, 1
        while unique in self._document_names:
            number += 1
            unique = f"{plain[: _LONGEST_NAME - 5]} {number}"
        self._document_names.add(unique)
        return unique

    def _id(self, call_id: str | None) -> str:
        """Return an id that Bedrock allows, the same for a call and its result."""
        known = call_id or "call"
        if (_OWN_ID if self._is_own else _ID).fullmatch(known):
            return known
        tag = sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return f"{_NOT_IN_ID.sub('_', known)[:51]}_{tag}"

    def _input(self, arguments: str) -> object:
        """Return arguments as a value. What a model wrote that is no JSON object goes as one that holds it."""
        try:
            value = decode_any(arguments.encode("utf-8", "replace")) if arguments.strip() else {}
        except UNREADABLE:
            value = None
        if isinstance(value, dict) or (self._is_own and value is not None):
            return value
        self._losses.change("messages.tool_calls.arguments", "no JSON object: sent as the text of _raw")
        return {"_raw": arguments}

    def _own_extras(self, extras: dict[str, object] | None) -> dict[str, object]:
        if extras is None:
            return {}
        if self._is_own:
            return extras
        self._drop_extras(extras)
        return {}

    def _drop_extras(self, extras: dict[str, object] | None) -> None:
        for name in meaning(extras):
            self._losses.drop(f"messages.content.{name}", "Bedrock has no such field")


def mark_in(part: Part) -> CacheMark | None:
    """Return the cache mark of a part; one within a result holds for the result."""
    kind = type(part)
    if kind is Text or kind is ToolCall or kind is Media:
        return part.cache  # type: ignore[union-attr]
    if isinstance(part, ToolResult):
        if part.cache is not None:
            return part.cache
        for inner in part.parts:
            if (mark := mark_in(inner)) is not None:
                return mark
    return None


def _standard(data: str) -> str:
    """Return base64 in the standard alphabet, with padding."""
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    return data if len(data) % 4 == 0 else data + "=" * (-len(data) % 4)
