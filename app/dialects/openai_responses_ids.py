"""Ids of items that we made ourselves: a provider has never seen them, and none is sent to one."""

import re
from typing import Final

_PREFIXES: Final = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "compaction": "cmp",
}
_MARK: Final = "_gs"
_REPLY_ID: Final = "([0-9a-f]{16})"
_RESPONSE: Final = re.compile(f"resp_{_REPLY_ID}")
_OUTPUT_ITEM: Final = re.compile(f"[a-z]+{_MARK}{_REPLY_ID}[0-9a-f]{{2,6}}")
_CONVERSATION: Final = f"conv{_MARK}"


def minted(kind: str, owner: str, place: int) -> str:
    """Return the id of an owner's item number `place`; the same each time. `kind` is the item's type."""
    return f"{_PREFIXES.get(kind, 'item')}{_MARK}{owner}{place:02x}"


def is_minted(item_id: object) -> bool:
    """Return whether we made an item's id."""
    return isinstance(item_id, str) and _MARK in item_id[:8]


def is_own_response(response_id: str) -> bool:
    """Return whether we gave a response its id: providers' are longer."""
    return _RESPONSE.fullmatch(response_id) is not None


def response_of_item(item_id: str) -> str | None:
    """Return the id of the response that put out an item of ours, None for any other item."""
    match = _OUTPUT_ITEM.fullmatch(item_id)
    return f"resp_{match.group(1)}" if match else None


def conversation_id(unique: str) -> str:
    """Return the id of a conversation that we keep."""
    return _CONVERSATION + unique


def is_own_conversation(conversation_id: str) -> bool:
    """Return whether we keep a conversation."""
    return conversation_id.startswith(_CONVERSATION)
