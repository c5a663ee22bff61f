"""One card laid out: its text as a document, its picture decoded. Made for cards in view only."""

import base64
import binascii
from typing import Final, Literal

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QImage, QImageReader, QTextDocument, QTextOption

from app.models.message import Media
from ui.kit.cards import FOLDED_LINES, FOLDED_REASONING, Card
from ui.theme import Theme

Look = Literal["rendered", "plain", "json"]
RENDER_LIMIT: Final = 150_000
"""Markdown of 200 KB takes 268 ms to lay out: above this a text stays plain."""
SHOWN_LIMIT: Final = 400_000
"""Characters of one card laid out; the whole of it can be copied and stands in the raw view."""
THUMBNAIL_PX: Final = 220
MAX_IMAGE_BYTES: Final = 24_000_000
MAX_IMAGE_PIXELS: Final = 50_000_000


class CardPaper:
    """A card's document at one width."""

    def __init__(self, card: Card, look: Look, is_folded: bool, width_px: int, theme: Theme) -> None:
        self.document = QTextDocument()
        self.document.setUndoRedoEnabled(False)
        self.document.setDocumentMargin(0)
        self.document.setIndentWidth(18)
        self.is_cut = False
        text = card.json_text() if look == "json" else card.text
        if is_folded:
            text = folded(text, FOLDED_REASONING if card.title == "Reasoning" else FOLDED_LINES)
        if len(text) > SHOWN_LIMIT:
            text, self.is_cut = text[:SHOWN_LIMIT] + "\n…", True
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document.setDefaultTextOption(option)
        is_code = card.is_code or look == "json"
        self.document.setDefaultFont(theme.code_font() if is_code else theme.ui_font())
        if look == "rendered" and can_render(card):
            self.document.setDefaultStyleSheet(_style(theme))
            self.document.setHtml(rendered(text))
        else:
            self.document.setPlainText(text)
        self.image = thumbnail(card.media) if card.media is not None and look != "json" else None
        self.document.setTextWidth(width_px)

    def text_height(self) -> int:
        """Return how high the text stands."""
        return 0 if self.document.isEmpty() else round(self.document.size().height())

    def height(self) -> int:
        """Return how high text and picture stand together."""
        image = self.image.height() + 8 if self.image is not None else 0
        return self.text_height() + image


def can_render(card: Card) -> bool:
    """Return whether a card's text may be shown as markdown."""
    return not card.is_code and len(card.text) <= RENDER_LIMIT


def folded(text: str, n_lines: int) -> str:
    """Return the first lines of a text, for a folded card."""
    lines = text[: n_lines * 400].split("\n")
    cut = "\n".join(line[:400] for line in lines[:n_lines])
    return cut if cut == text else f"{cut}…"


def rendered(text: str) -> str:
    """Return markdown as HTML. HTML in the text stays text, links and pictures are not followed."""
    from markdown_it import MarkdownIt  # 30 ms: on the first card

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable(["image"])
    return str(parser.render(text))


def thumbnail(media: Media) -> QImage | None:
    """Return a picture from inline data at most THUMBNAIL_PX high, None where there is none or it is too large."""
    if media.modality != "image":
        return None
    data = media.data
    if data is None and media.url is not None and media.url.startswith("data:"):
        data = media.url.partition(",")[2]
    if not data or len(data) * 3 // 4 > MAX_IMAGE_BYTES:
        return None
    try:
        raw = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        return None
    buffer = QBuffer()
    buffer.setData(QByteArray(raw))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_IMAGE_PIXELS:
        return None
    if size.height() > THUMBNAIL_PX or size.width() > 2 * THUMBNAIL_PX:
        scale = min(THUMBNAIL_PX / size.height(), 2 * THUMBNAIL_PX / size.width())
        reader.setScaledSize(QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale))))
    image = reader.read()
    return None if image.isNull() else image


def _style(theme: Theme) -> str:
    code, raised = theme.code_font(), theme.color("hover").name()
    return (
        f"code, pre {{ font-family: '{code.family()}'; font-size: {code.pointSizeF()}pt; background: {raised}; }}"
        f"a {{ color: {theme.color('accent').name()}; }}"
        "strong, th { font-weight: 600; } h1, h2, h3 { font-weight: 600; }"
        "h1 { font-size: large; } h2 { font-size: large; } h3 { font-size: medium; }"
        "p { margin: 0 0 6px 0; } ul, ol { margin: 0 0 6px 0; -qt-list-indent: 1; }"
    )
