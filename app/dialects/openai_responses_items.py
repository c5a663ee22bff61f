"""The items of OpenAI's responses: what goes in and what comes out are spelled alike.

Items of one assistant turn (reasoning, message, calls) belong together; `is_answer` tells which do.

What the shared form has no word for stands in `extras`. Under `ITEM` stands there:
- on a message's text: the item's own fields (id, status, phase). With that key a text begins another message item;
  without it, it belongs to the item of the text before;
- on a call, a result or a `Raw` of a rare kind: the whole item, as it was;
- None on what was read out of the item before (the result of a search): it is no item of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from app.dialects.media import from_data_uri
from app.dialects.openai_chat_parts import ROLES
from app.dialects.seal import unseal
from app.dialects.wire import count, entries, fields, json_text, text_or_none, word
from app.models.message import (
    CacheMark,
    Citation,
    Extras,
    Media,
    Message,
    Part,
    Raw,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

Item = dict[str, Any]

DIALECT: Final = "openai_responses"
ITEM: Final = "item"
"""The one key in `extras` that is no wire name; see above."""
OF_CALL, OF_TEXT, REDACTED = "call:", "text:", "redacted:"
"""What a sealed proof begins with that belongs to the call after it, to the text before it, or to hidden thoughts."""

_DERIVED: Final[Extras] = {ITEM: None}
_EMPTY_LISTS: Final = ("annotations", "logprobs")


def is_answer(kind: object, role: object, execution: object) -> bool:
    """Return whether an item belongs to an assistant's turn, by its `type`, `role` and `execution`."""
    if kind is None or kind == "message":
        return role == "assistant"
    if kind == "tool_search_output":
        return execution != "client"
    return role is None and not str(kind).endswith(("_output", "_response"))


def message_of(items: list[Item]) -> Message:
    """Return the message of a run of items as `is_answer` joins them, or of a single one."""
    first = items[0] if items else {}
    if is_answer(first.get("type"), first.get("role"), first.get("execution")):
        return Message("assistant", turn_of(items))
    kind, role = first.get("type"), first.get("role")
    if kind is None or kind == "message":
        spoken = ROLES.get(role, "user") if isinstance(role, str) else "user"
        own = own_fields(first, MESSAGE_FIELDS if spoken == role else MESSAGE_FIELDS - {"role"})
        return Message(spoken, tuple(content_parts(first.get("content"))), extras=own)
    if str(kind).endswith("_output"):
        return Message("tool", tuple(parts_of(first)))
    return Message("developer" if role == "developer" else "user", tuple(parts_of(first)))


def turn_of(items: list[Item]) -> tuple[Part, ...]:
    """Return the parts of one assistant's turn."""
    parts: list[Part] = []
    for item in items:
        read = parts_of(item)
        if parts and isinstance(parts[-1], Text | Refusal) and isinstance(read[0] if read else None, Text | Refusal):
            read[0] = _beginning(read[0])
        parts += read
    return _with_proofs(parts) if any(_is_loose(part) for part in parts) else tuple(parts)


def parts_of(item: Item) -> list[Part]:
    """Return what one item says: one part, or a call that the provider ran with its result."""
    kind = item.get("type") or "message"
    read = _READ.get(kind) if isinstance(kind, str) else None
    if read is not None:
        return read(item)
    if isinstance(kind, str) and kind.endswith("_output"):
        return [_output(item)]
    return [Raw(word(kind) or "", item)]


def content_parts(content: object, said: str = "input_text") -> list[Part]:
    """Return the parts of a `content` or `output` field: null, a text, an object or a list.

    `said` is the type that plain texts have there.
    """
    if isinstance(content, str):
        return [Text(content)] if content else []
    listed = content if isinstance(content, list) else [content]
    parts: list[Part] = []
    for entry in listed:
        if isinstance(entry, dict):
            parts.append(part_of(entry, said))
        elif isinstance(entry, str):
            parts.append(Text(entry))
        elif entry is not None:
            parts.append(Raw("", entry))
    return parts


