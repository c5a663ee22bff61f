"""The Request and Response tabs: a body indented or as it was, headers in order, a stream's events with their times."""

from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.models.call import Headers
from app.models.trace import SpanDetail, StreamEvent
from ui import format
from ui.desk import Desk
from ui.kit.find_bar import FindBar
from ui.kit.text_view import TextView
from ui.style import set_role
from ui.traces.tab import EmptyNote, SpanTab, column
from ui.traces.translate_bar import TranslateBar

TRANSLATED: Final = ("openai_chat", "openai_responses", "anthropic", "gemini")
"""Dialects of clients whose requests can be put into others."""
_FORMS: Final = ("Pretty", "Raw", "Headers", "Events")


class BodyTab(SpanTab):
    """One direction of a call."""

    which: ClassVar[str] = ""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._span: SpanDetail | None = None
        self._form = "Pretty"
        self._is_upstream = False
        self.view = TextView(desk.theme, self.title, self)
        self.view.copied.connect(lambda text: desk.copy(text, f"the {self.which}"))
        self._note = EmptyNote(self)
        self._find = FindBar(desk.theme, self.view, self)
        self._bar = self._make_bar()
        column(self, self._bar, self._find, self._note, self.view)
        self._note.hide()
        self.setFocusProxy(self.view)

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Read the body in the form that is chosen."""
        self._span = span
        self._fit_bar(span)
        text = await self._text(span)
        if is_same and text == self.view.text():
            return
        self._note.say("" if text else f"No {self.which} was recorded.")
        self.view.setVisible(bool(text))
        self.view.show_text(text)

    def find(self) -> None:
        """Open the find line."""
        self._find.begin()

    def headers(self, span: SpanDetail) -> tuple[str, Headers]:
        """Return the first line and the headers of this direction."""
        raise NotImplementedError

    def size_bytes(self, span: SpanDetail) -> int | None:
        """Return how large the body is."""
        raise NotImplementedError

    def body_name(self, span: SpanDetail) -> str:
        """Return which of `Reader.body`'s bodies is shown; a span that is no call has an input and an output."""
        if not span.method:
            return "input" if self.which == "request" else "output"
        return f"upstream_{self.which}" if self._is_upstream else self.which

    def has_upstream(self, span: SpanDetail) -> bool:
        """Return whether upstream's side of it differs."""
        raise NotImplementedError

    async def _text(self, span: SpanDetail) -> str:
        reader, form = self.desk.reader, self._shown_form(span)
        if form == "Headers":
            first, headers = self.headers(span)
            return "\n".join([first, *(f"{name}: {value}" for name, value in headers)])
        if form == "Events":
            events: list[StreamEvent] = await reader.ask("events", span.id)
            return "\n".join(map(_event_text, events))
        text: str = await reader.ask("text", span.id, self.body_name(span), is_pretty=form == "Pretty")
        return text

    def _shown_form(self, span: SpanDetail) -> str:
        """Return the chosen form, or the nearest one that this span has: a stream is prettiest event by event."""
        if self._form in ("Pretty", "Events"):
            return "Events" if self._has_events(span) else "Pretty"
        return self._form if self._form == "Raw" or span.method else "Pretty"

    def _has_events(self, span: SpanDetail) -> bool:
        return self.which == "response" and span.content_type == "text/event-stream"

    def put_in_bar(self, widget: QWidget) -> None:
        """Add a button of one direction alone, behind those of both."""
        row = self._bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(row.indexOf(self._upstream) + 1, widget)

    def put_below_bar(self, widget: QWidget) -> None:
        """Add a line of one direction alone."""
        rows = self.layout()
        assert isinstance(rows, QVBoxLayout)
        rows.insertWidget(1, widget)

    def _make_bar(self) -> QWidget:
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(2)
        self._buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(bar)
        for name in _FORMS:
            button = QPushButton(name, bar)
            button.setCheckable(True)
            button.setChecked(name == self._form)
            set_role(button, role="quiet")
            button.clicked.connect(lambda _, name=name: self._choose(name))
            group.addButton(button)
            row.addWidget(button)
            self._buttons[name] = button
        self._upstream = QPushButton("Upstream", bar)
        self._upstream.setCheckable(True)
        self._upstream.setToolTip("What went to the provider, or came from it, where it differs")
        set_role(self._upstream, role="quiet")
        self._upstream.toggled.connect(self._on_upstream)
        row.addSpacing(8)
        row.addWidget(self._upstream)
        row.addStretch(1)
        self._size = QLabel(bar)
        set_role(self._size, role="dim")
        row.addWidget(self._size)
        copy = QToolButton(bar)
        copy.setIcon(self.desk.theme.icon("copy"))
        copy.setToolTip("Copy all of it")
        copy.setAccessibleName("Copy all")
        copy.clicked.connect(lambda: self.desk.copy(self.view.text(), f"the {self.which}"))
        self.desk.theme.changed.connect(lambda: copy.setIcon(self.desk.theme.icon("copy")))
        row.addWidget(copy)
        return bar

    def _fit_bar(self, span: SpanDetail) -> None:
        self._buttons["Headers"].setVisible(bool(span.method))
        self._buttons["Events"].setVisible(self._has_events(span))
        self._buttons["Pretty"].setVisible(not self._has_events(span))
        self._buttons[self._shown_form(span)].setChecked(True)
        self._upstream.setVisible(self.has_upstream(span))
        if not self.has_upstream(span):
            self._upstream.setChecked(False)
        size = self.size_bytes(span)
        self._size.setText("" if size is None else format.size(size))

    def _choose(self, form: str) -> None:
        self._form = form
        self._again()

    def _on_upstream(self, is_on: bool) -> None:
        self._is_upstream = is_on
        self._again()

    def _again(self) -> None:
        if self._span is not None:
            self.desk.start(self.load(self._span, is_same=False), f"Reading the {self.which}")


