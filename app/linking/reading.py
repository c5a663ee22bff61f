"""A request as the stitcher reads it: its spine, and single elements in full where they are needed."""

import re
from dataclasses import dataclass
from typing import Final

from app.dialects.dialect import DialectReader
from app.errors import InputError
from app.linking.ancestry import Found
from app.linking.spine import Spine, rolled
from app.models.message import Message, ToolResult

_TAIL_BYTES: Final = 16_384
_HEAD_BYTES: Final = 4096
_LARGE_BYTES: Final = 16_384
_NEEDLE_BYTES: Final = 64
_FREE_CHOICE: Final = re.compile(rb'"tool_choice"\s*:\s*(?:"auto"|"none"|null|\{\s*"type"\s*:\s*"(?:auto|none)")')
_SCHEMAS: Final = (b'"parameters"', b'"input_schema"', b'"parametersJsonSchema"')


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that can be read."""

    reader: DialectReader
    spine: Spine

    def results(self, start: int) -> list[ToolResult]:
        """Return the tool results in the elements from `start` on."""
        found: list[ToolResult] = []
        for index in range(start, len(self.spine.elements)):
            if self.spine.elements[index].is_result and (message := self._message(index)):
                found += message.tool_results()
        return found

    def is_new_turn(self, start: int) -> bool:
        """Return whether the user speaks in the elements from `start` on, after whatever tools had to say.

        Words in the same message as a result are a client's own; so is a picture that follows one.
        """
        new = self.spine.elements[start:]
        last_result = max((i for i, element in enumerate(new) if element.is_result), default=-1)
        spoken = [it for it in new[last_result + 1 :] if it.role == "user" and (it.has_text or it.has_media)]
        return any(not it.has_media for it in spoken) if last_result >= 0 else bool(spoken)

    def ends_with_words(self) -> bool:
        """Return whether the newest element is the user's own words."""
        last = self.spine.elements[-1]
        return last.role == "user" and last.has_text and not last.is_result

    def newest_words(self) -> str:
        """Return what the user said last."""
        for index in range(len(self.spine.elements) - 1, -1, -1):
            element = self.spine.elements[index]
            if element.role == "user" and element.has_text and not element.is_result:
                message = self._message(index)
                return message.words() if message else ""
        return ""

    def hash_after(self, found: Found | None) -> int:
        """Return the rolling hash of the whole conversation, with what a stated id stands for before the elements."""
        if found is None or found.is_whole:
            return self.spine.hashes[-1]
        after = found.entry.hash
        for element in self.spine.elements[found.entered_from :]:
            after = rolled(after, element.identity)
        return after

    def _message(self, index: int) -> Message | None:
        try:
            return self.reader.read_element(self.spine.raw[index])
        except InputError:
            return None


def without_messages(request: bytes, elements: tuple[bytes, ...]) -> bytes:
    """Return a request with its list of messages emptied, so that its other fields are cheap to read; or all of it."""
    if len(request) < _LARGE_BYTES:
        return request
    first, last = next((raw for raw in elements if raw.startswith(b"{")), b""), elements[-1]
    start = request.find(first[:_NEEDLE_BYTES])
    end = request.rfind(last[-_NEEDLE_BYTES:]) + len(last[-_NEEDLE_BYTES:])
    is_list = first and 0 < start < end and request[start - 8 : start].rstrip().endswith(b"[")
    if is_list and request[end : end + 8].lstrip().startswith(b"]"):
        return request[:start] + request[end:]
    return request


def is_form(request: bytes) -> bool:
    """Return whether a request makes the model call a tool, or offers only one. Looks where the messages are not."""
    tail = request[-_TAIL_BYTES:]
    head = request[:_HEAD_BYTES] if len(request) > _TAIL_BYTES else b""
    for part in (tail, head):
        if b'"tool_choice"' in part:
            if _FREE_CHOICE.search(part) is None:
                return True
        elif b'"ANY"' in part and (b'"functionCallingConfig"' in part or b'"function_calling_config"' in part):
            return True
    return sum(part.count(schema) for part in (tail, head) for schema in _SCHEMAS) < 2