def part_of(entry: Item, said: str) -> Part:
    """Return one entry of a content list."""
    kind = entry.get("type")
    if kind in ("input_text", "output_text", "text", "summary_text") and isinstance(entry.get("text"), str):
        return _text(entry, said)
    if kind == "refusal" and isinstance(entry.get("refusal"), str):
        return Refusal(entry["refusal"], own_fields(entry, _REFUSAL))
    if kind == "reasoning_text" and isinstance(entry.get("text"), str):
        return Reasoning(entry["text"])
    return _media(kind, entry) or Raw(word(kind) or "", entry)


def citation_of(annotation: Item) -> Citation:
    """Return an annotation; what it is stays in its extras."""
    named = annotation.get("title")
    return Citation(
        url=text_or_none(annotation.get("url")),
        title=text_or_none(named) or text_or_none(annotation.get("filename")),
        start=count(annotation.get("start_index")),
        end=count(annotation.get("end_index")),
        extras=own_fields(annotation, _CITATION),
    )


def own_fields(entry: Mapping[str, Any], known: frozenset[str]) -> Extras:
    """Return the fields of an object that are not `known` and not null, None where there are none."""
    if entry.keys() <= known:
        return None
    return {name: value for name, value in entry.items() if name not in known and value is not None} or None


def _text(entry: Item, said: str) -> Text:
    text: str = entry["text"]
    if len(entry) == 2 and entry["type"] == said:
        return Text(text)
    own = own_fields(entry, _TEXT if entry["type"] == said else _TEXT - {"type"})
    if own and (logprobs := entry.get("logprobs")) is not None and not logprobs:
        own = {name: value for name, value in own.items() if name != "logprobs"} or None
    citations = tuple(map(citation_of, entries(entry.get("annotations"))))
    cache = CacheMark() if entry.get("prompt_cache_breakpoint") else None
    return Text(text, citations, cache, extras=own)


def _media(kind: object, entry: Item) -> Media | None:
    if kind in ("input_image", "computer_screenshot"):
        return _stored("image", entry, text_or_none(entry.get("image_url")))
    if kind == "input_file":
        return _stored("file", entry, text_or_none(entry.get("file_data")))
    if kind == "input_audio":
        sound = fields(entry.get("input_audio"))
        data, form = text_or_none(sound.get("data")), text_or_none(sound.get("format"))
        return Media("audio", f"audio/{form}" if form else None, data=data) if data else None
    return None


def _stored(modality: Any, entry: Item, address: str | None) -> Media | None:
    name, url, file_id = (text_or_none(entry.get(key)) for key in ("filename", "file_url", "file_id"))
    if address:
        found = from_data_uri(modality, address, name=name)
        taken = _IMAGE if modality == "image" else _FILE
    elif url:
        found, taken = Media(modality, url=url, name=name), _FILE_AT
    elif file_id:
        found, taken = Media(modality, file_id=file_id, name=name), _FILE_KEPT
    else:
        return None
    own = own_fields(entry, taken)
    detail = text_or_none(entry.get("detail"))
    cache = CacheMark() if entry.get("prompt_cache_breakpoint") else None
    if own or detail or cache:
        found = msgspec.structs.replace(found, detail=detail, cache=cache, extras=own)
    return found


def _message(item: Item) -> list[Part]:
    """An item that says nothing is an empty text: it is still an item."""
    parts = content_parts(item.get("content"), "output_text") or [Text("")]
    if item.keys() <= MESSAGE_FIELDS and isinstance(parts[0], Text | Refusal):
        return parts
    own = own_fields(item, MESSAGE_FIELDS)
    if own is not None or not isinstance(parts[0], Text | Refusal):
        parts[0] = _beginning(parts[0], own)
    return parts


def _beginning(part: Part, own: Extras = None) -> Part:
    """Return a part that begins a message item, with the item's own fields."""
    if isinstance(part, Raw):
        return part
    extras = part.extras or {}
    return part if ITEM in extras else msgspec.structs.replace(part, extras={**extras, ITEM: own or {}})


