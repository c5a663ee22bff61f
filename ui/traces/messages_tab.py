"""The Messages tab: the call's conversation as cards."""

from PySide6.QtWidgets import QWidget

from app.models.span import Kind
from app.models.trace import Conversation, SpanDetail
from ui.desk import Desk
from ui.kit.cards import cards_of
from ui.kit.find_bar import FindBar
from ui.kit.message_view import MessageView
from ui.traces.tab import EmptyNote, SpanTab, column


class MessagesTab(SpanTab):
    """What was said to the model and what it answered."""

    title = "Messages"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.view = MessageView(desk.theme, self)
        self.view.copied.connect(lambda text: desk.copy(text, "the text"))
        self._note = EmptyNote(self)
        self._find = FindBar(desk.theme, self.view, self)
        column(self, self._find, self._note, self.view)
        self._note.hide()
        self.setFocusProxy(self.view)

    async def load(self, span: SpanDetail, *, is_same: bool) -> None:
        """Read the conversation."""
        conversation: Conversation = await self.desk.reader.ask("conversation", span.id)
        cards = cards_of(conversation)
        self._note.say(conversation.note or ("" if cards else _why_empty(span)))
        self.view.setVisible(bool(cards))
        self.view.show_cards(cards, is_same=is_same)

    def find(self) -> None:
        """Open the find line."""
        self._find.begin()


def _why_empty(span: SpanDetail) -> str:
    if span.kind in (Kind.AGENT, Kind.CHAIN, Kind.SPAN):
        return "This span holds calls; it has no messages of its own. Choose a call in the tree."
    return "Nothing that reads as messages was recorded. Request and Response hold what there is."
