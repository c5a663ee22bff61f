"""An answer put back into what the client asked for: its tools' names, its structured output, its thoughts.

What a request had to be bent for (`writing.Restore`) is undone piece by piece, so that a stream stays a stream.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.dialects.fold import fold, unfold
from app.dialects.think_tags import ThinkTags
from app.dialects.wire import UNREADABLE, decode_any, fields
from app.dialects.writing import Restore
from app.models.chat import Reply
from app.models.delta import CallBegin, CallDelta, CallEnd, Delta, Finish, ReasoningDelta, TextDelta
from app.models.settings import OutputFormat

_FENCE: Final = "```"
_ID_CHARS: Final = 24
_SHOWN_CHARS: Final = 200


class Restorer:
    """Restores one answer. `problem` says afterwards what is wrong with a structured output."""

    def __init__(self, restore: Restore, reply_id: str) -> None:
        """`reply_id` makes the ids of calls that came without one."""
        self._restore = restore
        self._reply_id = reply_id
        self._choices: dict[int, _Choice] = {}
        self.problem: str | None = None
        """How a structured output that only we check is not what was wanted; None: it is, or none was wanted."""

    def deltas(self, deltas: Iterable[Delta]) -> list[Delta]:
        """Return what these pieces are to the client."""
        out: list[Delta] = []
        for delta in deltas:
            if isinstance(delta, TextDelta):
                self._choice(delta.choice).add_text(delta, out)
            elif isinstance(delta, CallBegin):
                self._choice(delta.choice).begin_call(delta, out)
            elif isinstance(delta, CallDelta):
                self._choice(delta.choice).add_arguments(delta, out)
            elif isinstance(delta, CallEnd):
                self._choice(delta.choice).end_call(delta, out)
            elif isinstance(delta, Finish):
                self._finish(delta, out)
            else:
                out.append(delta)
        return out

    def close(self) -> list[Delta]:
        """Return what was held back when the answer ended without a finish."""
        out: list[Delta] = []
        for choice in self._choices.values():
            choice.flush(out)
        return out

    def reply(self, reply: Reply) -> Reply:
        """Return a whole answer, restored."""
        restored = fold(self.deltas(unfold(reply)) + self.close())
        return msgspec.structs.replace(restored, is_complete=reply.is_complete, skipped_events=reply.skipped_events)

    def _choice(self, index: int) -> "_Choice":
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _Choice(index, self._restore, self._reply_id)
        return found

    def _finish(self, finish: Finish, out: list[Delta]) -> None:
        choice = self._choice(finish.choice)
        choice.flush(out)
        reason = finish.reason
        if reason == "tool_calls" and not choice.has_calls and choice.has_output:
            reason = "stop"
        out.append(finish if reason == finish.reason else msgspec.structs.replace(finish, reason=reason, native=None))
        wanted = self._restore.output
        if wanted is not None and reason == "stop" and not choice.has_calls:
            self.problem = self.problem or broken_rule("".join(choice.said), wanted)


def broken_rule(text: str, wanted: OutputFormat) -> str | None:
    """Return how a text fails to be what was wanted of it, for a person; None where it does not."""
    try:
        value = decode_any(text.encode("utf-8", "replace"))
    except UNREADABLE as error:
        return f"the answer is not JSON ({error})"
    if wanted.kind == "json":
        return None if isinstance(value, dict | list) else "the answer is JSON, but no object"
    if not isinstance(wanted.schema, dict):
        return None
    return _unlike(value, wanted.schema)


def _unlike(value: Any, schema: dict[str, Any]) -> str | None:
    # 60 ms, and seldom needed
    from jsonschema import Draft202012Validator, SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    nothing: Registry[Any] = Registry()  # the validator's own would ask the network for what a schema refers to
    try:
        Draft202012Validator.check_schema(schema)
        error = next(Draft202012Validator(schema, registry=nothing).iter_errors(value), None)
    except (SchemaError, Unresolvable, RecursionError, ValueError) as broken:
        return f"the schema itself cannot be checked ({str(broken)[:_SHOWN_CHARS]})"
    if error is None:
        return None
    place = "/".join(str(step) for step in error.absolute_path) or "the whole"
    return f"the answer does not match the schema at {place}: {error.message[:_SHOWN_CHARS]}"


class _Choice:
    """One choice's pieces."""

    def __init__(self, index: int, restore: Restore, reply_id: str) -> None:
        self._index = index
        self._restore = restore
        self._reply_id = reply_id
        self._tags = ThinkTags() if restore.splits_think_tags else None
        self._fenced: list[str] | None = [] if restore.output is not None else None
        """Text held back while it may be a code fence around the JSON that was asked for; None: it is not."""
        self._output_places: set[int] = set()
        self._custom: dict[int, list[str]] = {}
        self.said: list[str] = []
        """The text, where it must be checked."""
        self.has_calls = False
        self.has_output = False

    def add_text(self, delta: TextDelta, out: list[Delta]) -> None:
        """Take a piece of text."""
        if self._tags is not None:
            for is_thought, text in self._tags.split(delta.text):
                self._tell(is_thought, text, out)
        elif self._fenced is not None:
            self._hold(delta.text, out)
        else:
            if self._restore.output is not None:
                self.said.append(delta.text)
            out.append(delta)

    def begin_call(self, call: CallBegin, out: list[Delta]) -> None:
        """Take the begin of a call."""
        restore = self._restore
        if call.name == restore.output_tool and not call.is_server_side:
            self._output_places.add(call.place)
            self.has_output = True
            return
        name = restore.names.get(call.name, call.name)
        self.has_calls = self.has_calls or not call.is_server_side
        is_custom = name in restore.custom_tools
        if is_custom:
            self._custom[call.place] = []
        call_id = call.id or f"call_{self._reply_id[:_ID_CHARS]}{self._index:x}{call.place:02x}"
        if name != call.name or call_id != call.id or is_custom:
            call = msgspec.structs.replace(call, name=name, id=call_id, is_custom=is_custom or call.is_custom)
        out.append(call)

    def add_arguments(self, delta: CallDelta, out: list[Delta]) -> None:
        """Take a piece of a call's arguments."""
        if delta.place in self._output_places:
            self._hold(delta.arguments, out)
        elif delta.place in self._custom:
            self._custom[delta.place].append(delta.arguments)
        else:
            out.append(delta)

    def end_call(self, end: CallEnd, out: list[Delta]) -> None:
        """Take the end of a call."""
        if end.place in self._output_places:
            return
        self._unwrap(end.place, out)
        out.append(end)

    def flush(self, out: list[Delta]) -> None:
        """Let go of everything that was held back."""
        for place in list(self._custom):
            self._unwrap(place, out)
        if self._tags is not None:
            for is_thought, text in self._tags.close():
                self._tell(is_thought, text, out)
        held, self._fenced = self._fenced, None
        if held:
            self._say(_unfenced("".join(held)), out)

    def _tell(self, is_thought: bool, text: str, out: list[Delta]) -> None:
        if not text:
            return
        if is_thought:
            out.append(ReasoningDelta(text, self._index))
        elif self._fenced is not None:
            self._hold(text, out)
        else:
            self._say(text, out)

    def _hold(self, text: str, out: list[Delta]) -> None:
        """Keep text until it is clear that it is no code fence; one that is, is kept until it closes."""
        if self._fenced is None:
            self._say(text, out)
            return
        self._fenced.append(text)
        begun = "".join(self._fenced).lstrip()
        if not _FENCE.startswith(begun[:3]):
            self._fenced = None
            self._say(begun, out)

    def _say(self, text: str, out: list[Delta]) -> None:
        if self._restore.output is not None:
            self.said.append(text)
        if text:
            out.append(TextDelta(text, self._index))

    def _unwrap(self, place: int, out: list[Delta]) -> None:
        pieces = self._custom.pop(place, None)
        if pieces is None:
            return
        wrapped = "".join(pieces)
        try:
            free = fields(decode_any(wrapped.encode("utf-8", "replace"))).get("input")
        except UNREADABLE:
            free = None
        out.append(CallDelta(place, free if isinstance(free, str) else wrapped, self._index))


def _unfenced(text: str) -> str:
    """Return what stands between ``` and ```; the text itself where the fence is not closed."""
    inner = text.strip()
    if not inner.startswith(_FENCE) or not inner.endswith(_FENCE) or len(inner) < 2 * len(_FENCE):
        return text
    first, _, rest = inner[: -len(_FENCE)].partition("\n")
    return rest.strip() if first[len(_FENCE) :].strip().isalnum() or first == _FENCE else text
