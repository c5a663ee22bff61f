"""Ids of items that we made ourselves: a provider has never seen them, and none is sent to one."""

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


def minted(kind: str, owner: str, place: int) -> str:
    """Return the id of an owner's item number `place`; the same each time. `kind` is the item's type."""
    return f"{_PREFIXES.get(kind, 'item')}{_MARK}{owner}{place:02x}"


def is_minted(item_id: object) -> bool:
    """Return whether we made an item's id."""
    return isinstance(item_id, str) and _MARK in item_id[:8]
