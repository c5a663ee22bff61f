"""Anthropic's `/v1/messages`."""

import re
from typing import Any, Final

import msgspec

from app.dialects.anthropic_parts import parts_of
from app.dialects.anthropic_stream import MessageFold, Whole, usage_of
from app.dialects.dialect import Stated
from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.openai_request import keyed, params_of, session_in
from app.dialects.reader import Reader
from app.dialects.sse import read_events
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, entries, fields, text_or_none, word
from app.models.chat import ChatRequest, Choice, Reply, Tool
from app.models.message import Message, Role, ToolResult

_TAKEN: Final = frozenset({"model", "messages", "system", "tools", "tool_choice", "stream"})
_NOTHING: Final = (b"null", b'""', b"[]")
_CLAUDE_CODE: Final = re.compile(r"^(?P<user>.*)_session_(?P<session>[0-9A-Za-z-]+)$")
_ROLES: Final[dict[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]
    system: msgspec.Raw = msgspec.Raw()


class _Turn(msgspec.Struct, gc=False):
    role: Any = None
    content: Any = None


class _System(msgspec.Struct, gc=False):
    system: Any = None


class _Ids(msgspec.Struct, gc=False):
    metadata: Any = None


_split: Final = msgspec.json.Decoder(_Split)
_turn: Final = msgspec.json.Decoder(_Turn)
_system: Final = msgspec.json.Decoder(_System)
_ids: Final = msgspec.json.Decoder(_Ids)
_whole: Final = msgspec.json.Decoder(Whole)
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class AnthropicReader(Reader):
    """Reads messages."""

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(self._element(raw) for raw in self.split_messages(body)),
            tools=tuple(_tool(tool) for tool in entries(request.get("tools"))),
            tool_choice=request.get("tool_choice"),
            is_stream=request.get("stream") is True,
            params=params_of(request, _TAKEN),
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            whole = decode(_whole, body)
        except UNREADABLE:
            return without_answer(body, status)
        if whole.error or not isinstance(whole.content, list):
            error = error_of({"error": whole.error}, status) if whole.error else stated_error(decode_any(body), status)
            return Reply(id=text_or_none(whole.id), usage=usage_of(whole.usage), error=error)
        message = Message("assistant", tuple(parts_of(whole.content)))
        native = word(whole.stop_reason)
        has_calls = any(not call.is_server_side for call in message.tool_calls())
        return Reply(
            id=text_or_none(whole.id),
            model=text_or_none(whole.model),
            choices=(Choice(0, message, finish_of(native, has_calls=has_calls), native),),
            usage=usage_of(whole.usage),
        )

    def _stream(self, body: bytes) -> Reply:
        fold = MessageFold()
        for event in read_events(body):
            fold.add(event)
        return fold.reply()

    def split_messages(self, body: bytes) -> list[bytes]:
        """Return the system prompt with its key, then the messages; empty where the body cannot be read."""
        try:
            split = decode(_split, body)
        except UNREADABLE:
            return []
        system = bytes(split.system)
        first = [] if not system or system in _NOTHING else [keyed("system", system)]
        return first + [bytes(raw) for raw in split.messages]

    def _element(self, raw: bytes) -> Message:
        if raw.startswith(b'"system"'):
            return Message("system", tuple(parts_of(decode_request(_system, b"{" + raw + b"}").system)))
        if not raw.startswith(b"{"):
            return Message("user", tuple(parts_of(decode_request(_any, raw))))
        turn = decode_request(_turn, raw)
        parts = parts_of(turn.content)
        role = _ROLES.get(turn.role, "user") if isinstance(turn.role, str) else "user"
        if role == "user" and any(isinstance(part, ToolResult) for part in parts):
            role = "tool"
        return Message(role, tuple(parts))

    def stated(self, body: bytes) -> Stated:
        """Return the ids a request states; Claude Code writes its session into `metadata.user_id`."""
        try:
            metadata = decode(_ids, body).metadata
        except UNREADABLE:
            return Stated()
        user = text_or_none(fields(metadata).get("user_id"))
        if user is None:
            return Stated(session=session_in(metadata))
        return _stated_by(user, session_in(metadata))


_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


def _stated_by(user: str, session: str | None) -> Stated:
    """Read `user_…_account_…_session_…`, or the JSON object that newer versions write there."""
    found = _CLAUDE_CODE.match(user)
    if found:
        return Stated(user=found["user"], session=session or found["session"])
    if user.startswith("{"):
        try:
            named = fields(decode_any(user.encode("utf-8", "replace")))
        except UNREADABLE:
            return Stated(user=user, session=session)
        owner = text_or_none(named.get("account_uuid")) or text_or_none(named.get("device_id"))
        return Stated(user=owner or user, session=session or session_in(named))
    return Stated(user=user, session=session)


def _tool(tool: dict[str, Any]) -> Tool:
    kind = word(tool.get("type")) or "custom"
    own = {key: value for key, value in tool.items() if key not in ("type", "name", "cache_control")}
    schema = tool.get("input_schema") if kind == "custom" else own or None
    return Tool(
        word(tool.get("name")) or kind,
        text_or_none(tool.get("description")),
        schema,
        "function" if kind == "custom" else kind,
    )
