from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from app.models.span import Kind
from ui.theme import RESOURCES, Theme, contrast, ink_on, load_tokens

SURFACES = ("bg", "panel", "raised", "hover", "selection", "input")
TEXTS = ("text", "dim", "accent", "error", "ok", "warn")
MARKS = ("agent", "llm", "tool", "retriever", "embedding", "http", "chain", "eval", "guardrail", "other", "focus")
PLAIN, STRONG = (4.5, 3.0), (7.0, 4.5)
NEEDED = {"dark": PLAIN, "light": PLAIN, "contrast_dark": STRONG, "contrast_light": STRONG}


@pytest.mark.parametrize("name", NEEDED)
def test_text_is_readable_on_every_surface(name: str) -> None:
    tokens = load_tokens(name)
    low = {
        f"{text} on {surface}": round(contrast(tokens[text], tokens[surface]), 2)
        for text in TEXTS
        for surface in SURFACES
        if contrast(tokens[text], tokens[surface]) < NEEDED[name][0]
    }
    assert not low


@pytest.mark.parametrize("name", NEEDED)
def test_marks_are_seen_on_every_surface(name: str) -> None:
    tokens = load_tokens(name)
    low = {
        f"{mark} on {surface}": round(contrast(tokens[mark], tokens[surface]), 2)
        for mark in MARKS
        for surface in SURFACES
        if contrast(tokens[mark], tokens[surface]) < NEEDED[name][1]
    }
    assert not low


@pytest.mark.parametrize("name", NEEDED)
def test_button_and_tooltip_words_are_readable(name: str) -> None:
    tokens = load_tokens(name)
    assert contrast(tokens["on_primary"], tokens["primary"]) >= 4.5
    assert contrast(tokens["text"], tokens["tooltip"]) >= 4.5


def test_all_themes_have_the_same_tokens() -> None:
    assert len({frozenset(load_tokens(name).colors) for name in NEEDED}) == 1


def test_a_change_of_theme_takes_effect_at_once(qapp: QApplication) -> None:
    theme = Theme("dark")
    seen: list[str] = []
    theme.changed.connect(lambda: seen.append(theme.tokens.name))
    theme.set_scheme("light")
    theme.set_scheme("contrast")
    theme.set_scheme("contrast")
    assert seen[0] == "light"
    assert seen[1].startswith("contrast_")
    assert len(seen) == 2


def test_an_unknown_choice_falls_back_to_the_usual_one(qapp: QApplication) -> None:
    theme = Theme("plaid", "enormous", 400)
    assert (theme.scheme, theme.density, theme.size_pt) == ("system", "normal", 20)


def test_every_kind_has_a_colour(qapp: QApplication) -> None:
    theme = Theme("dark")
    assert all(theme.kind_color(kind).isValid() for kind in Kind)


def test_rows_grow_with_density_and_with_text(qapp: QApplication) -> None:
    theme = Theme("dark", "compact")
    heights = [theme.row_height_px]
    theme.set_density("relaxed")
    heights.append(theme.row_height_px)
    theme.set_size_pt(20)
    heights.append(theme.row_height_px)
    assert heights == sorted(set(heights))


def test_the_bundled_fonts_are_the_ones_used(qapp: QApplication, fonts: None) -> None:
    theme = Theme("dark")
    assert QFontInfo(theme.ui_font()).family() == "Inter"
    assert QFontInfo(theme.code_font()).family() == "JetBrains Mono"


def test_fonts_and_icons_come_with_their_licences() -> None:
    for name in ("fonts/Inter-OFL.txt", "fonts/JetBrainsMono-OFL.txt", "icons/LICENSE.txt"):
        assert (RESOURCES / name).stat().st_size > 500


@pytest.mark.parametrize("path", sorted((RESOURCES / "icons").glob("*.svg")), ids=lambda path: path.stem)
def test_icon_draws_something_in_the_tokens_colour(qapp: QApplication, path: Path) -> None:
    image = Theme("dark").icon(path.stem, "error").pixmap(QSize(16, 16)).toImage()
    wanted = load_tokens("dark")["error"]
    colors = {
        image.pixelColor(x, y).rgb() for x in range(16) for y in range(16) if image.pixelColor(x, y).alpha() > 250
    }
    assert all(abs(QColor(one).red() - wanted.red()) < 12 for one in colors)
    assert any(image.pixelColor(x, y).alpha() > 100 for x in range(16) for y in range(16))


def test_palette_has_our_colours(qapp: QApplication) -> None:
    theme = Theme("light")
    assert theme.palette().color(QPalette.ColorRole.Window) == theme.color("bg")
    assert theme.palette().color(QPalette.ColorRole.Highlight) == theme.color("selection")


def test_ink_is_the_one_that_reads_better() -> None:
    assert ink_on(QColor("#f0e040")) == QColor("#000000")
    assert ink_on(QColor("#302080")) == QColor("#ffffff")
