"""What a translation could not carry: told to the client and kept with the call, never silent."""

import msgspec


class Loss(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that was left out or changed on its way to another dialect."""

    field: str
    """In the client's words, as a path: `logprobs`, `messages.content.input_audio`, `tools.strict`."""
    reason: str
    """For a person, without an end mark: `Anthropic has no seed`."""
    kind: str = "dropped"
    """dropped, changed (sent otherwise than asked), emulated (done by us instead)."""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason} ({self.kind})"
