"""What a stream says piece by piece, in one form for every dialect.

The order a reader gives them in: `Begin` first; then pieces, each for one choice; `Finish` of a choice after its last
piece; `UsageDelta` whenever the provider tells (counts are cumulative: the last one holds); `Failed` at most once;
`End` only where the provider itself said it was done. Pieces of one text, thought or call follow each other unless the
provider mixes its parallel calls. A writer may rely on a call's `CallBegin` coming before its `CallDelta`s.
"""

import msgspec

from app.models.chat import FinishReason, Logprob, ReplyError
from app.models.message import Citation, Extras, Part
from app.models.usage import Usage


class Begin(msgspec.Struct, frozen=True, gc=False):
    """The answer has begun. Once."""

    id: str | None = None
    model: str | None = None
    created_s: int | None = None
    extras: Extras = None
    dialect: str = ""
    """As in `Reply`."""


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of text; with `is_new` it begins another block than the text before."""

    text: str
    choice: int = 0
    is_new: bool = False
    signature: str | None = None
    extras: Extras = None


class RefusalDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a refusal."""

    text: str
    choice: int = 0
    extras: Extras = None


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of thought, its proof, or both; the proof ends it. `is_new` as in `TextDelta`."""

    text: str
    choice: int = 0
    is_new: bool = False
    signature: str | None = None
    is_redacted: bool = False
    origin: str | None = None
    extras: Extras = None


class CallBegin(msgspec.Struct, frozen=True, gc=False):
    """A tool call begins. `place` tells the calls of one choice apart: 0, 1, 2 …"""

    place: int
    id: str | None
    name: str
    choice: int = 0
    is_server_side: bool = False
    is_custom: bool = False
    signature: str | None = None
    origin: str | None = None
    extras: Extras = None


class CallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a call's arguments."""

    place: int
    arguments: str
    choice: int = 0


class CallEnd(msgspec.Struct, frozen=True, gc=False):
    """A call's arguments are whole. May be missing."""

    place: int
    choice: int = 0


class PartDelta(msgspec.Struct, frozen=True, gc=False):
    """A part that comes whole: media, a result of the provider's own tool, what we have no word for."""

    part: Part
    choice: int = 0


class CitationDelta(msgspec.Struct, frozen=True, gc=False):
    """A citation of the text that is being said."""

    citation: Citation
    choice: int = 0


class LogprobsDelta(msgspec.Struct, frozen=True, gc=False):
    """How likely the newest tokens were."""

    logprobs: tuple[Logprob, ...]
    choice: int = 0


class Finish(msgspec.Struct, frozen=True, gc=False):
    """A choice is done. Once for each."""

    reason: FinishReason
    native: str | None = None
    choice: int = 0
    stop_sequence: str | None = None
    extras: Extras = None


class UsageDelta(msgspec.Struct, frozen=True, gc=False):
    """What has been used so far, all of it."""

    usage: Usage


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The provider says it cannot go on."""

    error: ReplyError


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """An event that could not be read was passed over."""


class End(msgspec.Struct, frozen=True, gc=False):
    """The provider says that this was all. Once, last."""


Delta = (
    Begin
    | TextDelta
    | RefusalDelta
    | ReasoningDelta
    | CallBegin
    | CallDelta
    | CallEnd
    | PartDelta
    | CitationDelta
    | LogprobsDelta
    | Finish
    | UsageDelta
    | Failed
    | Skipped
    | End
)
