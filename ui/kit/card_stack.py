"""Cards in a column: which are folded, how each is shown, how high they stand. Lays out only what it is asked for."""

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from PySide6.QtGui import QFontMetrics

from ui.kit.card_paper import CardPaper, Look, can_render
from ui.kit.cards import FOLDED_LINES, Card, first_new
from ui.theme import Theme

GAP_PX: Final = 8
PAD_PX: Final = 12
HEAD_PX: Final = 26
FOOT_PX: Final = 22
"""The "show all" line of a card that folds."""
SEAM_PX: Final = 26
"""The line that says where what is new begins."""
_KEPT_PAPERS: Final = 48


class CardStack:
    """Heights are estimates until a card is laid out; `settle` makes a range of them exact."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.cards: Sequence[Card] = ()
        self.seam = -1
        """The card above which the "new" line stands, -1 for none."""
        self.width_px = 400
        self._looks: dict[int, Look] = {}
        self._folds: dict[int, bool] = {}
        self._heights: list[int] = []
        self._tops: list[int] = [0]
        self._papers: OrderedDict[int, CardPaper] = OrderedDict()
        self._line_px = self._char_px = 1
        self.measure()

    @property
    def height_px(self) -> int:
        """How high all cards stand together."""
        return self._tops[-1]

    def set_cards(self, cards: Sequence[Card], *, is_same: bool) -> None:
        """Take other cards; `is_same` keeps what was folded and how each was shown."""
        self.cards = cards
        if not is_same:
            self._looks.clear()
            self._folds.clear()
        self.seam = first_new(cards)
        self.forget()

    def measure(self) -> None:
        """Take the theme's fonts."""
        metrics = QFontMetrics(self._theme.ui_font())
        self._line_px, self._char_px = metrics.lineSpacing(), max(metrics.averageCharWidth(), 1)
        self.forget()

    def forget(self) -> None:
        """Forget all layouts: width, fonts or cards changed."""
        self._papers.clear()
        self._heights = [self._guess(card) for card in range(len(self.cards))]
        self._add_up()

    def paper(self, card: int) -> CardPaper:
        """Return a card's layout, made now where it is not at hand."""
        paper = self._papers.get(card)
        if paper is None:
            width = max(self.width_px - 2 * PAD_PX, 40)
            paper = CardPaper(self.cards[card], self.look(card), self.is_folded(card), width, self._theme)
            self._papers[card] = paper
            if len(self._papers) > _KEPT_PAPERS:
                self._papers.popitem(last=False)
        else:
            self._papers.move_to_end(card)
        return paper

    def settle(self, cards: Sequence[int]) -> bool:
        """Make the heights of these cards exact; True where one of them was not."""
        is_moved = False
        for card in cards:
            height = self._exact(card)
            if height != self._heights[card]:
                self._heights[card] = height
                is_moved = True
        if is_moved:
            self._add_up()
        return is_moved

    def top(self, card: int) -> int:
        """Return where a card begins, the seam above it not counted in."""
        return self._tops[card] + self._seam_of(card)

    def height(self, card: int) -> int:
        """Return how high a card stands, without the gap below it."""
        return self._heights[card] - GAP_PX - self._seam_of(card)

    def at(self, y: int) -> int:
        """Return the card at a height, -1 for none."""
        card = bisect_right(self._tops, max(y, 0)) - 1
        return card if 0 <= card < len(self.cards) else -1

    def between(self, top: int, bottom: int) -> range:
        """Return the cards that touch a stretch of heights."""
        first = self.at(top)
        if first < 0:
            return range(0)
        last = first
        while last < len(self.cards) and self._tops[last] < bottom:
            last += 1
        return range(first, last)

    def look(self, card: int) -> Look:
        """Return how a card is shown."""
        return self._looks.get(card, "rendered" if can_render(self.cards[card]) else "plain")

    def set_look(self, card: int, look: Look) -> None:
        """Show a card rendered, plain or as JSON."""
        self._looks[card] = look
        self._drop(card)

    def is_folded(self, card: int) -> bool:
        """Return whether a card shows only its first lines."""
        return self._folds.get(card, self.cards[card].is_folded)

    def set_folded(self, card: int, is_folded: bool) -> None:
        """Fold or unfold a card."""
        self._folds[card] = is_folded
        self._drop(card)

    def can_fold(self, card: int) -> bool:
        """Return whether a card is long enough to fold."""
        return self.cards[card].is_folded

    def _drop(self, card: int) -> None:
        self._papers.pop(card, None)
        self._heights[card] = self._exact(card)
        self._add_up()

    def _add_up(self) -> None:
        self._tops = [0, *accumulate(self._heights)]

    def _seam_of(self, card: int) -> int:
        return SEAM_PX if card == self.seam else 0

    def _exact(self, card: int) -> int:
        foot = FOOT_PX if self.can_fold(card) else 0
        return HEAD_PX + self.paper(card).height() + PAD_PX + foot + GAP_PX + self._seam_of(card)

    def _guess(self, card: int) -> int:
        text = self.cards[card].text
        per_line = max((self.width_px - 2 * PAD_PX) // self._char_px, 10)
        lines = text.count("\n") + 1 + len(text) // per_line
        if self.is_folded(card):
            lines = min(FOLDED_LINES, lines)
        foot = FOOT_PX if self.can_fold(card) else 0
        return HEAD_PX + lines * self._line_px + PAD_PX + foot + GAP_PX + self._seam_of(card)


def find_all(cards: Sequence[Card], text: str) -> list[tuple[int, int]]:
    """Return (card, position) of every match, without regard to case; positions in UTF-16 units, as Qt counts."""
    if not text:
        return []
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    found = ((place, card.text, match) for place, card in enumerate(cards) for match in pattern.finditer(card.text))
    return [(place, _units(text[: match.start()])) for place, text, match in found]


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