class RequestTab(BodyTab):
    """What the client sent, what went upstream where it differs, and what it would be for another model."""

    title = "Request"
    which = "request"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._model = ""
        """What the request is shown for; "": as it was sent."""
        self._translate = QPushButton("Translate", self)
        self._translate.setToolTip("Show what this request would become for another model")
        set_role(self._translate, role="quiet")
        self.put_in_bar(self._translate)
        self._translator = TranslateBar(self)
        self._translator.hide()
        self.put_below_bar(self._translator)
        self._translate.clicked.connect(self._translator.begin)
        self._translator.asked.connect(self._on_asked)
        self._translator.left.connect(lambda: self._on_asked(""))

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Read the request, or what it would be."""
        can_translate = span.dialect in TRANSLATED and span.operation == "chat"
        self._translate.setVisible(can_translate)
        if not can_translate:
            self._translator.hide()
        await super().load(span, is_same=is_same)

    async def _text(self, span: SpanDetail) -> str:
        if not self._model or not self._translator.isVisibleTo(self):
            return await super()._text(span)
        body: bytes = await self.desk.reader.ask("body", span.id, "request")
        question = {"dialect": span.dialect, "model": self._model, "request": msgspec.Raw(body)}
        return translation_text(await self.desk.client.post("translate", question))

    def _on_asked(self, model: str) -> None:
        self._model = model
        self._again()

    def headers(self, span: SpanDetail) -> tuple[str, Headers]:
        """Return the request line and headers."""
        return f"{span.method} {span.path}", span.request_headers

    def size_bytes(self, span: SpanDetail) -> int | None:
        """Return how large the request is."""
        return span.request_size_bytes

    def has_upstream(self, span: SpanDetail) -> bool:
        """Return whether something else went upstream."""
        return span.has_upstream_request


def translation_text(said: dict[str, Any]) -> str:
    """Return what a request would become, for a person: where it goes, what is lost, the body."""
    lines = [f"{said['provider']} · {said['model']} · {said['dialect']}"]
    if not said["is_translated"]:
        lines.append("The provider speaks the client's own dialect: nothing changes but the model's name.")
    else:
        lines.append(f"POST {said['url']}")
        lines += [f"{name}: {value}" for name, value in said["headers"].items()]
    if said["losses"]:
        lines += ["", "Not carried as asked:"]
        lines += [f"  {loss['field']}: {loss['reason']} ({loss['kind']})" for loss in said["losses"]]
    elif said["is_translated"]:
        lines += ["", "Everything is carried."]
    body = msgspec.json.format(msgspec.json.encode(said["body"]), indent=2).decode()
    return "\n".join([*lines, "", body])


class ResponseTab(BodyTab):
    """What the client got, and what came from upstream where it differs."""

    title = "Response"
    which = "response"

    def headers(self, span: SpanDetail) -> tuple[str, Headers]:
        """Return the status and headers."""
        status = "no answer" if span.http_status is None else str(span.http_status)
        return f"HTTP {status}", span.response_headers

    def size_bytes(self, span: SpanDetail) -> int | None:
        """Return how large the response is."""
        return span.response_size_bytes

    def has_upstream(self, span: SpanDetail) -> bool:
        """Return whether something else came from upstream."""
        return span.has_upstream_response


def _event_text(event: StreamEvent) -> str:
    at = format.UNKNOWN if event.at_ns is None else f"{event.at_ns / 1_000_000:.1f} ms"
    name = f"  {event.name}" if event.name else ""
    return f"{at:>12}{name}  {event.data}"
