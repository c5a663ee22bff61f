"""A provider of any dialect that has a mind: it answers by what it hears, and notes what its vendor would refuse."""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fake_upstream import Answer, Seen
from journeys.upstream_thread import UpstreamThread, running
from voices.script import Heard, Script

Mind = Callable[[Heard], Script]


class ListeningUpstream(UpstreamThread):
    """Speaks one dialect. `heard` grows with what is asked of the model, `faults` with what is wrong in it."""

    def __init__(self, dialect: str, mind: Mind) -> None:
        super().__init__()
        self.heard: list[Heard] = []
        self.faults: list[str] = []
        self._voice = importlib.import_module(f"voices.{dialect}")
        self._mind = mind

    def answer_to(self, seen: Seen) -> Answer:
        """Say what the mind says."""
        try:
            heard = self._voice.heard(seen)
            self._voice.check(seen)
            script = self._mind(heard)
        except Exception as fault:  # whatever it is, the test shall tell it
            self.faults.append(f"{seen.method} {seen.path}: {type(fault).__name__}: {fault}\n{seen.body.decode()}")
            refusal = {"error": {"message": f"the vendor would refuse this: {fault}"}}
            return Answer(400, json.dumps(refusal).encode())
        self.heard.append(heard)
        say = self._voice.stream if heard.is_stream else self._voice.whole
        answer: Answer = say(script, heard.model)
        return answer


@contextmanager
def listening_upstream(dialect: str, mind: Mind) -> Iterator[ListeningUpstream]:
    """A provider of a dialect for the length of a block."""
    with running(ListeningUpstream(dialect, mind)) as upstream:
        yield upstream
