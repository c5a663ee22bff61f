"""Tools and the choice among them, as Converse has them.

https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
"""

from typing import Any, Final

from app.dialects.bedrock_blocks import Block, Blocks
from app.dialects.bedrock_models import vendor_of
from app.dialects.bedrock_parts import OWN
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.models.chat import ChatRequest, Tool
from app.models.settings import OutputFormat, ToolChoice
from app.models.target import Target

OUTPUT_TOOL: Final = "json_tool_call"
_NO_FIELDS: Final = {"type": "object", "properties": {}}
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The whole input of the tool."}},
    "required": ["input"],
}
_CAN_FORCE: Final = ("claude", "nova", "mistral")
"""Vendors whose models can be made to call a tool; Mistral's only any, not one that is named.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html"""


class Tools:
    """The tools of one request."""

    def __init__(self, request: ChatRequest, target: Target, blocks: Blocks, names: ToolNames, losses: Losses) -> None:
        self._request, self._target = request, target
        self._vendor = vendor_of(target.model)
        self._blocks, self._names, self._losses = blocks, names, losses
        self._is_own = request.dialect == OWN
        self._is_thinking = False
        self.output_tool: str | None = None
        """The tool that stands for a structured output, once there is one."""
        self.custom = frozenset(tool.name for tool in request.tools if tool.kind == "custom" and not self._is_own)
        """Tools with free text, sent as functions."""

    def config(self, *, is_thinking: bool) -> Block:
        """Return `toolConfig`, {} where there are no tools. `is_thinking`: Claude does, and then chooses freely."""
        self._is_thinking = is_thinking
        request = self._request
        choice = request.tool_choice
        if choice is not None and choice.mode == "none" and not self._called():
            return {}
        tools = [tool for tool in request.tools if not choice or not choice.names or tool.name in choice.names]
        entries = [entry for tool in (request.tools if self._is_own else tools) for entry in self._entries(tool)]
        if not entries and not self._is_own and (called := self._called()):
            self._losses.change("tools", "Bedrock wants the tools that a conversation called: they are named")
            entries = [{"toolSpec": {"name": name, "inputSchema": {"json": _NO_FIELDS}}} for name in called]
        if not entries:
            return {}
        config: Block = {"tools": entries}
        chosen = self._choice(choice, bool(tools))
        if chosen is not None:
            config["toolChoice"] = chosen
        return config

    def force_output(self, config: Block, output: OutputFormat) -> bool:
        """Add a tool for a structured output and have it called; return False where that cannot be done.

        With tools of the client's it cannot: the model must stay free to call those.
        """
        if config or self._is_thinking or self._vendor not in _CAN_FORCE:
            return False
        schema = output.schema if isinstance(output.schema, dict) and output.schema.get("type") == "object" else None
        if schema is None:
            return False
        spec: Block = {"name": OUTPUT_TOOL, "inputSchema": {"json": schema}}
        spec["description"] = output.description or "Gives the answer."
        config |= {"tools": [{"toolSpec": spec}], "toolChoice": self._forced(OUTPUT_TOOL)}
        self.output_tool = OUTPUT_TOOL
        return True

    def _called(self) -> list[str]:
        """Return the names of tools that the conversation called, as sent."""
        calls = [call for message in self._request.messages for call in message.tool_calls()]
        return list(dict.fromkeys(self._names.sent(call.name) for call in calls if not call.is_server_side))

    def _entries(self, tool: Tool) -> list[Block]:
        if self._is_own and tool.kind != "function":
            return [tool.extras or {}, *self._blocks.mark(tool.cache, is_tool=True)]
        if tool.kind not in ("function", "custom"):
            self._losses.drop(f"tools.{tool.kind}", "a tool of another provider's own")
            return []
        spec: Block = {"name": self._names.sent(tool.name)}
        if tool.description:
            spec["description"] = tool.description
        spec["inputSchema"] = {"json": self._schema(tool)}
        if tool.strict is not None:
            if self._is_own or (tool.strict and self._target.traits.takes_schema):
                spec["strict"] = tool.strict
            elif tool.strict:
                self._losses.drop("tools.strict", "not known of this model on Bedrock")
        if self._is_own:
            spec |= tool.extras or {}
        else:
            self._tell(tool)
        return [{"toolSpec": spec}, *self._blocks.mark(tool.cache, is_tool=True)]

    def _tell(self, tool: Tool) -> None:
        if tool.kind == "custom" and tool.schema is not None:
            self._losses.drop("tools.format", "Bedrock has no grammars for a tool's text")
        for name in meaning(tool.extras):
            self._losses.drop(f"tools.{name}", "Bedrock has no such field")

    def _schema(self, tool: Tool) -> object:
        """Return a schema of an object: Bedrock takes no other."""
        if self._is_own:
            return tool.schema
        if tool.kind == "custom":
            return _FREE_TEXT
        schema = tool.schema
        if not isinstance(schema, dict) or not schema:
            return _NO_FIELDS
        return schema if schema.get("type") == "object" else {**schema, "type": "object"}

    def _choice(self, choice: ToolChoice | None, has_tools: bool) -> dict[str, Any] | None:
        if choice is None:
            return None
        if self._is_own:
            return _own_choice(choice)
        for name in meaning(choice.extras):
            self._losses.drop(f"tool_choice.{name}", "Bedrock has no such field")
        if choice.mode == "none":
            self._losses.change("tool_choice", "Bedrock cannot forbid tools that the conversation called")
            return None
        if not has_tools or not self._target.quirks.takes_tool_choice:
            if choice.mode == "required":
                self._losses.drop("tool_choice", "this model chooses for itself")
            return None
        if choice.mode == "auto":
            return {"auto": {}}
        if self._is_thinking:
            self._losses.change("tool_choice", "Claude chooses for itself while it thinks")
            return {"auto": {}}
        if self._vendor not in (*_CAN_FORCE, "unknown"):
            self._losses.change("tool_choice", "this model chooses for itself")
            return {"auto": {}}
        return self._forced(self._names.sent(choice.names[0])) if len(choice.names) == 1 else {"any": {}}

    def _forced(self, name: str) -> dict[str, Any]:
        """Return the choice of one tool. Where no name can be said, the others were left out."""
        return {"any": {}} if self._vendor == "mistral" else {"tool": {"name": name}}


def _own_choice(choice: ToolChoice) -> dict[str, Any]:
    if choice.mode == "auto":
        return choice.extras or {"auto": {}}
    return {"tool": {"name": choice.names[0]}} if choice.names else {"any": {}}
