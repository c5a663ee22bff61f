"""A request to Anthropic out of the shared form.

https://platform.claude.com/docs/en/api/messages/create
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.dialects.anthropic_blocks import Block, Blocks, shortest
from app.dialects.anthropic_knobs import knobs_of, max_tokens_of, own_knobs
from app.dialects.anthropic_marks import Marks
from app.dialects.anthropic_parts import OWN
from app.dialects.anthropic_schema import fitted
from app.dialects.anthropic_thinking import Thought, lacks_thought, own_thought, thought_of
from app.dialects.anthropic_tools import Tools
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.dialects.turns import identified, leading_system, with_results
from app.dialects.wire import fields, json_text
from app.dialects.writing import Restore
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.loss import Loss
from app.models.message import Media, Message, Part
from app.models.settings import OutputFormat
from app.models.target import Target

_NAMES: Final = re.compile(r"[a-zA-Z0-9_-]+")
_LONGEST_NAME: Final = 128
_FIRST_WORDS: Final = "(The conversation begins with the assistant.)"
_NO_WORDS: Final = "(Begin.)"
_BETAS: Final = {
    "mcp_servers": "mcp-client-2025-04-04",
    "context_management": "context-management-2025-06-27",
    "output_format": "structured-outputs-2025-11-13",
}
"""Fields that are in beta → the header that opens them."""
_COMPACTION: Final = "compact-2026-01-12"
_FILES: Final = "files-api-2025-04-14"


class RequestWriting:
    """One request on its way. Raises InputError for what can be neither carried nor left out."""

    def __init__(self, request: ChatRequest, target: Target) -> None:
        self._request, self._target = request, target
        self._is_own = request.dialect == OWN
        self._losses = Losses()
        self._messages = request.messages if self._is_own else tuple(with_results(identified(request.messages)))
        self._names = ToolNames(() if self._is_own else _names_in(request), _NAMES, _LONGEST_NAME)
        marks = Marks(0 if self._is_own else _n_marks(request), self._losses, is_own=self._is_own)
        self._tools = Tools(request, target, self._names, marks, self._losses)
        self._blocks = Blocks(self._losses, self._names, marks, is_own=self._is_own)
        self._asked_output: OutputFormat | None = None
        self._told = request.settings.extras if self._is_own and request.settings.extras else {}
        self.body = self._own_body() if self._is_own else self._body()

    def losses(self) -> tuple[Loss, ...]:
        """Return what could not be carried."""
        return self._losses.all()

    def restore(self) -> Restore:
        """Return what must be undone in the answer."""
        return Restore(
            names=self._names.changed(),
            output_tool=self._tools.output_tool,
            output=self._asked_output,
            custom_tools=self._tools.custom,
        )

    def betas(self) -> tuple[str, ...]:
        """Return the betas that the content needs."""
        found = [beta for name, beta in _BETAS.items() if name in self.body]
        if b'"compact_20260112"' in msgspec.json.encode(self.body.get("context_management")):
            found.append(_COMPACTION)
        if any(_is_file(part) for message in self._messages for part in message.parts):
            found.append(_FILES)
        return tuple(found)

    def _own_body(self) -> dict[str, Any]:
        request = self._request
        settings, params = request.settings, dict(request.params)
        thought = own_thought(settings.thinking, self._told)
        if thought.is_on and thought.thinking is not None and thought.thinking["type"] == "enabled":
            thought = self._unless_foreign(thought)
        config = fields(params.pop("output_config", None))
        leading, rest = leading_system(self._messages)
        body: dict[str, Any] = {"model": self._target.model}
        tokens = max_tokens_of(settings, self._target.traits, thought, self._losses, is_own=True)
        body["max_tokens"] = tokens
        if leading:
            body["system"] = shortest([block for message in leading for block in self._blocks.of(message.parts)])
        body["messages"] = [self._own_message(message) for message in rest]
        self._add_tools(body)
        body |= own_knobs(settings, self._target, self._losses)
        if thought.thinking is not None:
            body["thinking"] = thought.thinking
        metadata = {**({"user_id": settings.user} if settings.user else {}), **fields(params.get("metadata"))}
        if metadata:
            body["metadata"] = metadata
        wanted = self._own_output()
        if thought.effort is not None:
            config = {**config, "effort": thought.effort}
        if wanted is not None and not self._told.get("output_format"):
            config = {**config, "format": wanted}
        elif wanted is not None:
            body["output_format"] = wanted
        if config:
            body["output_config"] = config
        self._add_stream(body)
        return {**body, **{name: value for name, value in params.items() if name not in body}}

    def _own_output(self) -> object:
        output = self._request.settings.output
        if output is None:
            return self._told.get("output")
        return {"type": "json_schema", "schema": output.schema, **(output.extras or {})}

    def _own_message(self, message: Message) -> Block:
        role = message.role if message.role in ("assistant", "system") else "user"
        content = shortest(self._blocks.of(message.parts, is_answer=role == "assistant"))
        return {"role": role, "content": content, **(message.extras or {})}

    def _unless_foreign(self, thought: Thought) -> Thought:
        """Return no thinking where the last turn's thoughts were another provider's, and so are left out."""
        last = next((message for message in reversed(self._messages) if message.role == "assistant"), None)
        foreign = [part for part in last.parts if getattr(part, "origin", None) not in (None, OWN)] if last else []
        if not foreign or not lacks_thought(self._messages):
            return thought
        self._losses.drop("thinking", "the turn in hand began without a thought of this model: it goes on without")
        return Thought(effort=thought.effort)

    def _body(self) -> dict[str, Any]:
        settings, traits, losses = self._request.settings, self._target.traits, self._losses
        thought = self._thought()
        leading, rest = leading_system(self._messages)
        if any(isinstance(part, Media) for message in leading for part in message.parts):
            raise InputError("Anthropic takes no media in a system prompt.", hint="Put them into a user's message.")
        body: dict[str, Any] = {"model": self._target.model}
        body["max_tokens"] = max_tokens_of(settings, traits, thought, losses, is_own=False)
        system = [block for message in leading for block in self._blocks.of(message.parts)]
        body["messages"] = self._turns(rest)
        config: dict[str, Any] = {} if thought.effort is None else {"effort": thought.effort}
        said = self._output(config)
        if said:
            system.append({"type": "text", "text": said})
        if system:
            body["system"] = shortest(system)
        if self._tools.is_forced and thought.is_on:
            losses.drop("thinking", "Claude cannot be made to call a tool while it thinks")
            thought = Thought(None if self._has_budget(thought) else {"type": "disabled"}, None)
            config.pop("effort", None)
        self._add_tools(body)
        body |= knobs_of(settings, self._target, thought, losses)
        if thought.thinking is not None:
            body["thinking"] = thought.thinking
        if config:
            body["output_config"] = config
        self._add_stream(body)
        for name in self._request.params:
            losses.drop(name, "Anthropic has no such field")
        return _in_order(body)

    def _thought(self) -> Thought:
        settings = self._request.settings
        thought = thought_of(settings.thinking, self._target.traits, settings.max_tokens, self._losses)
        if thought.is_on and self._has_budget(thought) and lacks_thought(self._messages):
            self._losses.drop("thinking", "the turn in hand began without a thought of this model: it goes on without")
            return Thought()
        return thought

    def _has_budget(self, thought: Thought) -> bool:
        return thought.thinking is not None and thought.thinking["type"] == "enabled"

    def _add_tools(self, body: dict[str, Any]) -> None:
        if self._tools.list:
            body["tools"] = self._tools.list
        if self._tools.choice is not None:
            body["tool_choice"] = self._tools.choice

    def _add_stream(self, body: dict[str, Any]) -> None:
        if self._request.is_stream:
            body["stream"] = True

    def _output(self, config: dict[str, Any]) -> str | None:
        """See to a structured output; return what the system prompt must say of it."""
        output = self._request.settings.output
        if output is None or output.kind == "text":
            return None
        for name in meaning(output.extras):
            self._losses.drop(f"response_format.{name}", "Anthropic has no such field")
        traits, quirks = self._target.traits, self._target.quirks
        if output.kind == "schema" and traits.takes_schema is not False and quirks.takes_schema:
            schema, says_less = fitted(output.schema)
            config["format"] = {"type": "json_schema", "schema": schema}
            if says_less:
                self._asked_output = output
                self._losses.emulate(
                    "response_format.schema", "what Claude has no rule for is described, and checked here"
                )
            return None
        self._asked_output = output
        if output.kind == "schema" and self._tools.add_output(output):
            self._losses.emulate("response_format", "a tool stands for the schema, and the answer is checked here")
            return None
        self._losses.emulate("response_format", "asked for in the system prompt, and the answer is checked here")
        return _in_words(output)

    def _turns(self, messages: Sequence[Message]) -> list[Block]:
        """Return turns of user and assistant by turns, results first; the user begins, and blanks end nothing."""
        turns: list[Block] = []
        for message in messages:
            self._tell_message(message)
            role, parts = self._side(message)
            content = self._blocks.of(parts, is_answer=role == "assistant")
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += content
            elif content:
                turns.append({"role": role, "content": content})
        self._trim(turns)
        if not turns or turns[0]["role"] != "user":
            words = _FIRST_WORDS if turns else _NO_WORDS
            turns.insert(0, {"role": "user", "content": [{"type": "text", "text": words}]})
            self._losses.change("messages", "Anthropic wants the user to begin: a placeholder stands first")
        for turn in turns:
            if turn["role"] == "user":
                turn["content"].sort(key=lambda block: block["type"] != "tool_result")
            turn["content"] = shortest(turn["content"])
        return turns

    def _side(self, message: Message) -> tuple[str, Sequence[Part]]:
        """Return whose a message is. System messages in the middle keep their place, or the cached prompt would not."""
        if message.role == "assistant":
            return "assistant", message.parts
        if message.role not in ("system", "developer"):
            return "user", message.parts
        if self._target.traits.takes_system_inside:
            return "system", message.parts
        self._losses.change("messages.system", "a system message within the conversation goes as the user's text")
        return "user", tuple(_marked(part) for part in message.parts)

    def _trim(self, turns: list[Block]) -> None:
        """Cut the blanks that a last turn of the assistant ends in: Anthropic refuses them."""
        if not turns or turns[-1]["role"] != "assistant":
            return
        last = turns[-1]["content"][-1]
        if last["type"] == "text":
            last["text"] = last["text"].rstrip()

    def _tell_message(self, message: Message) -> None:
        if message.name:
            self._losses.drop("messages.name", "Anthropic has no names of speakers")
        for name in meaning(message.extras):
            self._losses.drop(f"messages.{name}", "Anthropic has no such field")


def _marked(part: Part) -> Part:
    if not hasattr(part, "text"):
        return part
    return msgspec.structs.replace(part, text=f"<system>\n{part.text}\n</system>")


def _in_order(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with its prompt in the order that Anthropic caches it."""
    first = ("model", "max_tokens", "tools", "tool_choice", "system", "messages")
    return {**{name: body[name] for name in first if name in body}, **body}


def _names_in(request: ChatRequest) -> list[str]:
    names = [tool.name for tool in request.tools]
    names += request.tool_choice.names if request.tool_choice else ()
    return names + [call.name for message in request.messages for call in message.tool_calls()]


def _n_marks(request: ChatRequest) -> int:
    n_marks = sum(tool.cache is not None and tool.kind in ("function", "custom") for tool in request.tools)
    parts = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts for part in getattr(result, "parts", ())]
    return n_marks + sum(_keeps_mark(part) for part in (*parts, *inner))


def _keeps_mark(part: Part) -> bool:
    """An empty text is left out, and its mark with it."""
    return getattr(part, "cache", None) is not None and getattr(part, "text", "x").strip() != ""


def _is_file(part: Part) -> bool:
    return isinstance(part, Media) and part.file_id is not None


def _in_words(output: OutputFormat) -> str:
    if output.kind == "json":
        return "Answer with a JSON object and nothing else."
    return f"Answer with JSON that matches this schema and nothing else: {json_text(output.schema)}"
