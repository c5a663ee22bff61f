"""Amazon Bedrock's Converse and ConverseStream.

The model is named in the path, and so is whether a stream is asked for: a body says neither.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any, Final

import msgspec

from app.dialects.bedrock_parts import OWN, parts_of, rest_of, tools_of
from app.dialects.bedrock_settings import TAKEN, settings_of, tool_choice_of
from app.dialects.bedrock_stream import ConverseDeltas, usage_of
from app.dialects.dialect import Stated
from app.dialects.failures import stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.fold import Fold
from app.dialects.openai_request import keyed, session_in
from app.dialects.reader import Reader
from app.dialects.wire import UNREADABLE, decode, decode_any, decode_request, fields, text_or_none, word
from app.models.chat import ChatRequest, Choice, Reply
from app.models.message import Message, ToolResult

_NOTHING: Final = (b"null", b"[]")
_LEFT: Final = ("output", "stopReason", "usage")


class _Split(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw] = []
    system: msgspec.Raw = msgspec.Raw()


class _Turn(msgspec.Struct, gc=False):
    role: Any = None
    content: Any = None


class _System(msgspec.Struct, gc=False):
    system: Any = None


class _Ids(msgspec.Struct, gc=False):
    requestMetadata: Any = None


_split: Final = msgspec.json.Decoder(_Split)
_turn: Final = msgspec.json.Decoder(_Turn)
_system: Final = msgspec.json.Decoder(_System)
_ids: Final = msgspec.json.Decoder(_Ids)
_object: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


class BedrockReader(Reader):
    """Reads conversations."""

    def read_answer(self, body: bytes, content_type: str, status: int) -> Reply:
        """Return what an answer says. Frames begin with their length, whose first byte is 0, and JSON never does."""
        if body[:1] == b"\0" or "amazon.eventstream" in content_type:
            return self.read_stream(body) if body[:1] != b"{" else self.read_reply(body, status)
        return super().read_answer(body, content_type, status)

    def _request(self, body: bytes) -> ChatRequest:
        request = decode_request(_object, body)
        config = fields(request.get("toolConfig"))
        settings, params = settings_of(request)
        params |= {name: value for name, value in request.items() if name not in TAKEN and value is not None}
        if more := rest_of(config, ("tools", "toolChoice")):
            params["toolConfig"] = more
        return ChatRequest(
            model=None,
            messages=tuple(self._element(raw) for raw in self.split_messages(body)),
            tools=tools_of(config.get("tools")),
            tool_choice=tool_choice_of(config.get("toolChoice")),
            settings=settings,
            params=params,
            dialect=OWN,
        )

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            whole = decode(_object, body)
        except UNREADABLE:
            return without_answer(body, status)
        message = fields(whole.get("output")).get("message")
        if not isinstance(message, dict) or status >= 400:
            return Reply(error=stated_error(decode_any(body), max(status, 400)), is_complete=False)
        parts = tuple(parts_of(message.get("content")))
        said = Message("assistant", parts)
        native = word(whole.get("stopReason"))
        has_calls = any(not call.is_server_side for call in said.tool_calls())
        met = text_or_none(fields(whole.get("additionalModelResponseFields")).get("stop_sequence"))
        finish = finish_of(native, has_calls=has_calls)
        return Reply(
            choices=(Choice(0, said, finish, native, met),),
            usage=usage_of(whole.get("usage"), whole.get("serviceTier")),
            extras=rest_of(whole, _LEFT),
            dialect=OWN,
        )

    def _stream(self, body: bytes) -> Reply:
        fold, deltas = Fold(), ConverseDeltas()
        fold.add(deltas.feed(body))
        fold.add(deltas.close())
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
        turn = decode_request(_turn, raw)
        parts = tuple(parts_of(turn.content))
        if turn.role == "assistant" or turn.role == "system":
            return Message(turn.role, parts)
        return Message("tool" if any(isinstance(part, ToolResult) for part in parts) else "user", parts)

    def stated(self, body: bytes) -> Stated:
        """Return the session that `requestMetadata` names, if it does."""
        try:
            return Stated(session=session_in(decode(_ids, body).requestMetadata))
        except UNREADABLE:
            return Stated()