def _reasoning(item: Item) -> list[Part]:
    content, summary = item.get("content"), item.get("summary")
    thought = [text_or_none(entry.get("text")) for entry in entries(content)]
    told = [text_or_none(entry.get("text")) for entry in entries(summary)]
    text = "\n\n".join(filter(None, thought)) or "\n\n".join(filter(None, told))
    own = own_fields(item, REASONING_FIELDS)
    if content is not None or len(told) > 1:
        own = {**(own or {}), "summary": summary or [], **({} if content is None else {"content": content})}
    proof = text_or_none(item.get("encrypted_content"))
    if proof is None:
        return [Reasoning(text, extras=own)]
    signature, origin = unseal(proof, DIALECT)
    if origin != DIALECT and signature.startswith(REDACTED):
        return [Reasoning(text, signature.removeprefix(REDACTED), True, origin, own)]
    return [Reasoning(text, signature, origin=origin, extras=own)]


def _is_loose(part: Part) -> bool:
    """Whether a thought is only the proof of a call or a text, which had no place for it."""
    return (
        isinstance(part, Reasoning)
        and part.origin not in (None, DIALECT)
        and (part.signature or "").startswith((OF_CALL, OF_TEXT))
    )


def _with_proofs(parts: list[Part]) -> tuple[Part, ...]:
    """Return a turn with the loose proofs on the parts that they belong to."""
    joined: list[Part] = []
    waiting: Reasoning | None = None
    for part in parts:
        if isinstance(part, Reasoning) and _is_loose(part):
            signature = part.signature or ""
            if signature.startswith(OF_CALL):
                waiting = part
            elif (place := _last_text(joined)) is not None:
                proven = joined[place]
                joined[place] = msgspec.structs.replace(proven, signature=signature.removeprefix(OF_TEXT))
        elif isinstance(part, ToolCall) and waiting is not None:
            proof = (waiting.signature or "").removeprefix(OF_CALL)
            joined.append(msgspec.structs.replace(part, signature=proof, origin=waiting.origin))
            waiting = None
        else:
            joined.append(part)
    return tuple(joined)


def _last_text(parts: list[Part]) -> int | None:
    return next((place for place in reversed(range(len(parts))) if isinstance(parts[place], Text)), None)


def _function_call(item: Item) -> list[Part]:
    is_custom = item["type"] == "custom_tool_call"
    arguments = item.get("input") if is_custom else item.get("arguments", item.get("input"))
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json_text(arguments)
    own = own_fields(item, CALL_FIELDS)
    return [ToolCall(_call_id(item), word(item.get("name")) or "", arguments, is_custom=is_custom, extras=own)]


def _client_call(item: Item) -> list[Part]:
    """A call that the client runs: computer, shell, patch."""
    asked = item.get("action") or item.get("operation") or item.get("actions")
    name = str(item["type"]).removesuffix("_call")
    return [ToolCall(_call_id(item), name, json_text(asked), extras={ITEM: item})]


def _tool_search(item: Item) -> list[Part]:
    is_server_side = item.get("execution") != "client"
    arguments = json_text(item.get("arguments"))
    return [ToolCall(_call_id(item), "tool_search", arguments, is_server_side, extras={ITEM: item})]


def _tools_found(item: Item) -> list[Part]:
    names = [text_or_none(tool.get("name")) for tool in entries(item.get("tools"))]
    said = (Text("\n".join(filter(None, names))),)
    is_server_side = item.get("execution") != "client"
    found = ToolResult(_call_id(item), "tool_search", said, is_server_side=is_server_side, extras={ITEM: item})
    return [found]


def _web_search(item: Item) -> list[Part]:
    return [_server_call(item, "web_search", json_text(item.get("action") or {}))]


def _file_search(item: Item) -> list[Part]:
    call = _server_call(item, "file_search", json_text({"queries": item.get("queries") or []}))
    found = [text for entry in entries(item.get("results")) if (text := text_or_none(entry.get("text")))]
    return [call, *_server_result(item, "file_search", [Text(text) for text in found])]


