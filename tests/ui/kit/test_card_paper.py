"""One card laid out: untrusted text stays text, pictures are bounded."""

import base64

import pytest
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.models.message import Media
from ui.kit.card_paper import RENDER_LIMIT, THUMBNAIL_PX, CardPaper, can_render, rendered, thumbnail
from ui.kit.cards import Card
from ui.theme import Theme


def png(width: int, height: int) -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0xFF336699)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.data().data()).decode()


@pytest.fixture
def theme(qtbot: QtBot) -> Theme:
    return Theme("dark")


def test_html_shows_as_text_and_pictures_are_not_fetched() -> None:
    html = rendered('<img src="http://evil"> <script>x</script> ![a](http://evil/p.png)')
    assert "<img" not in html and "<script" not in html
    assert "&lt;script&gt;" in html


def test_rendered_text_reads_as_markdown(theme: Theme) -> None:
    paper = CardPaper(Card("user", "User", "**bold** and `code`"), "rendered", False, 300, theme)
    assert paper.document.toPlainText().strip() == "bold and code"
    plain = CardPaper(Card("user", "User", "**bold**"), "plain", False, 300, theme)
    assert plain.document.toPlainText() == "**bold**"


def test_long_text_is_never_rendered() -> None:
    assert can_render(Card("user", "User", "x" * RENDER_LIMIT))
    assert not can_render(Card("user", "User", "x" * (RENDER_LIMIT + 1)))
    assert not can_render(Card("tool", "Tool call", "{}", is_code=True))


def test_folding_shows_the_first_lines(theme: Theme) -> None:
    card = Card("system", "System", "\n".join(map(str, range(30))), is_folded=True)
    assert CardPaper(card, "plain", True, 300, theme).document.toPlainText() == "0\n1\n2\n3\n4\n5…"
    assert CardPaper(card, "plain", True, 300, theme).height() < CardPaper(card, "plain", False, 300, theme).height()


def test_a_picture_from_a_data_url_becomes_a_thumbnail(qtbot: QtBot) -> None:
    image = thumbnail(Media("image", url=f"data:image/png;base64,{png(1000, 880)}"))
    assert image is not None and (image.width(), image.height()) == (250, THUMBNAIL_PX)
    small = thumbnail(Media("image", "image/png", data=png(30, 20)))
    assert small is not None and (small.width(), small.height()) == (30, 20)


def test_what_is_no_picture_here_is_none() -> None:
    assert thumbnail(Media("image", url="https://example.com/p.png")) is None
    assert thumbnail(Media("image", data="bm90IGEgcGljdHVyZQ==")) is None
    assert thumbnail(Media("audio", data="aGVsbG8=")) is None
