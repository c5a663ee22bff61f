"""Tools and the choice among them, as Anthropic has them.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
"""

from typing import Any, Final

from app.dialects.anthropic_marks import Marks
from app.dialects.anthropic_parts import OWN
from app.dialects.anthropic_schema import NO_FIELDS, fitted, tool_schema
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.models.chat import ChatRequest, Tool
from app.models.settings import OutputFormat, ToolChoice
from app.models.target import Target

Block = dict[str, Any]

OUTPUT_TOOL: Final = "json_tool_call"
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The whole input of the tool."}},
    "required": ["input"],
}
_WIRE_MODES: Final = {"auto": "auto", "required": "any", "none": "none"}


class Tools:
    """The tools of one request."""

    def __init__(self, request: ChatRequest, target: Target, names: ToolNames, marks: Marks, losses: Losses) -> None:
        self._request, self._target = request, target
        self._names, self._marks, self._losses = names, marks, losses
        self._is_own = request.dialect == OWN
        self.custom = frozenset(tool.name for tool in request.tools if tool.kind == "custom" and not self._is_own)
        """Tools with free text, sent as functions."""
        self.output_tool: str | None = None
        """The tool that stands for a structured output, once there is one."""
        self.list: list[Block] = []
        """`tools`."""
        self.choice: Block | None = None
        """`tool_choice`; None: the model's default."""
        if self._is_own:
            self._write_own()
        else:
            self._write()

    @property
    def is_forced(self) -> bool:
        """Whether the model must call a tool."""
        return self.choice is not None and self.choice["type"] in ("any", "tool")

    def add_output(self, output: OutputFormat) -> bool:
        """Add a tool that stands for a structured output; return False where its schema is no object.

        Alone it must be called. Beside the client's own tools it is offered, so that the model stays free to call
        those first; where the client wants some tool called, any of them will do.
        """
        schema = output.schema if isinstance(output.schema, dict) else {}
        if schema.get("type") != "object" or any(name in schema for name in ("anyOf", "oneOf", "allOf")):
            return False
        name = self._names.sent(OUTPUT_TOOL)
        is_alone = not self.list or (self.choice is not None and self.choice["type"] == "none")
        words = output.description or "Gives the final answer."
        if not is_alone:
            words += " Call this tool, once, for the final answer: a text is not read."
        self.list.append({"name": name, "description": words, "input_schema": schema})
        if is_alone:
            self.choice = {"type": "tool", "name": name, "disable_parallel_tool_use": True}
        self.output_tool = name
        return True

    def _write_own(self) -> None:
        request = self._request
        self.list = [self._own_tool(tool) for tool in request.tools]
        choice, parallel = request.tool_choice, request.settings.parallel_tool_calls
        if choice is None:
            return
        if choice.extras and "type" in choice.extras:
            self.choice = dict(choice.extras)
            return
        self.choice = self._chosen(choice)
        if parallel is not None:
            self.choice["disable_parallel_tool_use"] = not parallel
        self.choice |= choice.extras or {}

    def _own_tool(self, tool: Tool) -> Block:
        if tool.kind != "function":
            return {"type": tool.kind, "name": tool.name, **self._marks.field(tool.cache), **(tool.extras or {})}
        said = {"description": tool.description, "input_schema": tool.schema, "strict": tool.strict}
        shown = {name: value for name, value in said.items() if value is not None}
        return {"name": tool.name, **shown, **self._marks.field(tool.cache), **(tool.extras or {})}

    def _write(self) -> None:
        request = self._request
        choice = request.tool_choice
        for tool in request.tools:
            if choice and choice.names and choice.mode != "none" and tool.name not in choice.names:
                continue
            block = self._tool(tool)
            if block is not None:
                self.list.append(block)
        for name in meaning(choice.extras if choice else None):
            self._losses.drop(f"tool_choice.{name}", "Anthropic has no such field")
        if not self.list:
            self._name_called()
            return
        parallel = request.settings.parallel_tool_calls
        if choice is not None and (choice.mode != "auto" or parallel is False):
            self.choice = self._chosen(choice)
        elif parallel is False:
            self.choice = {"type": "auto"}
        if parallel is False and self.choice is not None and self.choice["type"] != "none":
            self.choice["disable_parallel_tool_use"] = True

    def _name_called(self) -> None:
        """Declare the tools that a conversation called, as Anthropic wants, and have none of them called again."""
        calls = [call for message in self._request.messages for call in message.tool_calls()]
        called = dict.fromkeys(self._names.sent(call.name) for call in calls if not call.is_server_side)
        if called:
            self._losses.change("tools", "Anthropic wants the tools that a conversation called: they are named")
            self.list = [{"name": name, "input_schema": NO_FIELDS} for name in called]
            self.choice = {"type": "none"}

    def _tool(self, tool: Tool) -> Block | None:
        if tool.kind not in ("function", "custom"):
            self._losses.drop(f"tools.{tool.kind}", "a tool of another provider's own")
            return None
        for name in meaning(tool.extras):
            self._losses.drop(f"tools.{name}", "Anthropic has no such field")
        block: Block = {"name": self._names.sent(tool.name)}
        if tool.description:
            block["description"] = tool.description
        if tool.kind == "custom":
            self._losses.change("tools.custom", "a tool with free text goes as a function with one text")
            schema: Block = _FREE_TEXT
        else:
            schema, is_changed = tool_schema(tool.schema)
            if is_changed:
                self._losses.change("tools.parameters", "alternatives at the top of a schema stand in its description")
        block["input_schema"] = schema
        if tool.strict:
            self._hold(block)
        return {**block, **self._marks.field(tool.cache)}

    def _hold(self, block: Block) -> None:
        """Hold the model to a tool's schema, where it can be."""
        can = self._target.traits.takes_schema is not False and self._target.quirks.takes_schema
        schema, says_less = fitted(block["input_schema"])
        if can and not says_less and schema == block["input_schema"]:
            block["strict"] = True
        else:
            self._losses.drop("tools.strict", "Claude cannot be held to this schema")

    def _chosen(self, choice: ToolChoice) -> Block:
        if choice.mode == "required" and len(choice.names) == 1:
            return {"type": "tool", "name": self._names.sent(choice.names[0])}
        return {"type": _WIRE_MODES[choice.mode]}
