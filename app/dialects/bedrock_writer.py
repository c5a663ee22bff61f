"""Asks Bedrock: a Converse or ConverseStream request out of the shared form.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from app.dialects.bedrock_blocks import Block, Blocks, mark_in
from app.dialects.bedrock_inference import text_format, write_settings
from app.dialects.bedrock_parts import OWN
from app.dialects.bedrock_stream import ConverseDeltas
from app.dialects.bedrock_thinking import is_thinking_claude
from app.dialects.bedrock_tools import Tools
from app.dialects.body_quirks import apply_quirks
from app.dialects.losses import Losses
from app.dialects.notes import meaning
from app.dialects.tool_names import ToolNames
from app.dialects.turns import alternating, identified, leading_system, with_results
from app.dialects.wire import fields, json_text
from app.dialects.writing import DeltaReader, Restore, Written
from app.errors import InputError
from app.models.chat import ChatRequest
from app.models.message import Media, Message, Reasoning, Text, ToolCall, ToolResult
from app.models.settings import OutputFormat
from app.models.target import Target

_NAMES: Final = re.compile(r"[a-zA-Z0-9_-]+")
_LONGEST_NAME: Final = 64
_FIRST_WORDS: Final = "(The conversation begins with the assistant.)"
_WITH_DOCUMENT: Final = "The document is attached."
_to_json: Final = msgspec.json.Encoder().encode


class BedrockWriter:
    """Writes requests. Stateless; any thread."""

    def write_request(self, request: ChatRequest, target: Target) -> Written:
        """Return what asks Bedrock.

        Raises InputError for media that it cannot take, files kept elsewhere, and more than one answer.
        """
        return _Writing(request, target).written()

    def read_deltas(self) -> DeltaReader:
        """Return a reader for one ConverseStream."""
        return ConverseDeltas()


class _Writing:
    """One request on its way."""

    def __init__(self, request: ChatRequest, target: Target) -> None:
        self._request, self._target = request, target
        self._is_own = request.dialect == OWN
        self._losses = Losses()
        self._messages = request.messages if self._is_own else _shaped(request.messages)
        self._names = ToolNames(_names_in(request), _NAMES, _LONGEST_NAME)
        marks = [mark_in(part) for message in self._messages for part in message.parts]
        n_marks = len(marks) - marks.count(None) + sum(tool.cache is not None for tool in request.tools)
        self._blocks = Blocks(self._losses, self._names, target.model, is_own=self._is_own, n_marks=n_marks)
        self._restored: OutputFormat | None = None

    def written(self) -> Written:
        """Return the request."""
        request, target, losses = self._request, self._target, self._losses
        settings = write_settings(request, target, losses)
        more = fields(settings.get("additionalModelRequestFields"))
        if not self._is_own and is_thinking_claude(more) and _thinks_no_more(self._messages):
            losses.drop("thinking", "the turn in hand began without a thought of this model: it goes on without")
            more = {name: value for name, value in more.items() if name not in ("thinking", "output_config")}
            settings["additionalModelRequestFields"] = more
        tools = Tools(request, target, self._blocks, self._names, losses)
        config = tools.config(is_thinking=is_thinking_claude(more))
        system, messages = self._conversation()
        system += self._output(settings, config, tools)
        body: dict[str, Any] = {"messages": messages}
        if system:
            body["system"] = system
        body |= {name: value for name, value in settings.items() if value != {}}
        if config:
            body["toolConfig"] = {**fields(settings.get("toolConfig")), **config}
        if not self._is_own:
            apply_quirks(body, target.quirks, losses)
        restore = Restore(
            names=self._names.changed(),
            output_tool=tools.output_tool,
            output=self._restored,
            custom_tools=tools.custom,
        )
        return Written(_to_json(body), self._path(), (), losses.all(), restore)

    def _path(self) -> str:
        verb = "converse-stream" if self._request.is_stream else "converse"
        return f"/model/{quote(self._target.model, safe='')}/{verb}"

    def _conversation(self) -> tuple[list[Block], list[Block]]:
        """Return the system blocks and the messages."""
        leading, rest = leading_system(self._messages)
        if not self._is_own and any(isinstance(part, Media) for message in leading for part in message.parts):
            raise InputError("Bedrock takes no media in a system prompt.", hint="Put them into a user's message.")
        system = [block for message in leading for block in self._blocks.of(message.parts)]
        messages: list[Block] = []
        for message in rest if self._is_own else self._turns(rest):
            role = message.role if message.role in ("assistant", "system") else "user"
            content = self._blocks.of(message.parts, is_answer=role == "assistant")
            if messages and messages[-1]["role"] == role and not self._is_own:
                messages[-1]["content"] += content
            elif content or self._is_own:
                messages.append({"role": role, "content": content})
        if not self._is_own:
            self._tell_messages()
            self._finish_turns(messages)
        return system, messages

    def _turns(self, messages: Sequence[Message]) -> Iterable[Message]:
        """Yield turns of user and assistant; system messages among them stay in place, as far as the model has such."""
        if not any(message.role in ("system", "developer") for message in messages):
            yield from alternating(messages)
            return
        as_system = self._target.traits.takes_system_inside
        if not as_system:
            self._losses.change("messages.system", "a system message within the conversation goes as the user's text")
            plain = [_as_user(message) for message in messages]
            yield from alternating(plain)
            return
        run: list[Message] = []
        for message in messages:
            if message.role in ("system", "developer"):
                yield from alternating(run)
                run = []
                yield Message("system", message.parts)
            else:
                run.append(message)
        yield from alternating(run)

    def _tell_messages(self) -> None:
        """Tell what stands beside the parts of messages."""
        for message in self._request.messages:
            if message.name:
                self._losses.drop("messages.name", "Bedrock has no names of speakers")
            for name in meaning(message.extras):
                self._losses.drop(f"messages.{name}", "Bedrock has no such field")

    def _finish_turns(self, messages: list[Block]) -> None:
        """Mend what Bedrock refuses: a first turn of the assistant, documents without words, blanks at the end."""
        if not messages or messages[0]["role"] != "user":
            messages.insert(0, {"role": "user", "content": [{"text": _FIRST_WORDS}]})
            self._losses.change("messages", "Bedrock wants the user to begin: a placeholder stands first")
        for message in messages:
            content = message["content"]
            if any("document" in block for block in content) and not any("text" in block for block in content):
                content.append({"text": _WITH_DOCUMENT})
                self._losses.change("messages", "Bedrock wants words with a document: some were added")
        last = messages[-1]["content"][-1]
        if messages[-1]["role"] == "assistant" and "text" in last:
            last["text"] = last["text"].rstrip()

    def _output(self, settings: dict[str, Any], config: Block, tools: Tools) -> list[Block]:
        """See to a structured output; return what the system prompt must say of it."""
        output = self._request.settings.output
        if output is None or output.kind == "text":
            return []
        if output.kind == "schema" and (self._is_own or self._target.traits.takes_schema):
            said = fields(settings.get("outputConfig"))
            settings["outputConfig"] = {**said, "textFormat": text_format(output)}
            return []
        self._restored = output
        if output.kind == "schema" and tools.force_output(config, output):
            self._losses.emulate("response_format", "a tool stands for the schema, and the answer is checked here")
            return []
        self._losses.emulate("response_format", "asked for in the system prompt, and the answer is checked here")
        return [{"text": _in_words(output)}]


def _shaped(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(with_results(identified(messages) if any(map(_has_no_id, messages)) else messages))


def _has_no_id(message: Message) -> bool:
    return any(isinstance(part, ToolCall | ToolResult) and not part.id for part in message.parts)


def _names_in(request: ChatRequest) -> list[str]:
    names = [tool.name for tool in request.tools]
    names += request.tool_choice.names if request.tool_choice else ()
    return names + [part.name for each in request.messages for part in each.parts if isinstance(part, ToolCall)]


def _as_user(message: Message) -> Message:
    return Message("user", message.parts) if message.role in ("system", "developer") else message


def _thinks_no_more(messages: Sequence[Message]) -> bool:
    """Whether the turn in hand has calls that no thought of Claude's comes before: Claude then refuses to think."""
    for message in reversed(messages):
        if message.role == "assistant":
            if not any(isinstance(part, ToolCall) and not part.is_server_side for part in message.parts):
                return False
            return not any(isinstance(part, Reasoning) and _is_claudes(part) for part in message.parts)
        if message.role == "user" and any(isinstance(part, Text | Media) for part in message.parts):
            return False
    return False


def _is_claudes(part: Reasoning) -> bool:
    return part.signature is not None and part.origin in ("anthropic", OWN)


def _in_words(output: OutputFormat) -> str:
    if output.kind == "json":
        return "Answer with a JSON object and nothing else."
    return f"Answer with JSON that matches this schema and nothing else: {json_text(output.schema)}"
