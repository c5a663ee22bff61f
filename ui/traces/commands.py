"""The Traces page's commands and their keys (UX section 3)."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from app.export import Flavour
from ui.commands import Command

if TYPE_CHECKING:
    from ui.traces.list_page import ListPane
    from ui.traces.trace_view import TraceView

_HERE: Final = "Traces"


class TracesFrame(Protocol):
    """What these commands ask of the page."""

    list: "ListPane"

    @property
    def front(self) -> "TraceView | None":
        """The trace view that keys act on."""
        ...

    def step(self, by: int) -> None:
        """Choose the next or previous row."""
        ...

    def step_trace(self, by: int) -> None:
        """Open the trace above or below."""
        ...

    def open_chosen(self) -> None:
        """Open the chosen trace."""
        ...

    def leave(self) -> None:
        """Close what is open."""
        ...

    def find(self) -> None:
        """Open the find line."""
        ...

    def copy_as(self, flavour: Flavour) -> None:
        """Copy the chosen call."""
        ...

    def copy_id(self) -> None:
        """Copy the trace's id."""
        ...


def page_commands(page: TracesFrame) -> list[Command]:
    """Return them all, for the page to register."""
    return _list_commands(page) + _tree_commands(page) + _copy_commands(page) + _tab_commands(page)


def _list_commands(page: TracesFrame) -> list[Command]:
    pane = page.list
    by_cell, not_cell = partial(pane.filter_by_cell, is_negated=False), partial(pane.filter_by_cell, is_negated=True)
    return [
        _move("traces.next", "Next row", partial(page.step, 1), "J"),
        _move("traces.previous", "Previous row", partial(page.step, -1), "K"),
        _move("traces.leave", "Close, then clear the selection", page.leave, "Esc"),
        _move("traces.above", "Previous trace", partial(page.step_trace, -1), "["),
        _move("traces.below", "Next trace", partial(page.step_trace, 1), "]"),
        Command("traces.open", "Open the chosen trace", page.open_chosen, (), _HERE, "arrow-up-right"),
        Command("traces.peek", "Peek at the chosen trace", pane.toggle_peek, ("Space",), _HERE, "eye"),
        Command("traces.filter", "Go to the filter", pane.filter.begin, ("/",), _HERE, "filter"),
        Command("traces.find", "Find in the text", page.find, ("Ctrl+F",), _HERE, "search"),
        Command("traces.by_cell", "Filter by this value", by_cell, ("F",), _HERE),
        Command("traces.not_cell", "Exclude this value", not_cell, ("Shift+F",), _HERE),
        Command("traces.clear", "Clear the filter", pane.filter.clear, (), _HERE, "x"),
        Command("traces.let_in", "Show new traces", pane.let_in, (), _HERE, "arrow-right"),
        Command("traces.reload", "Read the list again", pane.feed.reload, ("F5",), _HERE, "refresh-cw"),
    ]  # fmt: skip


def _tree_commands(page: TracesFrame) -> list[Command]:
    def on(act: "Callable[[TraceView], object]") -> Callable[[], None]:
        def run() -> None:
            if page.front is not None:
                act(page.front)

        return run

    return [
        _move("trace.level_out", "Unfold one level", on(lambda view: view.model.open_level(1)), "O"),
        _move("trace.level_in", "Fold one level", on(lambda view: view.model.open_level(-1)), "P"),
        _move("trace.unfold", "Unfold all spans", on(lambda view: view.model.set_all_open(True)), "Shift+O"),
        _move("trace.fold", "Fold all spans", on(lambda view: view.model.set_all_open(False)), "Shift+P"),
        _move("trace.next_error", "Next error", on(lambda view: view.tree.step_error(1)), "E"),
        _move("trace.previous_error", "Previous error", on(lambda view: view.tree.step_error(-1)), "Shift+E"),
        _move("trace.zoom_in", "Zoom in", on(lambda view: view.tree.zoom(0.7)), "W"),
        _move("trace.zoom_out", "Zoom out", on(lambda view: view.tree.zoom(1 / 0.7)), "S"),
        _move("trace.pan_left", "Pan left", on(lambda view: view.tree.pan(-0.15)), "A"),
        _move("trace.pan_right", "Pan right", on(lambda view: view.tree.pan(0.15)), "D"),
        _move("trace.fit", "Fit the chosen span, again to go back", on(lambda view: view.tree.zoom_to_span()), "Z"),
        _move("trace.whole", "Show the whole trace", on(lambda view: view.tree.zoom_out()), "0"),
    ]


def _copy_commands(page: TracesFrame) -> list[Command]:
    def copy(flavour: Flavour, words: str, keys: tuple[str, ...] = ()) -> Command:
        return Command(
            f"traces.copy_{flavour}", f"Copy as {words}", partial(page.copy_as, flavour), keys, _HERE, "copy"
        )

    return [
        copy("curl", "curl", ("Ctrl+Shift+U",)),
        copy("openai", "Python (openai)", ("Ctrl+Shift+Y",)),
        copy("anthropic", "Python (anthropic)"),
        copy("httpx", "Python (httpx)"),
        Command("traces.copy_id", "Copy the trace id", page.copy_id, ("Ctrl+Shift+I",), _HERE, "copy"),
    ]


def _tab_commands(page: TracesFrame) -> list[Command]:
    def show(number: int) -> None:
        if page.front is not None:
            page.front.inspector.set_tab(number)

    titles = ("Messages", "Request", "Response", "Timing", "Attributes")
    return [
        Command(f"trace.tab_{number}", f"Inspector: {title}", partial(show, number - 1), (f"Alt+{number}",), _HERE)
        for number, title in enumerate(titles, 1)
    ]


def _move(command_id: str, title: str, run: Callable[[], Any], key: str) -> Command:
    return Command(command_id, title, run, (key,), _HERE, is_listed=False)
