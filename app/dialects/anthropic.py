"""Anthropic's `/v1/messages`."""

import re
from typing import Any, Final

import msgspec

from app.dialects.anthropic_deltas import AnthropicDeltas
from app.dialects.anthropic_parts import OWN, parts_of, rest_of
from app.dialects.anthropic_settings import settings_of, tool_choice_of, tool_of
from app.dialects.anthropic_usage import usage_of, usage_rest
from app.dialects.dialect import Stated
from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.fold import fold
from app.dialects.openai_request import keyed, session_in
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, entries, fields, text_or_none, word
from app.dialects.writing import deltas_of_body
from app.models.chat import ChatRequest, Choice, Reply
from app.models.message import Extras, Message, Role, ToolResult

_OF_CHOICE: Final = ("stop_details", "container", "context_management")
_OF_ANSWER: Final = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", *_OF_CHOICE)
_NOTHING: Final = (b"null", b'""', b"[]")
_CLAUDE_CODE: Final = re.compile(r"^(?P<user>.*)_session_(?P<session>[0-9A-Za-z-]+)$")
_ROLES: Final[dict[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]
    system: msgspec.Raw = msgspec.Raw()


class _System(msgspec.Struct, gc=False):
    system: Any = None


class _Ids(msgspec.Struct, gc=False):
    metadata: Any = None


_split: Final = msgspec.json.Decoder(_Split)
_system: Final = msgspec.json.Decoder(_System)
_ids: Final = msgspec.json.Decoder(_Ids)
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()
_request: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])
_whole: Final = _request


class AnthropicReader(Reader):
    """Reads messages."""

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_request, body)
        settings, params = settings_of(request)
        return ChatRequest(
            model=text_or_none(request.get("model")),
            messages=tuple(_messages(request)),
            tools=tuple(tool_of(tool) for tool in entries(request.get("tools"))),
            tool_choice=tool_choice_of(request.get("tool_choice")),
            is_stream=request.get("stream") is True,
            settings=settings,
            params=params,
            dialect=OWN,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            whole = decode(_whole, body)
        except UNREADABLE:
            return without_answer(body, status)
        error, content = whole.get("error"), whole.get("content")
        if error or not isinstance(content, list):
            said = error_of(whole, status) if error else stated_error(whole, status)
            return Reply(id=text_or_none(whole.get("id")), usage=usage_of(whole.get("usage")), error=said)
        message = Message("assistant", tuple(parts_of(content)))
        native = word(whole.get("stop_reason"))
        has_calls = any(not call.is_server_side for call in message.tool_calls())
        of_choice = {name: whole[name] for name in _OF_CHOICE if whole.get(name) is not None}
        choice = Choice(
            0,
            message,
            finish_of(native, has_calls=has_calls),
            native,
            text_or_none(whole.get("stop_sequence")),
            extras=of_choice or None,
        )
        return Reply(
            id=text_or_none(whole.get("id")),
            model=text_or_none(whole.get("model")),
            choices=(choice,),
            usage=usage_of(whole.get("usage")),
            extras=_of_reply(whole),
            dialect=OWN,
        )

    def _stream(self, body: bytes) -> Reply:
        return fold(deltas_of_body(AnthropicDeltas(), body))

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
        return _message(decode_request(_any, raw))

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


def _messages(request: dict[str, Any]) -> list[Message]:
    """Return the conversation: what `split_messages` gives, read."""
    turns = request.get("messages")
    if not isinstance(turns, list):
        return []
    system = request.get("system")
    first = [Message("system", tuple(parts_of(system)))] if system not in (None, "", []) else []
    return first + [_message(turn) for turn in turns]


def _message(turn: object) -> Message:
    if not isinstance(turn, dict):
        return Message("user", tuple(parts_of(turn)))
    parts = parts_of(turn.get("content"))
    said = turn.get("role")
    role = _ROLES.get(said, "user") if isinstance(said, str) else "user"
    if role == "user" and any(isinstance(part, ToolResult) for part in parts):
        role = "tool"
    return Message(role, tuple(parts), extras=rest_of(turn, ("role", "content")) if len(turn) > 2 else None)


def _of_reply(whole: dict[str, Any]) -> Extras:
    """Return what an answer says beside its content; `usage` there is what the shared form has no counts for."""
    rest = rest_of(whole, _OF_ANSWER) or {}
    more = usage_rest(whole.get("usage"))
    if more:
        rest["usage"] = more
    return rest or None


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
