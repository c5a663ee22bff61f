"""A request's tools and structured output as Cohere takes them.

Cohere takes a JSON format only where there are neither tools nor documents
(https://docs.cohere.com/v2/docs/structured-outputs). Beside tools, one more tool stands for the output: the model must
call a tool, that one or a real one.
"""

from typing import Final

from app.dialects.cohere_answer import NAME
from app.dialects.losses import Losses
from app.dialects.tool_names import ToolNames
from app.dialects.wire import json_text
from app.models.chat import ChatRequest, Tool
from app.models.settings import OutputFormat
from app.models.target import Target

_OUTPUT_TOOL: Final = "json_tool_call"
_NO_PARAMETERS: Final[dict[str, object]] = {"type": "object", "properties": {}}
_FREE_TEXT: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


class Tooling:
    """What a request's tools, their choice and its output format become."""

    def __init__(self, request: ChatRequest, target: Target, names: ToolNames, losses: Losses) -> None:
        self._request, self._target, self._names, self._losses = request, target, names, losses
        self._is_own = request.dialect == NAME
        self.output_tool: str | None = None
        """The tool that stands for the output."""
        self.checked: OutputFormat | None = None
        """What nobody but us checks."""
        self.custom: frozenset[str] = frozenset()
        """Custom tools that went as functions."""
        self.instruction = ""
        """What the model must be told, as no field says it."""
        self._offered = self._chosen()
        self._format = self._output()

    def fields(self) -> dict[str, object]:
        """Return the fields of the body."""
        written: dict[str, object] = {}
        tools = [self._tool(tool) for tool in self._offered]
        if self.output_tool is not None:
            tools.append(self._output_as_tool())
        if tools:
            written["tools"] = tools
            if not self._is_own and any(tool.strict for tool in self._offered):
                written["strict_tools"] = True
                if not all(tool.strict for tool in self._offered):
                    self._losses.change("tools.strict", "Cohere knows it for all tools or none: it holds for all")
        if (choice := self._choice(has_tools=bool(tools))) is not None:
            written["tool_choice"] = choice
        if self._format is not None:
            written["response_format"] = self._format
        return written

    def _chosen(self) -> tuple[Tool, ...]:
        """Return the tools that are offered: those Cohere can take, and of them the ones that may be called."""
        if self._is_own:
            return self._request.tools
        offered = []
        for tool in self._request.tools:
            if tool.kind in ("function", "custom"):
                offered.append(tool)
            else:
                self._losses.drop(f"tools.{tool.kind}", "a tool that another provider runs")
        self.custom = frozenset(tool.name for tool in offered if tool.kind == "custom")
        if self.custom:
            self._losses.change("tools.custom", "Cohere has functions only: the free text is their one argument")
        choice = self._request.tool_choice
        if choice is not None and choice.names and choice.mode != "none":
            named = tuple(tool for tool in offered if tool.name in choice.names)
            if len(named) < len(offered):
                self._losses.change("tool_choice", "Cohere cannot name a tool: only those that may be called are sent")
            return named
        return tuple(offered)

    def _choice(self, *, has_tools: bool) -> str | None:
        choice = self._request.tool_choice
        if self.output_tool is not None:
            return "REQUIRED"
        if choice is None or choice.mode == "auto" or (not has_tools and not self._is_own):
            return None
        if not self._target.quirks.takes_tool_choice:
            self._losses.drop("tool_choice", "the provider knows only auto")
            return None
        return choice.mode.upper()

    def _output(self) -> dict[str, object] | None:
        """Return the `response_format`; set what else the output needs."""
        output = self._request.settings.output
        if output is None:
            return None
        extras = (output.extras or {}) if self._is_own else {}
        if self._is_own or output.kind == "text":
            kind = "text" if output.kind == "text" else "json_object"
            schema = {"json_schema": output.schema} if output.kind == "schema" else {}
            return {"type": kind, **schema, **extras} if self._is_own else None
        choice = self._request.tool_choice
        if self._offered and output.kind == "schema" and not (choice is not None and choice.mode == "none"):
            taken = {self._names.sent(tool.name) for tool in self._request.tools}
            self.output_tool, self.checked = _free(_OUTPUT_TOOL, taken), output
            self._losses.emulate("response_format", "Cohere has none beside tools: one more tool stands for it")
            return None
        if self._offered or not self._target.quirks.takes_json_mode:
            self._instruct(output)
            return None
        if output.kind == "json":
            return {"type": "json_object"}
        if not self._target.quirks.takes_schema:
            self._instruct(output)
            return {"type": "json_object"}
        return {"type": "json_object", "json_schema": output.schema}

    def _instruct(self, output: OutputFormat) -> None:
        self.checked = output
        self.instruction = "Answer with a JSON object and nothing else."
        if output.kind == "schema":
            self.instruction = f"Answer with JSON of this schema and nothing else: {json_text(output.schema)}"
        self._losses.emulate("response_format", "the model is told to answer in JSON, and the answer is checked here")

    def _output_as_tool(self) -> dict[str, object]:
        output = self._request.settings.output
        assert output is not None
        said = output.description or "Gives the final answer. Call it once everything needed is known."
        function = {"name": self.output_tool, "description": said, "parameters": output.schema}
        return {"type": "function", "function": function}

    def _tool(self, tool: Tool) -> dict[str, object]:
        function: dict[str, object] = {"name": self._names.sent(tool.name)}
        if tool.description is not None:
            function["description"] = tool.description
        if self._is_own:
            extras = dict(tool.extras or {})
            more = extras.pop("function", {})
            function |= {"parameters": tool.schema} if tool.schema is not None else {}
            function |= more if isinstance(more, dict) else {}
            return {"type": tool.kind, "function": function, **extras}
        schema = tool.schema if isinstance(tool.schema, dict) and tool.schema else _NO_PARAMETERS
        function["parameters"] = _FREE_TEXT if tool.kind == "custom" else schema
        return {"type": "function", "function": function}


def _free(name: str, taken: set[str]) -> str:
    """Return a name for a tool of ours that no tool of the client's has."""
    while name in taken:
        name += "_"
    return name