def _code_interpreter(item: Item) -> list[Part]:
    call = _server_call(item, "code_interpreter", json_text({"code": item.get("code")}))
    parts: list[Part] = []
    for entry in entries(item.get("outputs")):
        logs, url = text_or_none(entry.get("logs")), text_or_none(entry.get("url"))
        if logs:
            parts.append(Text(logs))
        elif url:
            parts.append(from_data_uri("image", url))
    return [call, *_server_result(item, "code_interpreter", parts)]


def _image(item: Item) -> list[Part]:
    call = _server_call(item, "image_generation", json_text({"prompt": item.get("revised_prompt")}))
    data, form = text_or_none(item.get("result")), text_or_none(item.get("output_format"))
    if not data:
        return [call]
    return [call, Media("image", f"image/{form}" if form else None, data=data, extras=_DERIVED)]


def _mcp_call(item: Item) -> list[Part]:
    arguments = item.get("arguments")
    name = word(item.get("name")) or "mcp"
    call = _server_call(item, name, arguments if isinstance(arguments, str) else json_text(arguments))
    error = item.get("error")
    said = json_text(error) if isinstance(error, dict) else text_or_none(error) or text_or_none(item.get("output"))
    parts: list[Part] = [Text(said)] if said else []
    return [call, *_server_result(item, name, parts, is_error=bool(error))]


def _output(item: Item) -> ToolResult:
    kind, output = str(item.get("type")), item.get("output")
    if kind == "function_call_output":
        parts = tuple(content_parts(output))
        return ToolResult(_call_id(item), word(item.get("name")), parts, extras=own_fields(item, _RESULT))
    if kind == "custom_tool_call_output":
        parts = tuple(content_parts(output))
        return ToolResult(_call_id(item), word(item.get("name")), parts, extras=own_fields(item, _RESULT - {"type"}))
    if kind in ("shell_call_output", "local_shell_call_output") and isinstance(output, list):
        printed = [text_or_none(entry.get(key)) for entry in entries(output) for key in ("stdout", "stderr")]
        return ToolResult(_call_id(item), None, (Text("\n".join(filter(None, printed))),), extras={ITEM: item})
    return ToolResult(_call_id(item), word(item.get("name")), tuple(content_parts(output)), extras={ITEM: item})


def _server_call(item: Item, name: str, arguments: str) -> ToolCall:
    return ToolCall(_call_id(item), name, arguments, is_server_side=True, extras={ITEM: item})


def _server_result(item: Item, name: str, parts: list[Part], *, is_error: bool = False) -> list[Part]:
    if not parts:
        return []
    return [ToolResult(_call_id(item), name, tuple(parts), is_error, is_server_side=True, extras=_DERIVED)]


def _call_id(item: Item) -> str | None:
    return word(item.get("call_id")) or word(item.get("id"))


MESSAGE_FIELDS: Final = frozenset({"type", "role", "content"})
_TEXT: Final = frozenset({"type", "text", "annotations"})
_REFUSAL: Final = frozenset({"type", "refusal"})
REASONING_FIELDS: Final = frozenset({"type", "summary", "content", "encrypted_content"})
CALL_FIELDS: Final = frozenset({"type", "call_id", "name", "arguments", "input"})
_RESULT: Final = frozenset({"type", "call_id", "name", "output"})
_IMAGE: Final = frozenset({"type", "image_url", "detail"})
_FILE: Final = frozenset({"type", "file_data", "filename", "detail"})
_FILE_AT: Final = frozenset({"type", "file_url", "filename", "detail"})
_FILE_KEPT: Final = frozenset({"type", "file_id", "filename", "detail"})
_CITATION: Final = frozenset({"url", "title", "filename", "start_index", "end_index"})
_READ: Final[dict[str, Callable[[Item], list[Part]]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _function_call,
    "computer_call": _client_call,
    "local_shell_call": _client_call,
    "shell_call": _client_call,
    "apply_patch_call": _client_call,
    "tool_search_call": _tool_search,
    "tool_search_output": _tools_found,
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code_interpreter,
    "image_generation_call": _image,
    "mcp_call": _mcp_call,
}
