"""OpenAI's old `/v1/completions`: a prompt in, a text out."""

from typing import Any, Final

import msgspec

from app.dialects.failures import error_of, stated_error, without_answer
from app.dialects.finish import finish_of
from app.dialects.openai_usage import merge, usage_of
from app.dialects.prompts import PromptReader, Prompts
from app.dialects.sse import read_events
from app.dialects.wire import UNREADABLE, decode, decode_any, text_or_none, word
from app.models.chat import Choice, Reply, ReplyError
from app.models.message import Message, Text


class _Choice(msgspec.Struct, gc=False):
    index: Any = None
    text: Any = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    service_tier: Any = None


_chunk: Final = msgspec.json.Decoder(_Chunk)


class OpenAiCompletionsReader(PromptReader):
    """Reads completions."""

    prompts = Prompts("prompt")

    def _reply(self, body: bytes, status: int) -> Reply:
        try:
            chunk = decode(_chunk, body)
        except UNREADABLE:
            return without_answer(body, status)
        error = None if chunk.choices and not chunk.error else stated_error(decode_any(body), status)
        fold = _Fold()
        fold.add(chunk)
        return fold.reply(error, is_complete=True)

    def _stream(self, body: bytes) -> Reply:
        fold = _Fold()
        is_done = False
        for event in read_events(body):
            is_done = is_done or event.data == b"[DONE]"
            try:
                fold.add(decode(_chunk, event.data))
            except UNREADABLE:
                fold.skipped += event.data != b"[DONE]"
        return fold.reply(fold.error, is_complete=is_done or bool(fold.finishes))


class _Fold:
    """Chunks put together; a whole answer is a single one."""

    def __init__(self) -> None:
        self._first = _Chunk()
        self._tier: Any = None
        self._usage: Any = None
        self._texts: dict[int, list[str]] = {}
        self.finishes: dict[int, str] = {}
        self.error: ReplyError | None = None
        self.skipped = 0

    def add(self, chunk: _Chunk) -> None:
        """Take one chunk."""
        self._first = self._first if self._first.id or self._first.model else chunk
        self._tier = chunk.service_tier or self._tier
        self._usage = merge(self._usage, chunk.usage)
        if chunk.error:
            self.error = self.error or error_of({"error": chunk.error}, 200)
        for place, choice in enumerate(chunk.choices or ()):
            index = choice.index if isinstance(choice.index, int) else place
            texts = self._texts.setdefault(index, [])
            if isinstance(choice.text, str):
                texts.append(choice.text)
            native = word(choice.finish_reason)
            if native:
                self.finishes[index] = native

    def reply(self, error: ReplyError | None, *, is_complete: bool) -> Reply:
        """Return the answer so far."""
        return Reply(
            id=text_or_none(self._first.id),
            model=text_or_none(self._first.model),
            choices=tuple(self._choice(index) for index in sorted(self._texts)),
            usage=usage_of(self._usage, self._tier),
            error=error,
            is_complete=is_complete,
            skipped_events=self.skipped,
        )

    def _choice(self, index: int) -> Choice:
        text = "".join(self._texts[index])
        native = self.finishes.get(index)
        message = Message("assistant", (Text(text),) if text else ())
        return Choice(index, message, finish_of(native, has_calls=False), native)
